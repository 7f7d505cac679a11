"""The leaderboard as GitHub-flavoured Markdown tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from concours.eval.report import tables as layout
from concours.eval.report.model import Benchmark, Report, System
from concours.eval.report.wording import (
    ARROWS,
    DIRECTIONS,
    decimals,
    is_best,
    plain,
    value_text,
)

PATHS_SHOWN = 10


def to_markdown(report: Report) -> str:
    """One section a benchmark, one table a family; the best of a column is in bold."""
    lines = ["# Leaderboard", ""]
    for benchmark in report.benchmarks:
        lines += _benchmark(benchmark)
    if not report.benchmarks:
        lines.append("There is no benchmark to report.")
    return "\n".join(lines).rstrip("\n") + "\n"


def escaped(text: str) -> str:
    r"""Text that Markdown shows as it stands, inside a table too.

    >>> escaped("a|b*c")
    'a\\|b\\*c'
    """
    safe = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", safe)


def _benchmark(benchmark: Benchmark) -> Iterator[str]:
    yield f"## {escaped(benchmark.name)}"
    yield ""
    yield (
        f"Reference: {escaped(benchmark.reference)}. Values with 95% intervals; (1) is the best "
        "rank of a column."
    )
    if by := layout.ordering_column(benchmark):
        yield f"Rows are ordered by {escaped(by.key)}."
    yield ""
    for table in layout.tables(benchmark):
        kind = " by parameter" if table.kind == "detail" else ""
        yield f"### {escaped(table.title)}{kind}"
        yield ""
        yield from _table(benchmark, table)
        yield ""
    used = sorted({c.direction for c in benchmark.columns if ARROWS[c.direction]})
    if used:
        yield "; ".join(f"{ARROWS[d]} {DIRECTIONS[d]}" for d in used) + "."
        yield ""
    yield from _troubles(benchmark)


def _table(benchmark: Benchmark, table: layout.Table) -> Iterator[str]:
    head = ["system", *(["items", "failed"] if table.is_main else [])]
    marks = ["---", *(["--:"] * (len(head) - 1)), *(["--:"] * len(table.columns))]
    for column in table.columns:
        arrow = f" {ARROWS[column.direction]}".rstrip()
        unit = f" ({escaped(column.unit)})" if column.unit else ""
        head.append(f"{escaped(table.label(column))}{arrow}{unit}")
    yield _row(head)
    yield _row(marks)
    for system in layout.ordered_systems(benchmark):
        row = [_label(system)]
        if table.is_main:
            row += [str(len(system.items)), str(len(system.failed))]
        for column in table.columns:
            cell = layout.cell(benchmark, system, column)
            text = value_text(cell, decimals(column, benchmark))
            text = f"{text} ({cell.rank})" if cell.rank is not None else text
            row.append(f"**{text}**" if is_best(cell) else text)
        yield _row(row)


def _label(system: System) -> str:
    return f"*{escaped(system.name)}* (reference)" if system.is_reference else escaped(system.name)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _troubles(benchmark: Benchmark) -> Iterator[str]:
    if failures := layout.failures(benchmark):
        yield from ("Failed items:", "")
        for f in failures:
            paths = ", ".join(escaped(p) for p in f.paths[:PATHS_SHOWN])
            more = len(f.paths) - PATHS_SHOWN
            paths += f" and {more} more" if more > 0 else ""
            yield f"- {escaped(f.system.name)}: {escaped(f.reason)} ({paths})"
        yield ""
    if gaps := layout.gaps(benchmark):
        yield from ("Values that do not exist:", "")
        for g in gaps:
            keys = ", ".join(escaped(c.key) for c in g.columns)
            names = ", ".join(escaped(s.name) for s in g.systems)
            yield f"- {names}: {escaped(g.reason)} ({keys})"
        yield ""
