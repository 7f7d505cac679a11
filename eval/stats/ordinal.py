"""Ratings as ordered categories: the proportional-odds model of systems.

``logit P(rating <= c) = threshold_c - effect(system)``: a positive effect shifts ratings up on
whatever scale the categories hide. Covariance is clustered two ways, by rater and by item, as for
:func:`concours.eval.stats.mos.cluster_robust` (McCullagh 1980, JRSS B 42(2)).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from concours.eval.stats.ratings import Floats, Ints, Ratings, RatingsError, codes
from concours.metrics.spec import Undefined

MOST_CATEGORIES = 12


class OrdinalEffect(NamedTuple):
    """Log odds of a higher rating than ``baseline``'s, with its interval and p."""

    system: str
    baseline: str
    effect: float
    ci_low: float
    ci_high: float
    se: float
    p: float


class OrdinalFit(NamedTuple):
    effects: tuple[OrdinalEffect, ...]
    thresholds: tuple[float, ...]
    categories: tuple[float, ...]
    log_likelihood: float
    clusters: str


def fit_ordinal(
    ratings: Ratings, baseline: str | None = None, level: float = 0.95
) -> OrdinalFit | Undefined:
    """Effects of all systems against ``baseline`` (the first by name), on one dimension.

    Intervals use t with the smaller number of clusters less 1. Undefined with one system or
    category, above 12 categories (a continuous scale: use the mixed model), or when a system has
    only the lowest or only the highest category, whose effect has no finite estimate.

    Raises:
        RatingsError: several dimensions, or no such baseline.
    """
    if len(ratings.dimensions) > 1:
        raise RatingsError("the ordinal model takes one dimension at a time")
    systems = ratings.systems
    base = baseline or systems[0]
    if base not in systems:
        raise RatingsError(f"no system is called {base!r}; they are {', '.join(systems)}")
    categories, y = np.unique(ratings.value, return_inverse=True)
    if len(systems) < 2 or len(categories) < 2:
        return Undefined("the model needs 2 systems and 2 categories")
    if len(categories) > MOST_CATEGORIES:
        return Undefined(f"{len(categories)} different values; the scale is rather continuous")
    for s in systems:
        seen = np.unique(y[ratings.system == s])
        if len(seen) == 1 and seen[0] in (0, len(categories) - 1):
            return Undefined(f"{s} has only the rating {categories[seen[0]]:g}; no finite effect")
    others = [s for s in systems if s != base]
    x = (ratings.system[:, None] == np.array(others)[None, :]).astype(np.float64)
    return _fit(ratings, x, y.astype(np.int64), categories, base, others, level)


def _fit(
    ratings: Ratings, x: Floats, y: Ints, categories: Floats, base: str, others: list[str],
    level: float,
) -> OrdinalFit | Undefined:  # fmt: skip
    from scipy.optimize import minimize
    from scipy.stats import t

    k = len(categories) - 1
    share = np.cumsum(np.bincount(y)[:-1]) / len(y)
    start_cuts = np.log(share / (1 - share))
    # cuts as the first and the logs of the gaps, which keeps them in order
    start = np.concatenate([start_cuts[:1], np.log(np.diff(start_cuts)), np.zeros(len(others))])

    def unpack(theta: Floats) -> tuple[Floats, Floats]:
        cuts = np.cumsum(np.concatenate([theta[:1], np.exp(theta[1:k])]))
        return cuts, theta[k:]

    def loss(theta: Floats) -> tuple[float, Floats]:
        cuts, beta = unpack(theta)
        value, scores = _scores(cuts, beta, x, y)
        slope = scores.sum(axis=0)
        by_cut = slope[:k]
        tail = np.cumsum(by_cut[::-1])[::-1]
        to_theta = np.concatenate([tail[:1], tail[1:] * np.exp(theta[1:k]), slope[k:]])
        return -value, -to_theta

    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-6, "maxiter": 500})
    cuts, beta = unpack(found.x)
    natural = np.concatenate([cuts, beta])
    hessian = _hessian(natural, x, y, k)
    try:
        bread = np.linalg.inv(hessian)
    except np.linalg.LinAlgError:
        return Undefined("the information matrix is singular")
    value, scores = _scores(cuts, beta, x, y)
    meat, df, clusters = _meat(ratings, scores)
    covariance = bread @ meat @ bread
    quantile = float(t.ppf(0.5 + level / 2, df))
    effects = []
    for j, system in enumerate(others):
        se = math.sqrt(max(float(covariance[k + j, k + j]), 0.0))
        b = float(beta[j])
        p = float(2 * t.sf(abs(b) / se, df)) if se else float(b == 0)
        effects.append(OrdinalEffect(system, base, b, b - quantile * se, b + quantile * se, se, p))
    return OrdinalFit(
        tuple(effects), tuple(map(float, cuts)), tuple(map(float, categories)), value, clusters
    )


def _scores(cuts: Floats, beta: Floats, x: Floats, y: Ints) -> tuple[float, Floats]:
    """The log likelihood, and each row's derivative in (cuts, beta)."""
    k, n = len(cuts), len(y)
    edges = np.concatenate([[-np.inf], cuts, [np.inf]])
    eta = x @ beta
    upper, lower = edges[y + 1] - eta, edges[y] - eta
    up, low = _logistic(upper), _logistic(lower)
    p = np.maximum(up - low, 1e-300)
    d_up, d_low = up * (1 - up) / p, low * (1 - low) / p
    scores = np.zeros((n, k + x.shape[1]))
    row = np.arange(n)
    inner = y < k
    scores[row[inner], y[inner]] += d_up[inner]
    inner = y > 0
    scores[row[inner], y[inner] - 1] -= d_low[inner]
    scores[:, k:] = -(d_up - d_low)[:, None] * x
    return float(np.log(p).sum()), scores


def _logistic(z: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(z))


def _hessian(theta: Floats, x: Floats, y: Ints, k: int) -> Floats:
    """Minus the second derivatives, from differences of the exact score."""
    size = len(theta)
    out = np.zeros((size, size))
    for i in range(size):
        h = 1e-5 * max(1.0, abs(theta[i]))
        for sign in (1.0, -1.0):
            moved = theta.copy()
            moved[i] += sign * h
            out[i] -= sign * _scores(moved[:k], moved[k:], x, y)[1].sum(axis=0) / (2 * h)
    return (out + out.T) / 2


def _meat(ratings: Ratings, scores: Floats) -> tuple[Floats, int, str]:
    names = {"item": ratings.item}
    if ratings.has_raters:
        names = {"rater": ratings.rater, **names}
    total = np.zeros((scores.shape[1],) * 2)
    smallest = len(scores)
    for column in names.values():
        c = codes(column)
        groups = len(c.labels)
        sums = np.zeros((groups, scores.shape[1]))
        np.add.at(sums, c.code, scores)
        # as the jackknife scales: the scores of few clusters spread less than they should
        total += (groups / max(groups - 1, 1)) ** 2 * sums.T @ sums
        smallest = min(smallest, groups)
    if len(names) == 2:
        cell = codes(np.char.add(np.char.add(ratings.rater, "\x1f"), ratings.item))
        sums = np.zeros((len(cell.labels), scores.shape[1]))
        np.add.at(sums, cell.code, scores)
        total -= sums.T @ sums
    return total, max(smallest - 1, 1), " and ".join(names)
