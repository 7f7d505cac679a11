"""The leaderboard as every format lays it out: which rows, which columns, in which order.

The first table holds what listeners said, the metrics of whole systems (set distances) and
originality; then comes one table for each family of metrics of single items; then, as details, one
for each set metric that was also asked for with other parameters (a distance of one feature, say).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from concours.eval.report.model import Benchmark, Cell, Column, System

Kind = Literal["main", "family", "detail"]


@dataclass(frozen=True)
class Table:
    """``title`` is a family's name or, for details, that of their metric."""

    title: str
    columns: tuple[Column, ...]
    kind: Kind

    @property
    def is_main(self) -> bool:
        """Whether this is the first table, which counts items too."""
        return self.kind == "main"

    def label(self, column: Column) -> str:
        """The head of a column: its key, without the name that the table's title gives."""
        return column.key.removeprefix(f"{self.title}:") if self.kind == "detail" else column.key


def tables(benchmark: Benchmark) -> list[Table]:
    """The main table, even without columns, then the families and details as first seen."""
    plain = {c.name for c in benchmark.columns if c.level == "set" and c.key == c.name}
    main: list[Column] = []
    families: dict[str, list[Column]] = {}
    details: dict[str, list[Column]] = {}
    for column in benchmark.columns:
        if column.level == "set" and column.key != column.name and column.name in plain:
            details.setdefault(column.name, []).append(column)
        elif column.is_human or column.level in ("set", "corpus"):
            main.append(column)
        else:
            families.setdefault(column.family, []).append(column)
    main.sort(key=lambda c: (not c.is_human, c.level != "set"))
    return [
        Table("overview", tuple(main), "main"),
        *(Table(name, tuple(columns), "family") for name, columns in families.items()),
        *(Table(name, tuple(columns), "detail") for name, columns in details.items()),
    ]


def cell(benchmark: Benchmark, system: System, column: Column) -> Cell:
    """The cell at this place; one that says so where nothing was computed."""
    found = benchmark.cells.get((system.name, column.key))
    if found is not None:
        return found
    return Cell(
        system=system.name,
        metric=column.key,
        value=None,
        ci_low=None,
        ci_high=None,
        n=0,
        n_undefined=0,
        status="undefined",
        reason="not computed",
        direction=column.direction,
        rank=None,
        gap=None,
    )


def ordering_column(benchmark: Benchmark) -> Column | None:
    """The column that orders the rows: the first of the main table that ranks any system.

    None where no column of the main table ranks anything.
    """
    for column in tables(benchmark)[0].columns:
        if any(cell(benchmark, s, column).rank is not None for s in benchmark.systems):
            return column
    return None


def ordered_systems(benchmark: Benchmark) -> list[System]:
    """The reference, then the systems by rank in the ordering column, else as they were given."""
    by = ordering_column(benchmark)

    def place(system: System) -> tuple[bool, float]:
        rank = cell(benchmark, system, by).rank if by else None
        return not system.is_reference, float("inf") if rank is None else rank

    return sorted(benchmark.systems, key=place)


def n_failed(benchmark: Benchmark) -> int:
    """Items that could not be read, over all systems and the reference."""
    return sum(len(s.failed) for s in benchmark.systems)


@dataclass(frozen=True)
class Gap:
    """Cells without a value for one reason: those of some systems under some metrics."""

    systems: tuple[System, ...]
    reason: str
    columns: tuple[Column, ...]


def gaps(benchmark: Benchmark, *, details: bool = True) -> list[Gap]:
    """Every cell without a value, by reason, in table order.

    The reference's own set distances are left out: it is not compared with itself.
    ``details=False`` leaves out the detail tables.
    """
    shown = [t for t in tables(benchmark) if details or t.kind != "detail"]
    reasons: dict[tuple[str, tuple[str, ...]], list[System]] = {}
    columns = {c.key: c for t in shown for c in t.columns}
    for system in ordered_systems(benchmark):
        mine: dict[str, list[str]] = {}
        for column in columns.values():
            c = cell(benchmark, system, column)
            if c.value is None and not (system.is_reference and column.level == "set"):
                mine.setdefault(c.reason or c.status, []).append(column.key)
        for reason, keys in mine.items():
            reasons.setdefault((reason, tuple(keys)), []).append(system)
    return [
        Gap(tuple(systems), reason, tuple(columns[k] for k in keys))
        for (reason, keys), systems in reasons.items()
    ]


@dataclass(frozen=True)
class Failure:
    """Items of one system that failed for one reason."""

    system: System
    reason: str
    paths: tuple[str, ...]


def failures(benchmark: Benchmark) -> list[Failure]:
    """Every failed item, by system (in table order) and reason."""
    found: list[Failure] = []
    for system in ordered_systems(benchmark):
        reasons: dict[str, list[str]] = {}
        for item in system.failed:
            reasons.setdefault(item.reason or "no cause was recorded", []).append(item.path)
        found += [Failure(system, reason, tuple(paths)) for reason, paths in reasons.items()]
    return found
