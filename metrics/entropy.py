"""Shannon entropy of a histogram."""

from __future__ import annotations

import numpy as np

from concours.metrics.piece import Floats, Ints


def entropy_of(counts: Ints | Floats) -> float:
    """-sum p log2 p, in bits, of weights that are not all 0; the same for any order of them.

    >>> entropy_of(np.array([1, 1, 0, 2]))
    1.5
    """
    p = np.sort(counts[counts > 0]) / counts.sum()
    return max(0.0, float(-(p * np.log2(p)).sum()))
