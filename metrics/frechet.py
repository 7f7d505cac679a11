"""The Fréchet distance between two sets of frames, each taken as a Gaussian.

Conventions
-----------
- Frames have the shape (n, d) (:mod:`concours.metrics.frames`); covariances divide by n - 1. One
  frame alone has a covariance of zero.
- All arithmetic is float64. tr √(Σ₁Σ₂) is the nuclear norm of F₁F₂ᵀ for any factors Σ = FᵀF: the
  centred data themselves where n <= d, a triangular or spectral factor otherwise. Nothing is
  complex, nothing is regularised, and equal sets are at distance 0 up to rounding.
- The plug-in distance is biased upwards by roughly c/n. Compare sets of one size only, show n, and
  see :func:`frechet_distance_infinity`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from concours.metrics.frames import (
    Doubles,
    Frames,
    as_frames,
    as_pair,
    row_order,
    sorted_doubles,
)

FRAMES_A_DIMENSION = 10
SIZES = 25
MIN_FRAMES = 20
GRAM_LOSS = 1e-13
SMALLEST_PIVOT = 1e-5


@dataclass(frozen=True, eq=False)
class GaussianStats:
    """Mean and scatter of frames: all that a Fréchet distance needs, in d² numbers.

    ``n`` frames, ``mean`` of shape (d,), ``scatter`` = Σ (x - mean)(x - mean)ᵀ of shape (d, d).
    """

    n: int
    mean: Doubles
    scatter: Doubles

    @classmethod
    def from_frames(cls, x: ArrayLike) -> GaussianStats:
        """The statistics of frames of shape (n, d), the same bytes for any order of the rows.

        Raises:
            ValueError: another shape, no frame, or a value that is not finite.

        >>> GaussianStats.from_frames([[0.0, 1.0], [2.0, 3.0]]).covariance.tolist()
        [[2.0, 2.0], [2.0, 2.0]]
        """
        return cls._of(sorted_doubles(as_frames(x)))

    @classmethod
    def _of(cls, frames: Doubles) -> GaussianStats:
        """The same for rows in their order, an array that is written over."""
        n = len(frames)
        mean = frames.mean(axis=0)
        frames -= mean
        left = frames.mean(axis=0)  # the mean's own rounding
        scatter = frames.T @ frames
        scatter -= np.outer(left, left) * n
        return cls(n, mean + left, scatter)

    def merge(self, other: GaussianStats) -> GaussianStats:
        """The statistics of both sets together, by Chan's update.

        Its rounding depends on the order of merges, so merge clips in a fixed order
        (:func:`merge_all` over sorted clips), whatever worker made them.

        Raises:
            ValueError: the dimensions differ.

        >>> one = GaussianStats.from_frames([[0.0]]).merge(GaussianStats.from_frames([[2.0]]))
        >>> one.n, one.mean.tolist(), one.scatter.tolist()
        (2, [1.0], [[2.0]])
        """
        if self.d != other.d:
            raise ValueError(f"statistics of {self.d} and of {other.d} dimensions do not merge")
        n = self.n + other.n
        shift = other.mean - self.mean
        scatter = self.scatter + other.scatter
        scatter += np.outer(shift, shift) * (self.n * other.n / n)
        # symmetric in both, so that a.merge(b) and b.merge(a) are the same bytes
        mean = (self.mean * self.n + other.mean * other.n) / n
        return GaussianStats(n, mean, scatter)

    @property
    def d(self) -> int:
        return len(self.mean)

    @property
    def covariance(self) -> Doubles:
        """Scatter / (n - 1), of shape (d, d); zero for one frame."""
        return self.scatter / max(1, self.n - 1)

    @property
    def factor(self) -> Doubles:
        """F of shape (rank, d) with FᵀF = covariance: its Cholesky factor where that is well
        conditioned, its eigenvectors above rounding otherwise."""
        triangle = self.triangle
        if triangle is not None:
            return triangle
        values, vectors = np.linalg.eigh((self.covariance + self.covariance.T) / 2)
        keep = values > values.max(initial=0.0) * self.d * np.finfo(np.float64).eps
        if self.n <= self.d:  # the rank is known: what lies below it is rounding
            keep[: self.d - (self.n - 1)] = False
        factor: Doubles = np.sqrt(values[keep])[:, np.newaxis] * vectors[:, keep].T
        return factor

    @property
    def triangle(self) -> Doubles | None:
        """The upper triangular F, (d, d); None where the covariance is close to singular."""
        if self.n <= self.d:
            return None
        try:
            lower = np.linalg.cholesky(self.covariance)
        except np.linalg.LinAlgError:
            return None
        pivots = np.diagonal(lower)
        upper: Doubles = np.asarray(lower.T, dtype=np.float64)
        return upper if pivots.min() > SMALLEST_PIVOT * pivots.max() else None


def merge_all(parts: Iterable[GaussianStats]) -> GaussianStats:
    """The statistics of many parts, merged from the first to the last in constant memory.

    Raises:
        ValueError: no part, or parts of different dimensions.
    """
    merged: GaussianStats | None = None
    for part in parts:
        merged = part if merged is None else merged.merge(part)
    if merged is None:
        raise ValueError("no statistics to merge")
    return merged


class Gaussian(NamedTuple):
    """Mean (d,), a factor F (k, d) of the covariance FᵀF, and the number of frames."""

    mean: Doubles
    factor: Doubles
    n: int


def gaussian(x: ArrayLike | GaussianStats) -> Gaussian:
    """The Gaussian of frames of shape (n, d), or of statistics.

    Raises:
        ValueError: another shape, no frame, or a value that is not finite.
    """
    if isinstance(x, GaussianStats):
        return Gaussian(x.mean, x.factor, x.n)
    return _gaussian(as_frames(x))


def _gaussian(rows: Frames) -> Gaussian:
    n, d = rows.shape
    if n > d:  # the scatter is cheaper than the data's own triangle, where it keeps the digits
        stats = GaussianStats._of(sorted_doubles(rows))
        triangle = stats.triangle
        if triangle is not None or n > 2 * d:
            return Gaussian(stats.mean, stats.factor if triangle is None else triangle, n)
    mean, centred = _centred(sorted_doubles(rows))
    centred /= np.sqrt(max(1, n - 1))
    return Gaussian(mean, _square(_full_rank(centred)), n)


def frechet_distance(x: ArrayLike | GaussianStats, y: ArrayLike | GaussianStats) -> float:
    """Fréchet distance between the Gaussians of two sets of frames.

    |μ₁ - μ₂|² + tr Σ₁ + tr Σ₂ - 2 tr √(Σ₁Σ₂) over float arrays of shape (n, d), or statistics of
    them. From 0 up, in squared units of the embedding; lower is closer; symmetric. Biased upwards
    for few frames, see :func:`rank_warning`.

    Raises:
        ValueError: arrays of other shapes or different d, empty, or with values not finite.

    Source: Dowson & Landau 1982, doi:10.1016/0047-259X(82)90077-X; Kilgour et al. 2019 (FAD).

    >>> frechet_distance([[0.0], [2.0]], [[3.0], [5.0]])
    9.0
    """
    if not isinstance(x, GaussianStats) and not isinstance(y, GaussianStats):
        a, b = (_gaussian(f) for f in as_pair(x, y))
    else:
        a, b = gaussian(x), gaussian(y)
    if len(a.mean) != len(b.mean):
        raise ValueError(f"x has {len(a.mean)} dimensions and y has {len(b.mean)}")
    return between(a, b)


def between(a: Gaussian, b: Gaussian) -> float:
    """The Fréchet distance between two Gaussians given by their factors."""
    shift = a.mean - b.mean
    traces = float(np.square(a.factor).sum()) + float(np.square(b.factor).sum())
    cross = _nuclear_norm(a.factor @ b.factor.T)
    return max(0.0, float(shift @ shift) + traces - 2.0 * cross)


def rank_warning(n: int, d: int) -> str:
    """What is wrong with a covariance of ``d`` dimensions from ``n`` frames; "" where nothing is.

    >>> rank_warning(n=100, d=128)
    '100 frames for 128 dimensions: the covariance has no full rank, and the distance is inflated'
    """
    if n <= d:
        return (
            f"{n} frames for {d} dimensions: the covariance has no full rank, "
            "and the distance is inflated"
        )
    if n < FRAMES_A_DIMENSION * d:
        return (
            f"{n} frames for {d} dimensions: below {FRAMES_A_DIMENSION} a dimension "
            "the distance is inflated; see its extrapolation to infinity"
        )
    return ""


class Extrapolation(NamedTuple):
    """A distance extrapolated to infinitely many frames.

    ``value`` is the intercept of distance against 1/n, ``slope`` its bias times n, ``r2`` the
    share of variance that the line explains; ``sizes`` and ``distances`` are the points. The
    intercept of a poor fit (``r2`` below about 0.95) should not be quoted. May be negative.
    """

    value: float
    r2: float
    slope: float
    sizes: tuple[int, ...]
    distances: tuple[float, ...]

    def __float__(self) -> float:
        return self.value


def frechet_distance_infinity(
    x: ArrayLike, y: ArrayLike | GaussianStats, seed: int = 0
) -> Extrapolation:
    """The Fréchet distance that infinitely many frames of ``x`` would have.

    Distances of 25 subsets of x (sizes evenly from n/5, or d + 1 where that is more and below
    n/2, to n; drawn without replacement, since drawn with replacement they extrapolate back to
    the biased value) to all of y are fitted against 1/n; the intercept is the value. ``x`` has
    the shape (n, d), n at least 20. The same for any order of rows; ``seed`` picks the subsets.

    Raises:
        ValueError: fewer than 20 frames, or as :func:`frechet_distance`.

    Source: Chong & Forsyth 2020, arXiv:1911.07023; Gui et al. 2023, arXiv:2311.01616.

    >>> x = np.random.default_rng(0).normal(size=(400, 4))
    >>> y = np.random.default_rng(1).normal(size=(4000, 4))
    >>> frechet_distance(x, y) > frechet_distance_infinity(x, y).value
    True
    """
    frames = as_frames(x)
    n, d = frames.shape
    if n < MIN_FRAMES:
        raise ValueError(f"{n} frames: an extrapolation needs at least {MIN_FRAMES}")
    low = max(n // 5, d + 1) if d + 1 <= n // 2 else n // 5
    sizes = np.unique(np.linspace(low, n, SIZES).round().astype(np.int64))
    random = np.random.default_rng(seed)
    order = row_order(frames)
    rows = [order[random.permutation(n)[:size]] for size in sizes]
    distances = np.array(distances_of_subsets(frames, y, rows))
    slope, intercept = np.polyfit(1.0 / sizes, distances, 1)
    residual = distances - (slope / sizes + intercept)
    spread = float(np.square(distances - distances.mean()).sum())
    r2 = 1.0 - float(np.square(residual).sum()) / spread if spread > 0 else 1.0
    return Extrapolation(
        float(intercept), r2, float(slope), tuple(sizes.tolist()), tuple(distances.tolist())
    )


def distances_of_subsets(
    x: ArrayLike, y: ArrayLike | GaussianStats, rows: Sequence[ArrayLike]
) -> list[float]:
    """Fréchet distances of parts of ``x`` to ``y``, each part given by its rows.

    The factor of y meets x once, so that a part costs one set of singular values and no
    covariance. Neither the order of x nor that within a part shows in a number.

    Raises:
        ValueError: as :func:`frechet_distance`.
    """
    given = as_frames(x)
    target = gaussian(y)
    order = row_order(given)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    frames = np.ascontiguousarray(given[order], dtype=np.float64)
    if frames.shape[1] != len(target.mean):
        raise ValueError(f"x has {frames.shape[1]} dimensions and y has {len(target.mean)}")
    frames -= target.mean
    projected = frames @ target.factor.T
    projected -= projected.mean(axis=0)  # what is left to take from a part's products is small
    whole, whole_total = projected.T @ projected, projected.sum(axis=0)
    squares = np.square(frames).sum(axis=1)
    trace = float(np.square(target.factor).sum())
    found = []
    for chosen in rows:
        at = np.sort(place[np.asarray(chosen, np.int64)])
        n, k = len(at), max(1, len(at) - 1)
        inside = np.zeros(len(frames))
        inside[at] = 1.0
        mean = inside @ frames / n
        shift = float(mean @ mean)
        own_trace = (float(inside @ squares) - n * shift) / k
        cross = None
        if n > projected.shape[1]:
            most = 2 * n > len(frames)  # then what is left out costs less, and little is lost
            part = projected[np.flatnonzero(inside == 0.0) if most else at]
            product, total = part.T @ part, part.sum(axis=0)
            if most:
                product, total = whole - product, whole_total - total
            cross = _root_trace(product - np.outer(total, total) / n)
        if cross is None:
            cross = _nuclear_norm(_full_rank(_centred(projected[at])[1]))
        cross /= float(np.sqrt(k))
        found.append(max(0.0, shift + own_trace + trace - 2.0 * cross))
    return found


def _centred(frames: Doubles) -> tuple[Doubles, Doubles]:
    """The mean and the deviations from it; a second pass takes the mean's own rounding out."""
    mean: Doubles = frames.mean(axis=0)
    centred = frames - mean
    correction = centred.mean(axis=0)
    centred -= correction
    return mean + correction, centred


def _full_rank(centred: Doubles) -> Doubles:
    """n - 1 rows with the scatter of n rows whose mean is 0.

    The reflection that takes (1, …, 1)/√n to the first axis takes that mean to the first row,
    which can then go: the rest has full rank unless frames repeat each other.
    """
    n = len(centred)
    if n < 2:
        return centred
    reflected: Doubles = centred[1:] + centred[0] / (np.sqrt(n) - 1.0)
    return reflected


def _square(matrix: Doubles) -> Doubles:
    """A matrix with the same product FᵀF and no more rows than columns."""
    rows, columns = matrix.shape
    if rows <= columns:
        return matrix
    triangle: Doubles = np.asarray(np.linalg.qr(matrix, mode="r"))
    return triangle


def _nuclear_norm(matrix: Doubles) -> float:
    """Sum of the singular values.

    As roots of the eigenvalues of MᵀM they cost a quarter, and each loses ε σ₁² / 2σ. Where that
    would show, they are computed from M itself.
    """
    if 0 in matrix.shape:
        return 0.0
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    found = _root_trace(tall.T @ tall)
    if found is None:
        found = float(np.linalg.svd(_square(tall), compute_uv=False).sum())
    return found


def _root_trace(product: Doubles) -> float | None:
    """Sum of the roots of the eigenvalues of MᵀM; None where M itself is needed."""
    values = np.linalg.eigvalsh(product)
    if values[0] <= 0:
        return None
    roots = np.sqrt(values)
    lost = np.finfo(np.float64).eps * values[-1] * float((0.5 / roots).sum())
    total = float(roots.sum())
    return total if lost < GRAM_LOSS * total else None
