"""Confidence sequences: intervals that hold at every look, so that stopping early is allowed.

Raters are the independent units: each gives one number, the mean of their ratings of a system, in
a known range. The sequence is the predictable plug-in empirical-Bernstein one of Waudby-Smith and
Ramdas 2024 (doi:10.1093/jrsssb/qkad009, theorem 2), cut to its running intersection.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt
from typing import NamedTuple

import numpy as np


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
    found: list[Running] = []
    centre = weight = bound = 0.0
    best = (0.0, 1.0)
    mean, variance = 0.5, 0.25
    total, squares = 0.5, 0.25
    for i, value in enumerate(x):
        t = i + 1
        # the bet uses the past alone
        bet = min(0.5, sqrt(2 * log(2 / alpha) / (variance * t * log(1 + t))))
        spread = (value - mean) ** 2
        centre += bet * float(value)
        weight += bet
        bound += 4 * float(spread) * ((-log(1 - bet) - bet) / 4)
        total += float(value)
        mean = total / (t + 1)
        squares += float(value - mean) ** 2
        variance = squares / (t + 1)
        half = (log(2 / alpha) + bound) / weight
        best = (max(best[0], centre / weight - half), min(best[1], centre / weight + half))
        scaled = [low + b * (high - low) for b in (float(x[:t].mean()), *best)]
        found.append(Running(t, *scaled))
    return found
