"""Mean opinion scores with intervals that know raters and items were both sampled.

Conventions
-----------
- An interval is about the mean over all raters and items that these were drawn from, at 95%
  unless told otherwise, two-sided.
- The raters of a study share their habits over its items, and the items their difficulty over
  the raters. The usual ``s / sqrt(n)`` over all ratings ignores both and covers far less than it
  says; nothing here uses it for a system.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from concours.eval.stats.mixed import fit_mixed
from concours.eval.stats.ratings import (
    Floats,
    Ratings,
    RatingsError,
    Strings,
    Table,
    codes,
    crossed_table,
    has_repeats,
)
from concours.metrics.spec import Undefined


class Interval(NamedTuple):
    """A mean with the ends of its interval; ``df`` is infinite where none applies."""

    mean: float
    ci_low: float
    ci_high: float
    se: float
    df: float
    method: str
    n_ratings: int
    n_raters: int
    n_items: int


class Anova(NamedTuple):
    """Mean squares of a complete two-way table (raters, items, error) and the grand mean."""

    mean: float
    ms_raters: float
    ms_items: float
    ms_error: float
    n_raters: int
    n_items: int


def t_half(df: float, level: float = 0.95) -> float:
    """The two-sided quantile of Student's t."""
    from scipy.special import ndtri, stdtrit

    p = 0.5 + level / 2
    return float(stdtrit(df, p) if math.isfinite(df) else ndtri(p))


def item_mos(values: ArrayLike, level: float = 0.95) -> Interval | Undefined:
    """The MOS of one item: ``mean ± t(n-1) s / sqrt(n)`` over its raters.

    ``values``: (n,), one rating a rater. Undefined with fewer than 2.

    >>> m = item_mos([4, 5, 3, 4])
    >>> round(m.mean, 2), round(m.ci_low, 2), round(m.ci_high, 2)
    (4.0, 2.7, 5.3)
    """
    v = np.asarray(values, dtype=np.float64)
    n = len(v)
    if n < 2:
        return Undefined(f"{n} rating{'s' * (n != 1)}; an interval needs 2")
    se = float(v.std(ddof=1)) / math.sqrt(n)
    mean, half = float(v.mean()), t_half(n - 1, level) * se
    return Interval(mean, mean - half, mean + half, se, n - 1, "t", n, n, 1)


def two_way_anova(values: Floats) -> Anova:
    """Mean squares of ``values``, shape (raters, items), complete and at least 2 × 2."""
    r, i = values.shape
    grand = float(values.mean())
    by_rater, by_item = values.mean(axis=1), values.mean(axis=0)
    rest = values - by_rater[:, None] - by_item[None, :] + grand
    return Anova(
        grand,
        i * float(((by_rater - grand) ** 2).sum()) / (r - 1),
        r * float(((by_item - grand) ** 2).sum()) / (i - 1),
        float((rest**2).sum()) / ((r - 1) * (i - 1)),
        r,
        i,
    )


def crossed_variance(a: Anova) -> tuple[float, float]:
    """(variance of the grand mean, its Satterthwaite degrees of freedom).

    ``(MS_R + MS_I - MS_E) / (R I)``, where a mean square below MS_E counts as MS_E: a variance
    component isn't negative.
    """
    r, i = a.n_raters, a.n_items
    terms = [
        (1.0, a.ms_raters, r - 1) if a.ms_raters > a.ms_error else None,
        (1.0, a.ms_items, i - 1) if a.ms_items > a.ms_error else None,
    ]
    kept = [t for t in terms if t is not None]
    weight = 1.0 - len(kept)
    parts = [*kept, (weight, a.ms_error, (r - 1) * (i - 1))]
    total = sum(w * ms for w, ms, _ in parts)
    spread = sum((w * ms) ** 2 / df for w, ms, df in parts)
    return total / (r * i), total**2 / spread if spread else float((r - 1) * (i - 1))


def crossed_mos(table: Table, level: float = 0.95) -> Interval | Undefined:
    """The MOS of a system that each of R raters judged on each of I items.

    Undefined on an incomplete table and below 2 raters or 2 items.

    >>> import numpy as np
    >>> t = Table(np.array([[4.0, 3, 5], [3, 2, 5], [4, 4, 4]]), ("a", "b", "c"), ("x", "y", "z"))
    >>> m = crossed_mos(t)
    >>> round(m.mean, 3), m.method
    (3.778, 'crossed two-way variance')
    """
    bad = _uncrossed(table)
    if bad is not None:
        return bad
    a = two_way_anova(table.values)
    variance, df = crossed_variance(a)
    se = math.sqrt(variance)
    half = t_half(df, level) * se
    return Interval(
        a.mean,
        a.mean - half,
        a.mean + half,
        se,
        df,
        "crossed two-way variance",
        table.values.size,
        a.n_raters,
        a.n_items,
    )


def _uncrossed(table: Table) -> Undefined | None:
    r, i = table.values.shape
    if r < 2 or i < 2:
        return Undefined(f"{r} rater(s) × {i} item(s); a crossed interval needs 2 of each")
    if not table.complete:
        missing = int(np.isnan(table.values).sum())
        return Undefined(f"{missing} of {table.values.size} cells are empty; use the mixed model")
    return None


def crossed_bootstrap(
    table: Table, *, seed: int, draws: int = 2000, level: float = 0.95
) -> Interval | Undefined:
    """Percentiles of the mean over raters and items drawn anew, independently of each other.

    With few raters or items a bare percentile interval is too short (a bootstrap of 5 items sees
    4/5 of their variance, and no t), while resampling both sides counts the error thrice
    (Owen 2007, Annals of Applied Statistics 1(2)). Therefore the percentiles are moved outward or
    inward until a normal bootstrap distribution would give the crossed t interval's width
    (the expanded percentile interval of Hesterberg 2015, The American Statistician 69(4),
    carried over to two factors). The skew of the ratings stays in the interval.
    """
    bad = _uncrossed(table)
    if bad is not None:
        return bad
    from scipy.stats import norm

    v = table.values
    r, i = v.shape
    rng = np.random.default_rng(seed)
    by_rater = rng.multinomial(r, np.full(r, 1 / r), size=draws) / r
    by_item = rng.multinomial(i, np.full(i, 1 / i), size=draws) / i
    means = np.einsum("dr,ri,di->d", by_rater, v, by_item, optimize=True)
    variance, df = crossed_variance(two_way_anova(v))
    spread = float(means.std())
    if spread == 0:
        return Undefined("all ratings are equal; a bootstrap has nothing to draw from")
    tail = float(norm.sf(t_half(df, level) * math.sqrt(variance) / spread))
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(
        float(v.mean()), float(low), float(high), spread, df, "crossed bootstrap", v.size, r, i
    )


def cluster_robust(
    value: Floats, rater: Strings, item: Strings, level: float = 0.95
) -> Interval | Undefined:
    """The mean of unbalanced ratings with a two-way clustered variance.

    With e the residuals: ``V = c_R S_R + c_I S_I - S_RI``, S_G the sum over clusters of squared
    residual sums over n², ``c = G / (G - 1)`` (Cameron, Gelbach & Miller 2011, Journal of Business
    & Economic Statistics 29(2)); where that isn't above its one-way parts, the larger of those.
    Degrees of freedom as for the crossed variance. It assumes nothing about the distribution but
    wants many clusters; prefer the mixed model below 20.

    ``value``, ``rater``, ``item``: (n,). Undefined below 2 raters or 2 items.
    """
    r, i = codes(rater), codes(item)
    big_r, big_i, n = len(r.labels), len(i.labels), len(value)
    if big_r < 2 or big_i < 2:
        return Undefined(f"{big_r} rater(s), {big_i} item(s); clustering needs 2 of each")
    mean = float(value.mean())
    e = value - mean
    sums_r = np.bincount(r.code, e, minlength=big_r)
    sums_i = np.bincount(i.code, e, minlength=big_i)
    cells = np.bincount(r.code * big_i + i.code, e, minlength=big_r * big_i)
    v_r = float(sums_r @ sums_r) / n**2 * big_r / (big_r - 1)
    v_i = float(sums_i @ sums_i) / n**2 * big_i / (big_i - 1)
    v_ri = float(cells @ cells) / n**2
    total = max(v_r + v_i - v_ri, v_r, v_i)
    spread = v_r**2 / (big_r - 1) + v_i**2 / (big_i - 1)
    df = total**2 / spread if spread else float(min(big_r, big_i) - 1)
    half = t_half(df, level) * math.sqrt(total)
    return Interval(
        mean, mean - half, mean + half, math.sqrt(total), df, "cluster-robust", n, big_r, big_i
    )


def mixed_mos(
    value: Floats, rater: Strings, item: Strings, level: float = 0.95
) -> Interval | Undefined:
    """The plain mean, with its variance under ``rating = mean + rater + item + error`` by REML.

    ``V = v_R sum n_r² / n² + v_I sum n_i² / n² + v_E / n`` with n_r ratings by rater r and n_i of
    item i, so that unbalanced counts enter; Satterthwaite degrees of freedom. The mean stays the
    one that everybody can recompute. Undefined below 2 raters or 2 items, or when all ratings are
    equal.
    """
    n_raters, n_items = len(set(rater.tolist())), len(set(item.tolist()))
    if n_raters < 2 or n_items < 2:
        return Undefined(f"{n_raters} rater(s), {n_items} item(s); the model needs 2 of each")
    try:
        fit = fit_mixed(value, np.ones((len(value), 1)), {"rater": rater, "item": item})
    except RatingsError as error:
        return Undefined(str(error))
    counts = {"rater": np.bincount(codes(rater).code), "item": np.bincount(codes(item).code)}
    variance, df = fit.grand_mean({k: float(c @ c) / len(value) ** 2 for k, c in counts.items()})
    mean, se = float(value.mean()), math.sqrt(variance)
    half = t_half(df, level) * se
    return Interval(
        mean, mean - half, mean + half, se, df, "mixed model", len(value), n_raters, n_items
    )


def item_clustered(value: Floats, item: Strings, level: float = 0.95) -> Interval | Undefined:
    """The mean of ratings whose raters are unknown, clustered by item.

    What a rater's habits add to the error can't be seen, so the interval is too short by an
    unknown amount; the method's name says so wherever it is printed.
    """
    i = codes(item)
    groups, n = len(i.labels), len(value)
    if groups < 2:
        return Undefined(f"{groups} item; clustering by item needs 2")
    mean = float(value.mean())
    sums = np.bincount(i.code, value - mean, minlength=groups)
    se = math.sqrt(float(sums @ sums) / n**2 * groups / (groups - 1))
    half = t_half(groups - 1, level) * se
    method = "clustered by item; raters unknown, so too narrow"
    return Interval(mean, mean - half, mean + half, se, groups - 1, method, n, 0, groups)


def system_mos(ratings: Ratings, level: float = 0.95) -> Interval | Undefined:
    """The MOS of one system on one dimension, by the method that its ratings allow.

    Complete crossing: two-way variance. Missing cells or repeated trials: mixed model. One item:
    t over raters. One rater: t over items. Unknown raters: clustered by item.
    """
    if not ratings.has_raters:
        return item_clustered(ratings.value, ratings.item, level)
    n_raters, n_items = len(ratings.raters), len(set(ratings.item.tolist()))
    if not has_repeats(ratings):
        if n_items == 1 or n_raters == 1:
            found = item_mos(ratings.value, level)
            if isinstance(found, Undefined):
                return found
            over = "raters of one item" if n_items == 1 else "items of one rater"
            return found._replace(method=f"t over {over}", n_raters=n_raters, n_items=n_items)
        table = crossed_table(ratings)
        if table.complete:
            return crossed_mos(table, level)
    return mixed_mos(ratings.value, ratings.rater, ratings.item, level)
