"""Gaussians of frames: their statistics, their factors, and the Fréchet distance of two of them.

Conventions
-----------
- Frames have the shape (n, d) (:mod:`concours.metrics.frames`); covariances divide by n - 1. One
  frame alone has a covariance of zero.
- All arithmetic is float64. tr √(Σ₁Σ₂) is the nuclear norm of F₁F₂ᵀ for any factors Σ = FᵀF: the
  centred data themselves where n <= d, a triangular or spectral factor otherwise. Nothing is
  complex, nothing is regularised, and equal sets are at distance 0 up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from concours.metrics.frames import Doubles, Frames, as_frames, sorted_doubles

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
    return gaussian_of_rows(as_frames(x))


def gaussian_of_rows(rows: Frames) -> Gaussian:
    n, d = rows.shape
    if n > d:  # the scatter is cheaper than the data's own triangle, where it keeps the digits
        stats = GaussianStats._of(sorted_doubles(rows))
        triangle = stats.triangle
        if triangle is not None or n > 2 * d:
            return Gaussian(stats.mean, stats.factor if triangle is None else triangle, n)
    mean, centred = centred_rows(sorted_doubles(rows))
    centred /= np.sqrt(max(1, n - 1))
    return Gaussian(mean, _square(full_rank(centred)), n)


def between(a: Gaussian, b: Gaussian) -> float:
    """The Fréchet distance between two Gaussians given by their factors."""
    shift = a.mean - b.mean
    traces = float(np.square(a.factor).sum()) + float(np.square(b.factor).sum())
    cross = nuclear_norm(a.factor @ b.factor.T)
    return max(0.0, float(shift @ shift) + traces - 2.0 * cross)


def centred_rows(frames: Doubles) -> tuple[Doubles, Doubles]:
    """The mean and the deviations from it; a second pass takes the mean's own rounding out."""
    mean: Doubles = frames.mean(axis=0)
    centred = frames - mean
    correction = centred.mean(axis=0)
    centred -= correction
    return mean + correction, centred


def full_rank(centred: Doubles) -> Doubles:
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


def nuclear_norm(matrix: Doubles) -> float:
    """Sum of the singular values.

    As roots of the eigenvalues of MᵀM they cost a quarter, and each loses ε σ₁² / 2σ. Where that
    would show, they are computed from M itself.
    """
    if 0 in matrix.shape:
        return 0.0
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    found = root_trace(tall.T @ tall)
    if found is None:
        found = float(np.linalg.svd(_square(tall), compute_uv=False).sum())
    return found


def root_trace(product: Doubles) -> float | None:
    """Sum of the roots of the eigenvalues of MᵀM; None where M itself is needed."""
    values = np.linalg.eigvalsh(product)
    if values[0] <= 0:
        return None
    roots = np.sqrt(values)
    lost = np.finfo(np.float64).eps * values[-1] * float((0.5 / roots).sum())
    total = float(roots.sum())
    return total if lost < GRAM_LOSS * total else None
