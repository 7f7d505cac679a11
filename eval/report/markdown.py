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
    heard_text,
    place,
    plain,
    share,
    value_text,
)

PATHS_SHOWN = 10


def to_markdown(report: Report) -> str:
    """One section a benchmark, one table a family; bold: significantly better than every other
    system of the column."""
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
        f"Reference: {escaped(benchmark.reference)}. Values with {share(benchmark.confidence)} "
        "intervals; #2 (1–3) b is the second rank, where ranks 1 to 3 are possible; systems that "
        "share a letter can't be told apart (Holm, all pairs of a column). Bold: better than "
        "every other."
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
    yield from _overall(benchmark)
    yield from _heard(benchmark)
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
        verdict = f" *{escaped(column.verdict)}*" if column.verdict else ""
        head.append(f"{escaped(table.label(column))}{arrow}{unit}{verdict}")
    yield _row(head)
    yield _row(marks)
    for system in layout.ordered_systems(benchmark):
        row = [_label(system)]
        if table.is_main:
            row += [str(len(system.items)), str(len(system.failed))]
        for column in table.columns:
            cell = layout.cell(benchmark, system, column)
            text = value_text(cell, decimals(column, benchmark))
            text = f"{text} {escaped(place(cell))}".rstrip()
            row.append(f"**{text}**" if cell.leads else text)
        yield _row(row)


def _overall(benchmark: Benchmark) -> Iterator[str]:
    found = benchmark.overall
    if found is None:
        return
    yield f"### All {len(found.metrics)} ranked columns together"
    yield ""
    if found.rows:
        yield "| system | mean rank ↓ | Borda points ↑ |"
        yield "| --- | --: | --: |"
        for r in found.rows:
            mean = f"{r.mean_rank:.2f} {escaped(f'#{r.rank}')}"
            yield f"| {escaped(r.system)} | {mean} | {r.borda:g} |"
        yield ""
    for refused in found.refused:
        yield f"- Left out: {escaped(refused.system)}: {escaped(refused.reason)}"
    if found.refused:
        yield ""


def _heard(benchmark: Benchmark) -> Iterator[str]:
    """How the metrics follow the listeners, the closest first."""
    rows = [(c, h) for c in benchmark.columns for h in c.heard if h.scope == "clip"]
    if not rows:
        return
    yield "### Metrics against listeners"
    yield ""
    yield "| listeners | metric | Spearman's ρ over clips | q | clips |"
    yield "| --- | --- | --: | --: | --: |"
    for column, h in sorted(rows, key=lambda r: (r[1].study, r[1].dimension, -abs(r[1].value))):
        dimension = f"{escaped(h.study)}: {escaped(h.dimension)}"
        yield f"| {dimension} | {escaped(column.key)} | {heard_text(h)} | {h.q:.2g} | {h.n} |"
    yield ""


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
    if benchmark.refusals:
        yield from ("Values that aren't ranked with the others:", "")
        for r in benchmark.refusals:
            keys = ", ".join(escaped(k) for k in r.metrics)
            yield f"- {escaped(r.system)}: {escaped(r.reason)} ({keys})"
        yield ""
    if gaps := layout.gaps(benchmark):
        yield from ("Values that do not exist:", "")
        for g in gaps:
            keys = ", ".join(escaped(c.key) for c in g.columns)
            names = ", ".join(escaped(s.name) for s in g.systems)
            yield f"- {names}: {escaped(g.reason)} ({keys})"
        yield ""
