"""Joint resamples of raters and items, for everything that is a function of several means.

All systems are drawn together: one resample takes the same raters, and where systems share items
the same items, so that what they have in common cancels in a difference or a rank.
"""

from __future__ import annotations

import numpy as np

from concours.eval.stats.ratings import Floats, Ratings, codes

CHUNK = 2_000_000


def joint_means(ratings: Ratings, *, seed: int, draws: int = 1000) -> Floats:
    """The systems' means, shape (draws, systems), over raters and items drawn independently.

    The ratings hold one dimension; missing cells stay missing. A rating counts as often as its
    rater times its item were drawn. Unknown raters aren't drawn. A resample that misses a system
    altogether is drawn again.
    """
    system = codes(ratings.system)
    item = codes(ratings.item)
    rater = codes(ratings.rater) if ratings.has_raters else None
    rng = np.random.default_rng(seed)
    out = np.empty((0, len(system.labels)))
    member = np.zeros((len(ratings), len(system.labels)))
    member[np.arange(len(ratings)), system.code] = 1.0
    strata = _strata(ratings, item.code, len(item.labels))
    step = max(1, CHUNK // len(ratings))
    for _ in range(1000):
        n = min(step, draws - len(out))
        weight = np.zeros((n, len(item.labels)))
        for members in strata:
            weight[:, members] = rng.multinomial(
                len(members), np.full(len(members), 1 / len(members)), size=n
            )
        rows = weight[:, item.code]
        if rater is not None:
            k = len(rater.labels)
            rows = rows * rng.multinomial(k, np.full(k, 1 / k), size=n)[:, rater.code]
        total = rows @ member
        usable = (total > 0).all(axis=1)
        sums = (rows * ratings.value) @ member
        out = np.concatenate([out, sums[usable] / total[usable]])
        if len(out) >= draws:
            break
    return out[:draws]


def _strata(ratings: Ratings, code: np.ndarray, n_items: int) -> list[np.ndarray]:
    """Items grouped by the set of systems that have them, so that each keeps its number."""
    systems: dict[int, set[str]] = {}
    for i, s in zip(code.tolist(), ratings.system.tolist(), strict=True):
        systems.setdefault(i, set()).add(s)
    grouped: dict[frozenset[str], list[int]] = {}
    for i in range(n_items):
        grouped.setdefault(frozenset(systems[i]), []).append(i)
    return [np.array(members) for members in grouped.values()]
