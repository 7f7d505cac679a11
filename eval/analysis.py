"""The analysis of a listening test: one call from ratings to everything the report prints.

Nothing here is fitted to a study that it has seen: rules, levels and seeds are arguments with
stated defaults. Ratings of excluded raters stay in the file; the figures with them stand beside
the figures without.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from concours.eval.stats.compare import Friedman, groups
from concours.eval.stats.emotion import Ceiling, Ellipse, ellipse, rater_ceiling
from concours.eval.stats.mos import Interval, system_mos
from concours.eval.stats.pairs import Pair, compare_systems, overall_test
from concours.eval.stats.power import Components, Design, components, plan
from concours.eval.stats.preference import Comparison, Preference, fit_preference
from concours.eval.stats.quantiles import Quartiles, quartiles
from concours.eval.stats.ranks import RankInterval, rank_intervals
from concours.eval.stats.ratings import Ratings, RatingsError, cross, has_repeats
from concours.eval.stats.reliability import (
    IccInterval,
    IccMixed,
    Measurement,
    icc2_interval,
    icc_mixed,
    krippendorff_alpha,
)
from concours.eval.stats.resample import joint_means
from concours.eval.stats.screening import (
    Flag,
    Trap,
    bs1534,
    bt500,
    model_outliers,
    no_variance,
    prolific,
    stimulus_table,
    straight_lining,
    traps,
)
from concours.eval.stats.sos import sos_parameter
from concours.eval.stats.subject_model import subject_model
from concours.metrics.spec import Undefined

Method = Literal["acr", "mushra"]
LEVELS: tuple[Measurement, ...] = ("nominal", "ordinal", "interval", "ratio")
EXCLUDING = ("BS.1534-3 hidden reference", "BS.1534-3 mid anchor", "trap")


@dataclass(frozen=True)
class SystemMean:
    """One system on one dimension; ``interval`` is undefined where only ``mean`` is known."""

    system: str
    dimension: str
    mean: float
    sd: float | None
    quartiles: Quartiles
    interval: Interval | Undefined
    rank: RankInterval
    n_ratings: int
    n_raters: int
    n_items: int


@dataclass(frozen=True)
class Reliability:
    """Agreement about stimuli on one dimension; ``sos`` is the a of the SOS hypothesis."""

    dimension: str
    icc21: IccInterval | Undefined
    icc2k: IccInterval | Undefined
    components: IccMixed | Undefined
    alpha: Mapping[Measurement, float | Undefined]
    sos: float | Undefined


@dataclass(frozen=True)
class Comparisons:
    """All pairs on one dimension; ``groups`` are systems that can't be told apart, best first."""

    dimension: str
    overall: Friedman | Undefined
    pairs: tuple[Pair, ...] | Undefined
    groups: tuple[tuple[str, ...], ...]
    alpha: float


@dataclass(frozen=True)
class ScreeningReport:
    """``excluded`` and ``flagged`` partition the flags by whether their rule excludes."""

    excluded: tuple[Flag, ...]
    flagged: tuple[Flag, ...]
    excluding_rules: tuple[str, ...]
    n_ratings_before: int
    n_ratings: int
    systems_before: tuple[SystemMean, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class EmotionReport:
    """For dimensions named valence and arousal: where listeners put each system."""

    ellipses: Mapping[str, Ellipse | Undefined]
    ceilings: Mapping[str, Ceiling | Undefined]


@dataclass(frozen=True)
class Analysis:
    systems: tuple[SystemMean, ...]
    reliability: tuple[Reliability, ...]
    comparisons: tuple[Comparisons, ...]
    screening: ScreeningReport
    emotion: EmotionReport | None
    power: Mapping[str, tuple[Components, tuple[Design, ...] | Undefined] | Undefined]
    notes: tuple[str, ...]
    seed: int
    level: float
    preferences: Mapping[str, Preference | Undefined] = field(default_factory=dict)


def analyze_ratings(
    ratings: Ratings,
    *,
    method: Method = "acr",
    hidden_reference: str | None = None,
    mid_anchor: str | None = None,
    trap_items: Mapping[str, Trap] | None = None,
    participants: Mapping[str, str] | None = None,
    scale: tuple[float, float] | None = None,
    excluding_rules: Collection[str] = EXCLUDING,
    margin: float | None = None,
    half_width: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Analysis:
    """Screens, estimates, compares.

    ``hidden_reference`` (needed for ``method="mushra"``) and ``mid_anchor`` name conditions;
    ``trap_items`` maps items to the closed range of right answers, and these items enter nothing
    else; ``scale`` gives the ends of the rating scale (the values' extremes if left out);
    ``participants`` gives the status of raters on Prolific, whose ids the raters' names are;
    ``margin`` asks for equivalence tests; ``half_width`` for the study sizes that reach such an
    interval.

    Raises:
        RatingsError: every item is a trap, or a named condition doesn't occur.
    """
    if margin is not None and not margin > 0:
        raise RatingsError(f"the margin of equivalence must be positive, and {margin:g} isn't")
    if method == "mushra" and hidden_reference is None:
        raise RatingsError(
            "MUSHRA needs the name of its hidden reference; the conditions are "
            f"{', '.join(ratings.systems)}"
        )
    for name in (hidden_reference, mid_anchor):
        if name is not None and name not in ratings.systems:
            raise RatingsError(
                f"no condition is called {name!r}; they are {', '.join(ratings.systems)}"
            )
    strict = method == "mushra"
    flags, notes = _screen(
        ratings,
        hidden_reference if strict else None,
        mid_anchor if strict else None,
        trap_items or {},
    )
    flags += prolific(ratings, participants or {})
    excluded = tuple(f for f in flags if f.rule in excluding_rules)
    trials = ratings.where(~np.isin(ratings.item, list(trap_items or {})))
    if not len(trials):
        raise RatingsError("every item is a trap; nothing is left to analyse")
    kept = trials.without({f.rater for f in excluded})
    if not len(kept):
        # rules that leave nobody say more about the study than about its raters
        excluded, kept = (), trials
        notes = (*notes, "The rules would exclude every rater, so none was excluded; read flags.")
    estimate = _estimator(seed, level)
    systems = estimate(kept)
    span = scale or (float(kept.value.min()), float(kept.value.max()))
    return Analysis(
        systems=systems,
        reliability=tuple(_reliability(kept.select(dimension=d), span) for d in kept.dimensions),
        comparisons=tuple(
            _comparisons(kept.select(dimension=d), systems, seed, level, margin)
            for d in kept.dimensions
        ),
        screening=ScreeningReport(
            excluded,
            tuple(f for f in flags if f not in excluded),
            tuple(excluding_rules),
            len(trials),
            len(kept),
            estimate(trials) if excluded else systems,
            notes,
        ),
        emotion=_emotion(kept),
        power={} if half_width is None else _power(kept, half_width, seed),
        notes=ratings.notes,
        seed=seed,
        level=level,
    )


def with_preferences(
    analysis: Analysis | None,
    preferences: Mapping[str, Sequence[Comparison]],
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Analysis:
    """The analysis with strengths of each dimension that was asked as a preference.

    Without an analysis (a study of preferences only) everything else is empty.
    """
    if analysis is None:
        empty = ScreeningReport((), (), (), 0, 0, (), ())
        analysis = Analysis((), (), (), empty, None, {}, (), seed, level)
    fits = {d: fit_preference(c, level) for d, c in preferences.items()}
    return replace(analysis, preferences=fits)


def _screen(
    ratings: Ratings,
    hidden_reference: str | None,
    mid_anchor: str | None,
    trap_items: Mapping[str, Trap],
) -> tuple[list[Flag], tuple[str, ...]]:
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


def _estimator(seed: int, level: float) -> Callable[[Ratings], tuple[SystemMean, ...]]:
    def estimate(ratings: Ratings) -> tuple[SystemMean, ...]:
        rows = []
        for dimension in ratings.dimensions:
            own = ratings.select(dimension=dimension)
            parts = [own.select(system=s) for s in own.systems]
            intervals = [system_mos(p, level) for p in parts]
            means = [
                float(p.value.mean()) if isinstance(m, Undefined) else m.mean
                for p, m in zip(parts, intervals, strict=True)
            ]
            ranks = rank_intervals(means, joint_means(own, seed=seed), level=level)
            for part, interval, mean, rank in zip(parts, intervals, means, ranks, strict=True):
                n = len(part)
                rows.append(
                    SystemMean(
                        part.systems[0],
                        dimension,
                        mean,
                        float(part.value.std(ddof=1)) if n > 1 else None,
                        quartiles(part.value),
                        interval,
                        rank,
                        n,
                        len(part.raters),
                        len(set(part.item.tolist())),
                    )
                )
        return tuple(rows)

    return estimate


def _reliability(ratings: Ratings, span: tuple[float, float]) -> Reliability:
    dimension = ratings.dimensions[0]
    stimulus = ratings.stimulus
    groups_ = [ratings.value[stimulus == s] for s in np.unique(stimulus)]
    several = [g for g in groups_ if len(g) > 1]
    sos: float | Undefined = Undefined("no stimulus has two ratings")
    if several:
        means, variances = [g.mean() for g in several], [g.var(ddof=1) for g in several]
        sos = sos_parameter(means, variances, *span)
    alpha: dict[Measurement, float | Undefined] = {}
    table = _alpha_table(groups_)
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


def _alpha_table(groups_: list[np.ndarray]) -> np.ndarray:
    """Alpha pairs ratings within a stimulus and never asks whose they are, so rows may be any."""
    most = max(len(g) for g in groups_)
    table = np.full((most, len(groups_)), np.nan)
    for column, group in enumerate(groups_):
        table[: len(group), column] = group
    return table


def _comparisons(
    ratings: Ratings,
    systems: tuple[SystemMean, ...],
    seed: int,
    level: float,
    margin: float | None,
) -> Comparisons:
    dimension = ratings.dimensions[0]
    own = sorted((s for s in systems if s.dimension == dimension), key=lambda s: -s.mean)
    order = [s.system for s in own]
    try:
        pairs = compare_systems(ratings, seed=seed, margin=margin, level=level)
    except RatingsError as error:
        pairs = Undefined(str(error))
    if isinstance(pairs, Undefined):
        return Comparisons(dimension, overall_test(ratings), pairs, (), 1 - level)
    apart = [(p.first, p.second) for p in pairs if p.p_holm <= 1 - level]
    cliques = tuple(tuple(g) for g in groups(order, apart))
    return Comparisons(dimension, overall_test(ratings), tuple(pairs), cliques, 1 - level)


def _emotion(ratings: Ratings) -> EmotionReport | None:
    named = {d.lower(): d for d in ratings.dimensions}
    if not {"valence", "arousal"} <= named.keys():
        return None
    axes = [ratings.select(dimension=named[k]) for k in ("valence", "arousal")]
    ellipses: dict[str, Ellipse | Undefined] = {}
    for system in ratings.systems:
        points = []
        for axis in axes:
            own = axis.select(system=system)
            unit = own.rater if own.has_raters else own.item
            points.append({str(u): float(own.value[unit == u].mean()) for u in np.unique(unit)})
        shared = sorted(points[0].keys() & points[1].keys())
        valence, arousal = ([p[u] for u in shared] for p in points)
        ellipses[system] = ellipse(valence, arousal)
    ceilings: dict[str, Ceiling | Undefined] = {}
    for name, axis in zip(("valence", "arousal"), axes, strict=True):
        if axis.has_raters and not has_repeats(axis):
            ceilings[name] = rater_ceiling(stimulus_table(axis).values)
        else:
            ceilings[name] = Undefined("a ceiling needs one rating of each stimulus by each rater")
    return EmotionReport(ellipses, ceilings)


def _power(
    ratings: Ratings, half_width: float, seed: int
) -> dict[str, tuple[Components, tuple[Design, ...] | Undefined] | Undefined]:
    """Study sizes by dimension, for the mean over systems of the variance components."""
    found: dict[str, tuple[Components, tuple[Design, ...] | Undefined] | Undefined] = {}
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
