"""Metrics beside listeners: which follow them, and means that lean on one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from concours.eval.listeners.joining import Joined, Predictor
from concours.eval.listeners.powered import PoweredMean
from concours.eval.report.ratings_parts import (
    Cell,
    Column,
    Section,
    Table,
    number,
    probability,
    span,
    table,
)
from concours.eval.stats.correlate import FEWEST_SYSTEMS, Scope
from concours.metrics.spec import Undefined

NOTE = (
    "Spearman correlations of metrics with mean ratings, over all clips and within systems (each "
    "system's mean taken out). Bold: q at most 0.05 (Benjamini and Hochberg over the metrics). A "
    "metric that follows listeners over all clips and not within systems tells systems apart; it "
    "doesn't tell a better piece of one system from a worse."
)
POWERED_NOTE = (
    "Prediction-powered means: the ratings corrected by how far the rated items' scores lie from "
    "those of the unrated ones. Valid whatever the metric knows, where the rated items were a "
    "random choice and the metric was chosen beforehand."
)


def metric_sections(joined: Joined | None) -> list[Section]:
    if joined is None:
        return []
    spearman = [p for p in joined.predictors if p.correlation.kind == "spearman"]
    at = {(p.dimension, p.metric, p.correlation.scope): p for p in spearman}
    tables = []
    for dimension in dict.fromkeys(p.dimension for p in spearman):
        own = [p for p in spearman if p.dimension == dimension and p.correlation.scope == "clip"]
        own.sort(key=lambda p: (-abs(p.correlation.value), p.metric))
        tables.append(_correlations(dimension, own, at))
    tables += _contests(joined)
    matched = f"{joined.n_clips} clips were matched."
    return [
        Section("Which metrics follow the listeners", (NOTE, matched, *joined.notes), tuple(tables))
    ]


def _correlations(
    dimension: str, own: Sequence[Predictor], at: Mapping[tuple[str, str, Scope], Predictor]
) -> Table:
    rows: list[list[str | Cell]] = []
    for p in own:
        clean = p.disattenuated
        rows.append(
            [
                p.metric,
                str(p.correlation.n),
                *_cells(p),
                "–" if isinstance(clean, Undefined) else number(clean),
                *_cells(at.get((dimension, p.metric, "within"))),
                *_cells(at.get((dimension, p.metric, "system"))),
            ]
        )
    columns = [
        "Metric", "Clips", "All clips", "95% interval", "q", "Disattenuated", "Within systems",
        "95% interval", "q", "Systems", "95% interval", "q",
    ]  # fmt: skip
    few = f"Below {FEWEST_SYSTEMS} systems there is no interval over systems."
    return table(f"Metrics against listeners, {dimension}: Spearman's rho. {few}", columns, rows)


def _cells(p: Predictor | None) -> list[str | Cell]:
    if p is None:
        return ["–", "–", "–"]
    c = p.correlation
    found = p.q <= 0.05
    return [Cell(number(c.value), found), span(c.ci_low, c.ci_high), probability(p.q)]


def _contests(joined: Joined) -> list[Table]:
    if not joined.contests:
        return []
    columns: list[str | Column] = [
        "Dimension", Column("Closest metric", False), Column("Against", False), "Closer by",
        "95% interval", "p", "p, Holm",
    ]  # fmt: skip
    rows = [
        [c.dimension, c.first, c.second, number(c.better.difference),
         span(c.better.ci_low, c.better.ci_high), probability(c.better.p),
         probability(c.p_holm)]
        for c in joined.contests
    ]  # fmt: skip
    caption = (
        "Is the metric that follows a dimension most closely really closer than the next ones? "
        "Difference of the absolute Spearman correlations over all clips, by paired bootstrap."
    )
    return [table(caption, columns, rows, folded=True)]


def powered_sections(powered: Sequence[PoweredMean]) -> list[Section]:
    if not powered:
        return []
    rows: list[list[str | Cell]] = []
    reasons: dict[str, list[str]] = {}
    for p in powered:
        if isinstance(p.found, Undefined):
            where = f"{p.system} on {p.dimension} by {p.metric}"
            reasons.setdefault(p.found.reason, []).append(where)
            continue
        plain, own = p.found.ratings_only, p.found.interval
        rows.append(
            [p.dimension, p.system, p.metric, number(own.mean), span(own.ci_low, own.ci_high),
             number(plain.mean), span(plain.ci_low, plain.ci_high), str(own.n_items),
             str(p.found.n_scored), str(p.found.saved)]
        )  # fmt: skip
    columns: list[str | Column] = [
        "Dimension", Column("System", False), Column("Metric", False), "Mean", "95% interval",
        "Ratings alone", "95% interval", "Rated items", "Unrated items", "Ratings saved",
    ]  # fmt: skip
    after = tuple(f"No mean for {'; '.join(w)}: {reason}." for reason, w in reasons.items())
    tables = (table("Prediction-powered means.", columns, rows),) if rows else ()
    return [Section("Means with the help of a metric", (POWERED_NOTE,), tables, after)]
