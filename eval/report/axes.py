"""The card of a system on five axes, each reading beside the band of the reference's own music.

The axes are those of Briot, Hadjeres & Pachet 2017 (arXiv:1709.01620): conformance, originality,
diversity, structure, controllability. The band says where the mean of as many pieces of the
reference would lie: its 95% prediction interval, made wider for the number of readings on the axis
(Bonferroni), so that music of the reference's own kind stays inside all bands of an axis 95% of
the time. Distances between sets have no band; their rank says more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from concours.eval.report import tables as layout
from concours.eval.report.model import Benchmark, Column, System

Where = Literal["inside", "below", "above", ""]
AxisName = Literal["conformance", "originality", "diversity", "structure", "controllability"]
AXES: dict[AxisName, str] = {
    "conformance": "Is it like the reference?",
    "originality": "Does it copy from the reference?",
    "diversity": "Do its pieces differ from each other?",
    "structure": "Do its pieces repeat and develop as the reference's do?",
    "controllability": "Does it do what it is asked?",
}
_DIVERSITY = ("vendi", "intra_set", "recall", "coverage", "self_bleu", "distinct", "duplicate",
              "novelty", "diversity")  # fmt: skip
_CONTROL = ("control", "pairs")


@dataclass(frozen=True)
class Reading:
    """A value with its band; ``where`` it lies is "" where there is no band."""

    column: Column
    value: float | None
    low: float | None
    high: float | None
    where: Where


@dataclass(frozen=True)
class Axis:
    """One axis of a card; without readings the benchmark has no metric for it."""

    name: AxisName
    question: str
    readings: tuple[Reading, ...]

    @property
    def n_banded(self) -> int:
        return sum(bool(r.where) for r in self.readings)

    @property
    def n_inside(self) -> int:
        return sum(r.where == "inside" for r in self.readings)


def axis_of(column: Column) -> AxisName | None:
    """The axis that a metric is read on; None for listeners and metrics of nothing else."""
    if column.is_human:
        return None
    if column.level == "pair" or column.family in _CONTROL:
        return "controllability"
    if column.family == "structure":
        return "structure"
    if any(word in column.name for word in _DIVERSITY):
        return "diversity"
    if column.level == "corpus" and column.direction != "reference":
        return "originality"
    if column.level == "set" or column.direction == "reference":
        return "conformance"
    return None


def axes(benchmark: Benchmark, system: System, confidence: float = 0.95) -> tuple[Axis, ...]:
    """The five axes of a system's card, in the order of the book."""
    columns = [c for t in layout.tables(benchmark) if t.kind != "detail" for c in t.columns]
    found = []
    for name, question in AXES.items():
        own = [c for c in columns if axis_of(c) == name]
        tail = (1 - confidence) / 2 / max(1, sum(c.level != "set" for c in own))
        readings = (_reading(benchmark, system, c, 1 - tail) for c in own)
        found.append(Axis(name, question, tuple(readings)))
    return tuple(found)


def _reading(benchmark: Benchmark, system: System, column: Column, quantile: float) -> Reading:
    cell = layout.cell(benchmark, system, column)
    band = None if column.level == "set" else _band(benchmark, column, cell.n, quantile)
    if cell.value is None or band is None:
        return Reading(column, cell.value, None, None, "")
    low, high = band
    where: Where = "below" if cell.value < low else "above" if cell.value > high else "inside"
    return Reading(column, cell.value, low, high, where)


def _band(
    benchmark: Benchmark, column: Column, n: int, quantile: float
) -> tuple[float, float] | None:
    """Where the mean of ``n`` pieces of the reference would lie."""
    home = next((s for s in benchmark.systems if s.is_reference), None)
    if home is None or n == 0:
        return None
    scores = (i.scores.get(column.key) for i in home.items)
    values = np.array([s.value for s in scores if s is not None and s.value is not None])
    if len(values) < 2:
        return None
    from scipy.special import stdtrit

    spread = float(values.std(ddof=1)) * math.sqrt(1 / n + 1 / len(values))
    half = float(stdtrit(len(values) - 1, quantile)) * spread
    mean = float(values.mean())
    low, high = column.range
    return max(low, mean - half), min(high, mean + half)
