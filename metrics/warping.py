"""Dynamic time warping of two sequences by a matrix of similarities, and of the notes of pieces."""

from __future__ import annotations

import numpy as np

from concours.metrics.chroma import chroma_spans
from concours.metrics.compiled import compiled
from concours.metrics.piece import Floats, Ints, Piece

ONSET_WEIGHT = 2.0  # an onset says more of where one is than a note that goes on sounding


def warped_mean(similarity: Floats) -> tuple[float, list[list[int]]]:
    """Mean similarity along the path of least total dissimilarity, and the path.

    The path runs from the first to the last cell in steps (1, 1), (1, 0) and (0, 1); the cost of
    a cell is 1 - similarity.

    >>> warped_mean(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
    (1.0, [[0, 0], [0, 1], [1, 2]])
    """
    path = _path(np.ascontiguousarray(1.0 - similarity))
    return float(similarity[path[:, 0], path[:, 1]].mean()), path.tolist()


@compiled
def _path(cost: Floats) -> Ints:
    n, m = cost.shape
    total = np.empty((n, m))
    for i in range(n):
        for j in range(m):
            best = 0.0 if i == 0 and j == 0 else np.inf
            if i > 0 and j > 0:
                best = total[i - 1, j - 1]
            if i > 0:
                best = min(best, total[i - 1, j])
            if j > 0:
                best = min(best, total[i, j - 1])
            total[i, j] = cost[i, j] + best
    path = np.empty((n + m - 1, 2), np.int64)
    i, j, k = n - 1, m - 1, n + m - 2
    path[k] = (i, j)
    while i > 0 or j > 0:
        if i > 0 and j > 0:
            diagonal, up, left = total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]
            if diagonal <= up and diagonal <= left:
                i, j = i - 1, j - 1
            elif up <= left:
                i -= 1
            else:
                j -= 1
        elif i > 0:
            i -= 1
        else:
            j -= 1
        k -= 1
        path[k] = (i, j)
    return path[k:]


def quarters_of(piece: Piece) -> Floats:
    """The onsets in quarters from the start, shape (n,)."""
    at: Floats = piece.onset / piece.ticks_per_quarter
    return at


def n_steps(piece: Piece, steps_per_quarter: int) -> int:
    """How many steps the piece has, up to the end of its last note; at least 1."""
    return max(1, -(-piece.end_tick * steps_per_quarter // piece.ticks_per_quarter))


def step_features(piece: Piece, steps_per_quarter: int) -> Floats:
    """What starts and sounds in each step, as unit rows of shape (steps, 25).

    Pitch classes that start, pitch classes that sound, and one column for silence.
    """
    width = piece.ticks_per_quarter / steps_per_quarter
    steps = n_steps(piece, steps_per_quarter)
    edges = np.rint(np.arange(steps + 1) * width).astype(np.int64)
    sounding = np.minimum(1.0, chroma_spans(piece, edges) / width)
    at = np.minimum(np.floor(piece.onset / width + 0.5).astype(np.int64), steps - 1)
    starts = np.bincount(at * 12 + piece.pitch % 12, minlength=12 * steps).reshape(steps, 12)
    rows = np.hstack([ONSET_WEIGHT * np.minimum(1, starts), sounding, np.zeros((steps, 1))])
    rows[~rows.any(axis=1), -1] = 1.0
    unit: Floats = rows / np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    return unit


def warped_steps(path: Ints, at: Floats) -> Floats:
    """Where a path of shape (k, 2) puts times of the first sequence in the second, in steps.

    >>> warped_steps(np.array([[0, 0], [1, 1], [1, 2], [2, 3]]), np.array([0.0, 1.0, 1.5]))
    array([0., 1., 2.])
    """
    first = np.searchsorted(path[:, 0], np.arange(path[-1, 0] + 1))
    onto = path[first, 1].astype(np.float64)
    moved: Floats = np.interp(at, np.arange(len(onto)), onto)
    return moved
