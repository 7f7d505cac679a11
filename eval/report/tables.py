"""The leaderboard as every format lays it out: which rows, which columns, in which order.

The first table holds the metrics of whole systems (set distances) and originality; then comes one
table for each family of metrics of single items. Set distances of one feature at a time are
details: they have tables of their own, which short formats leave out.
"""

from __future__ import annotations

from dataclasses import dataclass

from concours.eval.report.model import Benchmark, Cell, Column, System


@dataclass(frozen=True)
class Table:
    """``title`` is a family's name; ``is_main`` marks the first table, which counts items too."""

    title: str
    columns: tuple[Column, ...]
    is_main: bool


def tables(benchmark: Benchmark) -> list[Table]:
    """The main table, even without columns, then the families in their first-seen order."""
    shown = [c for c in benchmark.columns if not c.feature]
    main = tuple(c for c in shown if c.level in ("set", "corpus"))
    main = tuple(sorted(main, key=lambda c: c.level != "set"))
    families: dict[str, list[Column]] = {}
    for column in shown:
        if column not in main:
            families.setdefault(column.family, []).append(column)
    return [
        Table("overview", main, True),
        *(Table(name, tuple(columns), False) for name, columns in families.items()),
    ]


def details(benchmark: Benchmark) -> list[Table]:
    """A table for each set metric that compares one feature at a time."""
    metrics: dict[str, list[Column]] = {}
    for column in benchmark.columns:
        if column.feature:
            metrics.setdefault(column.name, []).append(column)
    return [
        Table(f"{name}, feature by feature", tuple(columns), False)
        for name, columns in metrics.items()
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
    """Cells that have no value for one reason, alike in some systems."""

    systems: tuple[System, ...]
    reason: str
    columns: tuple[Column, ...]
    everywhere: bool

    @property
    def who(self) -> str:
        """The systems by name, or that it is all of them."""
        return "every system" if self.everywhere else ", ".join(s.name for s in self.systems)


def gaps(benchmark: Benchmark) -> list[Gap]:
    """Cells without a value in the tables that every format shows, by reason, then by systems.

    That the reference is not compared with itself as a set goes without saying.
    """
    found: dict[tuple[str, tuple[str, ...]], list[System]] = {}
    for system in ordered_systems(benchmark):
        reasons: dict[str, list[Column]] = {}
        for column in benchmark.columns:
            c = cell(benchmark, system, column)
            own = system.is_reference and column.level == "set"
            if c.value is None and not column.feature and not own:
                reasons.setdefault(c.reason or c.status, []).append(column)
        for reason, columns in reasons.items():
            found.setdefault((reason, tuple(c.key for c in columns)), []).append(system)
    by_key = {c.key: c for c in benchmark.columns}
    return [
        Gap(
            tuple(systems),
            reason,
            tuple(by_key[k] for k in keys),
            len(systems) == len(benchmark.systems),
        )
        for (reason, keys), systems in found.items()
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
