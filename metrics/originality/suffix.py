"""Suffix arrays over integer texts: built, and asked where a passage stands.

Conventions
-----------
- A text is a sequence of symbols of at least 1; 0 separates and matches nothing, itself included.
- The suffix array lists all positions of the text in the order of the suffixes that start there,
  so the suffixes that share a beginning with a query lie side by side, and the longest common
  beginning is found at the query's place in that order
  (:mod:`concours.metrics.originality.lookup`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled

Symbols = NDArray[Any]
"""int32, or uint16 in an index of few distinct symbols"""
Positions = NDArray[np.int32]


def suffix_array(text: Symbols) -> Positions:
    """Positions of ``text``, shape (n,), sorted by their suffixes.

    Uses pydivsufsort where it is installed (the extra ``index``), else prefix doubling in numpy,
    about four times slower; the result is the same.

    >>> suffix_array(np.array([2, 1, 2, 1], np.int32)).tolist()
    [3, 1, 2, 0]
    """
    if len(text) > np.iinfo(np.int32).max // 4:
        raise ValueError(f"{len(text)} symbols are too many for one suffix array; use shards")
    try:
        from pydivsufsort import divsufsort
    except ImportError:
        return prefix_doubling(text)
    if len(text) < 2:
        return np.arange(len(text), dtype=np.int32)
    narrow = np.uint16 if int(text.max()) < 1 << 16 else np.uint32
    return np.asarray(divsufsort(text.astype(narrow)), np.int32)


def prefix_doubling(text: Symbols) -> Positions:
    """:func:`suffix_array` by sorting beginnings of doubling length (Manber & Myers 1993)."""
    n = len(text)
    rank = np.unique(text, return_inverse=True)[1].astype(np.int64)
    order = np.arange(n)
    step = 0
    while step < n:
        after = np.zeros(n, np.int64)
        if step:
            after[: n - step] = rank[step:] + 1
        key = rank * (n + 1) + after
        order = np.argsort(key, kind="stable")
        changes = np.diff(key[order]) != 0
        rank[order] = np.concatenate([[0], np.cumsum(changes)])
        if changes.all():
            break
        step = max(1, 2 * step)
    return order.astype(np.int32)


def occurrences(
    query: Symbols, start: int, length: int, text: Symbols, suffixes: Positions
) -> Positions:
    """All positions of the text, ascending, where query[start:start + length] stands."""
    low, high = _places(query[start : start + length], text, suffixes)
    return np.sort(suffixes[low:high])


def places_of_all(
    query: Symbols, length: int, text: Symbols, suffixes: Positions, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the text holds each run of ``length`` symbols of a query.

    Two arrays of one shape: positions in the query, and in the text. Runs that stand at more than
    ``most`` places are left out.
    """
    low, high = _all_places(query, length, text, suffixes)
    count = high - low
    count[count > most] = 0
    first = np.repeat(np.arange(len(query)), count)
    within = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    return first, suffixes[np.repeat(low, count) + within].astype(np.int64)


def longest_elsewhere(
    text: Symbols, suffixes: Positions, *, before_only: bool = False
) -> NDArray[np.int32]:
    """The longest run of symbols from each position that also stands elsewhere in the text.

    Shape (n,), by position. With ``before_only``, by place in the suffix array, the longest run
    shared with the suffix before it.
    """
    before = _neighbours(text, suffixes)
    if before_only:
        return before
    after = np.append(before[1:], 0)
    length = np.zeros(len(text), np.int32)
    length[suffixes] = np.maximum(before, after)
    return length


@compiled
def common_length(
    query: Symbols, i: int, text: Symbols, j: int, known: int
) -> int:  # pragma: no cover
    """Length of the common beginning of query[i:] and text[j:], of which ``known`` is known."""
    k = known
    while i + k < len(query) and j + k < len(text) and query[i + k] > 0:
        if query[i + k] != text[j + k]:
            break
        k += 1
    return k


@compiled
def not_after(
    query: Symbols, i: int, text: Symbols, j: int, common: int
) -> bool:  # pragma: no cover
    """Whether query[i:] <= text[j:], given the length of their common beginning."""
    if i + common >= len(query) or query[i + common] <= 0:
        return True
    return j + common < len(text) and query[i + common] < text[j + common]


@compiled
def _places(
    passage: Symbols, text: Symbols, suffixes: Positions
) -> tuple[int, int]:  # pragma: no cover
    """The range of the suffix array whose suffixes begin with the passage."""
    first, last = 0, len(suffixes)
    while first < last:
        middle = (first + last) // 2
        common = common_length(passage, 0, text, suffixes[middle], 0)
        if not_after(passage, 0, text, suffixes[middle], common):
            last = middle
        else:
            first = middle + 1
    low, last = first, len(suffixes)
    while first < last:
        middle = (first + last) // 2
        if common_length(passage, 0, text, suffixes[middle], 0) == len(passage):
            first = middle + 1
        else:
            last = middle
    return low, first


@compiled
def _all_places(
    query: Symbols, length: int, text: Symbols, suffixes: Positions
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # pragma: no cover
    low = np.zeros(len(query), np.int64)
    high = np.zeros(len(query), np.int64)
    for i in range(len(query) - length + 1):
        if query[i : i + length].min() > 0:
            low[i], high[i] = _places(query[i : i + length], text, suffixes)
    return low, high


@compiled
def _neighbours(text: Symbols, suffixes: Positions) -> NDArray[np.int32]:  # pragma: no cover
    """Common beginnings, up to a separator, of each suffix with the one before it in order."""
    shared = np.zeros(len(text), np.int32)
    for k in range(1, len(suffixes)):
        shared[k] = common_length(text, suffixes[k], text, suffixes[k - 1], 0)
    return shared
