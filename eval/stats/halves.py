"""Half-samples that several sets share: the same halves of the same clusters, whatever the set.

The spread of a statistic over halves drawn without replacement estimates its standard error (the
delete-half jackknife). A bootstrap would be wrong for distances between sets: drawing an item twice
makes two sets look further apart than they are. Where two systems answered the same prompts, or are
held against the same reference, each draw takes the same half of those for both, so that what they
share cancels in a difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from concours.eval.stats.bootstrap import Interval

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
FEWEST_CLUSTERS = 4


def joint_halves(clusters: Sequence[str], *, draws: int, seed: int) -> list[Rows]:
    """The rows of half of the clusters, for each draw; ``clusters`` names that of each row.

    A cluster's fate in a draw depends on its name and the seed alone, so that sets which share
    clusters share halves.

    >>> a, b = joint_halves(["p", "q", "r", "s"], draws=2, seed=0)
    >>> len(a), len(b)
    (2, 2)
    """
    names, code = np.unique(np.asarray(clusters, dtype=np.str_), return_inverse=True)
    keys = np.array([_keys(str(name), draws, seed) for name in names]).reshape(len(names), draws)
    kept = np.argsort(keys, axis=0, kind="stable")[: len(names) // 2]
    chosen = np.zeros((len(names), draws), dtype=bool)
    np.put_along_axis(chosen, kept, True, axis=0)
    rows = chosen[code]
    return [np.flatnonzero(rows[:, d]).astype(np.int64) for d in range(draws)]


def _keys(name: str, draws: int, seed: int) -> Floats:
    words = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype="<u4")
    return np.random.default_rng([seed, *words.tolist()]).random(draws)


def half_sample_draws(
    distances: Callable[[Rows, Rows], Mapping[str, float]],
    clusters: tuple[Sequence[str], Sequence[str]],
    names: Sequence[str],
    *,
    draws: int = 100,
    seed: int = 0,
) -> dict[str, Floats]:
    """Named distances between halves of two sets, shape (draws,) each, NaN where undefined.

    ``distances(rows, rows)`` computes them on a subset of each set, given as row numbers; what it
    leaves out is undefined. Nothing for fewer than 4 clusters in a set.
    """
    if min(len(set(c)) for c in clusters) < FEWEST_CLUSTERS:
        return {}
    found = {name: np.full(draws, np.nan) for name in names}
    halves = [joint_halves(c, draws=draws, seed=seed) for c in clusters]
    for draw, (rows, others) in enumerate(zip(*halves, strict=True)):
        for name, d in distances(rows, others).items():
            if name in found:
                found[name][draw] = d
    return found


def half_sample_interval(
    value: float, draws: Floats, *, bounds: tuple[float, float], confidence: float = 0.95
) -> Interval | None:
    """The value plus and minus a normal quantile of the draws' spread, cut at ``bounds``.

    The interval is for the expected distance at these sample sizes; a distance estimated from few
    items is itself too large. None where half of the draws or more are undefined.
    """
    known = draws[~np.isnan(draws)]
    if len(known) < max(2, len(draws) / 2):
        return None
    from scipy.special import ndtri

    spread = float(ndtri((1 + confidence) / 2)) * float(np.std(known, ddof=1))
    return Interval(max(bounds[0], value - spread), min(bounds[1], value + spread))
