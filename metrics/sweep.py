"""Sweeps over the notes of a piece, compiled: what sounds together, and which spans are silent.

Each costs O(n log n) in the notes and nothing in the tick resolution: no dense piano roll.
"""

from __future__ import annotations

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Bools, Ints, Piece


def distinct_onsets(piece: Piece) -> Ints:
    """The ticks at which notes start, each once, ascending; drums count."""
    return piece.shared("distinct_onsets", lambda: _distinct(piece.onset))


@compiled
def _distinct(ascending: Ints) -> Ints:
    found = np.empty(len(ascending), np.int64)
    n = 0
    for i in range(len(ascending)):
        if i == 0 or ascending[i] != ascending[i - 1]:
            found[n] = ascending[i]
            n += 1
    return found[:n].copy()


def end_order(piece: Piece) -> Ints:
    """The order in which the notes end; shape (n,)."""
    return piece.shared("end_order", lambda: np.argsort(piece.end, kind="stable"))


@compiled
def _time_at_each_count(onset: Ints, end: Ints, end_order: Ints, pitch: Ints) -> Ints:
    sounding = np.zeros(128, np.int64)
    ticks = np.zeros(129, np.int64)
    count, now, next_end, stop = 0, 0, 0, 0
    for i in range(len(onset)):
        if end[i] > onset[i]:
            stop = max(stop, end[i])
    for i in range(len(onset) + 1):
        if i < len(onset) and end[i] == onset[i]:
            continue
        until = onset[i] if i < len(onset) else stop
        while next_end < len(end_order) and end[end_order[next_end]] <= until:
            j = end_order[next_end]
            if end[j] == onset[j]:
                next_end += 1
                continue
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
        order = end_order(p)
        return _time_at_each_count(p.onset, p.end, order, p.pitch)

    return piece.shared("ticks_at_polyphony", compute)


@compiled
def _occupied(onset: Ints, end: Ints, edges: Ints) -> Bools:
    occupied = np.zeros(len(edges) - 1, np.bool_)
    first, filled = 0, 0  # an earlier note has filled the spans from ``first`` to ``filled``
    for i in range(len(onset)):
        while first < len(edges) - 2 and edges[first + 1] <= onset[i]:
            first += 1
        j = max(first, filled)
        while j < len(edges) - 1 and (j == first or edges[j] < end[i]):
            occupied[j] = True
            j += 1
        filled = j
    return occupied


def occupied_spans(piece: Piece, edges: Ints) -> Bools:
    """Which of the half-open spans between ``edges`` hold a sounding note; shape (spans,).

    A note of no length occupies the span of its onset. Drums count.
    """
    if len(edges) < 2:
        return np.zeros(0, np.bool_)
    return _occupied(piece.onset, piece.end, edges)


def empty_spans(piece: Piece, edges: Ints) -> tuple[int, int]:
    """(spans without a sounding note, spans) of :func:`occupied_spans`, up to the last end."""
    empty, spans = _empty(piece.onset, piece.end, edges)
    return int(empty), int(spans)


@compiled
def _empty(onset: Ints, end: Ints, edges: Ints) -> tuple[int, int]:
    stop, spans, filled = 0, 0, 0
    for tick in end:
        stop = max(stop, tick)
    while spans < len(edges) - 1 and edges[spans] < stop:
        spans += 1
    if spans == 0:
        return 0, 0
    for sounds in _occupied(onset, end, edges[: spans + 1]):
        filled += sounds
    return spans - filled, spans


@compiled
def _onset_steps(
    onset: Ints, bar_edges: Ints, per_quarter: int, ticks_per_quarter: int
) -> tuple[Bools, Ints]:
    bars = len(bar_edges) - 1
    offset = np.zeros(bars + 1, np.int64)
    for bar in range(bars):
        length = (bar_edges[bar + 1] - bar_edges[bar]) * per_quarter / ticks_per_quarter
        offset[bar + 1] = offset[bar] + max(1, int(np.floor(length + 0.5)))
    grid = np.zeros(offset[-1], np.bool_)
    bar = 0
    for i in range(len(onset)):
        while bar < bars - 1 and bar_edges[bar + 1] <= onset[i]:
            bar += 1
        position = (onset[i] - bar_edges[bar]) * per_quarter / ticks_per_quarter
        at = offset[bar] + int(np.floor(position + 0.5))
        if at < offset[-1]:  # past the last step there is no bar left to round up into
            grid[at] = True
    return grid, offset


def onset_grid(piece: Piece, steps_per_quarter: int) -> tuple[Bools, Ints]:
    """Which steps of a grid hold an onset: (grid of shape (steps,), bar offsets (bars + 1,)).

    Bar ``i`` is ``grid[offset[i]:offset[i + 1]]``. Steps are counted from each bar line, so a
    resolution that the grid does not divide never drifts; an onset goes to its nearest step (a
    half rounds up), which may be the first of the next bar. Drums count.
    """
    if steps_per_quarter <= 0:
        raise ValueError(f"steps_per_quarter must be at least 1, not {steps_per_quarter}")

    def compute() -> tuple[Bools, Ints]:
        return _onset_steps(
            piece.onset, piece.bar_edges, steps_per_quarter, piece.ticks_per_quarter
        )

    return piece.shared(("onset_grid", steps_per_quarter), compute)


def metrical_weights(piece: Piece, offset: Ints) -> Ints:
    """The metrical weight of each step of :func:`onset_grid`, 0 to -4; shape (steps,).

    0 on the bar line, -1 in the middle of a bar of an even number of beats, -2 on a beat, -3 on
    its half (a compound beat: third), -4 elsewhere.
    """
    weights: Ints = _weights(offset, piece.bar_edges, piece.beat_edges, piece.ticks_per_quarter)
    return weights


@compiled
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


def syncopated(piece: Piece, grid: Bools, offset: Ints) -> tuple[int, int]:
    """(how much heavier the heaviest step is up to the next onset, summed over the onsets; bars
    with an onset) on an :func:`onset_grid`."""
    total, bars = _syncopated(
        grid, offset, piece.bar_edges, piece.beat_edges, piece.ticks_per_quarter
    )
    return int(total), int(bars)


@compiled
def _syncopated(
    grid: Bools, offset: Ints, bar_edges: Ints, beat_edges: Ints, ticks_per_quarter: int
) -> tuple[int, int]:
    weights = _weights(offset, bar_edges, beat_edges, ticks_per_quarter)
    total, bars, last, heaviest = 0, 0, -1, 0
    for bar in range(len(offset) - 1):
        heard = False
        for step in range(offset[bar], offset[bar + 1]):
            if grid[step]:
                heard = True
                if last >= 0:
                    total += heaviest - weights[last]
                last, heaviest = step, weights[step]
            else:
                heaviest = max(heaviest, weights[step])
        bars += heard
    return total, bars


@compiled
def bar_likeness(grid: Bools, offset: Ints) -> tuple[float, int, float, int]:
    """How bars of one length differ, on an :func:`onset_grid`: (summed share of steps that do and
    pairs, of neighbouring bars; the same of all pairs of bars)."""
    bars = len(offset) - 1
    differing, neighbours = 0.0, 0
    for bar in range(bars - 1):
        steps = offset[bar + 1] - offset[bar]
        if offset[bar + 2] - offset[bar + 1] != steps:
            continue
        unlike = 0
        for step in range(offset[bar], offset[bar + 1]):
            unlike += grid[step] != grid[step + steps]
        differing += unlike / steps
        neighbours += 1
    apart, pairs = 0.0, 0
    done = np.zeros(bars, np.bool_)
    for first in range(bars):
        if done[first]:
            continue
        steps = offset[first + 1] - offset[first]
        onsets = np.zeros(steps, np.int64)
        n = 0
        for bar in range(first, bars):
            if offset[bar + 1] - offset[bar] == steps:
                done[bar] = True
                n += 1
                for step in range(steps):
                    onsets[step] += grid[offset[bar] + step]
        unlike = 0
        for step in range(steps):
            unlike += onsets[step] * (n - onsets[step])
        apart += unlike / steps
        pairs += n * (n - 1) // 2
    return differing, neighbours, apart, pairs


def tracks_together(piece: Piece) -> tuple[int, int]:
    """(ticks in which at least two tracks sound, ticks in which any does); drums count."""
    if piece.n_notes == 0:
        return 0, 0
    several, sounding = _tracks_together(piece.onset, piece.end, end_order(piece), piece.track)
    return int(several), int(sounding)


@compiled
def _tracks_together(onset: Ints, end: Ints, end_order: Ints, track: Ints) -> tuple[int, int]:
    highest = 0
    for number in track:
        highest = max(highest, number)
    active = np.zeros(highest + 1, np.int64)
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
