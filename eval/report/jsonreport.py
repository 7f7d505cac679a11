"""The whole report as JSON: the leaderboard in long form, the metrics, the systems, their items."""

from __future__ import annotations

import json
import math
from typing import Any

from concours.eval.report.model import Benchmark, Column, Item, Report, System
from concours.eval.report.rows import Row, rows


def to_json(report: Report) -> str:
    """``{"manifest", "benchmarks": [{"name", "reference", "rows", "metrics", "systems"}]}``.

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
    }


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
    }


def _system(system: System, benchmark: Benchmark) -> dict[str, Any]:
    return {
        "system": system.name,
        "is_reference": system.is_reference,
        "source": system.source,
        "card": dict(system.card),
        "items": [_item(i, benchmark) for i in system.items],
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
