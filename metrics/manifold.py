"""Sets of frames as shapes: how much of one lies in the other, and how varied one is.

Conventions: ``x`` is the evaluated set and ``y`` the reference, float arrays of shape (n, d).
Distances are Euclidean. A ball's radius is the distance to the k-th nearest other frame of the
same set. Frames are taken in blocks, so memory grows with n and not with n².
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from concours.metrics.frames import Doubles, Integers, as_frames, as_pair, row_order, sorted_doubles
from concours.metrics.kernel import squared_distances

BLOCK = 1024
Squared = Callable[[Doubles, Doubles], Doubles]
ATTEMPTS = 2
EIGENVALUE_OF_NOTHING = 1e-15  # what rounding makes of 0


class Manifold(NamedTuple):
    """``precision`` and ``recall`` in 0-1, ``density`` from 0 up (1 where alike), ``coverage``
    in 0-1; higher is better."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall_density_coverage(x: ArrayLike, y: ArrayLike, k: int = 5) -> Manifold:
    """How much of ``x`` lies in the reference's balls, and how much of the reference in x's.

    precision: share of x inside any ball of y. recall: share of y inside any ball of x.
    density: (balls of y around a frame of x) / k, averaged over x. coverage: share of y's balls
    that hold a frame of x. A frame on the edge of a ball lies inside.

    Raises:
        ValueError: as :func:`~concours.metrics.frechet.frechet_distance`, or a set of at most
            ``k`` frames.

    Source: Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797.

    >>> same = [[0.0], [1.0], [2.0], [3.0]]
    >>> precision_recall_density_coverage(same, same, k=1)
    Manifold(precision=1.0, recall=1.0, density=2.5, coverage=1.0)
    """
    a, b = (sorted_doubles(f) for f in as_pair(x, y))
    return manifold_of_rows(a, b, k)


def manifold_of_rows(
    a: Doubles, b: Doubles, k: int, squared: Squared = squared_distances
) -> Manifold:
    """The same of float64 rows, in their order.

    ``squared`` gives the squared distances of two blocks of rows: fast for many dimensions by
    default, where equal rows may lie a rounding error apart.

    Raises:
        ValueError: a set of at most ``k`` rows.
    """
    if k < 1 or min(len(a), len(b)) <= k:
        raise ValueError(
            f"{len(a)} and {len(b)} frames: with k = {k} each set needs at least {k + 1}"
        )
    centre = b.mean(axis=0)
    a, b = a - centre, b - centre
    radius_a, radius_b = _squared_radii(a, k, squared), _squared_radii(b, k, squared)
    inside = 0
    balls = 0
    recalled = np.zeros(len(b), dtype=np.bool_)
    covered = np.zeros(len(b), dtype=np.bool_)
    for start in range(0, len(a), BLOCK):
        squares = squared(a[start : start + BLOCK], b)
        in_b = squares <= radius_b
        inside += int(np.count_nonzero(in_b.any(axis=1)))
        balls += int(np.count_nonzero(in_b))
        covered |= in_b.any(axis=0)
        recalled |= (squares <= radius_a[start : start + BLOCK, np.newaxis]).any(axis=0)
    return Manifold(
        inside / len(a), float(recalled.mean()), balls / (k * len(a)), float(covered.mean())
    )


def _squared_radii(frames: Doubles, k: int, squared: Squared) -> Doubles:
    """Squared distance of each frame to its k-th nearest other frame."""
    radii = np.empty(len(frames))
    for start in range(0, len(frames), BLOCK):
        block = frames[start : start + BLOCK]
        squares = squared(block, frames)
        np.fill_diagonal(squares[:, start:], np.inf)
        radii[start : start + BLOCK] = np.partition(squares, k - 1, axis=1)[:, k - 1]
    return radii


def vendi_score(x: ArrayLike) -> float:
    """The effective number of different frames in one set.

    exp(-Σ λ ln λ) over the eigenvalues λ of K / n, K the cosine similarities; from 1 (all point
    one way) to min(n, d). Frames of length 0 are refused: they have no direction.

    Raises:
        ValueError: another shape, values not finite, or a frame of zeros.

    Source: Friedman & Dieng 2023, arXiv:2210.02410.

    >>> round(vendi_score([[1.0, 0.0], [0.0, 1.0], [3.0, 0.0], [0.0, 2.0]]), 12)
    2.0
    """
    frames = sorted_doubles(as_frames(x))
    lengths = np.sqrt(np.square(frames).sum(axis=1, keepdims=True))
    if not lengths.all():
        raise ValueError("a frame of zeros has no direction, so no cosine similarity")
    frames /= lengths * np.sqrt(len(frames))
    n, d = frames.shape
    return effective_number(frames @ frames.T if n <= d else frames.T @ frames)


def effective_number(kernel: Doubles) -> float:
    """exp of the entropy of the eigenvalues of a positive kernel matrix of trace 1, (n, n).

    >>> effective_number(np.eye(4) / 4)
    4.0
    """
    values = np.linalg.eigvalsh(kernel)
    values = values[values > EIGENVALUE_OF_NOTHING]
    return float(np.exp(-(values * np.log(values)).sum()))


class Mauve(NamedTuple):
    """``mauve`` in 0-1, ``divergence`` = -ln mauve from 0 up, and the ``clusters`` used."""

    mauve: float
    divergence: float
    clusters: int


def mauve_divergence(
    x: ArrayLike, y: ArrayLike, *, clusters: int | None = None, scaling: float = 5.0, seed: int = 0
) -> Mauve:
    """-ln MAUVE of two sets of frames, quantised together.

    The frames, each of unit length, are reduced to the principal components that hold 90% of
    their variance and clustered by k-means, the better of two starts, into ``clusters`` cells (a
    tenth of the smaller set, at least 2, at most 500). MAUVE is the area under exp(-c KL(q|r)),
    exp(-c KL(p|r)) over mixtures r = λp + (1 - λ)q of the cells' shares p of x and q of y. 1 for
    equal shares.

    Raises:
        ValueError: as :func:`~concours.metrics.frechet.frechet_distance`, or a frame of zeros.

    Source: Pillutla et al. 2021, arXiv:2102.01454; Huang et al. 2025 (MAD), arXiv:2503.16669.

    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> round(mauve_divergence(x, x).divergence, 12)
    0.0
    """
    a, b = as_pair(x, y)
    both = np.concatenate([a, b]).astype(np.float64)
    order = row_order(both)
    from_x = (np.arange(len(both)) < len(a))[order]
    cells = clusters or min(500, max(2, min(len(a), len(b)) // 10))
    label = _quantised(both[order], cells, seed)
    p = np.bincount(label[from_x], minlength=cells) / len(a)
    q = np.bincount(label[~from_x], minlength=cells) / len(b)
    value = mauve_of_shares(p, q, scaling)
    return Mauve(value, max(0.0, -float(np.log(value))), cells)


def _quantised(frames: Doubles, cells: int, seed: int) -> Integers:
    from scipy.cluster.vq import kmeans2

    lengths = np.sqrt(np.square(frames).sum(axis=1, keepdims=True))
    if not lengths.all():
        raise ValueError("a frame of zeros has no direction, so it lies in no cell")
    unit = frames / lengths
    unit -= unit.mean(axis=0)
    values, vectors = np.linalg.eigh(unit.T @ unit)
    share = np.cumsum(values[::-1]) / max(values.sum(), np.finfo(np.float64).tiny)
    keep = int(np.searchsorted(share, 0.9)) + 1
    points = unit @ vectors[:, ::-1][:, :keep]
    best: tuple[float, Integers] | None = None
    for attempt in range(ATTEMPTS):
        centres, label = kmeans2(
            points, cells, iter=30, minit="++", missing="warn", rng=seed + attempt
        )
        cost = float(np.square(points - centres[label]).sum())
        if best is None or cost < best[0]:
            best = (cost, label)
    assert best is not None
    return best[1]


def mauve_of_shares(p: ArrayLike, q: ArrayLike, scaling: float = 5.0) -> float:
    """MAUVE of two histograms of shape (cells,) that each sum to 1.

    >>> mauve_of_shares([1.0, 0.0], [1.0, 0.0])
    1.0
    """
    a, b = np.asarray(p, np.float64), np.asarray(q, np.float64)
    weights = np.linspace(1e-6, 1 - 1e-6, 25)
    along, up = [0.0], [1.0]
    for w in weights[::-1]:
        mixture = w * a + (1 - w) * b
        along.append(float(np.exp(-scaling * _divergence(b, mixture))))
        up.append(float(np.exp(-scaling * _divergence(a, mixture))))
    along.append(1.0)
    up.append(0.0)
    # KL(q|r) falls along the way, so the points come in ascending order
    across, height = np.array(along), np.array(up)
    return min(1.0, float((np.diff(across) * (height[1:] + height[:-1]) / 2).sum()))


def _divergence(p: Doubles, q: Doubles) -> float:
    held = p > 0
    return float((p[held] * np.log(p[held] / q[held])).sum())
