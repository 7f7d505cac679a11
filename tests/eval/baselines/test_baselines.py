"""Baselines: each keeps what it promises, breaks the rest, and is the same every time."""

from collections import Counter

import numpy as np
import pytest
import symusic

from concours.eval.baselines import KINDS, generate, write_midi
from concours.eval.baselines.midi import signatures
from concours.metrics.originality.ngram import NgramIndex, longest_shared_passage, ngram_overlap
from concours.metrics.originality.tokens import tokenize
from concours.metrics.piece import Piece, make_piece

TPQ = 480


def song(seed: int, *, bars: int = 16, key: int = 0) -> Piece:
    """A wandering melody over chords and a drum beat, in 3/4 after an upbeat."""
    rng = np.random.default_rng(seed)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    rows: list[tuple[int, int, int, int, int, bool]] = []
    degree, time, end = 7, 0, TPQ + bars * 3 * TPQ
    while time < end:
        degree = int(np.clip(degree + rng.integers(-2, 3), 0, 20))
        length = int(rng.choice([TPQ // 2, TPQ, TPQ // 3]))
        rows.append(
            (time, time + length, 48 + key + 12 * (degree // 7) + scale[degree % 7], 0, 0, False)
        )
        time += length
    for bar in range(bars):
        root = int(rng.integers(0, 5))
        start = TPQ + bar * 3 * TPQ
        for step in (0, 2, 4):
            pitch = 48 + key + int(scale[(root + step) % 7])
            rows.append((start, start + 2 * TPQ, pitch, 1, 24, False))
        for beat in range(3):
            drum = 36 if beat == 0 else 42
            rows.append((start + beat * TPQ, start + beat * TPQ + 60, drum, 2, 0, True))
    onset, end_, pitch, track, program, drums = (np.array(c) for c in zip(*rows, strict=True))
    return make_piece(
        onset=onset,
        end=end_,
        pitch=pitch,
        track=track,
        program=program,
        is_drum=drums,
        ticks_per_quarter=TPQ,
        tempos=[(0, 96.0), (4800, 72.0)],
        meters=[(0, 1, 4), (TPQ, 3, 4)],
        keys=[(0, 0, False)],
        track_names=("tune", "chords", "beat"),
    )


@pytest.fixture(scope="module")
def corpus() -> list[Piece]:
    return [song(i, key=i % 5) for i in range(12)]


def columns(piece: Piece) -> list[list[int]]:
    names = ("onset", "end", "pitch", "velocity", "track", "program", "is_drum")
    return [getattr(piece, n).tolist() for n in names]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_pieces_whatever_the_count(kind, corpus):
    few = list(generate(kind, train=corpus, count=3, seed=5, order=2))
    many = list(generate(kind, train=corpus, count=15, seed=5, order=2))
    other = list(generate(kind, train=corpus, count=3, seed=6, order=2))
    assert [columns(p) for p in few] == [columns(p) for p in many[:3]]
    assert [columns(p) for p in few] != [columns(p) for p in other]
    assert len(many) == 15


@pytest.mark.parametrize("kind", KINDS)
def test_length_tracks_bars_and_tempi_are_the_models(kind, corpus):
    for piece in generate(kind, train=corpus, count=4, seed=1, order=1):
        assert sorted(set(piece.track.tolist())) == [0, 1, 2]
        assert set(piece.program[piece.track == 1].tolist()) == {24}
        assert (piece.track[piece.is_drum] == 2).all()
        assert piece.bar_edges[:3].tolist() == [0, TPQ, 4 * TPQ]
        assert piece.tempo_qpm.tolist() == [96.0, 72.0]
        assert abs(piece.end_tick - corpus[0].end_tick) <= 4 * TPQ


def test_the_copycat_copies(corpus):
    copies = list(generate("copycat", train=corpus, count=12, seed=0))
    assert {id(p) for p in copies} == {id(p) for p in corpus}


def test_shuffled_keeps_every_note_and_breaks_every_line(corpus):
    index = NgramIndex.build([tokenize(p) for p in corpus], [str(i) for i in range(12)])
    by_pitches = {tuple(sorted(p.pitch.tolist())): p for p in corpus}
    for piece in generate("shuffled", train=corpus, count=6, seed=0):
        model = by_pitches[tuple(sorted(piece.pitch.tolist()))]
        for track in range(3):
            before, after = (p.where(p.track == track) for p in (model, piece))
            assert Counter(before.pitch.tolist()) == Counter(after.pitch.tolist())
            steps = [Counter(np.diff(np.unique(p.onset)).tolist()) for p in (before, after)]
            assert steps[0] == steps[1]
        overlap = ngram_overlap(piece, index, n=8)
        assert overlap.value < 0.2  # type: ignore[union-attr]


def test_random_keeps_numbers_and_compass_and_nothing_else(corpus):
    for piece in generate("random", train=corpus, count=4, seed=0):
        tune = piece.where(piece.track == 0)
        limits = [(p.pitch[p.track == 0].min(), p.pitch[p.track == 0].max()) for p in corpus]
        assert any(low <= tune.pitch.min() and tune.pitch.max() <= high for low, high in limits)
        counts = [int((p.track == 0).sum()) for p in corpus]
        assert min(counts) * 0.8 <= tune.n_notes <= max(counts)


def test_a_higher_order_quotes_longer(corpus):
    index = NgramIndex.build([tokenize(p) for p in corpus], [str(i) for i in range(12)])
    median = {}
    for order in (1, 2, 3, 8):
        found = [
            longest_shared_passage(p, index)
            for p in generate("markov", train=corpus, count=12, seed=0, order=order)
        ]
        median[order] = float(np.median([r.value for r in found]))  # type: ignore[union-attr]
    assert median[1] < median[2] < median[3] <= median[8]
    assert median[8] > 2 * median[1]


def test_order_1_follows_only_steps_that_the_training_pieces_take():
    tune = make_piece(
        onset=np.arange(8) * 480, end=np.arange(1, 9) * 480, pitch=[60, 62, 64, 60, 64, 67, 64, 62]
    )
    seen = set(zip(tune.pitch.tolist(), tune.pitch[1:].tolist(), strict=False))
    for piece in generate("markov", train=[tune], count=5, seed=2, order=1):
        assert piece.pitch[0] == 60
        steps = set(zip(piece.pitch.tolist(), piece.pitch[1:].tolist(), strict=False))
        assert steps <= seen


def test_a_generated_piece_is_in_its_models_key():
    c_major, f_sharp_major = {0, 2, 4, 5, 7, 9, 11}, {6, 8, 10, 11, 1, 3, 5}
    tunes = [song(3), song(4, key=6)]
    used = [
        {int(p) % 12 for p in piece.pitch[~piece.is_drum]}
        for piece in generate("markov", train=tunes, count=2, seed=0, order=3)
    ]
    assert sorted((u <= c_major, u <= f_sharp_major) for u in used) == [
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_midi_file_holds_what_the_piece_holds(kind, corpus, tmp_path):
    for i, piece in enumerate(generate(kind, train=corpus, count=2, seed=4, order=3)):
        one, two = tmp_path / f"{i}.mid", tmp_path / f"{i}-again.mid"
        write_midi(piece, one)
        write_midi(piece, two)
        assert one.read_bytes() == two.read_bytes()
        score = symusic.Score(one)
        rows = sorted(
            (n.time, n.end, n.pitch, t.is_drum, t.name, -1 if t.is_drum else t.program)
            for t in score.tracks
            for n in t.notes
        )
        want = sorted(
            zip(
                piece.onset.tolist(),
                piece.end.tolist(),
                piece.pitch.tolist(),
                piece.is_drum.tolist(),
                [piece.track_names[t] for t in piece.track],
                np.where(piece.is_drum, -1, piece.program).tolist(),
                strict=True,
            )
        )
        assert rows == want
        assert [(t.time, t.numerator, t.denominator) for t in score.time_signatures] == [
            (0, 1, 4),
            (TPQ, 3, 4),
        ]
        assert [round(t.qpm, 3) for t in score.tempos] == [96.0, 72.0]


def test_an_upbeat_that_only_the_bars_know_becomes_a_signature():
    piece = make_piece(
        onset=[0, 480, 2400],
        end=[480, 2400, 3000],
        pitch=[60, 62, 64],
        meters=[(0, 4, 4)],
        bar_edges=[0, 480, 2400, 4320],
    )
    assert signatures(piece) == [(0, 1, 4), (480, 4, 4)]
    again = make_piece(onset=[0], end=[3000], pitch=[60], meters=signatures(piece))
    assert again.bar_edges.tolist() == piece.bar_edges.tolist()


def test_misuse_is_told(corpus):
    with pytest.raises(ValueError, match="no baseline is called 'mozart'"):
        generate("mozart", train=corpus, count=1, seed=0)
    with pytest.raises(ValueError, match="at least one training piece"):
        generate("random", train=[make_piece(onset=[], end=[], pitch=[])], count=1, seed=0)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        generate("markov", train=corpus, count=1, seed=0, order=0)
