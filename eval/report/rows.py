"""The leaderboard in long form: one row for each benchmark, system and metric, full precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from concours.eval.report import tables as layout
from concours.eval.report.model import Benchmark, Cell, Column, System


class Row(NamedTuple):
    """A cell with the system and the column that it belongs to."""

    system: System
    column: Column
    cell: Cell


def rows(benchmark: Benchmark) -> Iterator[Row]:
    """Systems as they were given, each with every metric of the benchmark in its order."""
    for system in benchmark.systems:
        for column in benchmark.columns:
            yield Row(system, column, layout.cell(benchmark, system, column))
