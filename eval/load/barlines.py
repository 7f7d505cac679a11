"""Bar lines that a score states, made into the bars that a listener counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ticks = NDArray[np.int64]


def counted_bars(
    edges: Ticks, meters: Sequence[tuple[int, int, int]], ticks_per_quarter: int
) -> Ticks:
    """Stated bar lines without those that split a bar at a repeat sign.

    Two neighbouring bars that only together fill a bar of their meter are one bar: scores split
    one where a section with a pickup repeats. The opening pickup stays a bar of its own.

    >>> counted_bars(np.array([0, 480, 2400, 3840, 4320]), [(0, 4, 4)], 480)
    array([   0,  480, 2400, 4320])
    """
    changes = sorted(meters) or [(0, 4, 4)]
    starts = np.array([m[0] for m in changes])
    line = np.unique(np.concatenate([np.zeros(1, np.int64), edges])).tolist()
    kept = line[:2]
    i = 1
    while i + 1 < len(line):
        _, n, d = changes[max(0, int(np.searchsorted(starts, line[i], side="right")) - 1)]
        full = round(n * 4 * ticks_per_quarter / d)
        if i + 2 < len(line) and line[i + 1] - line[i] < full == line[i + 2] - line[i]:
            i += 1
        kept.append(line[i + 1])
        i += 1
    return np.array(kept, np.int64)
