"""What a report shows, as plain data: gathered once from the store, drawn by every format.

A report is a pure function of these values: no clock, no machine name, no absolute path, so that
the same store gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from concours.metrics.spec import Direction, Level

Status = Literal["ok", "undefined", "failed"]


@dataclass(frozen=True)
class Column:
    """One metric of the leaderboard. ``key`` is the name with its changed parameters.

    ``summary`` is one sentence, ``definition`` the whole docstring behind it ("" to leave it out).
    """

    key: str
    name: str
    family: str
    level: Level
    direction: Direction
    unit: str
    range: tuple[float, float]
    version: int
    parameters: Mapping[str, Any]
    summary: str
    citation: str
    definition: str = ""


@dataclass(frozen=True)
class Cell:
    """One system under one metric.

    For clip and corpus metrics ``value`` is the mean over the ``n`` items where it is defined;
    for set metrics it is the distance to the reference. ``ci_low``/``ci_high`` are the ends of
    the 95% interval (None where there is none, with the cause in ``reason``). ``gap`` is what a
    metric of direction ``reference`` is ranked by: the Wasserstein distance of the items' values
    to the reference's, in standard deviations of the reference. ``rank`` is 1 for the best;
    None for the reference's own row and where nothing ranks it.
    """

    system: str
    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    n_undefined: int
    status: Status
    reason: str
    direction: Direction
    rank: int | None
    gap: float | None


@dataclass(frozen=True)
class ItemScore:
    value: float | None
    status: Status
    reason: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """One file of a system. ``path`` is relative to the system's folder.

    ``distance`` says how untypical the item is: the root mean square of its z-scores against the
    reference's items, over the metrics of direction ``reference``; None where it failed.
    """

    path: str
    location: str
    sha256: str | None
    status: Status
    reason: str
    warnings: tuple[str, ...]
    scores: Mapping[str, ItemScore]
    distance: float | None


@dataclass(frozen=True)
class System:
    """A system or the reference itself, with its items in path order."""

    name: str
    is_reference: bool
    source: str
    card: Mapping[str, str]
    items: tuple[Item, ...]

    @property
    def failed(self) -> tuple[Item, ...]:
        return tuple(i for i in self.items if i.status == "failed")


@dataclass(frozen=True)
class Benchmark:
    """One table: ``systems`` holds the reference first; ``cells`` go by (system, metric key)."""

    name: str
    reference: str
    columns: tuple[Column, ...]
    systems: tuple[System, ...]
    cells: Mapping[tuple[str, str], Cell]


@dataclass(frozen=True)
class Report:
    """``manifest``: versions, config hash, seeds, corpus hashes; nothing that a rerun changes."""

    manifest: Mapping[str, Any]
    benchmarks: tuple[Benchmark, ...]
