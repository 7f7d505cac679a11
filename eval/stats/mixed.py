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
SPARSE = 400  # groups; below, dense products are faster
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
    """``unit`` is the coefficients' covariance for v_e = 1; ``rzx`` and ``cu`` are the cross
    products with the fixed effects and the ratings behind ``factor``."""

    log_det: float
    squared: float
    beta: Floats
    unit: Floats
    factor: _Factor
    rzx: Floats
    cu: Floats


class _Factor:
    """The Cholesky factor of ``Λ Z'Z Λ + I``, the largest grouping eliminated by hand.

    Ratings of one group of a factor are never of another, so each factor's own block is diagonal.
    With the largest one first, only the Schur complement of the others is dense: raters × systems
    may number a thousand where raters and stimuli are some hundred.
    """

    def __init__(self, problem: _Problem, theta: Floats) -> None:
        from scipy.linalg import cholesky

        self.scale = theta[problem.factor]
        first, rest = self.scale[: problem.first], self.scale[problem.first :]
        self.head = np.sqrt(first**2 * problem.counts[: problem.first] + 1.0)
        side = problem.cross * (first / self.head)[:, None] * rest
        self.side = side.tocsr() if problem.is_sparse else side
        inner = problem.block * np.outer(rest, rest) - self.side.T @ self.side
        inner[np.diag_indices_from(inner)] += 1.0
        self.tail = cholesky(inner, lower=True)

    @property
    def log_det(self) -> float:
        return 2 * float(np.log(self.head).sum() + np.log(np.diag(self.tail)).sum())

    def solve(self, right: Floats) -> Floats:
        """``L^-1 right`` for (q,) or (q, k)."""
        from scipy.linalg import solve_triangular

        n = len(self.head)
        top = (right[:n].T / self.head).T
        low = solve_triangular(self.tail, right[n:] - self.side.T @ top, lower=True)
        return np.asarray(np.concatenate([top, low]), dtype=np.float64)

    def solve_back(self, right: Floats) -> Floats:
        """``L^-T right`` for (q,) or (q, k)."""
        from scipy.linalg import solve_triangular

        n = len(self.head)
        low = solve_triangular(self.tail, right[n:], lower=True, trans="T")
        return np.concatenate([((right[:n] - self.side @ low).T / self.head).T, low])

    def inverse_diagonal(self) -> Floats:
        from scipy.linalg import solve_triangular

        root = solve_triangular(self.tail, np.eye(len(self.tail)), lower=True)
        low = (root**2).sum(axis=0)
        across = self.side @ (root.T @ root)
        top = 1 + np.asarray((self.side * across).sum(axis=1)).ravel()
        return np.concatenate([top / self.head**2, low])


class _Problem:
    """The cross products of one data set, and the REML deviance at given variances."""

    def __init__(self, y: Floats, x: Floats, factors: list[Ints]) -> None:
        from scipy.sparse import coo_array

        self.n, self.p = x.shape
        sizes = [int(f.max()) + 1 for f in factors]
        order = sorted(range(len(factors)), key=lambda k: -sizes[k])
        self.first = sizes[order[0]]
        self.factor = np.concatenate([np.full(sizes[k], k) for k in order])
        offsets = np.concatenate([[0], np.cumsum([sizes[k] for k in order])]).astype(int)
        q = int(offsets[-1])
        columns = [factors[k] + o for k, o in zip(order, offsets[:-1], strict=True)]
        self.ztx = np.zeros((q, self.p))
        self.zty = np.zeros(q)
        for a in columns:
            np.add.at(self.ztx, a, x)
            np.add.at(self.zty, a, y)
        rows = np.tile(np.arange(self.n), len(columns))
        ones = np.ones(self.n * len(columns))
        z = coo_array((ones, (rows, np.concatenate(columns))), shape=(self.n, q)).tocsr()
        ztz = (z.T @ z).tocsr()
        self.is_sparse = q > SPARSE
        self.ztz = ztz if self.is_sparse else ztz.toarray()
        self.counts = ztz.diagonal()
        self.cross = self.ztz[: self.first, self.first :]
        self.block = ztz[self.first :, self.first :].toarray()
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
        factor = _Factor(self, theta)
        rzx = factor.solve(factor.scale[:, None] * self.ztx)
        cu = factor.solve(factor.scale * self.zty)
        gram = self.xtx - rzx.T @ rzx
        right = self.xty - rzx.T @ cu
        beta = np.asarray(np.linalg.solve(gram, right), dtype=np.float64)
        unit = np.asarray(np.linalg.inv(gram), dtype=np.float64)
        squared = max(self.yty - float(cu @ cu) - float(beta @ right), 0.0)
        _, log_gram = np.linalg.slogdet(gram)
        log_det = factor.log_det + float(log_gram)
        return _Solved(log_det, squared, beta, unit, factor, rzx, cu)

    def profiled(self, ratio: Floats) -> tuple[float, Floats]:
        """The deviance at variance ratios ``v_k / v_e``, profiled over v_e, and its gradient.

        The gradient is ``tr(P Z_k Z_k') - (n - p) |Z_k' P y|² / y' P y`` (P as in REML). Ratios
        and not standard deviations: at 0 the gradient in the latter vanishes, a false optimum.
        """
        s = self._solve(np.sqrt(ratio))
        df = self.n - self.p
        squared = max(s.squared, 1e-300)
        value = s.log_det + df * (1 + math.log(2 * math.pi * squared / df))
        scale = s.factor.scale
        of_x = self.ztx - self.ztz @ (scale[:, None] * s.factor.solve_back(s.rzx))
        of_y = self.zty - self.ztz @ (scale * s.factor.solve_back(s.cu)) - of_x @ s.beta
        trace = self._explained(ratio, s.factor) - ((of_x @ s.unit) * of_x).sum(axis=1)
        slope = np.bincount(self.factor, trace - df * of_y**2 / squared)
        return float(value), slope.astype(np.float64)

    def _explained(self, ratio: Floats, factor: _Factor) -> Floats:
        """The diagonal of ``Z' V^-1 Z`` for v_e = 1.

        It is ``(1 - diag (Λ Z'Z Λ + I)^-1) / ratio``, which loses its digits near a ratio of 0;
        there the columns are solved one by one.
        """
        own = ratio[self.factor]
        tiny = own < 1e-9
        out = np.empty(len(own))
        out[~tiny] = (1 - factor.inverse_diagonal()[~tiny]) / own[~tiny]
        if tiny.any():
            some = self.ztz[:, np.flatnonzero(tiny)]
            columns = factor.scale[:, None] * (some.toarray() if self.is_sparse else some)
            out[tiny] = self.counts[tiny] - (factor.solve(columns) ** 2).sum(axis=0)
        return out

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
