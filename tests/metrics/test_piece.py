"""A piece: checked, sorted, timed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concours.metrics.piece import make_piece


def test_order_of_the_notes_does_not_show() -> None:
    a = make_piece(onset=[480, 0, 0], end=[960, 480, 240], pitch=[60, 64, 60])
    b = make_piece(onset=[0, 480, 0], end=[240, 960, 480], pitch=[60, 60, 64])
    assert a.onset.tolist() == b.onset.tolist() == [0, 0, 480]
    assert a.pitch.tolist() == b.pitch.tolist() == [60, 64, 60]


@pytest.mark.parametrize(
    ("columns", "cause"),
    [
        ({"onset": [5], "end": [4], "pitch": [60]}, "ends before"),
        ({"onset": [-1], "end": [4], "pitch": [60]}, "starts before 0"),
        ({"onset": [0], "end": [4], "pitch": [128]}, "pitch"),
        ({"onset": [0], "end": [4], "pitch": [60, 61]}, "differ in length"),
    ],
)
def test_impossible_notes_are_refused(columns: dict[str, list[int]], cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        make_piece(**columns)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "maps", [{"tempos": [(0, 0.0)]}, {"meters": [(0, 0, 4)]}, {"ticks_per_quarter": 0}]
)
def test_impossible_maps_are_refused(maps: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="positive"):
        make_piece(onset=[0], end=[1], pitch=[60], **maps)  # type: ignore[arg-type]


def test_seconds_under_a_tempo_map() -> None:
    piece = make_piece(
        onset=[0], end=[1440], pitch=[60], tempos=[(0, 60.0), (480, 120.0), (960, 240.0)]
    )
    assert piece.to_seconds([0, 240, 480, 960, 1440]).tolist() == [0, 0.5, 1, 1.5, 1.75]
    assert piece.seconds == 1.75


def test_bar_of_clips_to_the_last_bar() -> None:
    piece = make_piece(onset=[0, 1920], end=[480, 2400], pitch=[60, 62])
    assert piece.bar_of([0, 1919, 1920, 99999]).tolist() == [0, 0, 1, 1]


def test_a_note_of_no_length_at_the_end_lies_in_a_bar() -> None:
    piece = make_piece(onset=[0, 1920], end=[1920, 1920], pitch=[60, 62])
    assert piece.bar_edges.tolist() == [0, 1920, 3840]
    assert piece.end_tick == 1920


def test_drums_leave_the_pitched_piece_but_not_its_bars() -> None:
    piece = make_piece(onset=[0, 1920], end=[480, 2400], pitch=[60, 36], is_drum=[False, True])
    assert piece.pitched.pitch.tolist() == [60]
    assert piece.pitched.bar_edges.tolist() == piece.bar_edges.tolist()
    assert make_piece(onset=[0], end=[1], pitch=[60]).pitched.n_notes == 1


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 900)), min_size=1, max_size=30))
def test_every_onset_lies_in_its_bar(notes: list[tuple[int, int]]) -> None:
    onset = np.array([n[0] for n in notes])
    piece = make_piece(onset=onset, end=onset + [n[1] for n in notes], pitch=[60] * len(notes))
    bar = piece.bar_of(piece.onset)
    assert (piece.bar_edges[bar] <= piece.onset).all()
    assert (piece.onset < piece.bar_edges[bar + 1]).all()
