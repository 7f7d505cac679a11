"""The kernel audio distance: how well a Gaussian kernel tells two sets of frames apart.

Conventions: ``x`` is the evaluated set, ``y`` the reference, both of shape (n, d); the bandwidth
is the reference's alone, so that all systems are measured with one kernel. Frames are taken in
blocks of 1,024 rows and summed in float64, so memory stays small for any n.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from concours.metrics.frames import Doubles, Frames, Integers, as_frames, as_pair, row_order

BLOCK = 1024
BANDWIDTH_FRAMES = 2048
SCALE = 100.0


def kernel_audio_distance(
    x: ArrayLike, y: ArrayLike, bandwidth: float | None = None, *, seed: int = 0
) -> float:
    """100 times the unbiased squared maximum mean discrepancy between two sets of frames.

    100 · (mean k(x, x') over pairs x ≠ x' + mean k(y, y') over pairs y ≠ y' - 2 mean k(x, y)),
    k(a, b) = exp(-|a - b|² / (2 bandwidth²)). ``x`` is the evaluated set and ``y`` the reference,
    (n, d) each; ``bandwidth`` is :func:`median_bandwidth` of y where it is None. Lower is closer.
    Unbiased at any n, and so slightly negative for sets that are alike.

    Raises:
        ValueError: arrays of other shapes or different d, values not finite, fewer than two
            frames in a set, a bandwidth that is not positive.

    Source: Gretton et al. 2012, JMLR 13; Chung et al. 2025 (KAD), arXiv:2502.15602.

    >>> round(kernel_audio_distance([[0.0], [0.0]], [[1.0], [1.0]], bandwidth=1.0), 4)
    78.6939
    """
    a, b = as_pair(x, y)
    if len(a) < 2 or len(b) < 2:
        raise ValueError(f"{len(a)} and {len(b)} frames: each set needs at least two")
    width = median_bandwidth(b, seed=seed) if bandwidth is None else float(bandwidth)
    if not width > 0 or not np.isfinite(width):
        raise ValueError(f"the bandwidth must be positive, not {width}")
    order_a, order_b = row_order(a), row_order(b)
    centre = b[order_b[:BLOCK]].mean(axis=0, dtype=np.float64)  # takes large coordinates away
    within_a = _within(a, order_a, centre, width) / (len(a) * (len(a) - 1))
    within_b = _within(b, order_b, centre, width) / (len(b) * (len(b) - 1))
    across = 0.0
    for block in _blocks(a, order_a, centre):
        for other in _blocks(b, order_b, centre):
            across += _kernel_sum(block, other, width)
    return SCALE * (within_a + within_b - 2.0 * across / (len(a) * len(b)))


def median_bandwidth(y: ArrayLike, *, seed: int = 0) -> float:
    """Median Euclidean distance between two different frames of the reference ``y``, (n, d).

    Over all pairs of at most 2,048 frames; of more, ``seed`` picks 2,048, the same ones in
    whatever order they came. Compute it once a reference, and keep it with the reference.

    Raises:
        ValueError: fewer than two frames, or more than half of the pairs are equal.

    >>> median_bandwidth([[0.0], [1.0], [3.0]])
    2.0
    """
    frames = as_frames(y, "y")
    if len(frames) < 2:
        raise ValueError("one frame has no bandwidth: the reference needs at least two")
    order = row_order(frames)
    if len(order) > BANDWIDTH_FRAMES:
        chosen = np.random.default_rng(seed).permutation(len(order))[:BANDWIDTH_FRAMES]
        order = order[np.sort(chosen)]
    rows = frames[order].astype(np.float64)
    rows -= rows.mean(axis=0)
    squares = squared_distances(rows, rows)
    above = np.concatenate([squares[i, i + 1 :] for i in range(len(rows) - 1)])
    median = float(np.median(np.sqrt(above, out=above)))
    if median <= 0:
        raise ValueError(
            "most frames of the reference are equal, so its median distance is 0; "
            "give a bandwidth or another reference"
        )
    return median


def squared_distances(a: Doubles, b: Doubles) -> Doubles:
    """|aᵢ - bⱼ|² of shape (len(a), len(b)); centre large coordinates first."""
    found = a @ b.T
    found *= -2.0
    found += np.square(a).sum(axis=1)[:, np.newaxis]
    found += np.square(b).sum(axis=1)
    distances: Doubles = np.maximum(found, 0.0, out=found)
    return distances


def _blocks(frames: Frames, order: Integers, centre: Doubles) -> Iterator[Doubles]:
    for start in range(0, len(order), BLOCK):
        yield frames[order[start : start + BLOCK]] - centre


def _within(frames: Frames, order: Integers, centre: Doubles, width: float) -> float:
    """Sum of the kernel over ordered pairs of different rows."""
    total = 0.0
    for i, block in enumerate(_blocks(frames, order, centre)):
        for j, other in enumerate(_blocks(frames, order[: (i + 1) * BLOCK], centre)):
            if j < i:
                total += 2.0 * _kernel_sum(block, other, width)
            else:
                kernel = _kernel(block, other, width)
                np.fill_diagonal(kernel, 0.0)  # a row with itself
                total += float(kernel.sum())
    return total


def _kernel_sum(a: Doubles, b: Doubles, width: float) -> float:
    return float(_kernel(a, b, width).sum())


def _kernel(a: Doubles, b: Doubles, width: float) -> Doubles:
    found = squared_distances(a, b)
    found *= -1.0 / (2.0 * width * width)
    kernel: Doubles = np.exp(found, out=found)
    return kernel
