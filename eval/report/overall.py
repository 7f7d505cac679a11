"""One ranking put together from all ranked columns, of the systems that have all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from concours.eval.report import tables as layout
from concours.eval.report.model import Benchmark, Cell, Column, Overall, OverallRow, Refusal
from concours.eval.stats.ranks import borda, mean_rank
from concours.metrics.spec import Undefined


def overall(benchmark: Benchmark) -> Overall | None:
    """Mean ranks and Borda points over the columns that rank anybody, details left out.

    None where fewer than two systems or no column is ranked.
    """
    columns = [
        c
        for table in layout.tables(benchmark)
        if table.kind != "detail"
        for c in table.columns
        if any(layout.cell(benchmark, s, c).rank is not None for s in benchmark.systems)
    ]
    names = [s.name for s in benchmark.systems if not s.is_reference]
    if not columns or len(names) < 2:
        return None
    refused = tuple(
        Refusal(name, missing, _why(benchmark.cells, name, missing, len(columns)))
        for name in names
        if (missing := _missing(benchmark, name, columns))
    )
    out = {r.system for r in refused}
    whole = [n for n in names if n not in out]
    return Overall(tuple(c.key for c in columns), _rows(benchmark, columns, whole), refused)


def _missing(benchmark: Benchmark, name: str, columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(c.key for c in columns if benchmark.cells[name, c.key].rank is None)


def _why(cells: Mapping[tuple[str, str], Cell], name: str, missing: tuple[str, ...], n: int) -> str:
    cell = cells[name, missing[0]]
    why = cell.unranked or cell.reason or cell.status
    return f"no rank in {len(missing)} of {n} columns ({missing[0]}: {why})"


def _rows(
    benchmark: Benchmark, columns: Sequence[Column], names: Sequence[str]
) -> tuple[OverallRow, ...]:
    """Best mean rank first. Ranks are taken anew among these systems."""
    if len(names) < 2:
        return ()
    # ranks stand for merit: lower is better, ties stay ties
    table = np.array([[float(benchmark.cells[n, c.key].rank or 0) for c in columns] for n in names])
    lower = [False] * len(columns)
    means, points = mean_rank(table, lower, names), borda(table, lower, names)
    assert not isinstance(means, Undefined)
    assert not isinstance(points, Undefined)
    rows = [
        OverallRow(n, float(m), float(b), 1 + int(np.sum(means < m - 1e-9)))
        for n, m, b in zip(names, means, points, strict=True)
    ]
    return tuple(sorted(rows, key=lambda r: (r.rank, names.index(r.system))))
