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
    ``verdict`` is that of the metric's trust card ("" without one), ``verdict_note`` what it rests
    on; ``heard`` says how the metric follows listeners, where a study asked them. A column of
    listeners themselves names its ``study``: its values are the mean opinion scores of clips.
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
    verdict: str = ""
    verdict_note: str = ""
    heard: tuple[Heard, ...] = ()
    study: str = ""

    @property
    def is_human(self) -> bool:
        """Whether listeners gave these values: mean opinion scores of a study."""
        return bool(self.study)


@dataclass(frozen=True)
class Cell:
    """One system under one metric.

    For clip and corpus metrics ``value`` is the mean over the ``n`` items where it is defined;
    for set metrics it is the distance to the reference. ``ci_low``/``ci_high`` are the ends of
    the 95% interval (None where there is none, with the cause in ``reason``). ``gap`` is what a
    metric of direction ``reference`` is ranked by: the Wasserstein distance of the items' values
    to the reference's, in standard deviations of the reference. ``rank`` is 1 for the best;
    None for the reference's own row and where nothing ranks it, ``rank_low`` to ``rank_high`` the
    ranks that can't be ruled out. Systems of a column that share a letter of ``group`` can't be
    told apart. ``n_clusters`` counts the independent ones among the items: prompts, songs, or
    items. ``unranked`` says why a value that could be ranked isn't. Where listeners gave the
    value, ``n_raters``, ``n_ratings`` and the ``method`` of the interval say how.
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
    rank_low: int | None = None
    rank_high: int | None = None
    group: str = ""
    n_clusters: int | None = None
    unranked: str = ""
    n_raters: int | None = None
    n_ratings: int | None = None
    method: str = ""

    @property
    def leads(self) -> bool:
        """Whether it is significantly better than every other system of its column."""
        return self.rank == 1 and self.rank_high == 1 and bool(self.group)


@dataclass(frozen=True)
class Contest:
    """Two systems under one metric. ``difference`` is second minus first of what ranks them: the
    value, or for direction ``reference`` the distance to the reference. None throughout where
    no test is possible, with ``reason``; ``p_holm`` is adjusted over all pairs of the column."""

    metric: str
    first: str
    second: str
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p: float | None
    p_holm: float | None
    method: str
    reason: str


@dataclass(frozen=True)
class Heard:
    """How a metric follows listeners on one dimension: Spearman's correlation over ``n`` clips
    (or ``scope`` "within" systems), with q over the metrics (Benjamini and Hochberg)."""

    study: str
    dimension: str
    scope: str
    value: float
    ci_low: float | None
    ci_high: float | None
    q: float
    n: int


@dataclass(frozen=True)
class Refusal:
    """Values kept out of a column, or out of its ranking, because they aren't like the others."""

    system: str
    metrics: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class OverallRow:
    """One system over all ranked columns. ``borda`` counts the systems that it beats, column by
    column, ties half."""

    system: str
    mean_rank: float
    borda: float
    rank: int


@dataclass(frozen=True)
class Overall:
    """The ranking put together from ``metrics``. ``refused`` holds the systems that lack a cell:
    whoever leaves out the column they are worst at must not win by it."""

    metrics: tuple[str, ...]
    rows: tuple[OverallRow, ...]
    refused: tuple[Refusal, ...]


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
    """One table: ``systems`` holds the reference first; ``cells`` go by (system, metric key).
    ``contests`` are all pairs of systems in every ranked column, those of listeners too.
    """

    name: str
    reference: str
    columns: tuple[Column, ...]
    systems: tuple[System, ...]
    cells: Mapping[tuple[str, str], Cell]
    contests: tuple[Contest, ...] = ()
    overall: Overall | None = None
    refusals: tuple[Refusal, ...] = ()
    confidence: float = 0.95


@dataclass(frozen=True)
class Report:
    """``manifest``: versions, config hash, seeds, corpus hashes; nothing that a rerun changes."""

    manifest: Mapping[str, Any]
    benchmarks: tuple[Benchmark, ...]
