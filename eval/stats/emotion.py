"""Emotion: do listeners hear what was intended, and how well could anybody agree with them?

Conventions
-----------
- Valence and arousal are centred: 0 is neutral, and quadrants follow the signs (Q1 +v +a,
  Q2 -v +a, Q3 -v -a, Q4 +v -a). 0 belongs to the negative side.
- Every agreement stands beside two others: the rater ceiling (how well one rater agrees with the
  rest) and a constant baseline (what ignoring the music gets).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from concours.eval.stats.ratings import Floats, Ints
from concours.metrics.spec import Undefined

QUADRANTS = ("Q1", "Q2", "Q3", "Q4")


class Ellipse(NamedTuple):
    """``major`` and ``minor`` are half axes, ``angle`` that of the major one in radians."""

    centre: tuple[float, float]
    major: float
    minor: float
    angle: float
    level: float


class QuadrantAgreement(NamedTuple):
    """``confusion`` (4, 4): rows intended, columns rated, both in the order of QUADRANTS."""

    confusion: Ints
    accuracy: float
    macro_f1: float
    baseline_accuracy: float
    baseline_macro_f1: float


class Ceiling(NamedTuple):
    """Mean agreement of each rater with the mean of the others, and the range over raters."""

    mean: float
    low: float
    high: float
    n_raters: int


def ccc(x: ArrayLike, y: ArrayLike) -> float | Undefined:
    """Lin's concordance: ``2 s_xy / (s_x² + s_y² + (mean x - mean y)²)``, moments with 1/n.

    1 only for identical values; unlike Pearson's r it falls when one side is shifted or scaled, and
    a constant prediction gets 0. Range [-1, 1]. Undefined below 2 values or when both are one
    and the same constant. Source: Lin 1989, Biometrics 45(1).

    >>> ccc([1, 2, 3], [1, 2, 3])
    1.0
    >>> round(ccc([1, 2, 3], [2, 3, 4]), 4)
    0.5714
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(a) < 2:
        return Undefined(f"{len(a)} value(s); concordance needs 2")
    below = float(a.var() + b.var() + (a.mean() - b.mean()) ** 2)
    if below == 0:
        return Undefined("both sides are the same constant")
    return float(2 * np.mean((a - a.mean()) * (b - b.mean())) / below)


def quadrant(valence: ArrayLike, arousal: ArrayLike) -> Ints:
    """Index into QUADRANTS of each (valence, arousal), shape (n,)."""
    v, a = np.asarray(valence) > 0, np.asarray(arousal) > 0
    return np.where(a, np.where(v, 0, 1), np.where(v, 3, 2)).astype(np.int64)


def macro_f1(confusion: Ints) -> float:
    """The mean F1 over the classes that occur in rows or columns; 0 for one never hit."""
    hit = np.diag(confusion).astype(np.float64)
    total = (confusion.sum(axis=0) + confusion.sum(axis=1)).astype(np.float64)
    present = total > 0
    return float(np.mean(2 * hit[present] / total[present]))


def quadrant_agreement(intended: Ints, rated: Ints) -> QuadrantAgreement | Undefined:
    """Confusion of intended and rated quadrants, shape (n,) each, with the constant baseline.

    The baseline always answers with the commonest rated quadrant, the best that ignoring the
    intention can do. Undefined without items.
    """
    if not len(intended):
        return Undefined("no items")
    table = np.zeros((4, 4), dtype=np.int64)
    np.add.at(table, (intended, rated), 1)
    constant = np.zeros((4, 4), dtype=np.int64)
    constant[int(np.argmax(table.sum(axis=0)))] = table.sum(axis=0)
    n = len(intended)
    return QuadrantAgreement(
        table,
        float(np.trace(table)) / n,
        macro_f1(table),
        float(np.trace(constant)) / n,
        macro_f1(constant),
    )


def ellipse(valence: ArrayLike, arousal: ArrayLike, level: float = 0.95) -> Ellipse | Undefined:
    """The confidence ellipse of the mean of n points, Hotelling's T².

    ``(m - mu)' S^-1 (m - mu) <= 2 (n - 1) / (n (n - 2)) F(level; 2, n - 2)``. The points must be
    independent (one a rater, say). Undefined below 3 points.
    """
    points = np.column_stack([np.asarray(valence, float), np.asarray(arousal, float)])
    n = len(points)
    if n < 3:
        return Undefined(f"{n} point(s); an ellipse needs 3")
    from scipy.stats import f

    values, vectors = np.linalg.eigh(np.cov(points.T))
    scale = 2 * (n - 1) / (n * (n - 2)) * float(f.ppf(level, 2, n - 2))
    half = np.sqrt(np.maximum(values, 0.0) * scale)
    x, y = vectors[:, 1]
    centre = points.mean(axis=0)
    angle = float(np.arctan2(y, x)) % np.pi
    return Ellipse(
        (float(centre[0]), float(centre[1])), float(half[1]), float(half[0]), angle, level
    )


def rater_ceiling(values: Floats) -> Ceiling | Undefined:
    """How well one rater agrees (CCC) with the mean of all others on the same items.

    ``values``: (raters, items), NaN where missing. A target or model that agrees with the mean
    rating better than this agrees better than a person does. Raters with fewer than 2 items that
    others rated too are left out; undefined when none remains.
    """
    found = []
    for r in range(len(values)):
        others = np.delete(values, r, axis=0)
        usable = ~np.isnan(values[r]) & ~np.isnan(others).all(axis=0)
        if usable.sum() < 2:
            continue
        agreed = ccc(values[r, usable], np.nanmean(others[:, usable], axis=0))
        if not isinstance(agreed, Undefined):
            found.append(agreed)
    if not found:
        return Undefined("no rater shares 2 items with others")
    return Ceiling(float(np.mean(found)), min(found), max(found), len(found))
