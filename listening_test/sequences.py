"""Confidence sequences: intervals that hold at every look, so that stopping early is allowed.

Raters are the independent units: each gives one number, the mean of their ratings of a system, in
a known range. A mean m is refuted once somebody who bets against it, at odds that are fair if m
is true, has made a fortune: the hedged capital process of Waudby-Smith and Ramdas 2024
(doi:10.1093/jrsssb/qkad009, theorem 3), cut to its running intersection. At the sizes of listening
tests it is much narrower than their empirical-Bernstein sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt
from typing import NamedTuple

import numpy as np

# means that are tried; the interval is rounded outwards to them
_GRID = 1000
# the largest share of the capital that a single bet risks
_MOST = 0.75


class Running(NamedTuple):
    """After ``n`` raters: the mean and the ends of the sequence."""

    n: int
    mean: float
    low: float
    high: float


def confidence_sequence(
    values: Sequence[float], low: float, high: float, alpha: float = 0.05
) -> list[Running]:
    """The interval after each value, with coverage 1 - alpha at all of them together.

    ``values`` lie in [low, high], in the order in which the raters finished.

    Raises:
        ValueError: a value outside the range.

    >>> confidence_sequence([4.0, 3.0, 5.0], 1, 5)[-1].n
    3
    """
    x = (np.asarray(values, dtype=np.float64) - low) / (high - low)
    if len(x) and (x.min() < -1e-9 or x.max() > 1 + 1e-9):
        raise ValueError(f"a value lies outside [{low}, {high}]")
    m = np.linspace(0, 1, _GRID + 1)
    with np.errstate(divide="ignore"):
        most_up, most_down = _MOST / m, _MOST / (1 - m)
    # the logarithms of what betting on "more than m" and on "less than m" has made
    up, down = np.zeros_like(m), np.zeros_like(m)
    alive = np.ones(len(m), np.bool_)
    needed = log(2 / alpha)
    variance = squares = 0.25
    total = 0.5
    found: list[Running] = []
    for i, value in enumerate(x):
        t = i + 1
        # the bet uses the past alone
        bet = sqrt(2 * log(2 / alpha) / (variance * t * log(1 + t)))
        up += np.log1p(np.minimum(bet, most_up) * (value - m))
        down += np.log1p(-np.minimum(bet, most_down) * (value - m))
        alive &= np.maximum(up, down) < needed
        total += float(value)
        squares += (float(value) - total / (t + 1)) ** 2
        variance = squares / (t + 1)
        there = np.flatnonzero(alive)
        mean = float(x[:t].mean())
        # an empty set means that the values drifted: the mean so far is all that is left
        first, last = (there[0], there[-1]) if len(there) else (round(mean * _GRID),) * 2
        ends = max(0, first - 1) / _GRID, min(_GRID, last + 1) / _GRID
        found.append(Running(t, *(float(low + v * (high - low)) for v in (mean, *ends))))
    return found
