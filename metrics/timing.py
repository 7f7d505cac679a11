"""Timing: how well a piece keeps its grid, how it swings, and its tempo.

Conventions: onsets of all notes, drums included, each tick once. The grid starts anew on every
bar line. Tempos are quarters a minute under the file's tempo map, 120 where it states none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from concours.metrics.beat_grid import Beats, beat_grid_clarity_of, distinct_onsets, on_beats
from concours.metrics.compiled import compiled
from concours.metrics.ordering import sort_in_place
from concours.metrics.piece import Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Invariance, Scored, Undefined

NO_NOTES = Undefined("no notes")
NO_LENGTH = Undefined("the piece has no length")

F = TypeVar("F", bound=Callable[..., Any])


def _metric(unit: str, high: float, citation: str, *also: Invariance) -> Callable[[F], F]:
    return metric(
        level="clip",
        inputs="symbolic",
        direction="reference",
        unit=unit,
        range=(0, high),
        citation=citation,
        invariant=("transposition", "track-order", "note-order", "resolution", *also),
    )


@_metric("1", 1, "Mean resultant length of onset phases, Mardia & Jupp 2000", "tempo", "format")
def beat_grid_clarity(piece: Piece) -> float | Undefined:
    """How clearly the onsets keep a grid of thirds, quarters or twelfths of a quarter note.

    The largest mean resultant length |mean exp(2 pi i k onset)|, onsets in quarters, for k = 3,
    4, 12: 1 for a quantised score, near 0 for a performance without a click. Undefined with
    fewer than 16 onsets.

    >>> from concours.metrics.piece import make_piece
    >>> at = [120 * i for i in range(32)]
    >>> beat_grid_clarity(make_piece(onset=at, end=[t + 120 for t in at], pitch=[60] * 32))
    1.0
    """
    if len(distinct_onsets(piece)) < 16:
        return Undefined("fewer than 16 onsets")
    return beat_grid_clarity_of(piece)


@_metric("share", 1, "Share of onsets off the grid", "tempo", "format")
def off_grid_rate(
    piece: Piece, *, steps_per_quarter: int = 12, tolerance: float = 0.02
) -> float | Undefined:
    """Share of the onsets that lie off the grid.

    Onsets further than ``tolerance`` quarters from every step, of ``steps_per_quarter`` steps
    counted from the bar line, / onsets. Undefined without notes.

    >>> from concours.metrics.piece import make_piece
    >>> off_grid_rate(make_piece(onset=[0, 500], end=[480, 960], pitch=[60, 62]))
    0.5
    """
    if piece.n_notes == 0:
        return NO_NOTES
    onset = distinct_onsets(piece)
    off = _off_grid(
        onset, piece.bar_edges, piece.ticks_per_quarter, steps_per_quarter, tolerance + 1e-9
    )
    return float(off / len(onset))


@compiled
def _off_grid(
    onset: Ints, bar_edges: Ints, ticks_per_quarter: int, steps_per_quarter: int, tolerance: float
) -> int:
    off, bar = 0, 0
    for tick in onset:
        while bar < len(bar_edges) - 2 and bar_edges[bar + 1] <= tick:
            bar += 1
        steps = (tick - bar_edges[bar]) / ticks_per_quarter * steps_per_quarter
        off += abs(steps - np.rint(steps)) / steps_per_quarter > tolerance
    return off


@_metric("1", math.inf, "Friberg & Sundström 2002, doi:10.1525/mp.2002.19.3.333", "tempo", "format")
def swing_ratio(piece: Piece, *, beats: Beats = "check") -> float | Undefined:
    """Median ratio of the long to the short half of a divided beat.

    Over beats of a quarter with an onset at their start and exactly one more, 0.4 to 0.8 of the
    way through: first part / second part. 1 is straight, 2 is triplet swing. Undefined with
    fewer than 4 such beats, or without a beat grid.

    >>> from concours.metrics.piece import make_piece
    >>> at = [t for beat in range(4) for t in (480 * beat, 480 * beat + 320)]
    >>> round(swing_ratio(make_piece(onset=at, end=[t + 100 for t in at], pitch=[60] * 8)), 6)
    2.0
    """
    gridded = on_beats(piece, beats)
    if isinstance(gridded, Undefined):
        return gridded
    if len(gridded.beat_edges) < 2:
        return Undefined("no beats")
    ratio, n = _swing(distinct_onsets(gridded), gridded.beat_edges, gridded.ticks_per_quarter)
    return ratio if n >= 4 else Undefined("fewer than 4 beats divided in two")


@compiled
def _swing(onset: Ints, beat_edges: Ints, quarter: int) -> tuple[float, int]:
    """(median ratio of the first to the second part, number) of the beats divided in two."""
    ratios = np.empty(len(beat_edges))
    n, i = 0, 0
    for beat in range(len(beat_edges) - 1):
        start, stop = beat_edges[beat], beat_edges[beat + 1]
        while i < len(onset) and onset[i] < start:
            i += 1
        first = i
        while i < len(onset) and onset[i] < stop:
            i += 1
        if i - first == 2 and stop - start == quarter and onset[first] == start:
            part = (onset[first + 1] - start) / quarter
            if 0.4 <= part <= 0.8:
                ratios[n] = part / (1 - part)
                n += 1
    if n == 0:
        return 0.0, 0
    sort_in_place(ratios[:n])
    return (ratios[(n - 1) // 2] + ratios[n // 2]) / 2, n


@_metric("quarter per minute", math.inf, "Time-weighted mean of the tempo map")
def mean_tempo(piece: Piece) -> Scored | Undefined:
    """Mean tempo over the time that the piece lasts.

    Quarters from tick 0 to the last end / minutes. The detail holds the slowest and fastest.
    Undefined where the piece has no length.

    >>> from concours.metrics.piece import make_piece
    >>> round(mean_tempo(make_piece(onset=[0], end=[960], pitch=[60], tempos=[(0, 90)])).value)
    90
    """
    if piece.end_tick == 0:
        return NO_LENGTH
    quarters = piece.end_tick / piece.ticks_per_quarter
    tempo = piece.tempo
    detail = {"slowest": tempo.slowest, "fastest": tempo.fastest}
    return Scored(quarters / tempo.end * 60, detail)


@_metric("1", math.inf, "Coefficient of variation of the tempo map", "tempo", "format")
def tempo_variation(piece: Piece) -> float | Undefined:
    """Standard deviation of the tempo over time, divided by its mean.

    0 for a steady tempo. Undefined where the piece has no length.

    >>> from concours.metrics.piece import make_piece
    >>> tempo_variation(make_piece(onset=[0], end=[960], pitch=[60], tempos=[(0, 90)]))
    0.0
    """
    if piece.end_tick == 0:
        return NO_LENGTH
    return piece.tempo.deviation / piece.tempo.mean
