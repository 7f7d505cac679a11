"""Dynamic time warping of two sequences by a matrix of similarities."""

from __future__ import annotations

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Floats, Ints


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
