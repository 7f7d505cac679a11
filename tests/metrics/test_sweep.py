"""The sweeps agree with dense piano rolls, tick by tick."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from concours.metrics.piece import Piece, make_piece
from concours.metrics.sweep import onset_grid, ticks_at_polyphony, together

NOTES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20), st.integers(58, 63), st.booleans()),
    max_size=25,
)


def _piece(notes: list[tuple[int, int, int, bool]]) -> Piece:
    onset = [n[0] for n in notes]
    return make_piece(
        onset=onset,
        end=[n[0] + n[1] for n in notes],
        pitch=[n[2] for n in notes],
        is_drum=[n[3] for n in notes],
        ticks_per_quarter=4,
    )


@given(NOTES)
def test_polyphony_is_that_of_a_piano_roll(notes: list[tuple[int, int, int, bool]]) -> None:
    piece = _piece(notes)
    pitched = [n for n in notes if not n[3]]
    end = max((a + d for a, d, _, _ in pitched if d), default=0)
    roll = np.zeros((end, 128), bool)
    for a, d, p, _ in pitched:
        roll[a : a + d, p] = True
    expected = np.bincount(roll.sum(axis=1), minlength=129) if end else np.zeros(129)
    assert ticks_at_polyphony(piece).tolist() == expected.tolist()


@given(NOTES)
def test_beats_are_empty_where_a_roll_is(notes: list[tuple[int, int, int, bool]]) -> None:
    piece = _piece(notes)
    last = max((a + d for a, d, _, _ in notes), default=0)
    spans = [(a, b) for a, b in pairwise(piece.beat_edges.tolist()) if a < last]
    empty = [
        not any(max(a, n[0]) < min(b, n[0] + n[1]) or a <= n[0] < b for n in notes)
        for a, b in spans
    ]
    # a note of no length at the very end belongs to the beat before it
    if spans and spans[-1][1] == last and any(n[0] == last for n in notes):
        empty[-1] = False
    assert together(piece).beats == (sum(empty), len(spans))


def test_onsets_never_drift_on_a_resolution_that_the_grid_does_not_divide() -> None:
    ticks = 121
    onset = [round(i * ticks / 4) for i in range(4 * 4 * 20)]
    piece = make_piece(
        onset=onset, end=[o + 1 for o in onset], pitch=[60] * len(onset), ticks_per_quarter=ticks
    )
    grid, offset = onset_grid(piece, 4)
    assert grid[: len(onset)].all()
    assert np.diff(offset).tolist() == [16] * 20


def test_an_onset_just_before_a_bar_line_belongs_to_the_next_bar() -> None:
    piece = make_piece(onset=[0, 1915, 2400], end=[10, 1919, 2500], pitch=[60, 60, 60])
    grid, offset = onset_grid(piece, 4)
    assert np.flatnonzero(grid).tolist() == [0, 16, 20]
    assert offset.tolist() == [0, 16, 32]


@given(NOTES, st.lists(st.integers(0, 3), min_size=25, max_size=25))
def test_two_at_once_are_those_of_a_piano_roll(
    notes: list[tuple[int, int, int, bool]], tracks: list[int]
) -> None:
    piece = replace(_piece(notes), track=np.array(tracks[: len(notes)], np.int64))
    end = max((a + d for a, d, _, _ in notes), default=0)
    pitches, parts = np.zeros((end, 128), bool), np.zeros((end, 4), bool)
    for i in range(piece.n_notes):
        sounding = slice(piece.onset[i], piece.end[i])
        parts[sounding, piece.track[i]] = True
        if not piece.is_drum[i]:
            pitches[sounding, piece.pitch[i]] = True
    at_once, together_at = pitches.sum(axis=1), parts.sum(axis=1)
    found = together(piece)
    assert found.pitches == at_once.sum()
    assert (found.one_pitch, found.two_pitches) == ((at_once > 0).sum(), (at_once > 1).sum())
    assert (found.one_track, found.two_tracks) == ((together_at > 0).sum(), (together_at > 1).sum())
