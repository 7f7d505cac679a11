"""The analysis of ratings as JSON-ready data: one place for the names that others build on.

What is undefined is null, with the cause under ``reason`` beside it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from concours.eval.analysis import (
    Analysis,
    Comparisons,
    EmotionReport,
    Reliability,
    ScreeningReport,
    SystemMean,
)
from concours.eval.joining import Joined
from concours.eval.stats.pairs import Pair
from concours.eval.stats.preference import Preference
from concours.eval.stats.screening import Flag
from concours.metrics.spec import Undefined

Json = dict[str, Any]


def analysis_data(analysis: Analysis, joined: Joined | None = None) -> Json:
    """Everything in the analysis; ``systems``, ``reliability``, ``comparisons`` and
    ``screening`` are fixed names, others may be added."""
    return {
        **({} if joined is None else {"metrics": _joined(joined)}),
        "systems": [
            *(system_row(s) for s in analysis.systems),
            *(row for d, p in analysis.preferences.items() for row in _shares(d, p)),
        ],
        "reliability": [_reliability(r) for r in analysis.reliability],
        "comparisons": [_comparisons(c) for c in analysis.comparisons],
        "screening": _screening(analysis.screening),
        "emotion": None if analysis.emotion is None else _emotion(analysis.emotion),
        "power": {d: _power(p) for d, p in analysis.power.items()},
        "preferences": [_preference(d, p) for d, p in analysis.preferences.items()],
        "notes": list(analysis.notes),
        "level": analysis.level,
        "seed": analysis.seed,
    }


def system_row(s: SystemMean) -> Json:
    known = None if isinstance(s.interval, Undefined) else s.interval
    return {
        "system": s.system,
        "dimension": s.dimension,
        "mean": s.mean,
        "ci_low": known and plain(known.ci_low),
        "ci_high": known and plain(known.ci_high),
        "method": known and known.method,
        "n_ratings": s.n_ratings,
        "n_raters": s.n_raters,
        "n_items": s.n_items,
        "sd": plain(s.sd),
        "q1": s.quartiles.q1,
        "median": s.quartiles.median,
        "q3": s.quartiles.q3,
        "quantiles": s.quartiles.method,
        "rank": s.rank.rank,
        "rank_low": s.rank.low,
        "rank_high": s.rank.high,
        "reason": s.interval.reason if isinstance(s.interval, Undefined) else "",
    }


def plain(value: Any) -> Any:
    """Numbers as JSON has them (None for what isn't finite), named tuples as objects."""
    if value is None or isinstance(value, Undefined):
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "_asdict"):
        return {k: plain(v) for k, v in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    return value


def _stated(name: str, value: object) -> Json:
    """``{name: value}``, or null and ``name_reason`` where it is undefined."""
    if isinstance(value, Undefined):
        return {name: None, f"{name}_reason": value.reason}
    return {name: plain(value)}


def _reliability(r: Reliability) -> Json:
    alpha: Json = {}
    for level, value in r.alpha.items():
        alpha |= _stated(level, value)
    return {
        "dimension": r.dimension,
        **_stated("icc21", r.icc21),
        **_stated("icc2k", r.icc2k),
        **_stated("variance_components", r.components),
        "krippendorff_alpha": alpha,
        **_stated("sos", r.sos),
    }


def _comparisons(c: Comparisons) -> Json:
    return {
        "dimension": c.dimension,
        "alpha": c.alpha,
        **_stated("friedman", c.overall),
        "pairs": [] if isinstance(c.pairs, Undefined) else [_pair(p) for p in c.pairs],
        "reason": c.pairs.reason if isinstance(c.pairs, Undefined) else "",
        "groups": [list(g) for g in c.groups],
    }


def _pair(p: Pair) -> Json:
    row: Json = {
        name: plain(getattr(p, name))
        for name in (
            "first", "second", "difference", "ci_low", "ci_high", "se", "df", "p", "p_holm",
            "method", "blocks",
        )
    }  # fmt: skip
    for name, test in (("rank_test", p.rank_test), ("permutation", p.permutation)):
        row |= _stated(name, test)
    row |= _stated("equivalence", p.equivalence)
    return row


def _flag(f: Flag) -> Json:
    return {k: plain(v) for k, v in f._asdict().items()}


def _screening(s: ScreeningReport) -> Json:
    return {
        "excluded": [_flag(f) for f in s.excluded],
        "flagged": [_flag(f) for f in s.flagged],
        "excluding_rules": list(s.excluding_rules),
        "n_ratings_before": s.n_ratings_before,
        "n_ratings": s.n_ratings,
        "systems_before": [system_row(r) for r in s.systems_before],
        "notes": list(s.notes),
    }


def _emotion(e: EmotionReport) -> Json:
    found: Json = {"ellipses": {}, "ceilings": {}}
    for system, ellipse in e.ellipses.items():
        found["ellipses"] |= _stated(system, ellipse)
    for dimension, ceiling in e.ceilings.items():
        found["ceilings"] |= _stated(dimension, ceiling)
    return found


def _shares(dimension: str, p: Preference | Undefined) -> list[Json]:
    """Strengths as rows of systems: the chance to be preferred to an average opponent."""
    if isinstance(p, Undefined):
        return []
    return [
        {
            "system": s.system,
            "dimension": f"preferred: {dimension}",
            "mean": s.strength / (1 + s.strength),
            "ci_low": s.ci_low / (1 + s.ci_low),
            "ci_high": s.ci_high / (1 + s.ci_high),
            "method": f"{'Davidson' if p.tie is not None else 'Bradley-Terry'}, {p.method}",
            "n_ratings": p.n_comparisons,
            "n_raters": p.n_raters,
            "n_items": None,
            "reason": "",
        }
        for s in p.strengths
    ]


def _preference(dimension: str, p: Preference | Undefined) -> Json:
    if isinstance(p, Undefined):
        return {"dimension": dimension, "strengths": None, "reason": p.reason}
    return {
        "dimension": dimension,
        "strengths": [plain(s) for s in p.strengths],
        "tie": plain(p.tie),
        "method": p.method,
        "n_comparisons": p.n_comparisons,
        "n_raters": p.n_raters,
        "reason": "",
    }


def _power(p: Any) -> Json:
    if isinstance(p, Undefined):
        return {"designs": None, "reason": p.reason}
    components, designs = p
    return {"variances": plain(components), **_stated("designs", designs)}


def _joined(joined: Joined) -> Json:
    reliability: Json = {}
    for dimension, value in joined.reliability.items():
        reliability |= _stated(dimension, value)
    return {
        "n_clips": joined.n_clips,
        "notes": list(joined.notes),
        "mos_reliability": reliability,
        "predictors": [
            {
                "metric": p.metric,
                "dimension": p.dimension,
                **plain(p.correlation),
                "q": plain(p.q),
                **_stated("disattenuated", p.disattenuated),
            }
            for p in joined.predictors
        ],
        "contests": [
            {"dimension": c.dimension, "first": c.first, "second": c.second, **plain(c.better)}
            for c in joined.contests
        ],
        "unmeasured": dict(joined.unmeasured),
    }


class Line(NamedTuple):
    """One system of a printed table: texts, already rounded."""

    system: str
    mean: str
    interval: str
    rank: str
    ratings: str
    raters: str
    items: str
    best: bool


def lines(analysis: Analysis, dimension: str) -> list[Line]:
    """The systems of one dimension, best first, as texts.

    Best are the systems of the first group: those that can't be told from the highest mean. With
    no comparison nobody is.
    """
    own = sorted(
        (s for s in analysis.systems if s.dimension == dimension), key=lambda s: (-s.mean, s.system)
    )
    comparison = next(c for c in analysis.comparisons if c.dimension == dimension)
    separated = len(comparison.groups) > 1
    top = {s for g in comparison.groups if own[0].system in g for s in g} if separated else set()
    digits = places(own)
    return [
        Line(
            s.system,
            f"{s.mean:.{digits}f}",
            "–"
            if isinstance(s.interval, Undefined)
            else f"{s.interval.ci_low:.{digits}f}, {s.interval.ci_high:.{digits}f}",
            f"{s.rank.low}–{s.rank.high}" if s.rank.low < s.rank.high else f"{s.rank.low}",
            str(s.n_ratings),
            str(s.n_raters) if s.n_raters else "?",
            str(s.n_items),
            s.system in top,
        )
        for s in own
    ]


def places(rows: list[SystemMean]) -> int:
    """Decimals that leave the interval's half-width one or two digits."""
    halves = [
        (s.interval.ci_high - s.interval.ci_low) / 2
        for s in rows
        if not isinstance(s.interval, Undefined) and s.interval.ci_high > s.interval.ci_low
    ]
    if not halves:
        return 2
    return min(4, max(0, 1 - math.floor(math.log10(sorted(halves)[len(halves) // 2]))))
