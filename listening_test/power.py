"""How many raters and items: by simulation of ratings crossed over both.

Model: value = system + rater + item + system x rater + error, all normal, on the scale's units.
Defaults are of the order found in music MOS on five points.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Variances(NamedTuple):
    """Standard deviations: between raters, between items, of a rater's taste, of the rest."""

    rater: float = 0.5
    item: float = 0.4
    taste: float = 0.3
    error: float = 0.7


class Power(NamedTuple):
    """``half_width``: median half width of the 95% interval of a system's mean;
    ``assured_half_width``: what the wished share of the studies stays under; ``power``: share of
    studies in which the paired t test over raters and items finds the difference, NaN without one.
    """

    raters: int
    items: int
    half_width: float
    assured_half_width: float
    power: float


def simulate_power(
    raters: int,
    items: int,
    difference: float | None,
    *,
    spread: Variances | None = None,
    simulations: int = 1000,
    assurance: float = 0.8,
    alpha: float = 0.05,
    seed: int = 0,
) -> Power:
    """Precision and power of ``raters`` who each rate ``items`` of two systems.

    The interval is the two-way one, Var = (MS_R + MS_I - MS_E) / (R I) with Satterthwaite's
    degrees of freedom; the test applies it to the differences.

    >>> simulate_power(30, 8, 0.5).power > simulate_power(6, 8, 0.5).power
    True
    """
    from scipy.stats import t as student

    if raters < 2 or items < 2:
        raise ValueError("power needs at least 2 raters and 2 items")
    spread = spread or Variances()
    draw = np.random.default_rng(seed)
    shape = (simulations, raters, items)
    rater = draw.normal(0, spread.rater, (simulations, raters, 1))
    scores = []
    for shift in (0.0,) if difference is None else (0.0, difference):
        item = draw.normal(0, spread.item, (simulations, 1, items))
        taste = draw.normal(0, spread.taste, (simulations, raters, 1))
        scores.append(shift + rater + item + taste + draw.normal(0, spread.error, shape))
    _, variance, freedom = _two_way(scores[-1])
    half = student.ppf(1 - alpha / 2, freedom) * np.sqrt(variance)
    reached = float("nan")
    if difference is not None:
        mean, variance, freedom = _two_way(scores[1] - scores[0])
        found = np.abs(mean) > student.ppf(1 - alpha / 2, freedom) * np.sqrt(variance)
        reached = float(found.mean())
    median, assured = np.quantile(half, [0.5, assurance])
    return Power(raters, items, float(median), float(assured), reached)


def plan(
    difference: float | None = None,
    *,
    half_width: float | None = None,
    power: float = 0.8,
    items: tuple[int, ...] = (4, 8, 16, 32),
    most_raters: int = 200,
    spread: Variances | None = None,
    seed: int = 0,
) -> list[Power]:
    """For each number of items the fewest raters that do; left out where ``most_raters`` do not.

    What they must do: find ``difference`` with the chance ``power``, have intervals of at most
    ``half_width`` with that chance, or both.

    Raises:
        ValueError: neither is asked for.
    """
    if difference is None and half_width is None:
        raise ValueError("ask for a difference, a half width, or both")

    def does(result: Power) -> bool:
        finds = difference is None or result.power >= power
        return finds and (half_width is None or result.assured_half_width <= half_width)

    found = []
    for n in items:
        low, high = 1, most_raters + 1
        best = None
        while high - low > 1:
            middle = (low + high) // 2
            result = simulate_power(
                middle, n, difference, spread=spread, assurance=power, seed=seed
            )
            if does(result):
                high, best = middle, result
            else:
                low = middle
        if best is not None:
            found.append(best)
    return found


def _two_way(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, variance of the mean and degrees of freedom for (simulations, raters, items)."""
    _, r, i = values.shape
    mean = values.mean(axis=(1, 2))
    by_rater, by_item = values.mean(axis=2), values.mean(axis=1)
    rest = values - by_rater[:, :, None] - by_item[:, None, :] + mean[:, None, None]
    ms_r = i * by_rater.var(axis=1, ddof=1)
    ms_i = r * by_item.var(axis=1, ddof=1)
    ms_e = (rest**2).sum(axis=(1, 2)) / ((r - 1) * (i - 1))
    total = np.maximum(ms_r + ms_i - ms_e, np.maximum(np.maximum(ms_r, ms_i), ms_e))
    freedom = total**2 / (ms_r**2 / (r - 1) + ms_i**2 / (i - 1) + ms_e**2 / ((r - 1) * (i - 1)))
    return mean, total / (r * i), np.maximum(freedom, 1.0)
