"""Means of systems and of items, with every interval that the ratings allow."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from concours.eval.analysis.results import ItemMean, SystemMean
from concours.eval.stats.mos import (
    Interval,
    cluster_robust,
    crossed_bootstrap,
    crossed_mos,
    item_mos,
    mixed_mos,
    system_mos,
)
from concours.eval.stats.quantiles import quartiles
from concours.eval.stats.ranks import rank_intervals
from concours.eval.stats.ratings import Ratings, codes, crossed_table, has_repeats
from concours.eval.stats.resample import joint_means
from concours.metrics.spec import Undefined

IntervalMethod = Literal["auto", "crossed", "bootstrap", "mixed", "cluster-robust"]
INTERVAL_METHODS: tuple[str, ...] = get_args(IntervalMethod)


def system_means(
    ratings: Ratings, *, interval: IntervalMethod = "auto", seed: int = 0, level: float = 0.95
) -> tuple[SystemMean, ...]:
    """Every system on every dimension; ``interval`` chooses which one is reported."""
    rows = []
    for dimension in ratings.dimensions:
        own = ratings.select(dimension=dimension)
        parts = [own.select(system=s) for s in own.systems]
        choices = [_intervals(p, interval, seed, level) for p in parts]
        means = [float(p.value.mean()) for p in parts]
        ranks = rank_intervals(means, joint_means(own, seed=seed), level=level)
        for part, (chosen, others), mean, rank in zip(parts, choices, means, ranks, strict=True):
            n = len(part)
            rows.append(
                SystemMean(
                    part.systems[0],
                    dimension,
                    mean,
                    float(part.value.std(ddof=1)) if n > 1 else None,
                    (quartiles(part.value, "hazen"), quartiles(part.value, "linear")),
                    chosen,
                    others,
                    rank,
                    n,
                    len(part.raters),
                    len(set(part.item.tolist())),
                )
            )
    return tuple(rows)


def _intervals(
    ratings: Ratings, asked: IntervalMethod, seed: int, level: float
) -> tuple[Interval | Undefined, tuple[Interval, ...]]:
    """(the interval to report, all that are defined with that one first)."""
    usual = system_mos(ratings, level)
    if not ratings.has_raters:
        known = () if isinstance(usual, Undefined) else (usual,)
        if asked == "auto":
            return usual, known
        return Undefined(f"raters are unknown; the {asked} interval needs them"), known
    rows = (ratings.value, ratings.rater, ratings.item)
    found: dict[str, Interval | Undefined] = {"auto": usual}
    if has_repeats(ratings):
        why = Undefined("repeated trials; use mixed or cluster-robust")
        found |= {"crossed": why, "bootstrap": why}
    else:
        table = crossed_table(ratings)
        found["crossed"] = crossed_mos(table, level)
        found["bootstrap"] = crossed_bootstrap(table, seed=seed, level=level)
    already = not isinstance(usual, Undefined) and usual.method == "mixed model"
    found["mixed"] = usual if already else mixed_mos(*rows, level)
    found["cluster-robust"] = cluster_robust(*rows, level)
    chosen = found[asked]
    distinct = {
        f.method: f for f in (chosen, *found.values()) if not isinstance(f, Undefined)
    }  # fmt: skip
    return chosen, tuple(distinct.values())


def item_means(ratings: Ratings, level: float = 0.95) -> tuple[ItemMean, ...]:
    """The MOS of every item on every dimension: ``mean ± t(n-1) s / sqrt(n)`` over its raters.

    A rater who judged an item more than once counts by the mean of their ratings of it.
    """
    found = []
    for dimension in ratings.dimensions:
        own = ratings.select(dimension=dimension)
        stimulus = codes(own.stimulus)
        order = np.argsort(stimulus.code, kind="stable")
        edges = np.flatnonzero(np.diff(stimulus.code[order])) + 1
        for rows in np.split(order, edges):
            values = own.value[rows]
            raters = own.rater[rows]
            if own.has_raters and len(set(raters.tolist())) < len(rows):
                values = np.array([values[raters == r].mean() for r in np.unique(raters)])
            n = len(values)
            found.append(
                ItemMean(
                    str(own.system[rows[0]]),
                    str(own.item[rows[0]]),
                    dimension,
                    float(values.mean()),
                    float(values.std(ddof=1)) if n > 1 else None,
                    item_mos(values, level),
                    len(rows),
                )
            )
    return tuple(found)
