"""The tempo of a piece over the time that it lasts, from its tempo map.

Conventions: a tempo map is ticks, ascending from 0, and the quarters a minute that hold from each
on. A stretch is the time from one change (or from tick 0) to the next, or to the end of the piece.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from concours.metrics.compiled import compiled


class Tempo(NamedTuple):
    """``start`` and ``end``: seconds from tick 0 to the first onset and to the last end. Over the
    stretches up to the last end: the ``slowest`` and ``fastest`` quarters a minute, and their
    ``mean`` and ``deviation`` weighed by time; all 0 where the piece has no length."""

    start: float
    end: float
    slowest: float
    fastest: float
    mean: float
    deviation: float


@compiled
def tempo_over(
    tick: Any, qpm: Any, ticks_per_quarter: int, first: int, last: int
) -> tuple[float, float, float, float, float, float]:
    """The fields of a :class:`Tempo`; ``first`` and ``last``: ticks of the first onset, last end.

    ``tick``, ``qpm``: shape (changes,), the tempo map.
    """
    at = np.zeros(len(tick) + 1)  # seconds from tick 0 to each change
    start = end = 0.0
    stretches = 0
    for i in range(len(tick)):
        rate = 60.0 / (qpm[i] * ticks_per_quarter)
        if tick[i] <= first:
            start = at[i] + (first - tick[i]) * rate
        if tick[i] <= last:
            end = at[i] + (last - tick[i]) * rate
        if tick[i] < last:
            stretches += 1
        if i + 1 < len(tick):
            at[i + 1] = at[i] + (tick[i + 1] - tick[i]) * rate
    if stretches == 0:
        return start, end, 0.0, 0.0, 0.0, 0.0
    at[stretches] = end
    slowest = fastest = qpm[0]
    mean = square = 0.0
    for i in range(stretches):
        slowest, fastest = min(slowest, qpm[i]), max(fastest, qpm[i])
        mean += (at[i + 1] - at[i]) / end * qpm[i]
    for i in range(stretches):
        square += (at[i + 1] - at[i]) / end * (qpm[i] - mean) ** 2
    return start, end, slowest, fastest, mean, np.sqrt(square)
