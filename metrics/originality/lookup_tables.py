"""The tables that make a suffix array quick to search; what each is for, see
:mod:`concours.metrics.originality.lookup`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled
from concours.metrics.originality.keys import filter_bits, run_hash, run_length, sample_of, slot_of

Symbols = NDArray[Any]
Positions = NDArray[np.int32]

BLOCK = 64
DEEPEST = 8
BYTES = 1.95  # of all tables, for each symbol of the text
EVERY = 8  # one suffix in so many is sampled
WINDOW = 8
WINDOW_BITS = 10  # of the filter, for each distinct window
LOAD = 0.85
FEWEST_SLOTS = 64
PLACE_BITS = np.uint64(30)
MOST_COUNT = 1 << 17  # larger ranges keep their end in ``wide``


class Tables(NamedTuple):
    """The tables of one suffix array.

    ``depth``: shape (1,), symbols of the longest run in the hash table. ``slots``: uint64, each
    empty (0) or 16 bits of hash, 18 of count, 30 of the first place in the suffix array; ``wide``:
    ends of ranges whose count does not fit. ``samples``: uint32, shape (ceil(n / EVERY),).
    ``windows``: uint64, the words of the filter.
    """

    depth: NDArray[np.int64]
    slots: NDArray[np.uint64]
    wide: NDArray[np.uint32]
    samples: NDArray[np.uint32]
    windows: NDArray[np.uint64]


def tables(text: Symbols, suffixes: Positions) -> Tables:
    """The tables for a text, shape (n,), and its suffix array."""
    shared = _neighbours(text, suffixes, DEEPEST)
    distinct = _runs(text, suffixes, shared, DEEPEST)
    runs = np.cumsum(distinct)
    room = (BYTES * len(text) - 4 * (len(text) / EVERY)) / 8  # words that are left
    words = min(distinct[WINDOW - 1] * WINDOW_BITS / 64, room - runs[0] / LOAD)
    windows = np.zeros(max(1, int(words)), np.uint64)
    _fill_filter(text, suffixes, shared, windows)
    room -= len(windows)
    depth = max(1, int((runs / LOAD <= max(FEWEST_SLOTS, room)).sum()))
    slots = np.zeros(max(FEWEST_SLOTS, int(runs[depth - 1] / LOAD) + 1), np.uint64)
    wide = np.zeros(1 + depth * (len(text) // MOST_COUNT + 1), np.uint32)
    used = _fill(text, suffixes, shared, depth, slots, wide)
    return Tables(
        np.array([depth], np.int64),
        slots,
        wide[:used].copy(),
        _sampled(text, suffixes, depth, sample_shift(text)),
        windows,
    )


def sample_shift(text: Symbols) -> int:
    """Bits that a symbol loses so that two of them fit a sample; a sample keeps their order."""
    if text.dtype == np.uint16 or not len(text):
        return 0
    return max(0, int(text.max()).bit_length() - 16)


@compiled
def _neighbours(
    text: Symbols, suffixes: Positions, most: int
) -> NDArray[np.int32]:  # pragma: no cover
    """Common beginnings, up to a separator and ``most`` symbols, of each suffix with the one
    before it in order."""
    n = len(suffixes)
    shared = np.zeros(n, np.int32)
    sink = 0
    for begin in range(1, n, BLOCK):
        end = min(n, begin + BLOCK)
        for k in range(begin, end):  # reads ahead, so that the loop below does not wait
            sink += text[suffixes[k]]
        for k in range(begin, end):
            a, b, c = suffixes[k], suffixes[k - 1], 0
            while c < most and a + c < n and b + c < n and text[a + c] > 0:
                if text[a + c] != text[b + c]:
                    break
                c += 1
            shared[k] = c
    if sink < 0:
        shared[0] = -1
    return shared


@compiled
def _runs(
    text: Symbols, suffixes: Positions, shared: NDArray[np.int32], deepest: int
) -> NDArray[np.int64]:  # pragma: no cover
    """How many distinct runs of 1, 2, … symbols the text holds."""
    count = np.zeros(deepest, np.int64)
    sink = 0
    n = len(suffixes)
    for begin in range(0, n, BLOCK):
        end = min(n, begin + BLOCK)
        for k in range(begin, end):
            sink += text[suffixes[k]]
        for k in range(begin, end):
            for d in range(shared[k], run_length(text, suffixes[k], deepest)):
                count[d] += 1
    if sink < 0:
        count[0] = -1
    return count


@compiled
def _fill(
    text: Symbols,
    suffixes: Positions,
    shared: NDArray[np.int32],
    depth: int,
    slots: NDArray[np.uint64],
    wide: NDArray[np.uint32],
) -> int:  # pragma: no cover
    """Puts the range of every run of up to ``depth`` symbols into the table."""
    n, size, used = len(suffixes), len(slots), 0
    first = np.full(depth + 1, -1, np.int64)
    for k in range(n + 1):
        common = min(depth, shared[k]) if k < n else 0
        for d in range(common + 1, depth + 1):
            if first[d] < 0:
                continue
            h = run_hash(text, suffixes[first[d]], d)
            count = k - first[d]
            if count >= MOST_COUNT:
                wide[used] = k
                count = MOST_COUNT + used
                used += 1
            entry = (h & np.uint64(0xFFFF)) << np.uint64(48)
            entry |= np.uint64(count) << PLACE_BITS
            entry |= np.uint64(first[d])
            s = slot_of(h, size)
            while slots[s] != 0:
                s = s + 1 if s + 1 < size else 0  # type: ignore[assignment]
            slots[s] = entry
            first[d] = -1
        if k < n:
            for d in range(common + 1, run_length(text, suffixes[k], depth) + 1):
                first[d] = k
    return used


@compiled
def _sampled(
    text: Symbols, suffixes: Positions, depth: int, shift: int
) -> NDArray[np.uint32]:  # pragma: no cover
    n = (len(suffixes) + EVERY - 1) // EVERY
    found = np.zeros(n, np.uint32)
    for s in range(n):
        found[s] = sample_of(text, suffixes[s * EVERY] + depth, shift)
    return found


@compiled
def _fill_filter(
    text: Symbols,
    suffixes: Positions,
    shared: NDArray[np.int32],
    windows: NDArray[np.uint64],
) -> None:  # pragma: no cover
    for k in range(len(suffixes)):
        if shared[k] < WINDOW and run_length(text, suffixes[k], WINDOW) == WINDOW:
            h = run_hash(text, suffixes[k], WINDOW)
            windows[slot_of(h, len(windows))] |= filter_bits(h)
