"""The Fréchet distance between two sets of frames, each taken as a Gaussian.

Conventions
-----------
- Frames have the shape (n, d); the arithmetic is that of :mod:`concours.metrics.gaussians`.
- The plug-in distance is biased upwards by roughly c/n. Compare sets of one size only, show n, and
  see :func:`frechet_distance_infinity`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from concours.metrics.frames import as_frames, as_pair
from concours.metrics.frechet_parts import distances_of_unions
from concours.metrics.gaussians import GaussianStats, between, gaussian, gaussian_of_rows

__all__ = [
    "Extrapolation",
    "GaussianStats",
    "frechet_distance",
    "frechet_distance_infinity",
    "rank_warning",
]

FRAMES_A_DIMENSION = 10
SIZES = 25
MIN_FRAMES = 20


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
        a, b = (gaussian_of_rows(f) for f in as_pair(x, y))
    else:
        a, b = gaussian(x), gaussian(y)
    if len(a.mean) != len(b.mean):
        raise ValueError(f"x has {len(a.mean)} dimensions and y has {len(b.mean)}")
    return between(a, b)


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
    the biased value) to all of y are fitted against 1/n; the intercept is the value. Rows are
    dealt at random into equal blocks, 30 for sizes from n/5 on, and a subset is a random choice of
    blocks, so that every row's products are taken once. ``x`` has the shape (n, d), n at least 20.
    The same for any order of rows; ``seed`` deals and picks.

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
    count = min(n, -(-(SIZES - 1) * n // (n - low)))
    random = np.random.default_rng(seed)
    blocks = np.array_split(random.permutation(n), count)
    chosen = [
        np.sort(random.permutation(count)[:k])
        for k in range(max(-(-low * count // n), count - SIZES + 1), count + 1)
    ]
    sizes = np.array([sum(len(blocks[b]) for b in some) for some in chosen])
    distances = np.array(distances_of_unions(frames, y, blocks, chosen))
    slope, intercept = np.polyfit(1.0 / sizes, distances, 1)
    residual = distances - (slope / sizes + intercept)
    spread = float(np.square(distances - distances.mean()).sum())
    r2 = 1.0 - float(np.square(residual).sum()) / spread if spread > 0 else 1.0
    return Extrapolation(
        float(intercept), r2, float(slope), tuple(sizes.tolist()), tuple(distances.tolist())
    )
