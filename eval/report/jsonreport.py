"""The whole report as JSON: the leaderboard in long form, the metrics, the systems, their items."""

from __future__ import annotations

import json
import math
from typing import Any

from concours.eval.report.axes import Axis, axes
from concours.eval.report.model import Benchmark, Column, Item, Overall, Refusal, Report, System
from concours.eval.report.rows import Row, rows


def to_json(report: Report) -> str:
    """``{"manifest", "benchmarks": [{"name", "reference", "rows", "comparisons", "overall",
    "refusals", "metrics", "systems"}]}``.

    Values that do not exist are null, and so are infinite ends of a range.
    """
    content = {
        "manifest": report.manifest,
        "benchmarks": [_benchmark(b) for b in report.benchmarks],
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _benchmark(benchmark: Benchmark) -> dict[str, Any]:
    return {
        "name": benchmark.name,
        "reference": benchmark.reference,
        "rows": [_row(row) for row in rows(benchmark)],
        "comparisons": [vars(c) for c in benchmark.contests],
        "overall": _overall(benchmark.overall),
        "refusals": [_refusal(r) for r in benchmark.refusals],
        "metrics": [_metric(c) for c in benchmark.columns],
        "systems": [_system(s, benchmark) for s in benchmark.systems],
    }


def _row(row: Row) -> dict[str, Any]:
    cell = row.cell
    return {
        "system": row.system.name,
        "is_reference": row.system.is_reference,
        "metric": cell.metric,
        "value": cell.value,
        "ci_low": cell.ci_low,
        "ci_high": cell.ci_high,
        "n": cell.n,
        "n_undefined": cell.n_undefined,
        "status": cell.status,
        "reason": cell.reason,
        "direction": cell.direction,
        "gap": cell.gap,
        "rank": cell.rank,
        "rank_low": cell.rank_low,
        "rank_high": cell.rank_high,
        "group": cell.group,
        "leads": cell.leads,
        "unranked": cell.unranked,
        "n_clusters": cell.n_clusters,
        "verdict": row.column.verdict,
        "study": row.column.study,
        "n_raters": cell.n_raters,
        "n_ratings": cell.n_ratings,
        "method": cell.method,
    }


def _overall(overall: Overall | None) -> dict[str, Any] | None:
    """None where fewer than two systems are ranked."""
    if overall is None:
        return None
    return {
        "metrics": list(overall.metrics),
        "rows": [vars(r) for r in overall.rows],
        "refused": [_refusal(r) for r in overall.refused],
    }


def _refusal(refusal: Refusal) -> dict[str, Any]:
    return {**vars(refusal), "metrics": list(refusal.metrics)}


def _metric(column: Column) -> dict[str, Any]:
    return {
        "metric": column.key,
        "name": column.name,
        "family": column.family,
        "level": column.level,
        "direction": column.direction,
        "unit": column.unit,
        "range": [end if math.isfinite(end) else None for end in column.range],
        "version": column.version,
        "parameters": dict(column.parameters),
        "summary": column.summary,
        "citation": column.citation,
        "verdict": column.verdict,
        "verdict_note": column.verdict_note,
        "listeners": [vars(h) for h in column.heard],
    }


def _system(system: System, benchmark: Benchmark) -> dict[str, Any]:
    return {
        "system": system.name,
        "is_reference": system.is_reference,
        "source": system.source,
        "card": dict(system.card),
        "axes": [] if system.is_reference else [_axis(a) for a in axes(benchmark, system)],
        "items": [_item(i, benchmark) for i in system.items],
    }


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "axis": axis.name,
        "readings": [
            {
                "metric": r.column.key,
                "value": r.value,
                "band_low": r.low,
                "band_high": r.high,
                "where": r.where,
            }
            for r in axis.readings
        ],
    }


def _item(item: Item, benchmark: Benchmark) -> dict[str, Any]:
    return {
        "path": item.path,
        "sha256": item.sha256,
        "status": item.status,
        "reason": item.reason,
        "warnings": list(item.warnings),
        "distance": item.distance,
        "scores": {
            c.key: {"value": s.value, "status": s.status, "reason": s.reason}
            for c in benchmark.columns
            if (s := item.scores.get(c.key)) is not None
        },
    }
