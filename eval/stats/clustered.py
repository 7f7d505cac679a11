"""Scores of two systems compared, with prompts (or songs) as the independent units.

Items that answer one prompt, or are cut from one song, resemble each other; so a cluster's mean is
one observation. Where both systems answered the same prompts the test is paired on them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from concours.eval.stats.compare import permutation
from concours.eval.stats.mos import t_half
from concours.eval.stats.ratings import Floats, Strings
from concours.metrics.spec import Undefined

FEWEST_PAIRS = 3


class ScoreDifference(NamedTuple):
    """``difference`` is second minus first; ``n_first`` and ``n_second`` count clusters."""

    first: float
    second: float
    difference: float
    ci_low: float
    ci_high: float
    p: float
    n_first: int
    n_second: int
    method: str


def cluster_means(values: Floats, clusters: Strings) -> dict[str, float]:
    """The mean of each cluster."""
    names, code = np.unique(clusters, return_inverse=True)
    sums = np.bincount(code, values) / np.bincount(code)
    return {str(n): float(v) for n, v in zip(names, sums, strict=True)}


def score_difference(
    first: Floats,
    first_clusters: Strings,
    second: Floats,
    second_clusters: Strings,
    *,
    seed: int = 0,
    level: float = 0.95,
) -> ScoreDifference | Undefined:
    """The difference of two systems' mean scores.

    Paired if at least 3 clusters are shared and these are half of the smaller side: on the shared
    ones, by a t interval of the differences and a sign-flip test. Else Welch's interval and test
    on the clusters' means. Undefined below 2 clusters on a side.

    >>> names = np.array(["p1", "p2", "p3"])
    >>> d = score_difference(np.array([1.0, 2, 3]), names, np.array([2.0, 3, 5]), names)
    >>> d.method, round(d.difference, 3)
    ('paired on 3 prompts', 1.333)
    """
    a, b = cluster_means(first, first_clusters), cluster_means(second, second_clusters)
    shared = sorted(a.keys() & b.keys())
    if len(shared) >= FEWEST_PAIRS and 2 * len(shared) >= min(len(a), len(b)):
        left, right = (np.array([m[k] for k in shared]) for m in (a, b))
        gap = right - left
        n = len(gap)
        half = t_half(n - 1, level) * float(gap.std(ddof=1)) / math.sqrt(n)
        test = permutation(gap, seed=seed)
        p = 1.0 if isinstance(test, Undefined) else test.p
        d = float(gap.mean())
        return ScoreDifference(
            float(left.mean()), float(right.mean()), d, d - half, d + half, p, n, n,
            f"paired on {n} prompts",
        )  # fmt: skip
    x, y = np.array(list(a.values())), np.array(list(b.values()))
    if min(len(x), len(y)) < 2:
        return Undefined(f"{len(x)} and {len(y)} clusters; a test needs 2 on each side")
    u, v = float(x.var(ddof=1)) / len(x), float(y.var(ddof=1)) / len(y)
    d, se = float(y.mean() - x.mean()), math.sqrt(u + v)
    if se == 0:
        p, half = (1.0 if d == 0 else 0.0), 0.0
    else:
        from scipy.special import stdtr

        df = (u + v) ** 2 / (u**2 / (len(x) - 1) + v**2 / (len(y) - 1))
        half, p = t_half(df, level) * se, float(2 * stdtr(df, -abs(d) / se))
    return ScoreDifference(
        float(x.mean()), float(y.mean()), d, d - half, d + half, p, len(x), len(y), "Welch",
    )  # fmt: skip
