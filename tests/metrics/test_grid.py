"""Bars and beats: worked cases under odd meters, and what holds for any meters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concours.metrics.grid import Grid, GridError, bar_grid, unit_ticks


def grid(
    meters: list[tuple[int, int, int]], end: int, tpq: int = 480, edges: list[int] | None = None
) -> Grid:
    columns = np.array(meters, np.int64).reshape(-1, 3).T
    stated = None if edges is None else np.array(edges, np.int64)
    return bar_grid(columns[0], columns[1], columns[2], end, tpq, stated)


@pytest.mark.parametrize(
    ("meter", "units"),
    [
        ((4, 4), (1920, 480)),
        ((3, 8), (720, 240)),
        ((6, 8), (1440, 720)),
        ((12, 16), (1440, 360)),
        ((6, 4), (2880, 480)),
        ((5, 8), (1200, 240)),
        ((2, 2), (1920, 960)),
    ],
)
def test_bar_and_beat_of_a_meter(meter: tuple[int, int], units: tuple[float, float]) -> None:
    assert unit_ticks(*meter, 480) == units


def test_missing_meters_are_common_time() -> None:
    assert grid([], 2000).bar_edges.tolist() == [0, 1920, 3840]
    assert grid([], 1920).bar_edges.tolist() == [0, 1920]
    assert grid([], 1920).beat_edges.tolist() == [0, 480, 960, 1440, 1920]


def test_a_late_meter_leaves_common_time_before_it() -> None:
    assert grid([(1920, 3, 4)], 3400).bar_edges.tolist() == [0, 1920, 3360, 4800]


def test_a_change_cuts_the_bar_it_falls_in() -> None:
    found = grid([(0, 4, 4), (2400, 3, 4)], 3000)
    assert found.bar_edges.tolist() == [0, 1920, 2400, 3840]
    assert found.beat_edges.tolist() == [0, 480, 960, 1440, 1920, 2400, 2880, 3360, 3840]


def test_a_pickup_as_a_short_meter() -> None:
    assert grid([(0, 1, 4), (480, 3, 4)], 1921).bar_edges.tolist() == [0, 480, 1920, 3360]


def test_a_repeated_meter_moves_no_bar_line() -> None:
    assert grid([(0, 4, 4), (700, 4, 4)], 3840).bar_edges.tolist() == [0, 1920, 3840]


def test_a_meter_after_the_end_changes_nothing() -> None:
    assert grid([(0, 4, 4), (1920, 3, 4)], 1920).bar_edges.tolist() == [0, 1920]


def test_fractions_of_a_tick_do_not_drift() -> None:
    found = grid([(0, 1, 8)], 1000, tpq=5)
    assert found.bar_edges[:5].tolist() == [0, 2, 5, 8, 10]
    assert found.bar_edges[400] == 1000


def test_stated_lines_count_an_opening_pickup_back_from_its_end() -> None:
    found = grid([(0, 4, 4)], 4000, edges=[0, 720, 2640])
    assert found.bar_edges.tolist() == [0, 720, 2640, 4560]
    assert found.beat_edges[:4].tolist() == [0, 240, 720, 1200]


def test_nothing_sounds_no_bars() -> None:
    assert grid([(0, 3, 4)], 0).bar_edges.tolist() == [0]


def test_too_many_beats_are_refused() -> None:
    with pytest.raises(GridError, match="corrupt"):
        grid([], 2**40)
    with pytest.raises(GridError, match="corrupt"):
        grid([], 2**40, edges=[0, 1920])


METERS = st.lists(
    st.tuples(st.integers(0, 20000), st.integers(1, 17), st.sampled_from([1, 2, 4, 8, 16, 32, 64])),
    max_size=6,
    unique_by=lambda m: m[0],
).map(sorted)


@given(METERS, st.integers(1, 20000), st.sampled_from([1, 24, 96, 120, 480, 1024]))
def test_edges_cover_the_piece_and_beats_divide_bars(
    meters: list[tuple[int, int, int]], end: int, tpq: int
) -> None:
    bars, beats = grid(meters, end, tpq)
    assert bars[0] == beats[0] == 0
    assert (np.diff(bars) > 0).all()
    assert (np.diff(beats) > 0).all()
    assert bars[-2] < end <= bars[-1] == beats[-1]
    assert np.isin(bars, beats).all()
    inside = [t for t, *_ in meters if t < end]
    changes = [
        t
        for t, p, q in zip(inside, [(4, 4), *(m[1:] for m in meters)], meters, strict=False)
        if p != q[1:]
    ]
    assert np.isin(changes, bars).all()


@given(METERS, st.integers(1, 20000), st.lists(st.integers(0, 30000), max_size=20))
def test_stated_lines_are_kept(
    meters: list[tuple[int, int, int]], end: int, edges: list[int]
) -> None:
    bars, beats = grid(meters, end, 480, edges)
    assert bars[0] == 0
    assert bars[-2] < end <= bars[-1] == beats[-1]
    assert np.isin([e for e in edges if e < end], bars).all()
    assert np.isin(bars, beats).all()


@given(st.integers(1, 50), st.integers(1, 30))
def test_scaling_time_scales_the_grid(end: int, factor: int) -> None:
    plain, scaled = (
        grid([(0, 3, 4)], end * 480),
        grid([(0, 3, 4)], end * 480 * factor, 480 * factor),
    )
    assert (plain.bar_edges * factor).tolist() == scaled.bar_edges.tolist()
