"""Do the raters agree? Intraclass correlations and Krippendorff's alpha.

Conventions
-----------
- Targets are stimuli (each item of each system), judges are raters; a table has shape
  (raters, stimuli), with NaN where a rater didn't judge.
- ICC(2,1) is about one rater's score, ICC(2,k) about the mean of all k; both take the raters for
  a sample and count their different strictness as error (Shrout & Fleiss 1979, Psychological
  Bulletin 86(2); named ICC(A,1) and ICC(A,k) by McGraw & Wong 1996).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from concours.eval.stats.mixed import fit_mixed
from concours.eval.stats.mos import two_way_anova
from concours.eval.stats.ratings import Floats, RatingsError, Strings, Table
from concours.metrics.spec import Undefined

Measurement = Literal["nominal", "ordinal", "interval", "ratio"]


class Icc(NamedTuple):
    """The six coefficients of Shrout and Fleiss; ``icc3k`` is Cronbach's alpha."""

    icc11: float
    icc21: float
    icc31: float
    icc1k: float
    icc2k: float
    icc3k: float
    n_raters: int
    n_targets: int


class IccInterval(NamedTuple):
    value: float
    ci_low: float
    ci_high: float


def icc(table: Table) -> Icc | Undefined:
    """Intraclass correlations of a complete table of k raters × n targets.

    With the mean squares of targets, raters and error: ``ICC(2,1) = (MS_T - MS_E) / (MS_T +
    (k-1) MS_E + k (MS_R - MS_E) / n)`` and ``ICC(2,k) = (MS_T - MS_E) / (MS_T + (MS_R - MS_E) /
    n)``. Range (-inf, 1]. Undefined on incomplete tables (see :func:`icc_mixed`), below 2 × 2 and
    when all targets have one mean and no error.
    """
    k, n = table.values.shape
    if k < 2 or n < 2:
        return Undefined(f"{k} rater(s) × {n} stimuli; agreement needs 2 of each")
    if not table.complete:
        return Undefined("not every rater judged every stimulus; use the variance components")
    a = two_way_anova(table.values)
    t, r, e = a.ms_items, a.ms_raters, a.ms_error
    within = ((k - 1) * e * (n - 1) + r * (k - 1)) / (n * (k - 1))
    if t == 0 or t + (k - 1) * e + k * (r - e) / n == 0:
        return Undefined("the stimuli don't differ, so nothing can be agreed upon")
    return Icc(
        (t - within) / (t + (k - 1) * within),
        (t - e) / (t + (k - 1) * e + k * (r - e) / n),
        (t - e) / (t + (k - 1) * e),
        (t - within) / t,
        (t - e) / (t + (r - e) / n),
        (t - e) / t,
        k,
        n,
    )


def icc2_interval(table: Table, average: bool, level: float = 0.95) -> IccInterval | Undefined:
    """ICC(2,1), or ICC(2,k) if ``average``, with the interval of McGraw & Wong (1996, table 7)."""
    found = icc(table)
    if isinstance(found, Undefined):
        return found
    from scipy.stats import f

    a = two_way_anova(table.values)
    t, r, e, k, n = a.ms_items, a.ms_raters, a.ms_error, a.n_raters, a.n_items
    if e == 0 and r == 0:
        return IccInterval(1.0, 1.0, 1.0)
    rho = found.icc21
    x = k * rho / (n * (1 - rho))
    y = 1 + k * rho * (n - 1) / (n * (1 - rho))
    df = (x * r + y * e) ** 2 / ((x * r) ** 2 / (k - 1) + (y * e) ** 2 / ((n - 1) * (k - 1)))
    tail = 0.5 + level / 2
    f_low, f_high = float(f.ppf(tail, n - 1, df)), float(f.ppf(tail, df, n - 1))
    rest = k * r + (k * n - k - n) * e
    low = n * (t - f_low * e) / (f_low * rest + n * t)
    high = n * (f_high * t - e) / (rest + n * f_high * t)
    if not average:
        return IccInterval(found.icc21, low, high)

    def stepped(one: float) -> float:
        return one * k / (1 + one * (k - 1))

    return IccInterval(found.icc2k, stepped(low), stepped(high))


class IccMixed(NamedTuple):
    """ICC(2,1) and ICC(2,k) from variance components; k is the harmonic mean of raters a target."""

    icc21: float
    icc2k: float
    k: float
    var_targets: float
    var_raters: float
    var_error: float


def icc_mixed(value: Floats, rater: Strings, target: Strings) -> IccMixed | Undefined:
    """Agreement when raters judged different stimuli, from the model's variance components.

    ``ICC(2,1) = v_T / (v_T + v_R + v_E)`` and ``ICC(2,k) = v_T / (v_T + (v_R + v_E) / k)``. On a
    complete table without negative components it equals the mean-square form. Range [0, 1].
    """
    if len(set(rater.tolist())) < 2 or len(set(target.tolist())) < 2:
        return Undefined("agreement needs 2 raters and 2 stimuli")
    if len({*zip(rater.tolist(), target.tolist(), strict=True)}) == len(set(target.tolist())):
        return Undefined("no stimulus has two raters")
    try:
        fit = fit_mixed(value, np.ones((len(value), 1)), {"rater": rater, "target": target})
    except RatingsError as error:
        return Undefined(str(error))
    _, counts = np.unique(target, return_counts=True)
    k = float(len(counts) / np.sum(1 / counts))
    v_t, v_r, v_e = fit.variances["target"], fit.variances["rater"], fit.residual
    return IccMixed(v_t / (v_t + v_r + v_e), v_t / (v_t + (v_r + v_e) / k), k, v_t, v_r, v_e)


def krippendorff_alpha(values: Floats, measurement: Measurement) -> float | Undefined:
    """Krippendorff's alpha, ``1 - D_observed / D_expected``, over pairs within each unit.

    ``values``: (raters, units), NaN where missing; units with one value can't be paired and drop
    out. The difference of values c and k is ``c != k`` (nominal), the squared number of ranks
    between them (ordinal), ``(c - k)²`` (interval) or ``((c - k) / (c + k))²`` (ratio, values of
    at least 0). 1 is perfect agreement, 0 what chance gives. Undefined without pairs or when only
    one value occurs.

    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.

    Raises:
        ValueError: negative values at the ratio level.

    >>> krippendorff_alpha(np.array([[1.0, 2, 3], [1, 2, 3]]), "interval")
    1.0
    """
    known = ~np.isnan(values)
    paired = values[:, known.sum(axis=0) >= 2]
    if not paired.size:
        return Undefined("no unit has two ratings")
    levels, code = np.unique(paired[~np.isnan(paired)], return_inverse=True)
    if len(levels) < 2:
        return Undefined("only one value occurs, so chance agreement is perfect too")
    if measurement == "ratio" and levels[0] < 0:
        raise ValueError(f"the ratio level needs values of at least 0, and {levels[0]:g} is one")
    unit = np.nonzero(~np.isnan(paired))[1]
    counts = np.zeros((paired.shape[1], len(levels)))
    np.add.at(counts, (unit, code), 1.0)
    weight = 1.0 / (counts.sum(axis=1) - 1)
    coincidence = (counts * weight[:, None]).T @ counts - np.diag(weight @ counts)
    total = coincidence.sum(axis=1)
    n = float(total.sum())
    delta = _differences(levels, total, measurement)
    observed = float((coincidence * delta).sum()) / n
    expected = float((np.outer(total, total) * delta).sum()) / (n * (n - 1))
    return float(1.0 - observed / expected)


def _differences(levels: Floats, total: Floats, measurement: Measurement) -> Floats:
    if measurement == "nominal":
        return 1.0 - np.eye(len(levels))
    if measurement == "ordinal":
        # the ranks between c and k, each end counted half
        middle = np.cumsum(total) - total / 2
        return np.asarray((middle[:, None] - middle[None, :]) ** 2)
    gap = levels[:, None] - levels[None, :]
    if measurement == "interval":
        return np.asarray(gap**2)
    sums = levels[:, None] + levels[None, :]
    return np.asarray((gap / np.where(sums == 0, 1.0, sums)) ** 2)
