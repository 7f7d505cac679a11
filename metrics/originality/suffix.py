"""Suffix arrays over integer texts, and the longest match of every position of a query.

Conventions
-----------
- A text is a sequence of symbols of at least 1; 0 separates and matches nothing, itself included.
- The suffix array lists all positions of the text in the order of the suffixes that start there,
  so the suffixes that share a beginning with a query lie side by side, and the longest common
  beginning is found at the query's place in that order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Symbols = NDArray[np.int32]
Positions = NDArray[np.int32]


class Matches(NamedTuple):
    """For each position of a query: ``length`` of the longest run of symbols from there that the
    text holds, and ``position`` of one such run in the text (-1 where the length is 0)."""

    length: NDArray[np.int32]
    position: NDArray[np.int32]


def suffix_array(text: Symbols) -> Positions:
    """Positions of ``text``, shape (n,), sorted by their suffixes (prefix doubling).

    >>> suffix_array(np.array([2, 1, 2, 1], np.int32)).tolist()
    [3, 1, 2, 0]
    """
    n = len(text)
    if n == 0:
        return np.empty(0, np.int32)
    rank = np.unique(text, return_inverse=True)[1].astype(np.int64)
    order = np.argsort(rank, kind="stable")
    step = 1
    while True:
        after = np.zeros(n, np.int64)
        after[: n - step] = rank[step:] + 1
        key = rank * (n + 1) + after
        order = np.argsort(key, kind="stable")
        changes = np.diff(key[order]) != 0
        rank[order] = np.concatenate([[0], np.cumsum(changes)])
        step *= 2
        if changes.all() or step >= n:
            return order.astype(np.int32)


def longest_matches(
    query: Symbols, text: Symbols, suffixes: Positions, allowed: NDArray[np.bool_]
) -> Matches:
    """The longest match of each query position in the text, at allowed positions only.

    ``query``: (m,), with 0 or less where nothing can match; ``text`` and ``suffixes``: (n,);
    ``allowed``: (n,), whether a match may start at each position of the text, or (0,) for all.

    >>> text = np.array([1, 2, 3, 0, 2, 3, 1], np.int32)
    >>> everywhere = np.empty(0, np.bool_)
    >>> query = np.array([2, 3, 1, 2], np.int32)
    >>> longest_matches(query, text, suffix_array(text), everywhere).length.tolist()
    [3, 2, 2, 1]
    """
    length = np.zeros(len(query), np.int32)
    position = np.full(len(query), -1, np.int32)
    if len(text):
        _longest_matches(query, text, suffixes, allowed, length, position)
    return Matches(length, position)


@njit(cache=True)
def _common(query: Symbols, i: int, text: Symbols, j: int, known: int) -> int:  # pragma: no cover
    """Length of the common beginning of query[i:] and text[j:], of which ``known`` is known."""
    k = known
    while i + k < len(query) and j + k < len(text) and query[i + k] > 0:
        if query[i + k] != text[j + k]:
            break
        k += 1
    return k


@njit(cache=True)
def _not_after(
    query: Symbols, i: int, text: Symbols, j: int, common: int
) -> bool:  # pragma: no cover
    """Whether query[i:] <= text[j:], given the length of their common beginning."""
    if i + common >= len(query) or query[i + common] <= 0:
        return True
    return j + common < len(text) and query[i + common] < text[j + common]


@njit(cache=True)
def _longest_matches(
    query: Symbols,
    text: Symbols,
    suffixes: Positions,
    allowed: NDArray[np.bool_],
    length: NDArray[np.int32],
    position: NDArray[np.int32],
) -> None:  # pragma: no cover
    n = len(suffixes)
    everywhere = len(allowed) == 0
    for i in range(len(query)):
        if query[i] <= 0:
            continue
        low, high = 0, n
        common_low, common_high = 0, 0
        while low < high:
            middle = (low + high) // 2
            common = _common(query, i, text, suffixes[middle], min(common_low, common_high))
            if _not_after(query, i, text, suffixes[middle], common):
                high, common_high = middle, common
            else:
                low, common_low = middle + 1, common
        up, down = low - 1, low
        while not everywhere and up >= 0 and not allowed[suffixes[up]]:
            up -= 1
        while not everywhere and down < n and not allowed[suffixes[down]]:
            down += 1
        for place in (up, down):
            if 0 <= place < n:
                common = _common(query, i, text, suffixes[place], 0)
                if common > length[i]:
                    length[i] = common
                    position[i] = suffixes[place]


def occurrences(
    query: Symbols,
    start: int,
    length: int,
    text: Symbols,
    suffixes: Positions,
) -> Positions:
    """All positions of the text, ascending, where query[start:start + length] stands."""
    return np.sort(_occurrences(query[start : start + length], text, suffixes))


@njit(cache=True)
def _occurrences(
    passage: Symbols, text: Symbols, suffixes: Positions
) -> Positions:  # pragma: no cover
    n = len(suffixes)
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        common = _common(passage, 0, text, suffixes[middle], 0)
        if _not_after(passage, 0, text, suffixes[middle], common):
            high = middle
        else:
            low = middle + 1
    stop = low
    while stop < n and _common(passage, 0, text, suffixes[stop], 0) == len(passage):
        stop += 1
    return suffixes[low:stop].copy()
