"""How far the raters of a study agree, on one dimension."""

from __future__ import annotations

import numpy as np

from concours.eval.analysis.results import Reliability
from concours.eval.stats.ratings import Floats, Ratings, cross, has_repeats
from concours.eval.stats.reliability import (
    Measurement,
    icc2_interval,
    icc_mixed,
    krippendorff_alpha,
)
from concours.eval.stats.sos import sos_parameter
from concours.metrics.spec import Undefined

LEVELS: tuple[Measurement, ...] = ("nominal", "ordinal", "interval", "ratio")


def reliability(ratings: Ratings, span: tuple[float, float]) -> Reliability:
    """Agreement about the stimuli; ``span`` gives the ends of the rating scale."""
    dimension = ratings.dimensions[0]
    stimulus = ratings.stimulus
    groups = [ratings.value[stimulus == s] for s in np.unique(stimulus)]
    several = [g for g in groups if len(g) > 1]
    sos: float | Undefined = Undefined("no stimulus has two ratings")
    if several:
        means, variances = [g.mean() for g in several], [g.var(ddof=1) for g in several]
        sos = sos_parameter(means, variances, *span)
    alpha: dict[Measurement, float | Undefined] = {}
    table = _alpha_table(groups)
    for level in LEVELS:
        negative = level == "ratio" and ratings.value.min() < 0
        alpha[level] = (
            Undefined("negative values have no ratio")
            if negative
            else krippendorff_alpha(table, level)
        )
    unknown = Undefined("raters are unknown; ICC needs to tell them apart")
    repeated = Undefined("repeated trials; ICC wants one rating of each stimulus")
    if not ratings.has_raters or has_repeats(ratings):
        why = repeated if ratings.has_raters else unknown
        return Reliability(dimension, why, why, why, alpha, sos)
    crossed = cross(ratings.rater, stimulus, ratings.value)
    return Reliability(
        dimension,
        icc2_interval(crossed, average=False),
        icc2_interval(crossed, average=True),
        icc_mixed(ratings.value, ratings.rater, stimulus),
        alpha,
        sos,
    )


def _alpha_table(groups: list[Floats]) -> Floats:
    """Alpha pairs ratings within a stimulus and never asks whose they are, so rows may be any."""
    most = max(len(g) for g in groups)
    table = np.full((most, len(groups)), np.nan)
    for column, group in enumerate(groups):
        table[: len(group), column] = group
    return table
