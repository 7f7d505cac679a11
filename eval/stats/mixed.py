"""Linear mixed models with crossed random effects, fitted by REML.

Model
-----
``y = X b + sum_k Z_k u_k + e`` with ``u_k ~ N(0, v_k I)`` for each grouping factor k (raters,
items, raters within systems) and ``e ~ N(0, v_e I)``. It needs no complete table: every row of
the ratings enters, whoever is missing.

The REML deviance is profiled over ``b`` and computed from the cross products of the indicator
columns (Bates et al. 2015, Journal of Statistical Software 67(1), section 3), so that its cost
depends on the number of raters and items and not on the number of ratings. Degrees of freedom of
a contrast are Satterthwaite's, with the curvature of the deviance taken numerically.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.eval.stats.ratings import Bools, Floats, Ints, RatingsError, Strings, codes

BOUNDARY = 1e-8  # of the total variance; below, a component counts as 0
STEP = 1e-3  # of each variance, for the numerical derivatives


class Contrast(NamedTuple):
    """A linear combination of the fixed effects with its standard error and degrees of freedom."""

    estimate: float
    se: float
    df: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        from scipy.stats import t

        half = float(t.ppf(0.5 + level / 2, self.df)) * self.se
        return self.estimate - half, self.estimate + half

    @property
    def p(self) -> float:
        """Two-sided p of the hypothesis that the combination is 0."""
        from scipy.stats import t

        if self.se == 0:
            return 1.0 if self.estimate == 0 else 0.0
        return float(2 * t.sf(abs(self.estimate) / self.se, self.df))


@dataclass(frozen=True, eq=False)
class MixedFit:
    """``coefficients`` (p,) with ``covariance`` (p, p); ``variances`` by factor name.

    ``residual`` is v_e; a variance of 0 means that the estimate lies on the boundary.
    """

    coefficients: Floats
    covariance: Floats
    variances: Mapping[str, float]
    residual: float
    n: int
    _problem: _Problem = field(repr=False)

    def contrast(self, weights: NDArray[np.float64]) -> Contrast:
        """The combination ``weights @ coefficients``, weights of shape (p,)."""
        w = np.asarray(weights, dtype=np.float64)
        variance = float(w @ self.covariance @ w)
        return Contrast(
            float(w @ self.coefficients), math.sqrt(max(variance, 0.0)), self._degrees(w)
        )

    def _degrees(self, w: Floats) -> float:
        most = float(max(self.n - len(w), 1))
        phi = np.array([*self.variances.values(), self.residual])
        if self.residual <= 0:
            return most
        free = phi > BOUNDARY * phi.sum()
        free[-1] = True
        problem = self._problem

        def variance(values: Floats) -> float:
            return float(w @ problem.covariance(_spread(values, free)) @ w)

        at = phi[free]
        gradient = _gradient(variance, at, STEP * at)
        try:
            # the deviance is -2 log L, so its half is the observed information
            scatter = float(gradient @ np.linalg.solve(problem.curvature(at, free) / 2, gradient))
        except np.linalg.LinAlgError:
            return most
        if not scatter > 0:
            return most
        return min(max(2 * variance(at) ** 2 / scatter, 1.0), most)


def _spread(values: Floats, free: Bools) -> Floats:
    full = np.zeros(len(free))
    full[free] = values
    return full


def _gradient(f: Callable[[Floats], float], at: Floats, step: Floats) -> Floats:
    out = np.zeros(len(at))
    for i, h in enumerate(step):
        move = np.zeros(len(at))
        move[i] = h
        out[i] = (f(at + move) - f(at - move)) / (2 * h)
    return out


def _hessian(f: Callable[[Floats], float], at: Floats, step: Floats) -> Floats:
    k = len(at)
    out = np.zeros((k, k))
    centre = f(at)
    for i in range(k):
        a = np.zeros(k)
        a[i] = step[i]
        out[i, i] = (f(at + a) - 2 * centre + f(at - a)) / step[i] ** 2
        for j in range(i):
            b = np.zeros(k)
            b[j] = step[j]
            corners = f(at + a + b) - f(at + a - b) - f(at - a + b) + f(at - a - b)
            out[i, j] = out[j, i] = corners / (4 * step[i] * step[j])
    return out


class _Problem:
    """The cross products of one data set, and the REML deviance at given variances."""

    def __init__(self, y: Floats, x: Floats, factors: list[Ints]) -> None:
        self.n, self.p = x.shape
        sizes = [int(f.max()) + 1 for f in factors]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        q = int(offsets[-1])
        self.factor = np.repeat(np.arange(len(factors)), sizes)
        columns = [f + o for f, o in zip(factors, offsets[:-1], strict=True)]
        self.ztz = np.zeros((q, q))
        self.ztx = np.zeros((q, self.p))
        self.zty = np.zeros(q)
        for a in columns:
            np.add.at(self.ztx, a, x)
            np.add.at(self.zty, a, y)
            for b in columns:
                np.add.at(self.ztz, (a, b), 1.0)
        self.xtx, self.xty, self.yty = x.T @ x, x.T @ y, float(y @ y)
        self._curvature: Floats | None = None

    def curvature(self, at: Floats, free: Bools) -> Floats:
        """Second derivatives of the deviance at the estimates ``at`` of the free variances."""
        if self._curvature is None:
            self._curvature = _hessian(
                lambda values: self.deviance(_spread(values, free)), at, STEP * at
            )
        return self._curvature

    def _solve(self, theta: Floats) -> tuple[float, float, Floats, Floats]:
        """(log det, squared residual, coefficients, unit covariance) at relative deviations."""
        from scipy.linalg import cholesky, solve_triangular

        scale = theta[self.factor]
        inner = self.ztz * np.outer(scale, scale)
        inner[np.diag_indices_from(inner)] += 1.0
        lower = cholesky(inner, lower=True)
        rzx = solve_triangular(lower, scale[:, None] * self.ztx, lower=True)
        cu = solve_triangular(lower, scale * self.zty, lower=True)
        gram = self.xtx - rzx.T @ rzx
        right = self.xty - rzx.T @ cu
        beta = np.linalg.solve(gram, right)
        squared = max(self.yty - float(cu @ cu) - float(beta @ right), 0.0)
        _, log_gram = np.linalg.slogdet(gram)
        log_det = 2 * float(np.log(np.diag(lower)).sum()) + float(log_gram)
        return log_det, squared, beta, np.linalg.inv(gram)

    def profiled(self, theta: Floats) -> float:
        log_det, squared, _, _ = self._solve(theta)
        df = self.n - self.p
        return float(log_det + df * (1 + math.log(2 * math.pi * max(squared, 1e-300) / df)))

    def deviance(self, phi: Floats) -> float:
        log_det, squared, _, _ = self._solve(np.sqrt(phi[:-1] / phi[-1]))
        scale = float(phi[-1])
        return float((self.n - self.p) * math.log(2 * math.pi * scale) + log_det + squared / scale)

    def covariance(self, phi: Floats) -> Floats:
        return np.asarray(phi[-1] * self._solve(np.sqrt(phi[:-1] / phi[-1]))[3])

    def fit(self, names: list[str]) -> MixedFit:
        from scipy.optimize import minimize

        k = len(names)
        best = minimize(self.profiled, np.full(k, 0.5), method="L-BFGS-B", bounds=[(0, 1e4)] * k)
        theta = np.where(best.x < 1e-4, 0.0, best.x)
        _, squared, beta, unit = self._solve(theta)
        residual = squared / (self.n - self.p)
        variances = {name: float(t**2 * residual) for name, t in zip(names, theta, strict=True)}
        return MixedFit(beta, residual * unit, variances, residual, self.n, self)


def fit_mixed(y: Floats, design: Floats, groups: Mapping[str, Strings]) -> MixedFit:
    """Fits ``y`` (n,) on ``design`` (n, p) with a random intercept for each of ``groups``.

    Raises:
        RatingsError: fewer rows than ``p + 1``, linearly dependent columns, or no variation.

    >>> y = np.array([4.0, 5.0, 3.0, 3.5, 4.5, 2.0])
    >>> raters = np.array(["a", "a", "b", "b", "c", "c"])
    >>> fit = fit_mixed(y, np.ones((6, 1)), {"rater": raters})
    >>> round(float(fit.coefficients[0]), 3)
    3.667
    """
    x = np.asarray(design, dtype=np.float64)
    if len(y) <= x.shape[1]:
        raise RatingsError(f"{len(y)} ratings can't fit {x.shape[1]} effects; collect more")
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise RatingsError("the fixed effects are linearly dependent; drop a column")
    if np.ptp(y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) < 1e-12:
        raise RatingsError("the ratings don't vary around the fixed effects")
    shift = float(y.mean())
    has_constant = np.allclose(x @ np.linalg.lstsq(x, np.ones(len(y)), rcond=None)[0], 1.0)
    centre = shift if has_constant else 0.0
    problem = _Problem(y - centre, x, [codes(column).code for column in groups.values()])
    fit = problem.fit(list(groups))
    if not centre:
        return fit
    back = np.linalg.lstsq(x, np.full(len(y), centre), rcond=None)[0]
    return MixedFit(
        fit.coefficients + back, fit.covariance, fit.variances, fit.residual, fit.n, problem
    )
