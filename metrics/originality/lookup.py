"""Looking a query up in a suffix array: the longest match of every position, and every place.

Method
------
A binary search over n suffixes costs 2 log2 n far reads of memory. Three small tables, together at
most two bytes a symbol, spare most of them:

- *Prefixes*: a hash table gives, for every run of up to ``depth`` symbols of the text, its range
  in the suffix array. The depth is the largest for which the tables keep within two bytes a
  symbol. A position whose run of ``d + 1`` symbols is not in the table while that of ``d`` is has
  a longest match of ``d``: no search at all.
- *Samples*: of every eighth suffix the two symbols that follow its first ``depth``, so that the
  range is searched in memory that lies together, down to a few suffixes.
- *Filter*: a blocked Bloom filter of all runs of :data:`WINDOW` symbols, for the plain question
  whether the text holds a run of that many or more. A run is there only if all its windows are, and
  one missing window rules out all runs around it, so most are answered by less than one read.

What the tables say is checked against the text, so a collision of hashes costs time, never a wrong
answer. Positions are answered in blocks, step by step: reads of one step don't wait for each other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled
from concours.metrics.originality.keys import filter_bits, run_hash, run_length, sample_of, slot_of
from concours.metrics.originality.lookup_tables import (
    BLOCK,
    EVERY,
    MOST_COUNT,
    PLACE_BITS,
    WINDOW,
    Tables,
    sample_shift,
)
from concours.metrics.originality.suffix import common_length, not_after

Symbols = NDArray[Any]
"""int32, or uint16 in an index of few distinct symbols"""
Positions = NDArray[np.int32]
Ranges = NDArray[np.int64]


class Matches(NamedTuple):
    """For each position of a query: ``length`` of the longest run of symbols from there that the
    text holds, and ``position`` of one such run in the text (-1 where the length is 0)."""

    length: NDArray[np.int32]
    position: NDArray[np.int32]


def longest_matches(
    query: Symbols, text: Symbols, suffixes: Positions, known: Tables, blocked: Ranges
) -> Matches:
    """The longest match of each query position in the text, outside the blocked ranges.

    ``query``: (m,), with 0 or less where nothing can match; ``text`` and ``suffixes``: (n,);
    ``blocked``: (k, 2), ascending and disjoint ranges (start, stop) of the text in which no match
    may start.

    >>> from concours.metrics.originality.lookup_tables import tables
    >>> from concours.metrics.originality.suffix import suffix_array
    >>> text = np.array([1, 2, 3, 0, 2, 3, 1], np.int32)
    >>> suffixes, everywhere = suffix_array(text), np.empty((0, 2), np.int64)
    >>> query = np.array([2, 3, 1, 2], np.int32)
    >>> longest_matches(query, text, suffixes, tables(text, suffixes), everywhere).length.tolist()
    [3, 2, 2, 1]
    """
    length = np.zeros(len(query), np.int32)
    position = np.full(len(query), -1, np.int32)
    if len(text):
        asked = np.ascontiguousarray(query, np.int32)
        everywhere = np.arange(len(query))
        _longest_at(
            asked,
            everywhere,
            text,
            suffixes,
            *known[:4],
            sample_shift(text),
            blocked,
            length,
            position,
        )
    return Matches(length, position)


def stand_in(
    query: Symbols,
    length: int,
    text: Symbols,
    suffixes: Positions,
    known: Tables,
    blocked: Ranges,
) -> NDArray[np.bool_]:
    """Whether the text holds the run of ``length`` symbols at each query position; shape (m,).

    As :func:`longest_matches` answers it, but faster where ``length`` is at least
    :data:`WINDOW`.
    """
    found = np.zeros(len(query), np.bool_)
    if len(text):
        asked = np.ascontiguousarray(query, np.int32)
        _stand_in(asked, length, text, suffixes, *known, sample_shift(text), blocked, found)
    return found


@compiled
def _is_blocked(blocked: Ranges, position: int) -> bool:  # pragma: no cover
    low, high = 0, len(blocked)
    while low < high:
        middle = (low + high) // 2
        if blocked[middle, 0] <= position:
            low = middle + 1
        else:
            high = middle
    return low > 0 and position < blocked[low - 1, 1]


@compiled
def _range(
    h: np.uint64, slots: NDArray[np.uint64], wide: NDArray[np.uint32]
) -> tuple[int, int]:  # pragma: no cover
    """The range of a run in the suffix array, empty where the table lacks it."""
    size = len(slots)
    s = slot_of(h, size)
    while slots[s] != 0:
        entry = slots[s]
        if entry >> np.uint64(48) == h & np.uint64(0xFFFF):
            low = np.int64(entry & np.uint64((1 << 30) - 1))
            count = np.int64((entry >> PLACE_BITS) & np.uint64((1 << 18) - 1))
            high = np.int64(wide[count - MOST_COUNT]) if count >= MOST_COUNT else low + count
            return int(low), int(high)
        s = (s + 1) % size
    return 0, 0


@compiled
def _insertion(
    query: Symbols, i: int, text: Symbols, suffixes: Positions
) -> int:  # pragma: no cover
    """The place of query[i:] in the order of all suffixes, without the tables."""
    low, high = 0, len(suffixes)
    common_low, common_high = 0, 0
    while low < high:
        middle = (low + high) // 2
        common = common_length(query, i, text, suffixes[middle], min(common_low, common_high))
        if not_after(query, i, text, suffixes[middle], common):
            high, common_high = middle, common
        else:
            low, common_low = middle + 1, common
    return low


@compiled
def _best_around(
    query: Symbols, i: int, text: Symbols, suffixes: Positions, blocked: Ranges, place: int
) -> tuple[int, int]:  # pragma: no cover
    """(length, position) of the longest match beside a place in the order that is not blocked."""
    n = len(suffixes)
    up, down = place - 1, place
    while up >= 0 and _is_blocked(blocked, suffixes[up]):
        up -= 1
    while down < n and _is_blocked(blocked, suffixes[down]):
        down += 1
    best, position = 0, -1
    if up >= 0:
        best = common_length(query, i, text, suffixes[up], 0)
        position = suffixes[up]
    if down < n:
        common = common_length(query, i, text, suffixes[down], 0)
        if common > best:
            best, position = common, suffixes[down]
    return (best, position) if best else (0, -1)


@compiled
def _short(
    query: Symbols,
    i: int,
    longest: int,
    text: Symbols,
    suffixes: Positions,
    slots: NDArray[np.uint64],
    wide: NDArray[np.uint32],
    blocked: Ranges,
) -> tuple[int, int]:  # pragma: no cover
    """(length, position) of the longest match of at most ``longest`` symbols, from the table."""
    for d in range(longest, 0, -1):
        low, high = _range(run_hash(query, i, d), slots, wide)
        while low < high and _is_blocked(blocked, suffixes[low]):
            low += 1
        if low < high:
            if common_length(query, i, text, suffixes[low], 0) < d:  # another run of the same hash
                place = _insertion(query, i, text, suffixes)
                return _best_around(query, i, text, suffixes, blocked, place)
            return d, suffixes[low]
    return 0, -1


@compiled
def _longest_at(  # noqa: PLR0915 - one block goes through all steps
    query: NDArray[np.int32],
    positions: NDArray[np.int64],
    text: Symbols,
    suffixes: Positions,
    depths: NDArray[np.int64],
    slots: NDArray[np.uint64],
    wide: NDArray[np.uint32],
    samples: NDArray[np.uint32],
    shift: int,
    blocked: Ranges,
    length: NDArray[np.int32],
    position: NDArray[np.int32],
) -> np.uint64:  # pragma: no cover
    """Puts the longest match of each of ``positions`` into ``length`` and ``position``."""
    depth, n, size = depths[0], len(suffixes), len(slots)
    hashes = np.empty(BLOCK, np.uint64)
    asked = np.empty(BLOCK, np.int64)  # positions whose run is longer than the table's
    low, high = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    known_low, known_high = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    middle, here = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    active = np.empty(BLOCK, np.int64)
    sink = np.uint64(0)  # sums what is read ahead, so that the compiler keeps the reads
    for begin in range(0, len(positions), BLOCK):
        count = 0
        for k in range(begin, min(len(positions), begin + BLOCK)):
            i = positions[k]
            run = run_length(query, i, depth + 1)
            if run > depth:
                asked[count] = i
                hashes[count] = run_hash(query, i, depth)
                sink += slots[slot_of(hashes[count], size)]
                count += 1
            else:
                length[i], position[i] = _short(query, i, run, text, suffixes, slots, wide, blocked)
        found = 0
        for a in range(count):
            i = asked[a]
            first, last = _range(hashes[a], slots, wide)
            if first < last:
                asked[found], low[found], high[found] = i, first, last
                sink += np.uint64(samples[min(len(samples) - 1, (first + last) // (2 * EVERY))])
                found += 1
            else:
                length[i], position[i] = _short(
                    query, i, depth - 1, text, suffixes, slots, wide, blocked
                )
        left = 0
        for a in range(found):
            wanted = sample_of(query, asked[a] + depth, shift)
            first, last = (low[a] + EVERY - 1) // EVERY, (high[a] + EVERY - 1) // EVERY
            less = _sorted_before(samples, first, last, wanted, False)
            more = _sorted_before(samples, less, last, wanted, True)
            if less > first:
                low[a] = (less - 1) * EVERY + 1
            high[a] = min(high[a], more * EVERY)
            known_low[a] = known_high[a] = depth
            sink += np.uint64(suffixes[min(low[a], n - 1)])
            if low[a] < high[a]:
                active[left] = a
                left += 1
        while left:
            for b in range(left):
                a = active[b]
                middle[b] = (low[a] + high[a]) // 2
                here[b] = suffixes[middle[b]]
            for b in range(left):
                sink += np.uint64(text[min(n - 1, here[b] + depth)])
            still = 0
            for b in range(left):
                a = active[b]
                i, j = asked[a], here[b]
                common = common_length(query, i, text, j, min(known_low[a], known_high[a]))
                if not_after(query, i, text, j, common):
                    high[a], known_high[a] = middle[b], common
                else:
                    low[a], known_low[a] = middle[b] + 1, common
                if low[a] < high[a]:
                    active[still] = a
                    still += 1
            left = still
        for a in range(found):
            here[a] = suffixes[max(0, low[a] - 1)]
            middle[a] = suffixes[min(n - 1, low[a])]
        for a in range(found):
            sink += np.uint64(text[here[a]]) + np.uint64(text[middle[a]])
        for a in range(found):
            i = asked[a]
            best, where = _best_around(query, i, text, suffixes, blocked, low[a])
            if best < depth:  # another run of the same hash, or its whole range is blocked
                place = _insertion(query, i, text, suffixes)
                best, where = _best_around(query, i, text, suffixes, blocked, place)
            length[i], position[i] = best, where
    return sink


@compiled
def _sorted_before(
    values: NDArray[np.uint32], first: int, last: int, wanted: np.uint32, equal: bool
) -> int:  # pragma: no cover
    """The first place of first..last whose value is not below (with ``equal``: is above)
    ``wanted``."""
    room = last - first
    while room > 0:
        half = (room + 1) // 2
        value = values[first + half - 1]
        first += half * int(value < wanted or (equal and value == wanted))
        room -= half
    return first


@compiled
def _candidates(
    query: NDArray[np.int32], length: int, windows: NDArray[np.uint64]
) -> NDArray[np.int64]:  # pragma: no cover
    """The positions whose windows all pass the filter (all that are long enough where the run is
    shorter than a window)."""
    found = np.empty(max(0, len(query) - length + 1), np.int64)
    count, size = 0, len(windows)
    i, sound = 0, 0  # query[i:sound] holds nothing that can't match
    while i + length <= len(query):
        sound = max(sound, i)
        while sound < i + length and query[sound] > 0:
            sound += 1
        if sound < i + length:
            i = sound + 1
            continue
        j = i + length - WINDOW
        while j >= i:
            h = run_hash(query, j, WINDOW)
            bits = filter_bits(h)
            if windows[slot_of(h, size)] & bits != bits:
                break
            j -= 1
        if length < WINDOW or j < i:
            found[count] = i
            count += 1
            i += 1
        else:
            i = j + 1
    return found[:count]


@compiled
def _stand_in(
    query: NDArray[np.int32],
    length: int,
    text: Symbols,
    suffixes: Positions,
    depths: NDArray[np.int64],
    slots: NDArray[np.uint64],
    wide: NDArray[np.uint32],
    samples: NDArray[np.uint32],
    windows: NDArray[np.uint64],
    shift: int,
    blocked: Ranges,
    found: NDArray[np.bool_],
) -> None:  # pragma: no cover
    waiting = _candidates(query, length, windows)
    longest = np.zeros(len(query), np.int32)
    place = np.empty(len(query), np.int32)
    asked = np.empty(len(waiting), np.int64)
    while len(waiting):
        # the first of each stretch of candidates is searched; what it finds settles those after it
        count = 0
        for k in range(len(waiting)):
            if k == 0 or waiting[k - 1] != waiting[k] - 1:
                asked[count] = waiting[k]
                count += 1
        _longest_at(
            query,
            asked[:count],
            text,
            suffixes,
            depths,
            slots,
            wide,
            samples,
            shift,
            blocked,
            longest,
            place,
        )
        left, settled = 0, 0
        for k in range(len(waiting)):
            i = waiting[k]
            if longest[i] > 0 or (k == 0 or waiting[k - 1] != i - 1):
                settled = max(settled, i + longest[i])
                found[i] = longest[i] >= length
            elif i + length <= settled:
                found[i] = True
            else:
                waiting[left] = i
                left += 1
        waiting = waiting[:left]
