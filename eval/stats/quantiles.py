"""Quantiles with their method named, since published interquartile ranges differ by it.

Hazen's positions ``(k - 0.5) / n`` reproduce most tables printed from MATLAB; numpy's default
(``linear``, positions ``(k - 1) / (n - 1)``) those from Python and R.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

QuantileMethod = Literal["hazen", "linear"]


class Quartiles(NamedTuple):
    q1: float
    median: float
    q3: float
    method: QuantileMethod

    @property
    def iqr(self) -> float:
        return self.q3 - self.q1


def quartiles(values: ArrayLike, method: QuantileMethod = "hazen") -> Quartiles:
    """First quartile, median and third quartile of a non-empty sample.

    >>> quartiles([1, 2, 3, 4])
    Quartiles(q1=1.5, median=2.5, q3=3.5, method='hazen')
    >>> quartiles([1, 2, 3, 4], "linear").q1
    1.75
    """
    q1, median, q3 = np.quantile(
        np.asarray(values, dtype=np.float64), [0.25, 0.5, 0.75], method=method
    )
    return Quartiles(float(q1), float(median), float(q3), method)
