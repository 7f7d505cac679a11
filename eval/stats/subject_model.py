"""Bias and inconsistency of every rater, with the MOS freed of both.

Model: ``rating = quality of the stimulus + bias of the rater + inconsistency of the rater x N(0,
1)``, the biases adding up to 0, fitted by alternating projection (ITU-T P.913 clause 12.6;
Li, Bampis, Krasula, Janowski & Katsavounidis 2020, arXiv:2004.02067). Nobody is thrown out: an
inconsistent rater weighs less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from concours.eval.stats.ratings import Floats, Table
from concours.metrics.spec import Undefined

CHANGE = 1e-9
ROUNDS = 1000
LEAST = 1e-3  # of the pooled inconsistency: keeps one rater's weight finite


@dataclass(frozen=True, eq=False)
class SubjectModel:
    """``mos`` and ``mos_se`` (items,); ``bias`` and ``inconsistency`` (raters,), in scale units."""

    mos: Floats
    mos_se: Floats
    bias: Floats
    inconsistency: Floats
    raters: tuple[str, ...]
    items: tuple[str, ...]


def subject_model(table: Table) -> SubjectModel | Undefined:
    """Fits the model to ``table.values``, shape (raters, stimuli), NaN where missing.

    Undefined below 2 raters or 2 stimuli, when a rater judged fewer than 2 stimuli, and when
    all residuals are 0.
    """
    x = table.values
    known = ~np.isnan(x)
    if min(x.shape) < 2:
        return Undefined("the model needs 2 raters and 2 stimuli")
    few = np.flatnonzero(known.sum(axis=1) < 2)
    if len(few):
        return Undefined(f"rater {table.raters[few[0]]!r} judged fewer than 2 stimuli")
    filled = np.where(known, x, 0.0)
    per_rater, per_item = known.sum(axis=1), known.sum(axis=0)
    mos = filled.sum(axis=0) / per_item
    for _ in range(ROUNDS):
        bias = np.where(known, x - mos[None, :], 0.0).sum(axis=1) / per_rater
        rest = np.where(known, x - mos[None, :] - bias[:, None], 0.0)
        spread = np.sqrt((rest**2).sum(axis=1) / per_rater)
        pooled = float(np.sqrt((rest**2).sum() / known.sum()))
        if pooled == 0:
            return Undefined("every rater follows the means exactly; nothing is inconsistent")
        weight = known / np.maximum(spread, LEAST * pooled)[:, None] ** 2
        before, mos = mos, (weight * (filled - bias[:, None])).sum(axis=0) / weight.sum(axis=0)
        if float(np.linalg.norm(mos - before)) < CHANGE:
            break
    bias = np.where(known, x - mos[None, :], 0.0).sum(axis=1) / per_rater
    shift = float(bias.mean())
    return SubjectModel(
        mos + shift,
        1 / np.sqrt(weight.sum(axis=0)),
        bias - shift,
        spread,
        table.raters,
        table.items,
    )
