"""The systems of one dimension compared: pairs, groups, an overall test and two models."""

from __future__ import annotations

from concours.eval.analysis.results import Comparisons, SystemMean
from concours.eval.stats.compare import groups
from concours.eval.stats.ordinal import OrdinalFit, fit_ordinal
from concours.eval.stats.pairs import SharedModel, compare_systems, mixed_model, overall_test
from concours.eval.stats.ratings import Ratings, RatingsError
from concours.metrics.spec import Undefined


def comparisons(
    ratings: Ratings,
    systems: tuple[SystemMean, ...],
    *,
    seed: int,
    level: float,
    margin: float | None,
) -> Comparisons:
    """``systems`` are the means, of any dimensions; ``ratings`` hold the one compared."""
    dimension = ratings.dimensions[0]
    own = sorted((s for s in systems if s.dimension == dimension), key=lambda s: -s.mean)
    order = [s.system for s in own]
    shared = SharedModel(ratings)
    try:
        pairs = compare_systems(ratings, seed=seed, margin=margin, level=level, model=shared)
    except RatingsError as error:
        pairs = Undefined(str(error))
    rest = (1 - level, mixed_model(shared, level), _ordinal(ratings, order[-1], level))
    if isinstance(pairs, Undefined):
        return Comparisons(dimension, overall_test(ratings), pairs, (), *rest)
    apart = [(p.first, p.second) for p in pairs if p.p_holm <= 1 - level]
    cliques = tuple(tuple(g) for g in groups(order, apart))
    return Comparisons(dimension, overall_test(ratings), tuple(pairs), cliques, *rest)


def _ordinal(ratings: Ratings, lowest: str, level: float) -> OrdinalFit | Undefined:
    """Effects against the system with the lowest mean, so that they read as gains."""
    try:
        return fit_ordinal(ratings, lowest, level)
    except RatingsError as error:
        return Undefined(str(error))
