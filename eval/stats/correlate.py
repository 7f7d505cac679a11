"""Does a metric follow listeners? Correlations with the MOS, intervals, which metric is better.

Conventions
-----------
- ``metric`` and ``mos`` have shape (clips,), one pair for each clip that has both; ``system`` says
  which system made the clip.
- Level ``clip`` pools all clips, ``within`` takes out each system's mean first (does the metric
  tell good clips of one system from bad ones?), ``system`` correlates the systems' means.
- At clip level the systems are the ones at hand: the bootstrap draws clips within systems. At
  system level the systems are the sample: the bootstrap draws systems, and below 6 of them there
  is no interval, since so few can't say how others would fall.
- p values come from permuting the metric: over all clips, within systems, or over systems.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from concours.eval.stats.ratings import Floats, Ints, Strings, codes
from concours.metrics.spec import Undefined

Kind = Literal["pearson", "spearman", "kendall"]
Scope = Literal["clip", "within", "system"]
FEWEST_SYSTEMS = 6
FEWEST_CLIPS = 4
EXACT_PERMUTATIONS = 7
PERMUTATIONS: dict[Kind, int] = {"pearson": 9999, "spearman": 9999, "kendall": 299}


class Correlation(NamedTuple):
    """``ci_low``/``ci_high`` are None where there is no interval, with ``reason``."""

    kind: Kind
    scope: Scope
    value: float
    ci_low: float | None
    ci_high: float | None
    p: float
    n: int
    reason: str


class Better(NamedTuple):
    """``difference`` of |first's| and |second's| correlation with the MOS, paired."""

    difference: float
    ci_low: float
    ci_high: float
    p: float
    n: int


def coefficients(metric: Floats, mos: Floats, weights: Floats, kind: Kind) -> Floats:
    """Correlations of weighted clips: ``weights`` (draws, n) -> (draws,), NaN where undefined.

    Weights are how often each clip was drawn. Spearman's ranks are those of the drawn sample, ties
    sharing their mean; Kendall's is tau-b.
    """
    if kind == "kendall":
        a, b = (np.sign(v[:, None] - v[None, :]) for v in (metric, mos))
        up, left, right = (
            np.einsum("di,di->d", weights @ m, weights) for m in (a * b, a * a, b * b)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(up / np.sqrt(left * right))
    x, y = (
        (_weighted_ranks(v, weights) if kind == "spearman" else np.broadcast_to(v, weights.shape))
        for v in (metric, mos)
    )
    total = weights.sum(axis=1)
    dx = x - ((weights * x).sum(axis=1) / total)[:, None]
    dy = y - ((weights * y).sum(axis=1) / total)[:, None]
    sxx, syy, sxy = ((weights * u * v).sum(axis=1) for u, v in ((dx, dx), (dy, dy), (dx, dy)))
    flat = 1e-12 * max(1.0, float(np.abs(metric).max()), float(np.abs(mos).max())) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        r = sxy / np.sqrt(sxx * syy)
    return np.where((sxx > flat) & (syy > flat), np.clip(r, -1.0, 1.0), np.nan)


def _weighted_ranks(values: Floats, weights: Floats) -> Floats:
    """Mid-ranks of ``values`` in samples that hold value i ``weights[d, i]`` times."""
    levels, code = np.unique(values, return_inverse=True)
    indicator = (code[:, None] == np.arange(len(levels))[None, :]).astype(np.float64)
    counts = weights @ indicator
    middle = np.cumsum(counts, axis=1) - counts / 2 + 0.5
    return np.asarray(middle[:, code])


def correlation(
    metric: Floats,
    mos: Floats,
    system: Strings,
    *,
    kind: Kind = "spearman",
    scope: Scope = "clip",
    seed: int = 0,
    draws: int = 1000,
    level: float = 0.95,
) -> Correlation | Undefined:
    """One metric against one rating dimension, with an expanded percentile interval.

    Undefined with fewer than 4 clips (3 systems at system level), or when one side is constant.
    """
    x, y, code = _scoped(metric, mos, system, scope)
    n = len(x)
    least = 3 if scope == "system" else FEWEST_CLIPS
    if n < least:
        return Undefined(f"{n} {'systems' if scope == 'system' else 'clips'}; it needs {least}")
    value = float(coefficients(x, y, np.ones((1, n)), kind)[0])
    if math.isnan(value):
        return Undefined("the metric or the rating is constant")
    p = permutation_p(x, y, code, kind=kind, scope=scope, seed=seed)
    if scope == "system" and n < FEWEST_SYSTEMS:
        reason = f"{n} systems; an interval needs {FEWEST_SYSTEMS}"
        return Correlation(kind, scope, value, None, None, p, n, reason)
    drawn = coefficients(x, y, _drawn(code, seed, draws), kind)
    drawn = drawn[~np.isnan(drawn)]
    if len(drawn) < draws / 2:
        reason = "most resamples are constant"
        return Correlation(kind, scope, value, None, None, p, n, reason)
    tail = _tail(code, level)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Correlation(kind, scope, value, float(low), float(high), p, n, "")


def _tail(code: Ints, level: float) -> float:
    """The percentile that makes up for a bootstrap's narrowness (Hesterberg 2015).

    Drawing n clips within S strata sees ``(n - S) / n`` of the variance, and no t.
    """
    from scipy.special import ndtr, stdtrit

    n, df = len(code), max(len(code) - len(np.unique(code)), 1)
    return float(ndtr(np.sqrt(n / df) * stdtrit(df, (1 - level) / 2)))


def _scoped(
    metric: Floats, mos: Floats, system: Strings, scope: Scope
) -> tuple[Floats, Floats, Ints]:
    """The pairs to correlate, and the stratum of each."""
    c = codes(system)
    if scope == "clip":
        return metric, mos, c.code
    counts = np.bincount(c.code)
    means = [np.bincount(c.code, v) / counts for v in (metric, mos)]
    if scope == "system":
        return means[0], means[1], np.zeros(len(counts), dtype=np.int64)
    several = counts[c.code] > 1
    return (
        (metric - means[0][c.code])[several],
        (mos - means[1][c.code])[several],
        c.code[several],
    )


def _drawn(code: Ints, seed: int, draws: int) -> Floats:
    rng = np.random.default_rng(seed)
    weights = np.zeros((draws, len(code)))
    for stratum in np.unique(code):
        members = np.flatnonzero(code == stratum)
        k = len(members)
        weights[:, members] = rng.multinomial(k, np.full(k, 1 / k), size=draws)
    return weights


@lru_cache(maxsize=8)
def _orders(strata: bytes, within: bool, seed: int, draws: int) -> Ints:
    """Permutations, shape (draws, n): one set serves all metrics on the same clips."""
    code = np.frombuffer(strata, dtype=np.int64)
    rng = np.random.default_rng([seed, 1])
    orders = np.tile(np.arange(len(code)), (draws, 1))
    if not within:
        return rng.permuted(orders, axis=1)
    for stratum in np.unique(code):
        members = np.flatnonzero(code == stratum)
        orders[:, members] = rng.permuted(orders[:, members], axis=1)
    return orders


def permutation_p(
    x: Floats, y: Floats, code: Ints, *, kind: Kind, scope: Scope, seed: int
) -> float:
    """Two-sided p of no association, exact over systems up to 7 of them.

    For Kendall's tau beyond that it is normal, within systems with the permutations' variance.
    """
    n = len(x)
    exact = scope == "system" and n <= EXACT_PERMUTATIONS
    if kind == "kendall" and scope != "within" and not exact:
        from scipy.stats import kendalltau

        return float(kendalltau(x, y, method="asymptotic").pvalue)
    if exact:
        orders = np.array(list(itertools.permutations(range(n))))
    else:
        orders = _orders(code.tobytes(), scope == "within", seed, PERMUTATIONS[kind])
    if kind == "kendall":
        a, b = (np.sign(v[:, None] - v[None, :]) for v in (x, y))
        reached = np.array([float((a[np.ix_(o, o)] * b).sum()) for o in orders])
        observed = float((a * b).sum())
        if not exact:
            from scipy.stats import norm

            spread = float(reached.std())
            return float(2 * norm.sf(abs(observed - reached.mean()) / spread)) if spread else 1.0
    else:
        if kind == "spearman":
            from scipy.stats import rankdata

            x, y = rankdata(x), rankdata(y)
        reached = (x - x.mean())[orders] @ (y - y.mean())
        observed = float((x - x.mean()) @ (y - y.mean()))
    hits = int(np.sum(np.abs(reached) >= abs(observed) * (1 - 1e-12)))
    return hits / len(orders) if exact else (1 + hits) / (1 + len(orders))


def better_predictor(
    first: Floats,
    second: Floats,
    mos: Floats,
    system: Strings,
    *,
    kind: Kind = "spearman",
    scope: Scope = "clip",
    seed: int = 0,
    draws: int = 2000,
    level: float = 0.95,
) -> Better | Undefined:
    """Which of two metrics follows listeners more closely, by a paired bootstrap.

    Both are correlated with the MOS on the same resamples; signs are taken from the full data, so
    that a metric that falls as ratings rise counts for as much. p is twice the smaller tail of the
    differences around 0. Undefined where either correlation is, and below 6 systems at system
    level.
    """
    x, y, code = _scoped(first, mos, system, scope)
    z, _, _ = _scoped(second, mos, system, scope)
    n = len(x)
    if scope == "system" and n < FEWEST_SYSTEMS:
        return Undefined(f"{n} systems; an interval needs {FEWEST_SYSTEMS}")
    if n < FEWEST_CLIPS:
        return Undefined(f"{n} clips; it needs {FEWEST_CLIPS}")
    one = np.ones((1, n))
    a, b = (float(coefficients(v, y, one, kind)[0]) for v in (x, z))
    if math.isnan(a) or math.isnan(b):
        return Undefined("a metric or the rating is constant")
    weights = _drawn(code, seed, draws)
    drawn = np.sign(a) * coefficients(x, y, weights, kind) - np.sign(b) * coefficients(
        z, y, weights, kind
    )
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return Undefined("every resample is constant")
    outer = _tail(code, level)
    low, high = np.quantile(drawn, [outer, 1 - outer])
    tail = min(float(np.mean(drawn <= 0)), float(np.mean(drawn >= 0)))
    p = min(1.0, 2 * (tail * len(drawn) + 1) / (len(drawn) + 1))
    return Better(abs(a) - abs(b), float(low), float(high), p, n)


def mos_reliability(groups: Sequence[Floats]) -> float | Undefined:
    """The share of the clips' MOS variance that isn't rating noise.

    ``1 - mean(s_i² / n_i) / Var(MOS)`` over clips with ratings ``groups[i]``, the one-way
    ICC(1,k) for unequal counts; cut at 0. Undefined below 2 clips with 2 ratings each.
    """
    usable = [g for g in groups if len(g) > 1]
    if len(usable) < 2:
        return Undefined("fewer than 2 clips have 2 ratings")
    spread = float(np.var([g.mean() for g in usable], ddof=1))
    if spread == 0:
        return Undefined("all clips have one MOS")
    return max(0.0, 1 - float(np.mean([g.var(ddof=1) / len(g) for g in usable])) / spread)


def disattenuated(value: float, reliability: float | Undefined) -> float | Undefined:
    """The correlation that a noiseless MOS would show, ``r / sqrt(reliability)`` (Spearman 1904).

    It may exceed 1 by sampling error and is then left as it is. Undefined where the reliability is
    0 or unknown.

    >>> disattenuated(0.6, 0.64)
    0.7499999999999999
    """
    if isinstance(reliability, Undefined):
        return reliability
    if reliability <= 0:
        return Undefined("the MOS has no reliability; noise can't be taken out")
    return value / math.sqrt(reliability)
