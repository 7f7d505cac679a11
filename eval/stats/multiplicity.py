"""Many tests at once: adjusted p values.

Both functions take p values of shape (m,) and return adjusted ones in the same order, in [0, 1];
reject where the adjusted p is at most the level. A NaN (a test that couldn't be run) stays NaN
and doesn't count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from concours.eval.stats.ratings import Floats


def holm(p: ArrayLike) -> Floats:
    """Holm's step-down adjustment: controls the chance of any false rejection.

    Valid under any dependence (Holm 1979, Scandinavian Journal of Statistics 6(2)).

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    return _adjusted(p, step_up=False)


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Benjamini and Hochberg's step-up adjustment: controls the share of false discoveries.

    Valid for independent or positively dependent tests (1995, JRSS B 57(1)).

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.04, 0.04]
    """
    return _adjusted(p, step_up=True)


def _adjusted(p: ArrayLike, *, step_up: bool) -> Floats:
    given = np.asarray(p, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(given))
    m = len(known)
    out = np.full(given.shape, np.nan)
    order = known[np.argsort(given[known], kind="stable")]
    place = np.arange(1, m + 1)
    if step_up:
        scaled = given[order] * m / place
        fixed = np.minimum.accumulate(scaled[::-1])[::-1]
    else:
        fixed = np.maximum.accumulate(given[order] * (m + 1 - place))
    out[order] = np.minimum(fixed, 1.0)
    return out
