"""The analysis of a listening test: one call from ratings to everything the report prints.

Nothing here is fitted to a study that it has seen: rules, levels and seeds are arguments with
stated defaults. Ratings of excluded raters stay in the file; the figures with them stand beside
the figures without.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from concours.eval.analysis.agreement import reliability
from concours.eval.analysis.comparing import comparisons
from concours.eval.analysis.emotion import Intention, emotion_reports
from concours.eval.analysis.means import IntervalMethod, item_means, system_means
from concours.eval.analysis.planning import study_sizes
from concours.eval.analysis.results import Analysis, Reliability, ScreeningReport
from concours.eval.analysis.screen import screen
from concours.eval.stats.preference import Comparison, fit_preference
from concours.eval.stats.ratings import Ratings, RatingsError
from concours.eval.stats.screening import Flag, Trap, prolific

Method = Literal["acr", "mushra"]
EXCLUDING = ("BS.1534-3 hidden reference", "BS.1534-3 mid anchor", "trap")


def analyze_ratings(
    ratings: Ratings,
    *,
    method: Method = "acr",
    hidden_reference: str | None = None,
    mid_anchor: str | None = None,
    trap_items: Mapping[str, Trap] | None = None,
    participants: Mapping[str, str] | None = None,
    more_flags: Sequence[Flag] = (),
    scale: tuple[float, float] | None = None,
    excluding_rules: Collection[str] = EXCLUDING,
    interval: IntervalMethod = "auto",
    margin: float | None = None,
    half_width: float | None = None,
    neutral: float | None = None,
    intended: tuple[Intention, ...] = (),
    level: float = 0.95,
    seed: int = 0,
) -> Analysis:
    """Screens, estimates, compares.

    ``hidden_reference`` (needed for ``method="mushra"``) and ``mid_anchor`` name conditions;
    ``trap_items`` maps items to the closed range of right answers, and these items enter nothing
    else; ``scale`` gives the ends of the rating scale (each dimension's extremes if left out);
    ``participants`` gives the status of raters on Prolific, whose ids the raters' names are;
    ``more_flags`` are what the source found itself, such as a study's own attention checks;
    ``interval`` chooses the interval that is reported; ``margin`` asks for equivalence tests;
    ``half_width`` for the study sizes that reach such an interval; ``neutral`` and ``intended``
    are about emotion, see :func:`concours.eval.analysis.emotion.emotion_reports`.

    Raises:
        RatingsError: every item is a trap, a named condition doesn't occur, or a value lies
            outside ``scale``.
    """
    _check(ratings, method, hidden_reference, mid_anchor, scale, margin, half_width)
    strict = method == "mushra"
    flags, notes = screen(
        ratings,
        hidden_reference if strict else None,
        mid_anchor if strict else None,
        trap_items or {},
    )
    flags += [*prolific(ratings, participants or {}), *more_flags]
    excluded = tuple(f for f in flags if f.rule in excluding_rules)
    trials = ratings.where(~np.isin(ratings.item, list(trap_items or {})))
    if not len(trials):
        raise RatingsError("every item is a trap; nothing is left to analyse")
    kept = trials.without({f.rater for f in excluded})
    if not len(kept):
        # rules that leave nobody say more about the study than about its raters
        excluded, kept = (), trials
        notes = (*notes, "The rules would exclude every rater, so none was excluded; read flags.")
    systems = system_means(kept, interval=interval, seed=seed, level=level)
    agreed = _agreement(kept, scale)
    before = (
        (system_means(trials, interval=interval, seed=seed, level=level), _agreement(trials, scale))
        if excluded
        else (systems, agreed)
    )
    return Analysis(
        systems=systems,
        items=item_means(kept, level),
        reliability=agreed,
        comparisons=tuple(
            comparisons(kept.select(dimension=d), systems, seed=seed, level=level, margin=margin)
            for d in kept.dimensions
        ),
        screening=ScreeningReport(
            excluded,
            tuple(f for f in flags if f not in excluded),
            tuple(excluding_rules),
            len(trials),
            len(kept),
            *before,
            notes,
        ),
        emotion=emotion_reports(kept, neutral=neutral, intended=intended, level=level),
        power={} if half_width is None else study_sizes(kept, half_width, seed),
        notes=ratings.notes,
        seed=seed,
        level=level,
        half_width=half_width,
    )


def _check(
    ratings: Ratings,
    method: Method,
    hidden_reference: str | None,
    mid_anchor: str | None,
    scale: tuple[float, float] | None,
    margin: float | None,
    half_width: float | None,
) -> None:
    for name, given in (("margin of equivalence", margin), ("half-width", half_width)):
        if given is not None and not given > 0:
            raise RatingsError(f"the {name} must be positive, and {given:g} isn't")
    if method == "mushra" and hidden_reference is None:
        raise RatingsError(
            "MUSHRA needs the name of its hidden reference; the conditions are "
            f"{', '.join(ratings.systems)}"
        )
    for condition in (hidden_reference, mid_anchor):
        if condition is not None and condition not in ratings.systems:
            raise RatingsError(
                f"no condition is called {condition!r}; they are {', '.join(ratings.systems)}"
            )
    if scale is not None:
        low, high = float(ratings.value.min()), float(ratings.value.max())
        if not scale[0] <= low <= high <= scale[1]:
            raise RatingsError(
                f"the ratings run from {low:g} to {high:g}, outside the scale from {scale[0]:g} "
                f"to {scale[1]:g}"
            )


def _agreement(ratings: Ratings, scale: tuple[float, float] | None) -> tuple[Reliability, ...]:
    found = []
    for dimension in ratings.dimensions:
        own = ratings.select(dimension=dimension)
        span = scale or (float(own.value.min()), float(own.value.max()))
        found.append(reliability(own, span))
    return tuple(found)


def with_preferences(
    analysis: Analysis | None,
    preferences: Mapping[str, Sequence[Comparison]],
    *,
    notes: Sequence[str] = (),
    more_flags: Sequence[Flag] = (),
    excluding_rules: Collection[str] = EXCLUDING,
    level: float = 0.95,
    seed: int = 0,
) -> Analysis:
    """The analysis with strengths of each dimension that was asked as a preference.

    Raters whom the analysis excludes, or without one a rule among ``more_flags``, count for
    nothing here either, unless nobody would be left. Without an analysis (a study of preferences
    only) everything else is empty.
    """
    if analysis is None:
        excluded = tuple(f for f in more_flags if f.rule in excluding_rules)
        others = tuple(f for f in more_flags if f.rule not in excluding_rules)
        screening = ScreeningReport(excluded, others, tuple(excluding_rules), 0, 0, (), (), ())
        analysis = Analysis((), (), (), (), screening, (), {}, (), seed, level)
    out = {f.rater for f in analysis.screening.excluded}
    told = [*analysis.notes, *notes]
    fits = {}
    for dimension, given in preferences.items():
        kept = [c for c in given if c.rater not in out]
        if kept and len(kept) < len(given):
            told.append(
                f"{dimension}: {len(given) - len(kept)} of {len(given)} answers are by excluded "
                "raters and were left out."
            )
        fits[dimension] = fit_preference(kept or given, level)
    return replace(analysis, preferences=fits, notes=tuple(told))
