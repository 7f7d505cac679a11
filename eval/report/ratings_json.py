"""The analysis of ratings as JSON-ready data: one place for the names that others build on.

What is undefined is null, with the cause under ``reason`` beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from concours.eval.analysis.results import (
    Analysis,
    Comparisons,
    EmotionReport,
    IntendedAgreement,
    ItemMean,
    Reliability,
    ScreeningReport,
    SystemMean,
)
from concours.eval.listeners.joining import Joined
from concours.eval.listeners.powered import PoweredMean
from concours.eval.stats.emotion import QUADRANTS
from concours.eval.stats.pairs import Pair
from concours.eval.stats.preference import Preference
from concours.eval.stats.screening import Flag
from concours.metrics.spec import Undefined

Json = dict[str, Any]


def analysis_data(
    analysis: Analysis, joined: Joined | None = None, powered: Sequence[PoweredMean] = ()
) -> Json:
    """Everything in the analysis; ``systems``, ``reliability``, ``comparisons`` and
    ``screening`` are fixed names, others may be added."""
    return {
        **({} if joined is None else {"metrics": _joined(joined)}),
        "systems": [
            *(system_row(s) for s in analysis.systems),
            *(row for d, p in analysis.preferences.items() for row in _shares(d, p)),
        ],
        "items": [_item(i) for i in analysis.items],
        "reliability": [_reliability(r) for r in analysis.reliability],
        "comparisons": [_comparisons(c) for c in analysis.comparisons],
        "screening": _screening(analysis.screening),
        "emotion": [_emotion(e) for e in analysis.emotion],
        "power": {d: _power(p) for d, p in analysis.power.items()},
        "preferences": [_preference(d, p, analysis.level) for d, p in analysis.preferences.items()],
        "prediction_powered": [_powered(p) for p in powered],
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
        "q1": s.quartiles[0].q1,
        "median": s.quartiles[0].median,
        "q3": s.quartiles[0].q3,
        "quantiles": s.quartiles[0].method,
        "quartiles": {q.method: {"q1": q.q1, "median": q.median, "q3": q.q3} for q in s.quartiles},
        "intervals": [plain(i) for i in s.intervals],
        "rank": s.rank.rank,
        "rank_low": s.rank.low,
        "rank_high": s.rank.high,
        "reason": s.interval.reason if isinstance(s.interval, Undefined) else "",
    }


def _item(i: ItemMean) -> Json:
    known = None if isinstance(i.interval, Undefined) else i.interval
    return {
        "system": i.system,
        "item": i.item,
        "dimension": i.dimension,
        "mean": i.mean,
        "ci_low": known and plain(known.ci_low),
        "ci_high": known and plain(known.ci_high),
        "method": known and known.method,
        "sd": plain(i.sd),
        "n_ratings": i.n_ratings,
        "reason": i.interval.reason if isinstance(i.interval, Undefined) else "",
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
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
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
        **_stated("mixed_model", c.mixed_model),
        **_stated("ordinal_model", c.ordinal_model),
    }


def _pair(p: Pair) -> Json:
    row: Json = {
        name: plain(getattr(p, name))
        for name in (
            "first", "second", "difference", "ci_low", "ci_high", "se", "df", "p", "p_holm",
            "method", "blocks",
        )
    }  # fmt: skip
    for name, test, adjusted in (
        ("rank_test", p.rank_test, p.rank_p_holm),
        ("permutation", p.permutation, p.permutation_p_holm),
        ("equivalence", p.equivalence, p.equivalence_p_holm),
    ):
        row |= _stated(name, test)
        if row[name] is not None:
            row[name]["p_holm"] = plain(adjusted)
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
        "reliability_before": [_reliability(r) for r in s.reliability_before],
        "notes": list(s.notes),
    }


def _emotion(e: EmotionReport) -> Json:
    found: Json = {"frame": e.frame, "neutral": e.neutral, "ellipses": {}, "ceilings": {}}
    for system, ellipse in e.ellipses.items():
        found["ellipses"] |= _stated(system, ellipse)
    for dimension, ceiling in e.ceilings.items():
        found["ceilings"] |= _stated(dimension, ceiling)
    found["intended"] = None if e.intended is None else _intended(e.intended)
    return found


def _intended(i: IntendedAgreement) -> Json:
    axes = {}
    for name, a in i.axes.items():
        axes[name] = {
            **_stated("ccc", a.ccc),
            **_stated("pearson", a.pearson),
            "rmse": a.rmse,
            "baseline_ccc": a.baseline,
            "baseline_rmse": a.baseline_rmse,
            **_stated("ceiling", a.ceiling),
            "n_items": a.n_items,
        }
    quadrants = _stated("quadrants", i.quadrants)
    if not isinstance(i.quadrants, Undefined):
        quadrants["quadrants"]["confusion"] = i.quadrants.confusion.tolist()
        quadrants["quadrants"]["labels"] = list(QUADRANTS)
        quadrants["quadrants"] |= _stated("ceiling_accuracy", i.ceiling_quadrant_accuracy)
    return {
        "axes": axes,
        **quadrants,
        "n_items": i.n_items,
        "without_intention": i.without_intention,
    }


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


def _preference(dimension: str, p: Preference | Undefined, level: float) -> Json:
    if isinstance(p, Undefined):
        return {"dimension": dimension, "connected": False, "strengths": None, "reason": p.reason}
    return {
        "dimension": dimension,
        "connected": True,
        "model": "Davidson" if p.tie is not None else "Bradley-Terry",
        "strengths": [plain(s) for s in p.strengths],
        "pairs": [plain(q) for q in p.pairs(level)],
        "tie": plain(p.tie),
        "method": p.method,
        "n_comparisons": p.n_comparisons,
        "n_raters": p.n_raters,
        "reason": "",
    }


def _powered(p: PoweredMean) -> Json:
    row: Json = {"system": p.system, "dimension": p.dimension, "metric": p.metric}
    if isinstance(p.found, Undefined):
        return {**row, "mean": None, "ci_low": None, "ci_high": None, "reason": p.found.reason}
    own = p.found.interval
    return {
        **row,
        "mean": own.mean,
        "ci_low": own.ci_low,
        "ci_high": own.ci_high,
        "method": own.method,
        "ratings_only": plain(p.found.ratings_only),
        "slope": p.found.slope,
        "n_ratings": own.n_ratings,
        "n_rated": own.n_items,
        "n_scored": p.found.n_scored,
        "saved": p.found.saved,
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
            {
                "dimension": c.dimension,
                "first": c.first,
                "second": c.second,
                **plain(c.better),
                "p_holm": plain(c.p_holm),
            }
            for c in joined.contests
        ],
        "unmeasured": dict(joined.unmeasured),
    }
