"""How the spread of the raters' opinions depends on the mean: the SOS hypothesis.

Hoßfeld, Schatz & Egger 2011 (QoMEX): on a scale from L to H the squared standard deviation of
opinion scores is ``SOS²(m) = a (H - m)(m - L)``. ``a`` is 0 when everybody agrees and 1 when
everybody answers L or H; subjective quality tests typically give 0.1 to 0.3, and a value far
above that says that raters disagree about the question or guess.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from concours.metrics.spec import Undefined


def sos_parameter(
    means: ArrayLike, variances: ArrayLike, low: float, high: float
) -> float | Undefined:
    """The SOS parameter ``a``, by least squares through the origin.

    ``means``, ``variances``: (items,), the MOS and the variance (n - 1) of each stimulus;
    ``low``, ``high``: the ends of the scale. Undefined when every MOS is an end of the scale.

    Raises:
        ValueError: a MOS outside the scale.

    >>> sos_parameter([2.0, 3.0], [0.75, 1.0], 1, 5)
    0.25
    """
    m, v = np.asarray(means, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if m.size and (m.min() < low or m.max() > high):
        raise ValueError(
            f"a mean of {m.min():g} or {m.max():g} lies outside the scale from {low:g} to {high:g}"
        )
    x = (high - m) * (m - low)
    if not m.size or not np.any(x > 0):
        return Undefined("every mean is an end of the scale")
    return float((x @ v) / (x @ x))
