"""Sweeps over the notes of a piece, compiled: what sounds together, and which spans are silent.

Each costs O(n log n) in the notes and nothing in the tick resolution: no dense piano roll.
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
    drums being one like others. ``beats``, ``bars``: their
    :func:`empty_spans`."""

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
        p = piece.pitched
        spans = piece.beat_edges, piece.bar_edges
        return Together(
            *_together(p.onset, p.end, p.pitch, piece.onset, piece.end, piece.track, *spans)
        )

    return piece.shared("together", compute)


@compiled
def _together(
    pitched_onset: Ints,
    pitched_end: Ints,
    pitch: Ints,
    onset: Ints,
    end: Ints,
    track: Ints,
    beat_edges: Ints,
    bar_edges: Ints,
) -> tuple[int, int, int, int, int, int, tuple[int, int], tuple[int, int]]:
    """The fields of :class:`Together`, from the pitched notes and from all."""
    pitched, pitches = _lasting(pitched_onset, pitched_end, pitch)
    one, two = _at_once(pitched_onset, pitched_end, pitch)
    one_track, two_tracks = _at_once(onset, end, track)
    beats, bars = _empty(onset, end, beat_edges), _empty(onset, end, bar_edges)
    return pitched, pitches, one, two, one_track, two_tracks, beats, bars


@compiled
def _at_once(onset: Ints, end: Ints, voice: Ints) -> tuple[int, int]:
    """(ticks in which at least one voice sounds, at least two).

    For these the two latest ends so far suffice, of two different voices.
    """
    latest, second, leader, now = 0, 0, -1, 0
    one = two = 0
    for i in range(len(onset)):
        one += max(0, min(latest, onset[i]) - now)
        two += max(0, min(second, onset[i]) - now)
        now = onset[i]
        second = max(second, min(latest, end[i]) if voice[i] != leader else 0)
        leader = voice[i] if end[i] > latest else leader
        latest = max(latest, end[i])
    return one + max(0, latest - now), two + max(0, second - now)


@compiled
def _lasting(onset: Ints, end: Ints, pitch: Ints) -> tuple[int, int]:
    """(time to the last end of a note with a length, times of the distinct pitches added up)."""
    reach = np.zeros(128, np.int64)  # the last end of each pitch so far
    last = total = 0
    for i in range(len(onset)):
        total += max(0, end[i] - max(onset[i], reach[pitch[i]]))
        reach[pitch[i]] = max(reach[pitch[i]], end[i])
        last = max(last, end[i] if end[i] > onset[i] else 0)
    return last, total


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


def empty_spans(piece: Piece, edges: Ints) -> tuple[int, int]:
    """(spans between ``edges`` without a sounding note, spans), of those that start before the last
    end; ``edges`` ascend from 0 to that end or further.

    A note of no length sounds in the span of its onset, at the very end in the last one. Drums
    count.
    """
    empty, spans = _empty(piece.onset, piece.end, edges)
    return int(empty), int(spans)


@compiled
def _empty(onset: Ints, end: Ints, edges: Ints) -> tuple[int, int]:
    """:func:`empty_spans`: those that lie within a gap between the notes."""
    last = 0
    for tick in end:
        last = max(last, tick)
    empty, span, reach = 0, 0, 0
    for i in range(len(onset)):
        start = min(onset[i], last - 1)
        if start > reach:
            while edges[span] < reach:
                span += 1
            while span < len(edges) - 1 and edges[span + 1] <= start:
                empty += 1
                span += 1
        reach = max(reach, end[i], onset[i] + 1)
    while span < len(edges) - 1 and edges[span] < last:
        span += 1
    return empty, span


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

    def compute() -> tuple[Bools, Ints]:
        per_quarter = _positive(steps_per_quarter)
        return _onset_steps(piece.onset, piece.bar_edges, per_quarter, piece.ticks_per_quarter)

    return piece.shared(("onset_grid", steps_per_quarter), compute)


def _positive(steps_per_quarter: int) -> int:
    if steps_per_quarter <= 0:
        raise ValueError(f"steps_per_quarter must be at least 1, not {steps_per_quarter}")
    return steps_per_quarter


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
    weights = _weights(offset, bar_edges, beat_edges, ticks_per_quarter)
    return _neighbours(grid, offset), _all_pairs(grid, offset), _syncopated(grid, offset, weights)


@compiled
def _syncopated(grid: Bools, offset: Ints, weights: Ints) -> tuple[int, int]:
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
