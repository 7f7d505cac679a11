"""Is one system better than another? Tests on matched blocks, effect sizes, equivalence, groups.

Conventions
-----------
- A block is whatever saw all systems compared: a rater's mean over the items, or a prompt. Blocks
  are the independent units; ratings inside a block are averaged first and never counted as units.
- Differences are first minus second. p values are two-sided unless said otherwise.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from concours.eval.stats.ratings import Floats
from concours.metrics.spec import Undefined

EXACT_BLOCKS = 14


class Friedman(NamedTuple):
    """Friedman's chi-square and Kendall's coefficient of concordance (0 none, 1 full)."""

    statistic: float
    df: int
    p: float
    kendall_w: float
    n_blocks: int


class Tested(NamedTuple):
    """``effect`` is named by ``effect_name``; n counts blocks."""

    statistic: float
    p: float
    effect: float
    effect_name: str
    n: int
    method: str


class Equivalence(NamedTuple):
    """``p`` is that of the larger of two one-sided tests; the interval is at 1 - 2 alpha."""

    difference: float
    margin: float
    p: float
    ci_low: float
    ci_high: float
    equivalent: bool


def friedman(blocks: Floats) -> Friedman | Undefined:
    """Do k systems differ over n complete blocks? ``blocks``: (n, k), k at least 3.

    Ranks within blocks, with the correction for ties. Undefined with incomplete or fewer than 2
    blocks, fewer than 3 systems, or when every block is all ties.
    """
    n, k = blocks.shape
    if k < 3 or n < 2:
        return Undefined(f"{n} complete blocks × {k} systems; Friedman's test needs 2 × 3")
    if np.isnan(blocks).any():
        return Undefined("a block lacks a system")
    from scipy.stats import chi2, rankdata

    ranks = rankdata(blocks, axis=1)
    between = float(((ranks.mean(axis=0) - (k + 1) / 2) ** 2).sum()) * n**2
    within = float(((ranks - (k + 1) / 2) ** 2).sum())
    if within == 0:
        return Undefined("no block tells the systems apart")
    statistic = (k - 1) * between / within
    return Friedman(
        statistic, k - 1, float(chi2.sf(statistic, k - 1)), statistic / (n * (k - 1)), n
    )


def wilcoxon(differences: ArrayLike) -> Tested | Undefined:
    """The signed-rank test of paired differences (n,), with the matched rank-biserial effect.

    Zeros are kept and split between the signs (Pratt); exact below 26 blocks without ties or
    zeros, else normal. The effect is ``(W+ - W-) / (W+ + W-)`` in [-1, 1]. Undefined when fewer
    than 2 differences aren't 0.
    """
    from scipy.stats import rankdata
    from scipy.stats import wilcoxon as signed_rank

    d = np.asarray(differences, dtype=np.float64)
    moved = d[d != 0]
    if len(moved) < 2:
        return Undefined(f"{len(moved)} of {len(d)} pairs differ; the test needs 2")
    ranks = rankdata(np.abs(moved))
    effect = float((ranks * np.sign(moved)).sum() / ranks.sum())
    exact = len(d) < 26 and len(moved) == len(d) and len(set(np.abs(d))) == len(d)
    found = signed_rank(d, zero_method="pratt", method="exact" if exact else "approx")
    how = "Wilcoxon signed-rank, " + ("exact" if exact else "normal approximation")
    return Tested(float(found.statistic), float(found.pvalue), effect, "rank-biserial", len(d), how)


def permutation(differences: ArrayLike, *, seed: int, draws: int = 9999) -> Tested | Undefined:
    """The sign-flip test of the mean paired difference, with Cohen's d_z.

    All ``2^n`` sign patterns up to 14 blocks; beyond, ``draws`` random ones with the observed one
    counted in, ``p = (1 + #{|mean*| >= |mean|}) / (1 + draws)``. Undefined below 2 blocks.

    >>> permutation([1.0, 2.0, 3.0], seed=0).p
    0.25
    """
    d = np.asarray(differences, dtype=np.float64)
    n = len(d)
    if n < 2:
        return Undefined(f"{n} pair(s); the test needs 2")
    observed = abs(float(d.sum()))
    tolerance = 1e-12 * float(np.abs(d).sum())
    if n <= EXACT_BLOCKS:
        signs = _every_sign(n)
        p = float(np.mean(np.abs(signs @ d) >= observed - tolerance))
        how = "sign-flip, exact"
    else:
        signs = _signs(n, draws, seed)
        p = float((1 + np.sum(np.abs(signs @ d) >= observed - tolerance)) / (1 + draws))
        how = f"sign-flip, {draws} draws"
    spread = float(d.std(ddof=1))
    effect = float(d.mean()) / spread if spread else math.copysign(math.inf, d.mean())
    if observed == 0:
        effect = 0.0
    return Tested(float(d.mean()), p, effect, "Cohen's d_z", n, how)


@lru_cache(maxsize=4)
def _every_sign(n: int) -> Floats:
    return np.array(list(itertools.product((1.0, -1.0), repeat=n)))


@lru_cache(maxsize=4)
def _signs(n: int, draws: int, seed: int) -> Floats:
    """Kept, since a leaderboard asks for the same ones for every pair and column."""
    return np.random.default_rng(seed).choice((1.0, -1.0), size=(draws, n))


def unpaired(first: ArrayLike, second: ArrayLike) -> Tested | Undefined:
    """The Mann-Whitney test of two independent samples of blocks, with Cliff's delta.

    Delta is ``P(first > second) - P(first < second)``. Undefined below 2 blocks on a side.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if min(len(a), len(b)) < 2:
        return Undefined(f"{len(a)} and {len(b)} blocks; the test needs 2 on each side")
    from scipy.stats import mannwhitneyu

    found = mannwhitneyu(a, b)
    delta = 2 * float(found.statistic) / (len(a) * len(b)) - 1
    return Tested(
        float(found.statistic),
        float(found.pvalue),
        delta,
        "Cliff's delta",
        len(a) + len(b),
        "Mann-Whitney",
    )


def tost(
    difference: float, se: float, df: float, margin: float, alpha: float = 0.05
) -> Equivalence:
    """Two one-sided t tests: is the true difference inside (-margin, margin)?

    ``se`` and ``df`` come from the interval of the difference, so that raters and items enter
    as they do there. Equivalent when both tests reject at ``alpha``, which is when the interval
    at ``1 - 2 alpha`` lies inside the margins (Schuirmann 1987).

    Raises:
        ValueError: a margin that isn't positive.

    >>> tost(0.1, 0.1, 20, margin=0.5).equivalent
    True
    """
    if not margin > 0:
        raise ValueError(f"the margin must be positive, and {margin:g} isn't")
    from scipy.stats import t

    half = float(t.ppf(1 - alpha, df)) * se
    if se == 0:
        p = 0.0 if abs(difference) < margin else 1.0
    else:
        p = max(
            float(t.sf((difference + margin) / se, df)),
            float(t.cdf((difference - margin) / se, df)),
        )
    return Equivalence(difference, margin, p, difference - half, difference + half, p <= alpha)


def groups(systems: Sequence[str], different: Collection[tuple[str, str]]) -> list[list[str]]:
    """The largest sets of systems that can't be told apart, as a compact letter display shows.

    ``systems`` best first; ``different`` holds the pairs (either order) that a test separates. The
    sets may overlap: that A can't be told from B nor B from C doesn't make A equal C.

    >>> groups(["a", "b", "c"], [("a", "c")])
    [['a', 'b'], ['b', 'c']]
    """
    apart = {frozenset(pair) for pair in different}
    near = {s: {t for t in systems if t != s and frozenset((s, t)) not in apart} for s in systems}
    found: list[list[str]] = []

    def extend(clique: list[str], open_: set[str], done: set[str]) -> None:
        if not open_ and not done:
            found.append(sorted(clique, key=systems.index))
            return
        pivot = max(open_ | done, key=lambda s: len(near[s] & open_))
        for s in sorted(open_ - near[pivot], key=systems.index):
            extend([*clique, s], open_ & near[s], done & near[s])
            open_ = open_ - {s}
            done = done | {s}

    extend([], set(systems), set())
    return sorted(found, key=lambda g: [systems.index(s) for s in g])
