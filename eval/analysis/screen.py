"""Every screening rule that the ratings allow, run over a study."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from concours.eval.stats.ratings import Ratings, has_repeats
from concours.eval.stats.screening import (
    Flag,
    Trap,
    bs1534,
    bt500,
    model_outliers,
    no_variance,
    stimulus_table,
    straight_lining,
    traps,
)
from concours.eval.stats.subject_model import subject_model
from concours.metrics.spec import Undefined


def screen(
    ratings: Ratings,
    hidden_reference: str | None,
    mid_anchor: str | None,
    trap_items: Mapping[str, Trap],
) -> tuple[list[Flag], tuple[str, ...]]:
    """(flags, what couldn't be screened and why)."""
    if not ratings.raters:
        return [], ("Raters are unknown, so none can be screened.",)
    flags: list[Flag] = []
    notes: list[str] = []
    if hidden_reference is not None:
        flags += bs1534(ratings, hidden_reference, mid_anchor=mid_anchor)
    flags += traps(ratings, trap_items)
    for dimension in ratings.dimensions:
        own = ratings.select(dimension=dimension)
        # a yes or no is often the same, and says nothing against who gives it
        graded = len(np.unique(own.value)) > 2
        found = no_variance(own) + straight_lining(own) if graded else []
        if own.has_raters and not has_repeats(own):
            table = stimulus_table(own)
            found += bt500(table)
            model = subject_model(table)
            if isinstance(model, Undefined):
                notes.append(f"{dimension}: no P.913 model: {model.reason}.")
            else:
                found += model_outliers(model)
        else:
            notes.append(f"{dimension}: BT.500 and P.913 need one rating by known raters.")
        flags += [f._replace(detail=f"{dimension}: {f.detail}") for f in found]
    return flags, tuple(notes)
