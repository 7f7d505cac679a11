"""The leaderboard for a terminal, through rich: tables cut to fit the width."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import StringIO
from itertools import count
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Table as Grid
from rich.text import Text

from concours.eval.report import tables as layout
from concours.eval.report.model import Benchmark, Column, Report, System
from concours.eval.report.wording import (
    ARROWS,
    DIRECTIONS,
    counted,
    decimals,
    listed,
    place,
    plain,
    share,
    shortened,
    value_text,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

NAME_WIDTH = 24
HEADER_WIDTH = 20
GAPS_SHOWN = 8
_SPACING = 2


def to_text(report: Report, *, width: int = 100) -> str:
    """The leaderboard as plain text of at most ``width`` columns, ranks after ``#``."""
    stream = StringIO()
    console = Console(
        file=stream,
        width=width,
        color_system=None,
        force_terminal=False,
        legacy_windows=False,
        emoji=False,
        markup=False,
        highlight=False,
        _environ={},
    )
    console.print(leaderboard(report, width=width))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).strip("\n") + "\n"


def show(report: Report) -> None:
    """Prints the leaderboard to standard output: in its width and with bold on a terminal, else
    as plain text of 100 columns."""
    if not sys.stdout.isatty():
        sys.stdout.write(to_text(report))
        return
    console = Console(emoji=False, markup=False, highlight=False)
    console.print(leaderboard(report, width=console.width))


def leaderboard(report: Report, *, width: int = 100) -> Group:
    """The leaderboard to print on a rich console; what is better than
    every other system of a column stands in bold."""
    parts: list[RenderableType] = []
    for benchmark in report.benchmarks:
        parts.extend(_benchmark(benchmark, width))
    if not report.benchmarks:
        parts.append(Text("There is no benchmark to report."))
    return Group(*parts)


def _benchmark(benchmark: Benchmark, width: int) -> Iterator[RenderableType]:
    reference = plain(benchmark.reference)
    yield Text(f"{plain(benchmark.name)}: against the reference {reference}", style="bold")
    if by := layout.ordering_column(benchmark):
        yield Text(f"rows ordered by {by.key}; {share(benchmark.confidence)} intervals in brackets")
        yield Text(
            "#2 (1–3) b: second, ranks 1 to 3 possible; a shared letter: can't be told apart"
        )
    yield Text("")
    every = layout.tables(benchmark)
    for table in every:
        if table.kind == "detail":
            continue
        for i, columns in zip(count(), _fitting(benchmark, table, width)):
            yield _grid(benchmark, table, columns, first=i == 0)
            yield Text("")
    yield from _overall(benchmark)
    used = sorted({c.direction for c in benchmark.columns if ARROWS[c.direction]})
    if used:
        yield Text("   ".join(f"{ARROWS[d]} {DIRECTIONS[d]}" for d in used), style="dim")
    if hidden := [t for t in every if t.kind == "detail"]:
        n = counted(sum(len(t.columns) for t in hidden), "more column")
        names = listed(plain(t.title) for t in hidden)
        yield Text(f"{n} of {names} in the other formats", style="dim")
    yield from _troubles(benchmark)
    yield Text("")


def _fitting(benchmark: Benchmark, table: layout.Table, width: int) -> Iterator[tuple[Column, ...]]:
    """The columns of a table in groups that fit the width; at least one column a group."""
    names = max([len(_label(s)) for s in benchmark.systems], default=0)
    fixed = max(names, 6) + _SPACING + (2 * (6 + _SPACING) if table.is_main else 0)
    group: list[Column] = []
    used = fixed
    for column in table.columns:
        needed = _width(benchmark, column) + _SPACING
        if group and used + needed > width:
            yield tuple(group)
            group, used = [], max(names, 6) + _SPACING
        group.append(column)
        used += needed
    if group or table.is_main:
        yield tuple(group)


def _width(benchmark: Benchmark, column: Column) -> int:
    header = max(len(line) for line in _header(column).split("\n"))
    places = decimals(column, benchmark)
    return max([header, *(len(_cell(benchmark, s, column, places)) for s in benchmark.systems)])


def _grid(
    benchmark: Benchmark, table: layout.Table, columns: tuple[Column, ...], *, first: bool
) -> Grid:
    title = plain(table.title) if first else f"{plain(table.title)} (more)"
    grid = Grid(title=title, title_justify="left", title_style="italic", box=None, pad_edge=False,
                padding=(0, _SPACING, 0, 0), header_style="")  # fmt: skip
    grid.add_column("system", no_wrap=True)
    counts = table.is_main and first
    if counts:
        grid.add_column("items", justify="right", no_wrap=True)
        grid.add_column("failed", justify="right", no_wrap=True)
    for column in columns:
        grid.add_column(_header(column), justify="right", no_wrap=True, vertical="bottom")
    for system in layout.ordered_systems(benchmark):
        row = [Text(_label(system), style="italic" if system.is_reference else "")]
        if counts:
            row += [Text(str(len(system.items))), Text(str(len(system.failed)))]
        for column in columns:
            best = layout.cell(benchmark, system, column).leads
            text = _cell(benchmark, system, column, decimals(column, benchmark))
            row.append(Text(text, style="bold" if best else ""))
        grid.add_row(*row)
    return grid


def _label(system: System) -> str:
    name = shortened(plain(system.name), NAME_WIDTH)
    return f"{name} (reference)" if system.is_reference else name


def _header(column: Column) -> str:
    """The metric's key, folded after an underscore or a sign, with its arrow and unit."""
    lines = [""]
    for part in _pieces(plain(column.key)):
        if lines[-1] and len(lines[-1]) + len(part) > HEADER_WIDTH:
            lines.append("")
        lines[-1] += part
    end = " ".join(filter(None, (ARROWS[column.direction], plain(column.unit))))
    fits = len(lines[-1]) + 1 + len(end) <= HEADER_WIDTH
    lines = [*lines[:-1], f"{lines[-1]} {end}".rstrip()] if fits else [*lines, end]
    return "\n".join([*lines, *([f"({plain(column.verdict)})"] if column.verdict else [])])


def _pieces(key: str) -> Iterator[str]:
    part = ""
    for c in key:
        part += c
        if c in "_:=,. " or len(part) == HEADER_WIDTH:
            yield part
            part = ""
    if part:
        yield part


def _cell(benchmark: Benchmark, system: System, column: Column, places: int) -> str:
    cell = layout.cell(benchmark, system, column)
    return f"{value_text(cell, places)} {place(cell)}".rstrip()


def _overall(benchmark: Benchmark) -> Iterator[RenderableType]:
    """The ranking over all columns, and whom it leaves out."""
    found = benchmark.overall
    if found is None:
        return
    columns = counted(len(found.metrics), "ranked column")
    grid = Grid(title=f"all {columns} together", title_justify="left", title_style="italic",
                box=None, pad_edge=False, padding=(0, _SPACING, 0, 0), header_style="")  # fmt: skip
    for head, side in (("system", "left"), ("mean rank ↓", "right"), ("Borda points ↑", "right")):
        grid.add_column(head, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for row in found.rows:
        grid.add_row(_short(row.system), f"{row.mean_rank:.2f} #{row.rank}", f"{row.borda:g}")
    if found.rows:
        yield grid
    for r in found.refused:
        yield Text(f"{_short(r.system)}: not ranked over all columns: {plain(r.reason)}")
    yield Text("")


def _troubles(benchmark: Benchmark) -> Iterator[Text]:
    for failure in layout.failures(benchmark):
        n = counted(len(failure.paths), "item")
        name, path = _short(failure.system.name), shortened(plain(failure.paths[0]), 40)
        yield Text(f"{name}: {n} failed ({path}): {plain(failure.reason)}", style="dim")
    for r in benchmark.refusals:
        n = counted(len(r.metrics), "column")
        yield Text(f"{_short(r.system)}: {n}: {plain(r.reason)}", style="dim")
    gaps = layout.gaps(benchmark, details=False)
    for gap in gaps[:GAPS_SHOWN]:
        names = _some([_short(s.name) for s in gap.systems])
        keys = _some([plain(c.key) for c in gap.columns])
        yield Text(f"{names}: no {keys}: {plain(gap.reason)}", style="dim")
    if len(gaps) > GAPS_SHOWN:
        yield Text(f"and {len(gaps) - GAPS_SHOWN} more reasons in the other formats", style="dim")


def _some(words: list[str]) -> str:
    """Up to three of the words."""
    rest = len(words) - 3
    return ", ".join(words[:3]) + (f" and {rest} more" if rest > 0 else "")


def _short(name: str) -> str:
    return shortened(plain(name), NAME_WIDTH)
