"""Ranks with their uncertainty, and rankings put together from several columns.

Rank 1 is the best. Aggregations refuse a system with a missing cell: whoever leaves out the
column they are worst at must not win by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from concours.eval.stats.ratings import Floats
from concours.metrics.spec import Undefined


class RankInterval(NamedTuple):
    """The rank on the data and the ends of its interval, from 1 (best) to the system count."""

    rank: float
    low: int
    high: int


def rank(values: ArrayLike, *, higher_is_better: bool = True) -> Floats:
    """Ranks of ``values`` (systems,), ties sharing the mean of their places.

    >>> rank([3.0, 5.0, 3.0]).tolist()
    [2.5, 1.0, 2.5]
    """
    v = np.asarray(values, dtype=np.float64)
    _, place, ties = np.unique(
        -v if higher_is_better else v, return_inverse=True, return_counts=True
    )
    return np.asarray((np.cumsum(ties) - (ties - 1) / 2)[place], dtype=np.float64)


def rank_intervals(
    values: ArrayLike, draws: Floats, *, higher_is_better: bool = True, level: float = 0.95
) -> list[RankInterval]:
    """Percentile intervals of each system's rank over joint resamples.

    ``values``: (systems,); ``draws``: (resamples, systems), each row the systems' means on one
    resample of the same raters and items, so that what systems share cancels. Bootstrap ranks
    spread wider than ranks do, most between near-equal systems (Goldstein & Spiegelhalter 1996):
    read them as the ranks that can't be ruled out.
    """
    from scipy.stats import rankdata

    signed = -draws if higher_is_better else draws
    drawn = rankdata(signed, axis=1, method="average")
    tail = (1 - level) / 2
    low = np.quantile(drawn, tail, axis=0, method="inverted_cdf")
    high = np.quantile(drawn, 1 - tail, axis=0, method="inverted_cdf")
    now = rank(values, higher_is_better=higher_is_better)
    return [
        RankInterval(float(r), int(np.floor(a)), int(np.ceil(b)))
        for r, a, b in zip(now, low, high, strict=True)
    ]


def mean_rank(
    table: Floats, higher_is_better: Sequence[bool], systems: Sequence[str]
) -> Floats | Undefined:
    """The mean of each system's ranks over the columns; smaller is better.

    ``table``: (systems, columns), NaN for a missing cell. Undefined if any cell is missing,
    naming the systems: an average over fewer columns is another quantity.
    """
    bad = _missing(table, systems)
    return bad if bad is not None else _ranks(table, higher_is_better).mean(axis=1)


def borda(
    table: Floats, higher_is_better: Sequence[bool], systems: Sequence[str]
) -> Floats | Undefined:
    """Borda points: over the columns, how many systems each one beats (ties count half).

    Undefined if any cell is missing.

    >>> borda(np.array([[3.0, 1], [2, 2], [1, 3]]), [True, True], ["a", "b", "c"]).tolist()
    [2.0, 2.0, 2.0]
    """
    bad = _missing(table, systems)
    if bad is not None:
        return bad
    return np.asarray((table.shape[0] - _ranks(table, higher_is_better)).sum(axis=1))


def _ranks(table: Floats, higher_is_better: Sequence[bool]) -> Floats:
    columns = zip(table.T, higher_is_better, strict=True)
    return np.column_stack([rank(c, higher_is_better=up) for c, up in columns])


def _missing(table: Floats, systems: Sequence[str]) -> Undefined | None:
    short = [s for s, row in zip(systems, table, strict=True) if np.isnan(row).any()]
    if not table.size:
        return Undefined("no systems or no columns")
    if short:
        return Undefined(
            f"{', '.join(short)} lack a value in some column; score them there or leave out the "
            "column for everybody"
        )
    return None
