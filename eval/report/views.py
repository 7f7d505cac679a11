"""What the HTML templates show of a benchmark, ready to print: no template computes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from concours.eval.report import tables as layout
from concours.eval.report import wording as words
from concours.eval.report.axes import Axis, axes
from concours.eval.report.model import Benchmark, Cell, Column, System
from concours.eval.report.picks import SHOWN, picks
from concours.eval.report.players import Hooks, PlayerView, player_view
from concours.eval.report.plots import Plot, plot

SHADES = 5
Links = Mapping[str, str]


@dataclass(frozen=True)
class CellView:
    """``shade`` is 0 (none) to 5 (first rank); ``sort`` orders the rows, best first."""

    text: str
    interval: str
    rank: int | None
    ranks: str
    group: str
    leads: bool
    shade: int
    note: str
    sort: float | None


@dataclass(frozen=True)
class MetricView:
    anchor: str
    column: Column
    plot: Plot | None
    places: int
    range: str


@dataclass(frozen=True)
class SystemView:
    anchor: str
    system: System
    n_warnings: int
    warnings: tuple[tuple[str, int], ...]
    failures: tuple[layout.Failure, ...]
    players: tuple[PlayerView, ...]
    originality: str
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class TableView:
    table: layout.Table
    metrics: tuple[MetricView, ...]
    rows: tuple[tuple[SystemView, tuple[CellView, ...]], ...]


@dataclass(frozen=True)
class BenchmarkView:
    anchor: str
    benchmark: Benchmark
    summary: str
    ordered_by: str
    n_details: int
    tables: tuple[TableView, ...]
    systems: tuple[SystemView, ...]
    failures: tuple[layout.Failure, ...]
    gaps: tuple[layout.Gap, ...]


def benchmark_view(
    benchmark: Benchmark, number: int, *, hooks: Hooks, links: Links
) -> BenchmarkView:
    """Everything that the page says of a benchmark; ``number`` makes its anchors unique."""
    anchor = f"b{number + 1}"
    systems = tuple(
        _system(s, f"{anchor}-s{i + 1}", benchmark, hooks, links.get(s.name, ""))
        for i, s in enumerate(layout.ordered_systems(benchmark))
    )
    metrics = {
        c.key: _metric(c, f"{anchor}-m{i + 1}", benchmark) for i, c in enumerate(benchmark.columns)
    }
    shown = []
    for table in layout.tables(benchmark):
        columns = tuple(metrics[c.key] for c in table.columns)
        rows = tuple((s, tuple(_cell(benchmark, s.system, m) for m in columns)) for s in systems)
        shown.append(TableView(table, columns, rows))
    by = layout.ordering_column(benchmark)
    return BenchmarkView(
        anchor=anchor,
        benchmark=benchmark,
        summary=_summary(benchmark),
        ordered_by=by.key if by else "",
        n_details=sum(len(v.metrics) for v in shown if v.table.kind == "detail"),
        tables=tuple(shown),
        systems=systems,
        failures=tuple(layout.failures(benchmark)),
        gaps=tuple(layout.gaps(benchmark)),
    )


def _summary(benchmark: Benchmark) -> str:
    home = [s for s in benchmark.systems if s.is_reference]
    others = len(benchmark.systems) - len(home)
    pieces = words.counted(len(home[0].items), "piece") if home else "no piece"
    failed = layout.n_failed(benchmark)
    lost = f" {words.counted(failed, 'item')} could not be read." if failed else ""
    systems, metrics = (
        words.counted(others, "system"),
        words.counted(len(benchmark.columns), "metric"),
    )
    return f"{systems}, {metrics}, a reference of {pieces}.{lost}"


def _metric(column: Column, anchor: str, benchmark: Benchmark) -> MetricView:
    low, high = (words.number(end, 2).removesuffix(".00") for end in column.range)
    return MetricView(
        anchor=anchor,
        column=column,
        plot=plot(benchmark, column),
        places=words.decimals(column, benchmark),
        range="any number" if (low, high) == ("−∞", "∞") else f"{low} to {high}",
    )


def _cell(benchmark: Benchmark, system: System, metric: MetricView) -> CellView:
    cell = layout.cell(benchmark, system, metric.column)
    sort: float | None = cell.value
    if _ranks(benchmark, metric.column):
        sort = cell.rank
    elif sort is not None:
        sort = -sort
    return CellView(
        text=words.value(cell, metric.places),
        interval=words.interval(cell, metric.places),
        rank=cell.rank,
        ranks=words.rank_interval(cell),
        group=cell.group,
        leads=cell.leads,
        shade=_shade(benchmark, metric.column, cell),
        note=_note(cell),
        sort=sort,
    )


def _ranks(benchmark: Benchmark, column: Column) -> list[int]:
    cells = (layout.cell(benchmark, s, column) for s in benchmark.systems)
    return [c.rank for c in cells if c.rank is not None]


def _shade(benchmark: Benchmark, column: Column, cell: Cell) -> int:
    """5 for the first rank down to 1, in equal steps of rank; 0 for the last and the unranked."""
    if cell.rank is None:
        return 0
    last = max(_ranks(benchmark, column))
    if last <= 1:
        return SHADES
    return round(SHADES * (last - cell.rank) / (last - 1))


def _note(cell: Cell) -> str:
    notes = [cell.reason] if cell.reason else []
    if cell.gap is not None:
        notes.append(f"distance to the reference: {words.number(cell.gap, 2)} standard deviations")
    if cell.value is not None:
        notes.append(f"over {words.counted(cell.n, 'item')}")
    if cell.n_clusters is not None and cell.n_clusters != cell.n:
        notes.append(f"from {words.counted(cell.n_clusters, 'prompt or song', 'prompts or songs')}")
    if cell.n_ratings is not None:
        notes.append(words.counted(cell.n_ratings, "rating"))
    if cell.n_raters is not None:
        notes.append(words.counted(cell.n_raters, "listener"))
    if cell.method:
        notes.append(f"interval: {cell.method}")
    if cell.rank_low is not None and cell.rank_high is not None:
        notes.append(f"ranks {cell.rank_low} to {cell.rank_high} are possible")
    if cell.unranked:
        notes.append(cell.unranked)
    if cell.n_undefined:
        notes.append(f"undefined for {words.counted(cell.n_undefined, 'item')}")
    return "; ".join(notes)


def _system(
    system: System,
    anchor: str,
    benchmark: Benchmark,
    hooks: Hooks,
    originality: str,
) -> SystemView:
    counts: dict[str, int] = {}
    for item in system.items:
        for warning in item.warnings:
            counts[warning] = counts.get(warning, 0) + 1
    return SystemView(
        anchor=anchor,
        system=system,
        n_warnings=sum(counts.values()),
        warnings=tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))),
        failures=tuple(f for f in layout.failures(benchmark) if f.system is system),
        players=tuple(
            player_view(system, p.item, SHOWN[p.place], i, benchmark, hooks)
            for i, p in enumerate(picks(system))
        ),
        originality=originality,
        axes=() if system.is_reference else axes(benchmark, system),
    )
