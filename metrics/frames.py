"""Frames: the (n, d) arrays of embeddings that every distance between sets of audio takes.

Conventions: one row a frame, one column a dimension, any float type, finite. A clip contributes
one frame or many. No number here depends on the order of the rows: sums run over the rows in an
order of their contents, so that permuted input gives the same bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Frames = NDArray[Any]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]


def as_frames(x: ArrayLike, name: str = "x") -> Frames:
    """``x`` as a finite float array of shape (n, d), n and d at least 1; no copy where it is one.

    Raises:
        ValueError: another shape, no row, or a value that is not finite.

    >>> as_frames([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    frames = np.asarray(x)
    if frames.ndim != 2:
        raise ValueError(
            f"{name} must have the shape (frames, dimensions), not {frames.shape}; "
            "a single frame is x[np.newaxis, :]"
        )
    if 0 in frames.shape:
        raise ValueError(f"{name} holds no frames: its shape is {frames.shape}")
    if frames.dtype not in (np.float32, np.float64):
        frames = frames.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        finite = bool(np.isfinite(frames.sum()))  # a fifth of the time that looking at each takes
    bad = 0 if finite else int(np.count_nonzero(~np.isfinite(frames).all(axis=1)))
    if bad:
        raise ValueError(f"{name}: {bad} of {len(frames)} frames hold NaN or infinity")
    return frames


def as_pair(x: ArrayLike, y: ArrayLike) -> tuple[Frames, Frames]:
    """Two sets of frames of one dimension.

    Raises:
        ValueError: as :func:`as_frames`, or the dimensions differ.
    """
    a, b = as_frames(x, "x"), as_frames(y, "y")
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"x has {a.shape[1]} dimensions and y has {b.shape[1]}: they come from different "
            "embeddings and cannot be compared"
        )
    return a, b


def row_order(frames: Frames) -> Integers:
    """The permutation that sorts the rows by their bytes: an order of contents, not of arrival."""
    rows = np.ascontiguousarray(frames)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).reshape(-1)
    order: Integers = np.argsort(keys, kind="stable").astype(np.int64)
    return order


def sorted_doubles(frames: Frames) -> Doubles:
    """The rows in the order of their contents, as float64."""
    return np.ascontiguousarray(frames[row_order(frames)], dtype=np.float64)
