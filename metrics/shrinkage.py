"""Covariances of few items, drawn towards a multiple of the identity.

Conventions: items are rows of shape (n, d), n at least 2. The sample covariance S here is over n,
as in the sources; the target is μ I with μ the mean of its diagonal, and the estimate is
(1 - a) S + a μ I with an amount a in 0..1 that is 1 where the data say nothing of the shape.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Shrinkage = Literal["none", "ledoit-wolf", "oas"]


class Shrunk(NamedTuple):
    """``covariance``: (d, d); ``amount``: 0 for none, 1 for all."""

    covariance: Floats
    amount: float


def shrunk_covariance(rows: Floats, rule: Shrinkage) -> Shrunk:
    """The covariance by the rule of Ledoit & Wolf or by oracle-approximating shrinkage.

    Source: Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4; Chen et al. 2010,
    doi:10.1109/TSP.2010.2053029.

    >>> rows = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> shrunk_covariance(rows, "oas").covariance.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    n, d = rows.shape
    centred = rows - rows.mean(axis=0)
    sample = centred.T @ centred / n
    if rule == "none":
        return Shrunk(sample * (n / (n - 1)), 0.0)
    level = float(np.trace(sample)) / d
    spread = float(np.square(sample).sum())
    away = spread - d * level * level  # squared distance of S from its target
    if away <= 1e-15 * max(spread, np.finfo(np.float64).tiny):
        amount = 1.0
    elif rule == "ledoit-wolf":
        noise = (float(np.square(np.square(centred).sum(axis=1)).sum()) / n - spread) / n
        amount = min(1.0, max(0.0, noise / away))
    else:
        mean_square = spread / (d * d)
        amount = min(1.0, (mean_square + level**2) / ((n + 1) * (mean_square - level**2 / d)))
    covariance = (1 - amount) * sample
    covariance.flat[:: d + 1] += amount * level
    return Shrunk(covariance, float(amount))
