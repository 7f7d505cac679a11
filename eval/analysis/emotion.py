"""Emotion: where listeners put each system, and whether they heard what was intended.

The axes are the dimensions named valence and arousal, with the frame that our own studies add,
as in "valence (perceived)".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import NamedTuple

import numpy as np

from concours.eval.analysis.results import AxisAgreement, EmotionReport, IntendedAgreement
from concours.eval.stats.emotion import (
    Ceiling,
    Ellipse,
    ccc,
    ellipse,
    quadrant,
    quadrant_agreement,
    rater_ceiling,
)
from concours.eval.stats.ratings import Floats, Ratings, has_repeats
from concours.eval.stats.screening import stimulus_table
from concours.metrics.spec import Undefined

AXES = ("valence", "arousal")


class Intention(NamedTuple):
    """What a piece was meant to express; an axis is NaN where only ``quadrant`` (0 to 3) is known.

    ``system`` is "" where every system had the same intention for ``item``.
    """

    system: str
    item: str
    valence: float
    arousal: float
    quadrant: int


def emotion_reports(
    ratings: Ratings,
    *,
    neutral: float | None = None,
    intended: tuple[Intention, ...] = (),
    level: float = 0.95,
) -> tuple[EmotionReport, ...]:
    """One report for each frame that has both axes.

    ``neutral`` divides the quadrants: 0 if left out and some value is negative, else the middle
    between the smallest and the largest value.
    """
    return tuple(
        _report(
            frame,
            {a: ratings.select(dimension=d) for a, d in axes.items()},
            neutral,
            intended,
            level,
        )
        for frame, axes in _frames(ratings).items()
    )


def _frames(ratings: Ratings) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for dimension in ratings.dimensions:
        name, _, rest = dimension.partition(" (")
        if name.lower() in AXES and (not rest or rest.endswith(")")):
            found.setdefault(rest.removesuffix(")"), {})[name.lower()] = dimension
    return {f: axes for f, axes in found.items() if len(axes) == len(AXES)}


def _report(
    frame: str,
    axes: Mapping[str, Ratings],
    neutral: float | None,
    intended: tuple[Intention, ...],
    level: float,
) -> EmotionReport:
    if neutral is None:
        values = np.concatenate([a.value for a in axes.values()])
        low, high = float(values.min()), float(values.max())
        neutral = 0.0 if low < 0 else (low + high) / 2
    ellipses: dict[str, Ellipse | Undefined] = {}
    for system in axes["valence"].systems:
        points = [_by_unit(axes[a].select(system=system)) for a in AXES]
        shared = sorted(points[0].keys() & points[1].keys())
        valence, arousal = ([p[u] for u in shared] for p in points)
        ellipses[system] = ellipse(valence, arousal, level)
    ceilings: dict[str, Ceiling | Undefined] = {}
    for name in AXES:
        axis = axes[name]
        if axis.has_raters and not has_repeats(axis):
            ceilings[name] = rater_ceiling(stimulus_table(axis).values)
        else:
            ceilings[name] = Undefined("a ceiling needs one rating of each stimulus by each rater")
    against = _against(axes, ceilings, neutral, intended) if intended else None
    return EmotionReport(frame, neutral, ellipses, ceilings, against)


def _by_unit(ratings: Ratings) -> dict[str, float]:
    unit = ratings.rater if ratings.has_raters else ratings.item
    return {str(u): float(ratings.value[unit == u].mean()) for u in np.unique(unit)}


def _against(
    axes: Mapping[str, Ratings],
    ceilings: Mapping[str, Ceiling | Undefined],
    neutral: float,
    intended: tuple[Intention, ...],
) -> IntendedAgreement:
    meant = {(i.system, i.item): i for i in intended}
    rated = [_clip_means(axes[a]) for a in AXES]
    clips = sorted(rated[0].keys() & rated[1].keys())
    pairs = [(c, m) for c in clips if (m := _meant(meant, *c)) is not None]
    agreements = {}
    for a, name in enumerate(AXES):
        meant_here = [(c, (m.valence, m.arousal)[a]) for c, m in pairs]
        own = [(rated[a][c], value) for c, value in meant_here if not math.isnan(value)]
        if own:
            y, x = np.array(own).T
            agreements[name] = _axis(y, x, ceilings[name])
    heard = quadrant(*([rated[a][c] - neutral for c, _ in pairs] for a in range(2)))
    return IntendedAgreement(
        agreements,
        quadrant_agreement(np.array([m.quadrant for _, m in pairs], dtype=np.int64), heard),
        _quadrant_ceiling(axes, neutral),
        len(pairs),
        len(clips) - len(pairs),
    )


def _clip_means(axis: Ratings) -> dict[tuple[str, str], float]:
    values: dict[tuple[str, str], list[float]] = {}
    rows = zip(axis.system.tolist(), axis.item.tolist(), axis.value.tolist(), strict=True)
    for system, item, value in rows:
        values.setdefault((system, item), []).append(value)
    return {k: float(np.mean(v)) for k, v in values.items()}


def _meant(meant: Mapping[tuple[str, str], Intention], system: str, item: str) -> Intention | None:
    """By name, or by the file's name without its ending."""
    for name in (item, PurePath(item).stem):
        for who in (system, ""):
            if (who, name) in meant:
                return meant[who, name]
    return None


def _axis(rated: Floats, meant: Floats, ceiling: Ceiling | Undefined) -> AxisAgreement:
    spreads = float(rated.std()), float(meant.std())
    r: float | Undefined = Undefined("one side is constant")
    if min(spreads) > 0:
        r = float(np.corrcoef(rated, meant)[0, 1])
    return AxisAgreement(
        ccc(meant, rated),
        r,
        float(np.sqrt(np.mean((rated - meant) ** 2))),
        0.0,
        spreads[0],
        ceiling,
        len(rated),
    )


def _quadrant_ceiling(axes: Mapping[str, Ratings], neutral: float) -> float | Undefined:
    """The share of ratings in the quadrant of the mean of the clip's other raters."""
    if not all(a.has_raters for a in axes.values()):
        return Undefined("raters are unknown")
    given: dict[tuple[str, str], dict[str, list[float]]] = {}
    for name in AXES:
        a = axes[name]
        rows = zip(
            a.system.tolist(), a.item.tolist(), a.rater.tolist(), a.value.tolist(), strict=True
        )
        for system, item, rater, value in rows:
            given.setdefault((system, item), {}).setdefault(rater, []).append(value - neutral)
    hits, n = 0, 0
    for raters in given.values():
        points = np.array([p for p in raters.values() if len(p) == len(AXES)])
        if len(points) < 2:
            continue
        others = (points.sum(axis=0) - points) / (len(points) - 1)
        hits += int(np.sum(quadrant(*points.T) == quadrant(*others.T)))
        n += len(points)
    return hits / n if n else Undefined("no clip has two raters")
