"""Study sizes that reach a wished-for interval, from the ratings at hand as a pilot."""

from __future__ import annotations

import numpy as np

from concours.eval.stats.power import Components, Design, components, plan
from concours.eval.stats.ratings import Ratings
from concours.metrics.spec import Undefined

Plans = dict[str, tuple[Components, tuple[Design, ...] | Undefined] | Undefined]


def study_sizes(ratings: Ratings, half_width: float, seed: int) -> Plans:
    """Study sizes by dimension, for the mean over systems of the variance components."""
    found: Plans = {}
    for dimension in ratings.dimensions:
        own = ratings.select(dimension=dimension)
        fits = [components(own.select(system=s)) for s in own.systems]
        known = [f for f in fits if not isinstance(f, Undefined)]
        if not known:
            found[dimension] = next(f for f in fits if isinstance(f, Undefined))
            continue
        model = Components(*(float(v) for v in np.mean(np.array(known), axis=0)))
        sizes = plan(model, half_width, seed=seed)
        found[dimension] = (model, sizes if isinstance(sizes, Undefined) else tuple(sizes))
    return found
