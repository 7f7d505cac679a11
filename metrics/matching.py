"""Which events of one list stand for which of another: the largest matching within tolerances.

Conventions
-----------
- Times are seconds. Distances are rounded to four decimals before they are compared with a
  tolerance, which they may equal, as mir_eval does.
- Each event is matched at most once; of all such matchings one with the most pairs is taken.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from concours.metrics.piece import Floats, Ints, Piece

DECIMALS = 4


class Notes(NamedTuple):
    """``onset`` and ``end`` in seconds, ``pitch``: shape (n,), sorted by onset."""

    onset: Floats
    end: Floats
    pitch: Ints


def notes_of(piece: Piece) -> Notes:
    """The pitched notes in seconds."""
    p = piece.pitched
    return Notes(piece.to_seconds(p.onset), piece.to_seconds(p.end), p.pitch)


def matched(candidates: Ints, n: int, m: int) -> int:
    """The size of the largest matching among ``candidates``, (pairs, 2), of n and m events.

    >>> matched(np.array([[0, 0], [0, 1], [1, 0]]), 2, 2)
    2
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if not len(candidates):
        return 0
    ones = np.ones(len(candidates), np.int8)
    graph = csr_matrix((ones, (candidates[:, 0], candidates[:, 1])), shape=(n, m))
    return int(np.count_nonzero(maximum_bipartite_matching(graph, perm_type="column") >= 0))


def within(x: Floats, y: Floats, tolerance: Floats | float) -> Ints:
    """All pairs (i, j) with |x_i - y_j| within ``tolerance`` (one, or one for each y): (pairs, 2).

    >>> within(np.array([0.0, 1.0]), np.array([0.96, 5.0]), 0.05)
    array([[1, 0]])
    """
    order = np.argsort(x, kind="stable")
    reach = np.asarray(tolerance) + 10.0**-DECIMALS
    first = np.searchsorted(x[order], y - reach, side="left")
    last = np.searchsorted(x[order], y + reach, side="right")
    counts = last - first
    j = np.repeat(np.arange(len(y)), counts)
    at = np.arange(len(j)) - np.repeat(np.cumsum(counts) - counts, counts) + first[j]
    i = order[at]
    limit = np.broadcast_to(tolerance, y.shape)[j]
    close = np.around(np.abs(x[i] - y[j]), DECIMALS) <= limit
    return np.stack([i[close], j[close]], axis=1)
