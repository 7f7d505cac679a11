"""Sweeps over the notes of a piece, compiled: what sounds together, and which spans are silent.

Each costs O(n log n) in the notes and nothing in the tick resolution: no dense piano roll.
"""

from __future__ import annotations

import numba
import numpy as np

from concours.metrics.piece import Bools, Ints, Piece


@numba.njit(cache=True)
def _time_at_each_count(onset: Ints, end: Ints, end_order: Ints, pitch: Ints, stop: int) -> Ints:
    sounding = np.zeros(128, np.int64)
    ticks = np.zeros(129, np.int64)
    count, now, next_end = 0, 0, 0
    for i in range(len(onset) + 1):
        until = onset[i] if i < len(onset) else stop
        while next_end < len(end_order) and end[end_order[next_end]] <= until:
            j = end_order[next_end]
            ticks[count] += end[j] - now
            now = end[j]
            sounding[pitch[j]] -= 1
            if sounding[pitch[j]] == 0:
                count -= 1
            next_end += 1
        ticks[count] += until - now
        now = until
        if i < len(onset):
            if sounding[pitch[i]] == 0:
                count += 1
            sounding[pitch[i]] += 1
    return ticks


def ticks_at_polyphony(piece: Piece) -> Ints:
    """Ticks during which exactly k distinct pitches sound, for k = 0..128; shape (129,).

    They add up to the time from tick 0 to the end of the last note. Drums are left out. Two notes
    of one pitch (in two tracks, say) count as one.
    """

    def compute() -> Ints:
        p = piece.pitched
        long = p.end > p.onset
        onset, end, pitch = p.onset[long], p.end[long], p.pitch[long]
        order = np.argsort(end, kind="stable")
        stop = int(end.max()) if len(end) else 0
        ticks: Ints = _time_at_each_count(onset, end, order, pitch, stop)
        return ticks

    return piece.shared("ticks_at_polyphony", compute)


@numba.njit(cache=True)
def _occupied(onset: Ints, end: Ints, edges: Ints) -> Bools:
    occupied = np.zeros(len(edges) - 1, np.bool_)
    first = 0
    for i in range(len(onset)):
        while first < len(edges) - 2 and edges[first + 1] <= onset[i]:
            first += 1
        j = first
        while j < len(edges) - 1 and (j == first or edges[j] < end[i]):
            occupied[j] = True
            j += 1
    return occupied


def occupied_spans(piece: Piece, edges: Ints) -> Bools:
    """Which of the half-open spans between ``edges`` hold a sounding note; shape (spans,).

    A note of no length occupies the span of its onset. Drums count.
    """
    if len(edges) < 2:
        return np.zeros(0, np.bool_)
    occupied: Bools = _occupied(piece.onset, piece.end, edges)
    return occupied


@numba.njit(cache=True)
def _onset_steps(
    onset: Ints, bar_edges: Ints, per_quarter: int, ticks_per_quarter: int, offset: Ints
) -> Bools:
    grid = np.zeros(offset[-1], np.bool_)
    bar = 0
    bars = len(bar_edges) - 1
    for i in range(len(onset)):
        while bar < bars - 1 and bar_edges[bar + 1] <= onset[i]:
            bar += 1
        position = (onset[i] - bar_edges[bar]) * per_quarter / ticks_per_quarter
        at = offset[bar] + int(np.floor(position + 0.5))
        if at < offset[-1]:  # past the last step there is no bar left to round up into
            grid[at] = True
    return grid


def onset_grid(piece: Piece, steps_per_quarter: int) -> tuple[Bools, Ints]:
    """Which steps of a grid hold an onset: (grid of shape (steps,), bar offsets (bars + 1,)).

    Bar ``i`` is ``grid[offset[i]:offset[i + 1]]``. Steps are counted from each bar line, so a
    resolution that the grid does not divide never drifts; an onset goes to its nearest step (a
    half rounds up), which may be the first of the next bar. Drums count.
    """
    if steps_per_quarter <= 0:
        raise ValueError(f"steps_per_quarter must be at least 1, not {steps_per_quarter}")

    def compute() -> tuple[Bools, Ints]:
        length = np.diff(piece.bar_edges) * steps_per_quarter / piece.ticks_per_quarter
        steps = np.maximum(1, np.floor(length + 0.5)).astype(np.int64)
        offset = np.concatenate([np.zeros(1, np.int64), np.cumsum(steps)])
        grid = _onset_steps(
            piece.onset, piece.bar_edges, steps_per_quarter, piece.ticks_per_quarter, offset
        )
        return grid, offset

    return piece.shared(("onset_grid", steps_per_quarter), compute)
