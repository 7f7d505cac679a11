"""One metric drawn for every system on a common axis: histograms of items, or set distances.

A plot is a list of strips, one a system, in a box of 1000 by 100 units that the page stretches;
text stays outside the drawing, so that it keeps its size on every screen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from concours.eval.report import tables as layout
from concours.eval.report.model import Benchmark, Cell, Column, System
from concours.eval.report.wording import number

WIDTH, HEIGHT = 1000, 100
MOST_BINS, FEWEST_BINS = 40, 12
_TRIM = 0.02
_TOO_LONG = 3.0

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Tick:
    """``at`` is a percentage of the axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Strip:
    """``shape`` and ``behind`` are SVG paths (the system, the reference); the others are
    positions on the axis from 0 to 1000, None where there is nothing to mark."""

    system: System
    cell: Cell
    shape: str
    behind: str
    mean: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Plot:
    """``outside`` counts items that lie beyond the axis; they are drawn in its end bins."""

    ticks: tuple[Tick, ...]
    strips: tuple[Strip, ...]
    is_histogram: bool
    outside: int


def plot(benchmark: Benchmark, column: Column) -> Plot | None:
    """The plot of one metric; None where nothing has a value."""
    systems = layout.ordered_systems(benchmark)
    values = {s.name: item_values(s, column) for s in systems}
    cells = {s.name: layout.cell(benchmark, s, column) for s in systems}
    is_histogram = column.level != "set" and any(len(v) for v in values.values())
    marks = [v for c in cells.values() for v in (c.value, c.ci_low, c.ci_high) if _real(v)]
    pools = [v for v in values.values() if len(v)] if is_histogram else []
    if not marks and not pools:
        return None
    low, high, outside = _span(pools, [m for m in marks if m is not None])
    if not is_histogram:
        low, high = min(0.0, low), max(0.0, high)
    edges = _edges(pools, low, high)
    low, high = float(edges[0]), float(edges[-1])

    def at(value: float | None) -> int | None:
        if value is None or not math.isfinite(value):
            return None
        return round(WIDTH * min(1.0, max(0.0, (value - low) / (high - low))))

    shapes = {name: _histogram(v, edges) if is_histogram else "" for name, v in values.items()}
    strips = []
    for system in systems:
        cell = cells[system.name]
        shape = shapes[system.name] if is_histogram else _bar(at(0.0), at(cell.value))
        behind = "" if system.is_reference else shapes.get(benchmark.reference, "")
        ends = at(cell.value), at(cell.ci_low), at(cell.ci_high)
        strips.append(Strip(system, cell, shape, behind, *ends))
    return Plot(_ticks(low, high), tuple(strips), is_histogram, outside)


def item_values(system: System, column: Column) -> Values:
    """The values of a system's items under one metric, where they exist; shape (n,)."""
    scores = (i.scores.get(column.key) for i in system.items)
    found = [s.value for s in scores if s is not None and s.value is not None]
    return np.array([v for v in found if math.isfinite(v)], dtype=np.float64)


def _real(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _span(pools: Sequence[Values], marks: Sequence[float]) -> tuple[float, float, int]:
    """Ends of the axis and the number of values beyond them.

    The axis holds everything, unless a few far values would squeeze the rest into a third of it.
    """
    every = [*marks, *(float(f(p)) for p in pools for f in (np.min, np.max))]
    trimmed = [*marks, *(float(np.quantile(p, q)) for p in pools for q in (_TRIM, 1 - _TRIM))]
    low, high = min(every), max(every)
    inner = max(trimmed) - min(trimmed)
    if 0 < inner < (high - low) / _TOO_LONG:
        low, high = min(trimmed), max(trimmed)
    return low, high, sum(int(((p < low) | (p > high)).sum()) for p in pools)


def _edges(pools: Sequence[Values], low: float, high: float) -> Values:
    """Bin edges over the axis: more of them where there are more items.

    Whole numbers get bins of whole width, centred on them.
    """
    most = max((len(p) for p in pools), default=0)
    bins = min(MOST_BINS, max(FEWEST_BINS, round(3 * math.sqrt(most))))
    if pools and all(bool((p == np.rint(p)).all()) for p in pools) and high - low < 1e6:
        step = max(1, math.ceil((high - low + 1) / bins))
        first = math.floor(low) - 0.5
        count = max(1, math.ceil((high + 0.5 - first) / step))
        return first + step * np.arange(count + 1, dtype=np.float64)
    if high <= low:
        half = abs(low) * 0.1 or 0.5
        low, high = low - half, high + half
    return np.linspace(low, high, bins + 1)


def _histogram(values: Values, edges: Values) -> str:
    """An SVG path of the share of items in each bin, scaled to the fullest bin."""
    if not len(values):
        return ""
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)
    tops = np.rint(HEIGHT - (HEIGHT - 6) * counts / counts.max()).astype(int)
    at = np.rint(WIDTH * np.arange(len(edges)) / (len(edges) - 1)).astype(int)
    path = []
    inside = False
    for left, right, top, count in zip(at[:-1], at[1:], tops, counts, strict=True):
        if count:
            path.append(f"V{top}H{right}" if inside else f"M{left} {HEIGHT}V{top}H{right}")
        elif inside:
            path.append(f"V{HEIGHT}Z")
        inside = bool(count)
    return "".join(path) + (f"V{HEIGHT}Z" if inside else "")


def _bar(zero: int | None, end: int | None) -> str:
    if zero is None or end is None:
        return ""
    return f"M{zero} 30H{end}V70H{zero}Z"


def _ticks(low: float, high: float) -> tuple[Tick, ...]:
    """Three to six round numbers on the axis."""
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    at = [step * (first + i) for i in range(count)]
    return tuple(Tick(round(100 * (v - low) / (high - low), 2), number(v, places)) for v in at)
