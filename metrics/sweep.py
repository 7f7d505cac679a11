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


def metrical_weights(piece: Piece, offset: Ints) -> Ints:
    """The metrical weight of each step of :func:`onset_grid`, 0 to -4; shape (steps,).

    0 on the bar line, -1 in the middle of a bar of an even number of beats, -2 on a beat, -3 on
    its half (a compound beat: third), -4 elsewhere.
    """
    weights: Ints = _weights(offset, piece.bar_edges, piece.beat_edges, piece.ticks_per_quarter)
    return weights


@numba.njit(cache=True)
def _weights(offset: Ints, bar_edges: Ints, beat_edges: Ints, ticks_per_quarter: int) -> Ints:
    weights = np.full(offset[-1], -4, np.int64)
    first = 0
    for bar in range(len(bar_edges) - 1):
        start, stop = bar_edges[bar], bar_edges[bar + 1]
        steps = offset[bar + 1] - offset[bar]
        while first < len(beat_edges) - 1 and beat_edges[first] < start:
            first += 1
        last = first
        while last < len(beat_edges) - 1 and beat_edges[last] < stop:
            last += 1
        beats = last - first
        for k in range(beats):
            a, b = beat_edges[first + k], beat_edges[first + k + 1]
            compound = 2 * (b - a) % 3 == 0 and 2 * (b - a) >= 3 * ticks_per_quarter
            parts = 3 if compound else 2
            for part in range(parts):
                tick = a + (b - a) * part / parts
                step = int(np.floor((tick - start) * steps / (stop - start) + 0.5))
                if step >= steps:
                    continue
                weight = -3 if part > 0 else -2
                if part == 0 and beats % 2 == 0 and 2 * k == beats and beats > 2:
                    weight = -1
                if part == 0 and k == 0:
                    weight = 0
                at = offset[bar] + step
                weights[at] = max(weights[at], weight)
    return weights


@numba.njit(cache=True)
def syncopated_weight(weights: Ints, onsets: Ints) -> int:
    """The sum, over onsets, of how much heavier the heaviest step is up to the next onset."""
    total = 0
    for i in range(len(onsets)):
        until = onsets[i + 1] if i + 1 < len(onsets) else onsets[i]
        heaviest = weights[onsets[i]]
        for step in range(onsets[i] + 1, until):
            heaviest = max(heaviest, weights[step])
        total += heaviest - weights[onsets[i]]
    return total


def tracks_together(piece: Piece) -> tuple[int, int]:
    """(ticks in which at least two tracks sound, ticks in which any does); drums count."""
    if piece.n_notes == 0:
        return 0, 0
    several, sounding = _tracks_together(
        piece.onset, piece.end, np.argsort(piece.end, kind="stable"), piece.track
    )
    return int(several), int(sounding)


@numba.njit(cache=True)
def _tracks_together(onset: Ints, end: Ints, end_order: Ints, track: Ints) -> tuple[int, int]:
    active = np.zeros(track.max() + 1, np.int64)
    several, sounding, tracks, now, next_end = 0, 0, 0, 0, 0
    i, n = 0, len(onset)
    while next_end < n:
        stop = end[end_order[next_end]]
        starts = i < n and onset[i] <= stop
        at = onset[i] if starts else stop
        sounding += at - now if tracks > 0 else 0
        several += at - now if tracks > 1 else 0
        now = at
        if starts:
            tracks += active[track[i]] == 0
            active[track[i]] += 1
            i += 1
        else:
            j = end_order[next_end]
            active[track[j]] -= 1
            tracks -= active[track[j]] == 0
            next_end += 1
    return several, sounding
