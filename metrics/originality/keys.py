"""What the tables of a suffix array are keyed by; see :mod:`concours.metrics.originality.lookup`.

The kernels here are called by those that fill the tables and those that read them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled

Symbols = NDArray[Any]


@compiled
def run_length(text: Symbols, position: int, most: int) -> int:  # pragma: no cover
    """Symbols from a position to the next separator, at most ``most``."""
    c = 0
    while c < most and position + c < len(text) and text[position + c] > 0:
        c += 1
    return c


@compiled
def run_hash(symbols: Symbols, first: int, length: int) -> np.uint64:  # pragma: no cover
    h = np.uint64(length)
    for d in range(length):
        h = (h ^ np.uint64(symbols[first + d])) * np.uint64(0x9E3779B97F4A7C15)
        h ^= h >> np.uint64(29)
    return h


@compiled
def slot_of(h: np.uint64, size: int) -> np.int64:  # pragma: no cover
    return np.int64(((h >> np.uint64(32)) * np.uint64(size)) >> np.uint64(32))


@compiled
def sample_of(symbols: Symbols, at: int, shift: int) -> np.uint32:  # pragma: no cover
    """The two symbols at a position in one number that sorts as they do."""
    one = two = 0
    if at < len(symbols) and symbols[at] > 0:
        one = np.minimum(65535, np.int64(symbols[at]) >> shift)
        if at + 1 < len(symbols) and symbols[at + 1] > 0:
            two = np.minimum(65535, np.int64(symbols[at + 1]) >> shift)
    return np.uint32(one << 16 | two)


@compiled
def filter_bits(h: np.uint64) -> np.uint64:  # pragma: no cover
    """The five bits that a window has in its word of the filter."""
    bits = np.uint64(0)
    for k in range(5):
        bits |= np.uint64(1) << ((h >> np.uint64(6 * k)) & np.uint64(63))
    return bits
