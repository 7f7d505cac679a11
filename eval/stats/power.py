"""How many raters and items for an interval of a wished-for width, by simulation.

The model is that of :mod:`concours.eval.stats.mixed`: ratings vary with the rater, the item and
the rest. From the variances fitted to a pilot, studies of each size are drawn and analysed by the
very interval that will be reported, so that its degrees of freedom count too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from concours.eval.stats.mixed import fit_mixed
from concours.eval.stats.mos import Anova, crossed_variance
from concours.eval.stats.ratings import Ratings, RatingsError
from concours.metrics.spec import Undefined


class Components(NamedTuple):
    """Variances of raters, items and error, in squared scale units."""

    rater: float
    item: float
    error: float


class Design(NamedTuple):
    """A study size with the half-width that ``assurance`` of the simulated studies stay under."""

    raters: int
    items: int
    half_width: float
    median_half_width: float

    @property
    def ratings(self) -> int:
        return self.raters * self.items


def components(ratings: Ratings) -> Components | Undefined:
    """The variance components of one system on one dimension; undefined without raters."""
    if not ratings.has_raters:
        return Undefined("raters are unknown, so their variance can't be told from the error")
    try:
        fit = fit_mixed(
            ratings.value,
            np.ones((len(ratings), 1)),
            {"rater": ratings.rater, "item": ratings.item},
        )
    except RatingsError as error:
        return Undefined(str(error))
    return Components(fit.variances["rater"], fit.variances["item"], fit.residual)


def expected_width(
    model: Components,
    raters: int,
    items: int,
    *,
    seed: int,
    draws: int = 400,
    assurance: float = 0.8,
) -> Design:
    """The half-width of the crossed interval at one study size.

    Raises:
        ValueError: fewer than 2 raters or items.
    """
    if raters < 2 or items < 2:
        raise ValueError("a crossed interval needs 2 raters and 2 items")
    from scipy.special import stdtrit

    rng = np.random.default_rng([seed, raters, items])
    # the interval depends on the mean squares alone, which are independent multiples of chi-square
    sizes = (raters - 1, items - 1, (raters - 1) * (items - 1))
    expected = (
        model.error + items * model.rater,
        model.error + raters * model.item,
        model.error,
    )
    squares = [m * rng.chisquare(n, draws) / n for m, n in zip(expected, sizes, strict=True)]
    found = np.array(
        [
            crossed_variance(Anova(0.0, r, i, e, raters, items))
            for r, i, e in zip(*squares, strict=True)
        ]
    )
    halves = stdtrit(found[:, 1], 0.975) * np.sqrt(found[:, 0])
    return Design(raters, items, float(np.quantile(halves, assurance)), float(np.median(halves)))


def plan(
    model: Components,
    half_width: float,
    *,
    raters: Sequence[int] = (8, 12, 16, 20, 30, 40, 50, 75, 100, 150, 200),
    items: Sequence[int] = (5, 10, 15, 20, 30, 40, 60, 80, 100),
    seed: int = 0,
    draws: int = 400,
    assurance: float = 0.8,
) -> list[Design] | Undefined:
    """For each number of items, the fewest raters whose interval is narrow enough.

    Sizes that more raters can't reach (the items alone vary too much) are left out; fewest
    ratings first. Undefined when no size in the grid does it.
    """
    found = []
    for i in sorted(items):
        low, high = 0, len(raters) - 1
        sizes = sorted(raters)
        best: Design | None = None
        while low <= high:
            middle = (low + high) // 2
            design = expected_width(
                model, sizes[middle], i, seed=seed, draws=draws, assurance=assurance
            )
            if design.half_width <= half_width:
                best, high = design, middle - 1
            else:
                low = middle + 1
        if best is not None:
            found.append(best)
    if not found:
        return Undefined(
            f"no study of up to {max(raters)} raters and {max(items)} items has intervals of "
            f"±{half_width:g}; accept wider ones"
        )
    return sorted(found, key=lambda d: (d.ratings, d.raters))


def paired_t_size(effect: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Raters that a two-sided paired t test needs to find ``effect`` (Cohen's d_z).

    Raises:
        ValueError: an effect of 0, or a power or alpha outside (0, 1).

    >>> paired_t_size(0.5, 0.8)
    34
    """
    if effect == 0 or not 0 < power < 1 or not 0 < alpha < 1:
        raise ValueError("the effect must differ from 0; power and alpha lie between 0 and 1")
    from scipy.stats import nct, t

    n = 2
    while True:
        df, shift = n - 1, abs(effect) * math.sqrt(n)
        critical = float(t.ppf(1 - alpha / 2, df))
        reached = float(nct.sf(critical, df, shift) + nct.cdf(-critical, df, shift))
        if reached >= power:
            return n
        n += 1
