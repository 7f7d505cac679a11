"""Shannon entropy of a histogram."""

from __future__ import annotations

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.ordering import sort_in_place
from concours.metrics.piece import Floats, Ints


def entropy_of(counts: Ints | Floats) -> float:
    """-sum p log2 p, in bits, of weights that are not all 0; the same for any order of them.

    >>> entropy_of(np.array([1, 1, 0, 2]))
    1.5
    """
    return float(entropy_bits(np.ascontiguousarray(counts, np.float64).reshape(-1)))


@compiled
def entropy_bits(counts: Floats) -> float:
    """:func:`entropy_of` within a kernel; 0 where all weights are 0."""
    positive = np.empty(len(counts))
    n, total = 0, 0.0
    for count in counts:
        total += count
        positive[n] = count
        n += count > 0
    bits = 0.0
    positive = positive[:n]
    sort_in_place(positive)
    for count in positive:
        p = count / total
        bits -= p * np.log2(p)
    return max(0.0, bits)
