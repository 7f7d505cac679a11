"""Fréchet distances of many parts of one set of frames to one Gaussian.

Conventions: the factor of the Gaussian meets the frames once; then a part costs the products of
its rows and one set of eigenvalues, and no covariance. Neither the order of the frames nor that
within a part shows in a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from concours.metrics.frames import Doubles, Integers, as_frames, row_order
from concours.metrics.gaussians import (
    GaussianStats,
    centred_rows,
    full_rank,
    gaussian,
    nuclear_norm,
    root_trace,
)

MOST_PRODUCTS = 1 << 25  # numbers: 256 MiB


def distances_of_subsets(
    x: ArrayLike, y: ArrayLike | GaussianStats, rows: Sequence[ArrayLike]
) -> list[float]:
    """Fréchet distances of parts of ``x``, (n, d), to ``y``, each part given by its rows.

    Raises:
        ValueError: as :func:`~concours.metrics.frechet.frechet_distance`.
    """
    held = _Held(x, y)
    place = np.empty_like(held.order)
    place[held.order] = np.arange(len(place))
    return [held.distance(place[np.asarray(chosen, np.int64)]) for chosen in rows]


def distances_of_unions(
    x: ArrayLike,
    y: ArrayLike | GaussianStats,
    blocks: Sequence[Integers],
    unions: Sequence[Integers],
) -> list[float]:
    """The same of unions of disjoint ``blocks``, each given by the blocks' numbers: the products
    of a block are taken once, for all unions that hold it. Blocks are places in the order of the
    rows' contents, 0 to n - 1.

    Raises:
        ValueError: as :func:`~concours.metrics.frechet.frechet_distance`.
    """
    held = _Held(x, y)
    if len(blocks) * held.rank**2 > MOST_PRODUCTS:
        return [held.distance(np.concatenate([blocks[b] for b in some])) for some in unions]
    member = np.zeros((len(unions), len(blocks)))
    for row, some in zip(member, unions, strict=True):
        row[some] = 1.0
    columns = zip(*(held.sums(block) for block in blocks), strict=True)
    totals = [member @ np.array(c).reshape(len(blocks), -1) for c in columns]
    return [
        held.distance(
            np.concatenate([blocks[b] for b in some]),
            _Sums(frames, float(squares[0]), projected, product.reshape(held.rank, held.rank)),
        )
        for some, frames, squares, projected, product in zip(unions, *totals, strict=True)
    ]


class _Sums(NamedTuple):
    """Over the rows of a part: frames (d,), their squares, projections (rank,), and the
    projections' product (rank, rank)."""

    frames: Doubles
    squares: float
    projected: Doubles
    product: Doubles


class _Held:
    """Frames about the Gaussian's mean, and their products with its factor, in the order of their
    contents."""

    def __init__(self, x: ArrayLike, y: ArrayLike | GaussianStats) -> None:
        given = as_frames(x)
        target = gaussian(y)
        self.order = row_order(given)
        self._frames = np.ascontiguousarray(given[self.order], dtype=np.float64)
        if self._frames.shape[1] != len(target.mean):
            raise ValueError(f"x has {given.shape[1]} dimensions and y has {len(target.mean)}")
        self._frames -= target.mean
        self._projected = self._frames @ target.factor.T
        self._projected -= self._projected.mean(axis=0)  # little is left to take from products
        self.rank = self._projected.shape[1]
        self._squares = np.square(self._frames).sum(axis=1)
        self._trace = float(np.square(target.factor).sum())
        self._whole: Doubles | None = None

    def sums(self, at: Integers) -> _Sums:
        """The sums over the frames at these places, few of all."""
        part = self._projected[at]
        return _Sums(
            self._frames[at].sum(axis=0),
            float(self._squares[at].sum()),
            part.sum(axis=0),
            part.T @ part,
        )

    def distance(self, at: Integers, sums: _Sums | None = None) -> float:
        """The distance of the frames at these places; ``sums`` over them where they are known."""
        n, k = len(at), max(1, len(at) - 1)
        inside = np.zeros(len(self._frames))
        inside[at] = 1.0
        mean = (inside @ self._frames if sums is None else sums.frames) / n
        shift = float(mean @ mean)
        squares = float(inside @ self._squares) if sums is None else sums.squares
        cross = None
        if n > self.rank:
            total = inside @ self._projected if sums is None else sums.projected
            product = self._product(inside) if sums is None else sums.product
            cross = root_trace(product - np.outer(total, total) / n)
        if cross is None:
            cross = nuclear_norm(full_rank(centred_rows(self._projected[inside > 0])[1]))
        cross /= float(np.sqrt(k))
        return max(0.0, shift + (squares - n * shift) / k + self._trace - 2.0 * cross)

    def _product(self, inside: Doubles) -> Doubles:
        """The product of the projections at the places that are marked."""
        within = inside > 0
        if 2 * np.count_nonzero(within) <= len(inside):
            part = self._projected[within]
            product: Doubles = part.T @ part
            return product
        if self._whole is None:
            self._whole = self._projected.T @ self._projected
        part = self._projected[~within]  # what is left out costs less, and little is lost
        rest: Doubles = self._whole - part.T @ part
        return rest
