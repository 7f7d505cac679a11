"""The columns of listeners: what studies in the same store found about the run's own files.

Ratings and scores meet in the content of a file (its sha256), whatever the study called it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from concours.eval.report.model import Benchmark, Cell, Column, Contest, Heard, Item, ItemScore
from concours.eval.stats.correlate import Correlation, Scope, correlation
from concours.eval.stats.mos import system_mos
from concours.eval.stats.multiplicity import benjamini_hochberg
from concours.eval.stats.pairs import compare_systems
from concours.eval.stats.ratings import Ratings, RatingsError
from concours.eval.stats.standing import places
from concours.metrics.spec import Undefined

FAMILY = "listeners"
SCOPES: tuple[Scope, ...] = ("clip", "within")


def with_listeners(
    benchmark: Benchmark, heard: Mapping[str, Ratings], *, seed: int = 0
) -> Benchmark:
    """The benchmark with a column for each dimension of each study, and each metric's correlation
    with it. ``heard`` holds, by study, the ratings of the benchmark's files under its systems'
    names, the item being the file's sha256.
    """
    for study, ratings in heard.items():
        for dimension in ratings.dimensions:
            benchmark = _with_column(benchmark, study, ratings.select(dimension=dimension), seed)
    return benchmark


def _with_column(benchmark: Benchmark, study: str, ratings: Ratings, seed: int) -> Benchmark:
    dimension = ratings.dimensions[0]
    low, high = float(ratings.value.min()), float(ratings.value.max())
    column = Column(
        key=f"{study}:{dimension}",
        name=f"{study}:{dimension}",
        family=FAMILY,
        level="clip",
        direction="higher",
        unit="mean opinion",
        range=(low, high),
        version=1,
        parameters={},
        summary=f"What the listeners of the study {study} answered on {dimension}, on average.",
        citation="",
        study=study,
    )
    known = benchmark.systems
    contests = _contests(column.key, ratings, benchmark.confidence, seed)
    means = {s: float(ratings.select(system=s).value.mean()) for s in ratings.systems}
    ranked = {s.name: -means[s.name] for s in known if s.name in means and not s.is_reference}
    alpha = 1 - benchmark.confidence
    apart = [(c.first, c.second) for c in contests if c.p_holm is not None and c.p_holm <= alpha]
    standing = places(ranked, [p for p in apart if set(p) <= ranked.keys()])
    cells = {}
    for system in known:
        cell = _cell(column, system.name, ratings, benchmark.confidence)
        if place := standing.get(system.name):
            cell = replace(
                cell,
                rank=place.rank,
                rank_low=place.low,
                rank_high=place.high,
                group=place.letters,
            )
        cells[system.name, column.key] = cell
    mos = _mos(ratings)
    measured = [c for c in benchmark.columns if not c.is_human]
    correlated = _correlations(benchmark, measured, column, mos, seed)
    return replace(
        benchmark,
        columns=(
            *(replace(c, heard=(*c.heard, *correlated.get(c.key, ()))) for c in benchmark.columns),
            column,
        ),
        systems=tuple(
            replace(s, items=tuple(_item(i, s.name, column.key, mos) for i in s.items))
            for s in known
        ),
        cells={**benchmark.cells, **cells},
        contests=(*benchmark.contests, *contests),
    )


def _cell(column: Column, system: str, ratings: Ratings, confidence: float) -> Cell:
    own = ratings.select(system=system)
    if not len(own):
        return Cell(
            system, column.key, None, None, None, 0, 0, "undefined",
            "no listener heard it", column.direction, None, None,
        )  # fmt: skip
    found = system_mos(own, confidence)
    known = None if isinstance(found, Undefined) else found
    return Cell(
        system=system,
        metric=column.key,
        value=float(own.value.mean()),
        ci_low=known.ci_low if known else None,
        ci_high=known.ci_high if known else None,
        n=len(set(own.item.tolist())),
        n_undefined=0,
        status="ok",
        reason=f"no interval: {found.reason}" if isinstance(found, Undefined) else "",
        direction=column.direction,
        rank=None,
        gap=None,
        n_raters=len(own.raters) or None,
        n_ratings=len(own),
        method=known.method if known else "",
    )


def _contests(key: str, ratings: Ratings, level: float, seed: int) -> list[Contest]:
    try:
        pairs = compare_systems(ratings, seed=seed, level=level)
    except RatingsError as error:
        pairs = Undefined(str(error))
    if isinstance(pairs, Undefined):
        names = ratings.systems
        return [
            Contest(key, a, b, None, None, None, None, None, "", pairs.reason)
            for i, a in enumerate(names)
            for b in names[i + 1 :]
        ]
    # theirs is first minus second, ours second minus first
    return [
        Contest(
            key, p.first, p.second, -p.difference, -p.ci_high, -p.ci_low, p.p, p.p_holm,
            p.method, "",
        )
        for p in pairs
    ]  # fmt: skip


def _mos(ratings: Ratings) -> dict[tuple[str, str], float]:
    """The mean rating of each clip, by system and sha256."""
    values: dict[tuple[str, str], list[float]] = {}
    rows = zip(ratings.system.tolist(), ratings.item.tolist(), ratings.value.tolist(), strict=True)
    for system, sha, value in rows:
        values.setdefault((system, sha), []).append(value)
    return {at: float(np.mean(v)) for at, v in values.items()}


def _item(item: Item, system: str, key: str, mos: Mapping[tuple[str, str], float]) -> Item:
    value = mos.get((system, item.sha256 or ""))
    if value is None:
        return item
    return replace(item, scores={**item.scores, key: ItemScore(value, "ok", "", {})})


def _correlations(
    benchmark: Benchmark,
    columns: Sequence[Column],
    human: Column,
    mos: Mapping[tuple[str, str], float],
    seed: int,
) -> dict[str, tuple[Heard, ...]]:
    """Each metric of items against the listeners; q is over the metrics of one scope."""
    found: dict[str, list[Heard]] = {}
    for scope in SCOPES:
        known: list[tuple[str, Correlation]] = []
        for column in columns:
            x, y, system = _paired(benchmark, column.key, mos)
            if len(x) < 3:
                continue
            r = correlation(
                x, y, system, kind="spearman", scope=scope, seed=seed, level=benchmark.confidence
            )
            if isinstance(r, Correlation):
                known.append((column.key, r))
        q = benjamini_hochberg([r.p for _, r in known])
        for (key, r), adjusted in zip(known, q, strict=True):
            found.setdefault(key, []).append(
                Heard(
                    human.study, human.key.removeprefix(f"{human.study}:"), scope, r.value,
                    r.ci_low, r.ci_high, float(adjusted), r.n,
                )
            )  # fmt: skip
    return {key: tuple(rows) for key, rows in found.items()}


def _paired(
    benchmark: Benchmark, key: str, mos: Mapping[tuple[str, str], float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The metric, the mean rating and the system of each clip that has both, each clip once."""
    rows = list(_clips(benchmark, key, mos))
    return (
        np.array([x for x, _, _ in rows], dtype=np.float64),
        np.array([y for _, y, _ in rows], dtype=np.float64),
        np.array([s for _, _, s in rows], dtype=np.str_),
    )


def _clips(
    benchmark: Benchmark, key: str, mos: Mapping[tuple[str, str], float]
) -> Iterator[tuple[float, float, str]]:
    for system in benchmark.systems:
        seen = set()
        for item in system.items:
            score = item.scores.get(key)
            rated = mos.get((system.name, item.sha256 or ""))
            if score is None or score.value is None or rated is None or item.sha256 in seen:
                continue
            seen.add(item.sha256)
            yield score.value, rated, system.name
