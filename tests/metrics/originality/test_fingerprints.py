"""Fingerprints: a passage is found in another key, at another tempo, out of time; strangers not."""

import numpy as np
import pytest

from concours.metrics.originality.fingerprints import cells, fingerprints
from concours.metrics.originality.notes import UNITS, Notes, notes_of
from concours.metrics.piece import make_piece


def tune(seed: int, n: int = 120) -> Notes:
    rng = np.random.default_rng(seed)
    onset = np.cumsum(rng.choice([240, 480, 480, 720], n))
    pitch = np.clip(60 + np.cumsum(rng.integers(-4, 5, n)) % 30, 0, 127)
    return notes_of(make_piece(onset=onset, end=onset + 1, pitch=pitch))


def joined(pieces: list[Notes]) -> tuple[Notes, np.ndarray]:
    starts = np.cumsum([0, *(len(p.onset) for p in pieces)])
    return Notes(*(np.concatenate(c) for c in zip(*pieces, strict=True))), starts


def played(notes: Notes, first: int, n: int, *, jitter: float, tempo: float, shift: int) -> Notes:
    rng = np.random.default_rng(first)
    part = notes.part(first, first + n)
    onset = (part.onset - float(part.onset[0])) / tempo + rng.normal(0, jitter * UNITS, n)
    order = np.argsort(onset)
    onset = np.rint(onset - onset.min()).astype(np.uint32)
    return Notes(onset, part.pitch + np.uint8(shift), *part[2:])._replace(
        onset=onset[order], pitch=(part.pitch + np.uint8(shift))[order]
    )


@pytest.mark.parametrize(("jitter", "fewest"), [(0.0, 10), (1 / 48, 10), (1 / 24, 9), (1 / 16, 8)])
def test_played_passages_are_found_with_key_and_tempo(jitter, fewest):
    corpus, starts = joined([tune(i) for i in range(20)])
    known = fingerprints(corpus, starts)
    found = 0
    for i in range(10):
        query = played(tune(i), 40, 24, jitter=jitter, tempo=1.25, shift=4)
        best = cells(query, corpus, starts, known)
        if not best:
            continue
        right = best[0].piece == i and best[0].transposition == 4
        found += right and best[0].votes >= 12 and abs(best[0].tempo_factor - 1.25) < 0.3
        if right:
            assert 30 <= best[0].source_notes[0] - starts[i] <= 64
    assert found >= fewest


def test_strangers_get_few_votes_and_pieces_aside_none():
    corpus, starts = joined([tune(i) for i in range(20)])
    known = fingerprints(corpus, starts)
    votes = [
        max((c.votes for c in cells(tune(i), corpus, starts, known)), default=0)
        for i in range(100, 112)
    ]
    assert max(votes) < 12
    own = cells(tune(3), corpus, starts, known)[0]
    assert (own.piece, own.transposition, own.tempo_factor) == (3, 0, 1.0)
    assert all(c.piece != 3 for c in cells(tune(3), corpus, starts, known, aside=[3]))


def test_nothing_to_find_is_no_cell():
    corpus, starts = joined([tune(1)])
    known = fingerprints(corpus, starts)
    empty = notes_of(make_piece(onset=[], end=[], pitch=[]))
    assert cells(empty, corpus, starts, known) == []
    chord = notes_of(make_piece(onset=[0] * 5, end=[9] * 5, pitch=range(60, 65)))
    assert cells(chord, corpus, starts, known) == []
