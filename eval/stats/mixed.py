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

    def grand_mean(self, shares: Mapping[str, float]) -> tuple[float, float]:
        """(variance, degrees of freedom) of the plain mean of the ratings.

        ``shares`` gives ``sum_g n_g² / n²`` over the groups of each factor, so that the variance is
        ``sum_k shares_k v_k + v_e / n``: who rated more counts for more.
        """
        weights = np.array([*(shares[k] for k in self.variances), 1 / self.n])
        return float(weights @ self._phi), self._satterthwaite(float(weights @ self._phi), weights)

    @property
    def _phi(self) -> Floats:
        return np.array([*self.variances.values(), self.residual])

    def _degrees(self, w: Floats) -> float:
        slopes = self._problem.slopes(self._phi)
        gradient = np.array([float(w @ slope @ w) for slope in slopes])
        return self._satterthwaite(float(w @ self.covariance @ w), gradient)

    def _satterthwaite(self, variance: float, gradient: Floats) -> float:
        """``2 V² / Var(V)``, the variance of V from the curvature of the deviance."""
        most = float(max(self.n - len(self.coefficients), 1))
        free = free_variances(self._phi)
        try:
            # the deviance is -2 log L, so its half is the observed information
            scatter = float(
                gradient[free]
                @ np.linalg.solve(self._problem.curvature(self._phi) / 2, gradient[free])
            )
        except np.linalg.LinAlgError:
            return most
        return min(max(2 * variance**2 / scatter, 1.0), most) if scatter > 0 else most


def free_variances(phi: Floats) -> Bools:
    """Which variances are off the boundary; the residual, which comes last, always is."""
    free = phi > BOUNDARY * phi.sum()
    free[-1] = True
    return np.asarray(free)


def _spread(values: Floats, free: Bools) -> Floats:
    full = np.zeros(len(free))
    full[free] = values
    return full


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


class _Solved(NamedTuple):
    """``unit`` is the coefficients' covariance for v_e = 1; the rest serves the gradient."""

    log_det: float
    squared: float
    beta: Floats
    unit: Floats
    lower: Floats
    rzx: Floats
    cu: Floats


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
        self._slopes: list[Floats] | None = None

    def curvature(self, phi: Floats) -> Floats:
        """Second derivatives of the deviance in the free variances at ``phi``."""
        if self._curvature is None:
            free = free_variances(phi)
            self._curvature = _hessian(
                lambda values: self.deviance(_spread(values, free)), phi[free], STEP * phi[free]
            )
        return self._curvature

    def slopes(self, phi: Floats) -> list[Floats]:
        """The derivative of the coefficients' covariance in each variance; 0 on the boundary."""
        if self._slopes is None:
            free = free_variances(phi)
            self._slopes = []
            for k, v in enumerate(phi):
                move = np.zeros(len(phi))
                move[k] = STEP * v * free[k]
                self._slopes.append(
                    (self.covariance(phi + move) - self.covariance(phi - move)) / (2 * STEP * v)
                    if free[k]
                    else np.zeros((self.p, self.p))
                )
        return self._slopes

    def _solve(self, theta: Floats) -> _Solved:
        """The penalised least squares at relative standard deviations ``theta``."""
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
        return _Solved(log_det, squared, beta, np.linalg.inv(gram), lower, rzx, cu)

    def profiled(self, ratio: Floats) -> tuple[float, Floats]:
        """The deviance at variance ratios ``v_k / v_e``, profiled over v_e, and its gradient.

        The gradient is ``tr(P Z_k Z_k') - (n - p) |Z_k' P y|² / y' P y`` (P as in REML). Ratios
        and not standard deviations: at 0 the gradient in the latter vanishes, a false optimum.
        """
        from scipy.linalg import solve_triangular

        theta = np.sqrt(ratio)
        s = self._solve(theta)
        df = self.n - self.p
        squared = max(s.squared, 1e-300)
        value = s.log_det + df * (1 + math.log(2 * math.pi * squared / df))
        w = solve_triangular(s.lower, theta[self.factor][:, None] * self.ztz, lower=True)
        of_x = self.ztx - w.T @ s.rzx
        of_y = self.zty - w.T @ s.cu - of_x @ s.beta
        trace = np.diag(self.ztz) - (w**2).sum(axis=0) - ((of_x @ s.unit) * of_x).sum(axis=1)
        slope = np.bincount(self.factor, trace - df * of_y**2 / squared)
        return float(value), slope.astype(np.float64)

    def deviance(self, phi: Floats) -> float:
        s, scale = self._solve(np.sqrt(phi[:-1] / phi[-1])), float(phi[-1])
        spread = (self.n - self.p) * math.log(2 * math.pi * scale)
        return float(spread + s.log_det + s.squared / scale)

    def covariance(self, phi: Floats) -> Floats:
        return np.asarray(phi[-1] * self._solve(np.sqrt(phi[:-1] / phi[-1])).unit)

    def fit(self, names: list[str]) -> MixedFit:
        from scipy.optimize import minimize

        k = len(names)
        best = minimize(
            self.profiled,
            np.full(k, 0.1),
            jac=True,
            method="SLSQP",
            bounds=[(0, 1e8)] * k,
            options={"ftol": 1e-11, "maxiter": 300},
        )
        theta = np.sqrt(np.where(best.x < BOUNDARY, 0.0, best.x))
        solved = self._solve(theta)
        beta, unit = solved.beta, solved.unit
        residual = solved.squared / (self.n - self.p)
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
