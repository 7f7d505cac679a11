"""Sweeps over the notes of a piece, compiled: what sounds together, and where nothing does.

Each costs time in proportion to the notes and nothing for the tick resolution: no dense piano roll.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from concours.metrics.beat_grid import distinct_onsets
from concours.metrics.compiled import compiled
from concours.metrics.piece import Bools, Ints, Piece


class Together(NamedTuple):
    """How long things sound at once, in ticks. ``pitched``: time from tick 0 to the last end of a
    pitched note; ``pitches``: the times of the distinct pitches, added up; ``one_pitch``,
    ``two_pitches``: where at least so many sound; ``one_track``, ``two_tracks``: of the tracks,
    drums being one like others.

    ``beats``, ``bars``: (those in which nothing sounds, all), of those that start before the last
    end. A note of no length sounds in the beat of its onset, at the very end in the last one."""

    pitched: int
    pitches: int
    one_pitch: int
    two_pitches: int
    one_track: int
    two_tracks: int
    beats: tuple[int, int]
    bars: tuple[int, int]


def together(piece: Piece) -> Together:
    """How much sounds at once and where nothing does, computed once a piece."""

    def compute() -> Together:
        voices = piece.pitch, piece.track, piece.is_drum
        spans = piece.beat_edges, piece.bar_edges
        return Together(*_together(piece.onset, piece.end, *voices, piece.end_tick, *spans))

    return piece.shared("together", compute)


@compiled
def _together(
    onset: Ints,
    end: Ints,
    pitch: Ints,
    track: Ints,
    is_drum: Bools,
    last: int,
    beat_edges: Ints,
    bar_edges: Ints,
) -> tuple[int, int, int, int, int, int, tuple[int, int], tuple[int, int]]:
    """The fields of :class:`Together`; ``last``: the last end."""
    ends = np.zeros(128, np.int64)  # the last end of each pitch so far
    pitched = pitches = 0
    of_pitches, of_tracks = (0, 0, 0, 0, -1, 0), (0, 0, 0, 0, -1, 0)
    reach, beats, bars = 0, (0, 0), (0, 0)
    for i in range(len(onset)):
        if onset[i] > reach:
            beats = _past_gap(beats, beat_edges, reach, min(onset[i], last - 1))
            bars = _past_gap(bars, bar_edges, reach, min(onset[i], last - 1))
        reach = max(reach, end[i], onset[i] + 1)
        of_tracks = _next(of_tracks, onset[i], end[i], track[i])
        if is_drum[i]:
            continue
        of_pitches = _next(of_pitches, onset[i], end[i], pitch[i])
        own = ends[pitch[i]]
        pitches += max(0, end[i] - max(onset[i], own))
        ends[pitch[i]] = max(own, end[i])
        pitched = max(pitched, end[i] if end[i] > onset[i] else 0)
    of_pitches = _next(of_pitches, of_pitches[2], of_pitches[2], -1)
    of_tracks = _next(of_tracks, of_tracks[2], of_tracks[2], -1)
    beats, bars = _past_end(beats, beat_edges, last), _past_end(bars, bar_edges, last)
    return pitched, pitches, *of_pitches[:2], *of_tracks[:2], beats, bars


@compiled
def _next(
    state: tuple[int, int, int, int, int, int], start: int, stop: int, voice: int
) -> tuple[int, int, int, int, int, int]:
    """The next note's part in how long at least one voice sounds, and at least two.

    The state: (ticks of one, ticks of two, the latest end so far, the latest in another voice than
    that, the voice of the former, the last start). No other end can matter.
    """
    one, two, latest, second, leader, now = state
    one += max(0, min(latest, start) - now)
    two += max(0, min(second, start) - now)
    second = max(second, min(latest, stop) if voice != leader else 0)
    leader = voice if stop > latest else leader
    return one, two, max(latest, stop), second, leader, start


@compiled
def _past_gap(passed: tuple[int, int], edges: Ints, start: int, stop: int) -> tuple[int, int]:
    """(spans that lie within gaps, spans passed), after a gap from ``start`` to ``stop``."""
    empty, span = passed
    while span < len(edges) - 1 and edges[span] < start:
        span += 1
    while span < len(edges) - 1 and edges[span + 1] <= stop:
        empty += 1
        span += 1
    return empty, span


@compiled
def _past_end(passed: tuple[int, int], edges: Ints, last: int) -> tuple[int, int]:
    empty, span = passed
    while span < len(edges) - 1 and edges[span] < last:
        span += 1
    return empty, span


def ticks_at_polyphony(piece: Piece) -> Ints:
    """Ticks during which exactly k distinct pitches sound, for k = 0..128; shape (129,).

    They add up to the time from tick 0 to the end of the last note. Drums are left out. Two notes
    of one pitch (in two tracks, say) count as one.
    """

    def compute() -> Ints:
        p = piece.pitched
        return _time_at_each_count(p.onset, p.end, p.pitch)

    return piece.shared("ticks_at_polyphony", compute)


@compiled
def _time_at_each_count(onset: Ints, end: Ints, pitch: Ints) -> Ints:
    ticks = np.zeros(129, np.int64)
    # of each sounding pitch the last end so far, latest first
    stops, sounding = np.empty(128, np.int64), np.empty(128, np.int64)
    count = now = 0
    for i in range(len(onset)):
        start, stop, own = onset[i], end[i], pitch[i]
        if stop == start:
            continue
        while count > 0 and stops[count - 1] <= start:
            ticks[count] += stops[count - 1] - now
            count -= 1
            now = stops[count]
        ticks[count] += start - now
        now = start
        at = 0
        while at < count and stops[at] > stop and sounding[at] != own:
            at += 1
        if at < count and stops[at] >= stop and sounding[at] == own:
            continue  # a longer note of the pitch sounds on
        while at < count:
            stops[at], stop = stop, stops[at]
            sounding[at], own = own, sounding[at]
            if own == pitch[i]:
                break
            at += 1
        if at == count:
            stops[count], sounding[count] = stop, own
            count += 1
    while count > 0:
        ticks[count] += stops[count - 1] - now
        count -= 1
        now = stops[count]
    return ticks


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
        at = offset[bar] + int(position + 0.5)
        if at < offset[-1]:  # past the last step there is no bar left to round up into
            grid[at] = True
    return grid, offset


def onset_grid(piece: Piece, steps_per_quarter: int) -> tuple[Bools, Ints]:
    """Which steps of a grid hold an onset: (grid of shape (steps,), bar offsets (bars + 1,)).

    Bar ``i`` is ``grid[offset[i]:offset[i + 1]]``. Steps are counted from each bar line, so a
    resolution that the grid does not divide never drifts; an onset goes to its nearest step (a
    half rounds up), which may be the first of the next bar. Drums count.
    """

    def compute() -> tuple[Bools, Ints]:
        per_quarter = _positive(steps_per_quarter)
        return _onset_steps(piece.onset, piece.bar_edges, per_quarter, piece.ticks_per_quarter)

    return piece.shared(("onset_grid", steps_per_quarter), compute)


def _positive(steps_per_quarter: int) -> int:
    if steps_per_quarter <= 0:
        raise ValueError(f"steps_per_quarter must be at least 1, not {steps_per_quarter}")
    return steps_per_quarter


@compiled
def metrical_weights(
    offset: Ints, bar_edges: Ints, beat_edges: Ints, ticks_per_quarter: int
) -> Ints:
    """The metrical weight of each step of :func:`onset_grid`, 0 to -4; shape (steps,).

    0 on the bar line, -1 in the middle of a bar of an even number of beats, -2 on a beat, -3 on
    its half (a compound beat: third), -4 elsewhere.
    """
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


class OnsetsByBar(NamedTuple):
    """What the onsets of the bars are like on an :func:`onset_grid`.

    ``of_neighbours``, ``of_all``: (summed share of the steps in which two bars of one length
    differ, such pairs), of neighbouring bars and of all pairs. ``syncopation``: (how much heavier
    the heaviest step is up to the next onset, summed over the onsets; bars with an onset)."""

    of_neighbours: tuple[float, int]
    of_all: tuple[float, int]
    syncopation: tuple[int, int]


def onsets_by_bar(piece: Piece, steps_per_quarter: int) -> OnsetsByBar:
    """Likeness and syncopation of the piece's bars, computed once a piece; drums count."""

    def compute() -> OnsetsByBar:
        per_quarter, quarter = _positive(steps_per_quarter), piece.ticks_per_quarter
        onset = distinct_onsets(piece)
        return OnsetsByBar(*_by_bar(onset, piece.bar_edges, piece.beat_edges, per_quarter, quarter))

    return piece.shared(("onsets_by_bar", steps_per_quarter), compute)


@compiled
def _by_bar(
    onset: Ints, bar_edges: Ints, beat_edges: Ints, per_quarter: int, ticks_per_quarter: int
) -> tuple[tuple[float, int], tuple[float, int], tuple[int, int]]:
    """The fields of :class:`OnsetsByBar`."""
    grid, offset = _onset_steps(onset, bar_edges, per_quarter, ticks_per_quarter)
    weights = metrical_weights(offset, bar_edges, beat_edges, ticks_per_quarter)
    return _neighbours(grid, offset), _all_pairs(grid, offset), _syncopated(grid, offset, weights)


@compiled
def _syncopated(grid: Bools, offset: Ints, weights: Ints) -> tuple[int, int]:
    total, bars, held, heaviest = 0, 0, 0, 0  # weights of the last onset, and since it
    for bar in range(len(offset) - 1):
        heard = False
        for step in range(offset[bar], offset[bar + 1]):
            onset, weight = grid[step], weights[step]
            heard |= onset
            total += heaviest - held if onset else 0
            held = weight if onset else held
            heaviest = weight if onset else max(heaviest, weight)
        bars += heard
    return total, bars


@compiled
def _neighbours(grid: Bools, offset: Ints) -> tuple[float, int]:
    differing, pairs = 0.0, 0
    for bar in range(len(offset) - 2):
        steps = offset[bar + 1] - offset[bar]
        if offset[bar + 2] - offset[bar + 1] != steps:
            continue
        unlike = 0
        for step in range(offset[bar], offset[bar + 1]):
            unlike += grid[step] != grid[step + steps]
        differing += unlike / steps
        pairs += 1
    return differing, pairs


@compiled
def _all_pairs(grid: Bools, offset: Ints) -> tuple[float, int]:
    bars = len(offset) - 1
    differing, pairs = 0.0, 0
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
        differing += unlike / steps
        pairs += n * (n - 1) // 2
    return differing, pairs
