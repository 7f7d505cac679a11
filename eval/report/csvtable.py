"""The leaderboard as one long CSV table.

Cells are written as they are: a program that runs formulas (a spreadsheet) should import the
table as text.
"""

from __future__ import annotations

import csv
from io import StringIO

from concours.eval.report.model import Report
from concours.eval.report.rows import rows

COLUMNS = (
    "benchmark",
    "reference",
    "system",
    "is_reference",
    "metric",
    "family",
    "level",
    "version",
    "unit",
    "direction",
    "value",
    "ci_low",
    "ci_high",
    "n",
    "n_undefined",
    "status",
    "reason",
    "gap",
    "rank",
    "rank_low",
    "rank_high",
    "group",
    "n_clusters",
    "n_raters",
    "n_ratings",
    "verdict",
    "study",
)


def to_csv(report: Report) -> str:
    """One line for each benchmark, system and metric; a value that does not exist is empty."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for benchmark in report.benchmarks:
        for system, column, cell in rows(benchmark):
            writer.writerow(
                "" if v is None else str(v).lower() if isinstance(v, bool) else v
                for v in (
                    benchmark.name,
                    benchmark.reference,
                    system.name,
                    system.is_reference,
                    column.key,
                    column.family,
                    column.level,
                    column.version,
                    column.unit,
                    column.direction,
                    cell.value,
                    cell.ci_low,
                    cell.ci_high,
                    cell.n,
                    cell.n_undefined,
                    cell.status,
                    cell.reason or cell.unranked,
                    cell.gap,
                    cell.rank,
                    cell.rank_low,
                    cell.rank_high,
                    cell.group,
                    cell.n_clusters,
                    cell.n_raters,
                    cell.n_ratings,
                    column.verdict,
                    column.study,
                )
            )
    return stream.getvalue()
