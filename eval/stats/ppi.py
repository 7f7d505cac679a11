"""Prediction-powered inference: a system's MOS from few rated and many scored items.

A metric scores every item; listeners rate some, chosen at random. Each rating is corrected for
how far its item's score lies from the mean score of the unrated items, by a slope that is learnt
from the other rated items (power-tuned PPI: Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453;
here with the slope cross-fitted, leaving one item out). Where the metric follows listeners the
corrected ratings vary less, and the interval shrinks; where it doesn't, the slope goes to 0 and
the interval becomes that of the ratings alone, a trifle wider for having tried. It is never an
average of ratings and predictions: a metric that is wrong for a whole system can't bias it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from concours.eval.stats.mos import Interval, system_mos, t_half
from concours.eval.stats.ratings import Floats, Ratings, RatingsError
from concours.metrics.spec import Undefined

FEWEST_RATED = 5
FEWEST_SCORED = 5


class PredictionPowered(NamedTuple):
    """``saved`` is how many more ratings would have made the plain interval as narrow.

    ``interval`` is the powered one, ``ratings_only`` the plain one. ``saved`` compares squared
    standard errors and supposes that more ratings come with more items and raters; 0 where the
    metric earns nothing.
    """

    interval: Interval
    ratings_only: Interval
    slope: float
    n_scored: int
    saved: int


def ppi_mos(
    ratings: Ratings, scores: Mapping[str, float], level: float = 0.95
) -> PredictionPowered | Undefined:
    """The MOS of one system on one dimension with the help of ``scores`` by item.

    ``scores`` holds a finite value for every rated item and for the unrated ones; the rated items
    must be a random choice of them. The slope is ``cov(Y, f) / ((1 + n / N) var(f))`` with n rated
    and N unrated items; to the squared standard error of the corrected ratings comes
    ``slope² var(f) / N``.

    Undefined with fewer than 5 rated or 5 unrated items, when the scores are constant, and where
    the ratings alone have no interval.

    Raises:
        RatingsError: a rated item has no score, or a score isn't finite.
    """
    items = sorted(set(ratings.item.tolist()))
    lacking = [i for i in items if i not in scores]
    if lacking:
        raise RatingsError(f"{len(lacking)} rated items have no score, {lacking[0]!r} among them")
    bad = [i for i, f in scores.items() if not math.isfinite(f)]
    if bad:
        raise RatingsError(f"the score of {bad[0]!r} isn't a finite number; leave the item out")
    rated = np.array([scores[i] for i in items])
    unrated = np.array([f for i, f in scores.items() if i not in set(items)])
    n, big = len(rated), len(unrated)
    if n < FEWEST_RATED or big < FEWEST_SCORED:
        return Undefined(
            f"{n} rated and {big} unrated items; it needs {FEWEST_RATED} and {FEWEST_SCORED}"
        )
    if min(np.ptp(rated), np.ptp(np.concatenate([rated, unrated]))) == 0:
        return Undefined("the scores are constant")
    plain = system_mos(ratings, level)
    if isinstance(plain, Undefined):
        return plain
    mos = np.array([float(ratings.value[ratings.item == i].mean()) for i in items])
    slopes = _left_out_slopes(mos, rated, n / big)
    shift = dict(zip(items, slopes * (rated - unrated.mean()), strict=True))
    moved = ratings.value - np.array([shift[str(i)] for i in ratings.item])
    corrected = system_mos(replace(ratings, value=moved), level)
    if isinstance(corrected, Undefined):
        return corrected
    slope = float(slopes.mean())
    extra = slope**2 * float(unrated.var(ddof=1)) / big
    variance = corrected.se**2 + extra
    spread = corrected.se**4 / corrected.df + extra**2 / (big - 1)
    df = variance**2 / spread if spread else corrected.df
    se = math.sqrt(variance)
    half = t_half(df, level) * se
    powered = corrected._replace(
        ci_low=corrected.mean - half,
        ci_high=corrected.mean + half,
        se=se,
        df=df,
        method=f"prediction-powered, {plain.method}",
    )
    saved = len(ratings) * (plain.se**2 / variance - 1) if variance else 0.0
    return PredictionPowered(powered, plain, slope, big, max(0, math.floor(saved)))


def _left_out_slopes(y: Floats, f: Floats, ratio: float) -> Floats:
    """The tuned slope for each item, estimated from the others."""
    n = len(y)
    slopes = np.zeros(n)
    for i in range(n):
        rest = np.arange(n) != i
        variance = float(f[rest].var(ddof=1))
        if variance > 0:
            slopes[i] = float(np.cov(y[rest], f[rest])[0, 1]) / variance / (1 + ratio)
    return slopes
