"""Bars and beats from meters.

Conventions
-----------
- Times are ticks. A bar or beat ``i`` is the half-open span ``edges[i] <= t < edges[i + 1]``.
- Before the first time signature the meter is 4/4, as the MIDI standard says.
- A change of meter always starts a new bar, so a bar that it cuts short (a pickup, say) is a bar
  of its own. A time signature that repeats the one in force moves no bar line.
- The beat is the denominator's note value; in compound meters (numerator 6, 9, 12, … over a
  denominator of 8 or more) it is three of them.
- The last bar is the one in which the last note sounds. It keeps its full length.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled

Ticks = NDArray[np.int64]
MAX_BEATS = 4_000_000


class Grid(NamedTuple):
    """``bar_edges``: (bars + 1,), ``beat_edges``: (beats + 1,), both ascending from tick 0."""

    bar_edges: Ticks
    beat_edges: Ticks


class GridError(ValueError):
    """The meters and the length give more bars than any piece of music has."""


@compiled
def unit_ticks(numerator: int, denominator: int, ticks_per_quarter: int) -> tuple[float, float]:
    """(ticks a bar, ticks a beat) of a meter; fractions of a tick are kept.

    >>> unit_ticks(6, 8, 480)
    (1440.0, 720.0)
    """
    note = ticks_per_quarter * 4 / denominator
    compound = denominator >= 8 and numerator > 3 and numerator % 3 == 0
    return numerator * note, 3 * note if compound else note


@compiled
def started(edges: Ticks, tick: int) -> int:
    """How many of the ascending ``edges`` lie at or before ``tick``.

    >>> started(np.array([0, 480, 960]), 480)
    2
    """
    low, high = 0, len(edges)
    while low < high:
        middle = (low + high) // 2
        if edges[middle] <= tick:
            low = middle + 1
        else:
            high = middle
    return low


def bar_grid(
    meter_tick: Ticks,
    meter_numerator: Ticks,
    meter_denominator: Ticks,
    end: int,
    ticks_per_quarter: int,
    bar_edges: Ticks | None = None,
) -> Grid:
    """The bars and beats of a piece that ends at tick ``end``.

    ``bar_edges``, where the source states its bar lines (MusicXML, ABC), replace the computed
    ones; beats then restart at each bar line, and a short opening bar counts back from its end.
    Meters must be ascending in time.

    Raises:
        GridError: more than four million beats.

    >>> none = np.empty(0, np.int64)
    >>> bar_grid(none, none, none, 4 * 480 + 1, 480).bar_edges
    array([   0, 1920, 3840])
    """
    if end <= 0:
        zero = np.zeros(1, np.int64)
        return Grid(zero, zero)
    meters = (meter_tick, meter_numerator, meter_denominator)
    if bar_edges is None:
        bars, beats, many = _laid(*meters, end, ticks_per_quarter, MAX_BEATS)
        _check_count(many)
        return Grid(bars, beats)
    segments = list(zip(*(column.tolist() for column in _segments(*meters, end)), strict=True))
    _check_count(
        sum(
            (stop - start) / max(1.0, unit_ticks(n, d, ticks_per_quarter)[1])
            for start, stop, n, d in segments
        )
    )
    edges = _stated(np.asarray(bar_edges, np.int64), segments, end, ticks_per_quarter)
    return Grid(edges, _restarted(edges, segments, ticks_per_quarter))


def _check_count(beats: float) -> None:
    if beats > MAX_BEATS:
        raise GridError(
            f"{beats:.0f} beats: no piece has over {MAX_BEATS}; its times or meters are corrupt"
        )


@compiled
def _segments(
    tick: Ticks, numerator: Ticks, denominator: Ticks, end: int
) -> tuple[Ticks, Ticks, Ticks, Ticks]:
    """Spans of one meter each, covering 0 to ``end``: starts, stops, numerators, denominators."""
    room = len(tick) + 1
    start, stop = np.zeros(room, np.int64), np.empty(room, np.int64)
    over, under = np.full(room, 4), np.full(room, 4)
    k = 0
    for i in range(len(tick)):
        if tick[i] >= end:
            break
        if tick[i] > start[k]:
            if numerator[i] == over[k] and denominator[i] == under[k]:
                continue
            stop[k] = tick[i]
            k += 1
            start[k] = tick[i]
        over[k], under[k] = numerator[i], denominator[i]
    stop[k] = end
    return start[: k + 1], stop[: k + 1], over[: k + 1], under[: k + 1]


@compiled
def _laid(
    tick: Ticks, numerator: Ticks, denominator: Ticks, end: int, ticks_per_quarter: int, most: int
) -> tuple[Ticks, Ticks, float]:
    """(bar edges, beat edges, beats), the edges left out where there are over ``most`` beats."""
    start, stop, over, under = _segments(tick, numerator, denominator, end)
    n = len(start)
    bar, beat = np.empty(n), np.empty(n)
    beats = 0.0
    for i in range(n):
        bar[i], beat[i] = unit_ticks(over[i], under[i], ticks_per_quarter)
        beats += (stop[i] - start[i]) / max(1.0, beat[i])
    if beats > most:
        return stop[:0], stop[:0], beats
    first, last, length = start[n - 1], stop[n - 1], bar[n - 1]
    count = max(1, int(np.ceil((last - first) / length - 1e-9)))
    while count > 1 and int(np.rint(first + (count - 1) * length)) >= last:
        count -= 1  # a bar line between ticks rounds up to the end: no empty bar after it
    stop[n - 1] = int(np.rint(first + count * length))
    return _edges(start, stop, bar), _edges(start, stop, beat), beats


@compiled
def _edges(starts: Ticks, stops: Ticks, steps: Any) -> Ticks:
    """Steps from each start to its stop, and the last stop, each edge once."""
    room = 1
    for i in range(len(starts)):
        room += max(1, int(np.ceil((stops[i] - starts[i]) / max(steps[i], 1.0) - 1e-9)))
    edges = np.empty(room, np.int64)
    n = 0
    for i in range(len(starts)):
        step = max(steps[i], 1.0)
        for k in range(max(1, int(np.ceil((stops[i] - starts[i]) / step - 1e-9)))):
            edge = int(np.rint(starts[i] + step * k))
            if n == 0 or edge != edges[n - 1]:
                edges[n] = edge
                n += 1
    if n == 0 or stops[-1] != edges[n - 1]:
        edges[n] = stops[-1]
        n += 1
    return edges[:n].copy()


def _stated(
    edges: Ticks, segments: list[tuple[int, int, int, int]], end: int, ticks_per_quarter: int
) -> Ticks:
    """The stated bar lines from 0 to the first at or after ``end``, continued where they stop."""
    edges = np.unique(np.concatenate([np.zeros(1, np.int64), edges[edges >= 0]]))
    if edges[-1] < end:
        _, _, numerator, denominator = segments[-1]
        bar = max(1.0, unit_ticks(numerator, denominator, ticks_per_quarter)[0])
        more = int(np.ceil((end - edges[-1]) / bar))
        edges = np.concatenate([edges, np.rint(edges[-1] + bar * np.arange(1, more + 1))])
    keep = int(np.searchsorted(edges, end, side="left"))
    kept: Ticks = edges[: keep + 1].astype(np.int64)
    return kept


def _steps(start: float, stop: float, step: float) -> Ticks:
    count = max(1, int(np.ceil((stop - start) / max(step, 1.0) - 1e-9)))
    edges: Ticks = np.rint(start + max(step, 1.0) * np.arange(count)).astype(np.int64)
    return edges


def _restarted(
    bar_edges: Ticks, segments: list[tuple[int, int, int, int]], ticks_per_quarter: int
) -> Ticks:
    """Beats counted from each bar line, in the meter in force there; in an opening bar that is
    too short (a pickup), back from the bar line that ends it."""
    starts = np.array([s[0] for s in segments])
    parts = []
    for a, b in zip(bar_edges[:-1].tolist(), bar_edges[1:].tolist(), strict=True):
        _, _, n, d = segments[int(np.searchsorted(starts, a, side="right")) - 1]
        bar, beat = unit_ticks(n, d, ticks_per_quarter)
        beats = _steps(a, b, beat)
        if a == 0 and b < bar:
            beats = np.concatenate([[0], np.maximum(b - (_steps(0, b, beat)[1:])[::-1], 0)])
        parts.append(beats)
    return np.unique(np.concatenate([*parts, bar_edges[-1:]])).astype(np.int64)
