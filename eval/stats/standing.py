"""Who stands where in a column: ranks with intervals, and groups that can't be told apart.

Both come from one thing, the tests of all pairs with p values adjusted by Holm, so that ranks,
groups and tests can't contradict each other. With the chance of any false rejection held at
alpha, the ranks from "1 + systems that are certainly better" to "all but those certainly worse"
hold every true rank at once with probability 1 - alpha (Al Mohamad, Goeman & van Zwet 2022,
Biometrics 78(4), doi:10.1111/biom.13523). Bootstrap ranks would be narrower than they may be
where systems are close.
"""

from __future__ import annotations

import math
import string
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.eval.stats.clustered import ScoreDifference
from concours.eval.stats.compare import groups
from concours.metrics.spec import Undefined

Floats = NDArray[np.float64]
LETTERS = string.ascii_lowercase + string.ascii_uppercase
FEWEST_DRAWS = 10


class Place(NamedTuple):
    """``rank`` 1 is the best, ties share one (1, 2, 2, 4); ``low`` and ``high`` are the ends of
    its interval. Systems that share a letter can't be told apart."""

    rank: int
    low: int
    high: int
    letters: str

    @property
    def leads(self) -> bool:
        """Whether it is certainly better than every other system."""
        return self.high == 1 and bool(self.letters)


def places(merits: Mapping[str, float], apart: Collection[tuple[str, str]]) -> dict[str, Place]:
    """The place of every system; ``merits`` are what they are ranked by, lower first, and
    ``apart`` the pairs (either order) that a test separates.

    A single system has rank 1 and no letter, since there is nothing to tell it from.

    >>> places({"a": 1.0, "b": 2.0, "c": 3.0}, [("a", "c")])["b"]
    Place(rank=2, low=1, high=3, letters='ab')
    """
    order = sorted(merits, key=lambda s: merits[s])
    lettered: dict[str, str] = dict.fromkeys(order, "")
    if len(order) > 1:
        for i, members in enumerate(groups(order, apart)):
            letter = LETTERS[i] if i < len(LETTERS) else "…"
            for system in members:
                lettered[system] += letter
    certain = {frozenset(pair) for pair in apart}
    found = {}
    for system in order:
        rank = 1 + sum(m < merits[system] for m in merits.values())
        others = [o for o in order if o != system and frozenset((o, system)) in certain]
        better = sum(merits[o] < merits[system] for o in others)
        worse = sum(merits[o] > merits[system] for o in others)
        found[system] = Place(rank, 1 + better, len(order) - worse, lettered[system])
    return found


def distance_difference(
    first: float,
    second: float,
    first_draws: Floats,
    second_draws: Floats,
    n_first: int,
    n_second: int,
    *,
    level: float = 0.95,
) -> ScoreDifference | Undefined:
    """The difference (second minus first) of two distances to one reference.

    ``first_draws`` and ``second_draws`` are the distances between the same half-samples, shape
    (draws,) each, NaN where undefined; the spread of their differences is the standard error,
    with Student's t at the degrees of freedom of the smaller set (``n_first`` and ``n_second``
    clusters). Undefined for fewer than 10 draws that both have.
    """
    known = ~np.isnan(first_draws) & ~np.isnan(second_draws)
    if int(known.sum()) < FEWEST_DRAWS:
        return Undefined("too few half-samples on which both distances exist")
    from scipy.special import stdtr, stdtrit

    moved = second_draws[known] - first_draws[known]
    se = float(moved.std(ddof=1))
    df = min(n_first, n_second, int(known.sum())) - 1
    d = second - first
    if se <= 1e-12 * max(1.0, abs(first), abs(second)):
        p = 1.0 if math.isclose(d, 0.0, abs_tol=1e-12) else 0.0
        return ScoreDifference(first, second, d, d, d, p, n_first, n_second, METHOD)
    half = float(stdtrit(df, 0.5 + level / 2)) * se
    p = float(2 * stdtr(df, -abs(d) / se))
    return ScoreDifference(first, second, d, d - half, d + half, p, n_first, n_second, METHOD)


METHOD = "joint half-samples"


def transport_draws(
    values: Floats, halves: Sequence[NDArray[np.int64]], reference: Floats,
    reference_halves: Sequence[NDArray[np.int64]],
) -> Floats:  # fmt: skip
    """The Wasserstein distance of half of ``values`` (n,) to half of ``reference`` (m,), for each
    draw of rows; in the values' own unit, NaN where a half is empty.

    >>> half = [np.array([0, 1])]
    >>> transport_draws(np.array([1.0, 2.0]), half, np.array([3.0, 4.0]), half).tolist()
    [2.0]
    """
    found = np.full(len(halves), np.nan)
    sizes = [(len(a), len(b)) for a, b in zip(halves, reference_halves, strict=True)]
    for size in sorted(set(sizes)):
        if min(size) == 0:
            continue
        at = [i for i, s in enumerate(sizes) if s == size]
        x = np.sort(values[np.stack([halves[i] for i in at])], axis=1)
        y = np.sort(reference[np.stack([reference_halves[i] for i in at])], axis=1)
        found[at] = _transport(x, y)
    return found


def _transport(x: Floats, y: Floats) -> Floats:
    """Row by row: the distance between quantile functions, which step at i/n and j/m."""
    n, m = x.shape[1], y.shape[1]
    steps = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)  # in units of 1 / (n m)
    left = steps[:-1]
    gaps = np.abs(x[:, left // m] - y[:, left // n])
    return np.asarray(gaps @ np.diff(steps) / (n * m), dtype=np.float64)
