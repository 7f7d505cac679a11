"""Systems of several runs in one table, with a guard on what may stand in one column.

The first run gives the columns and the reference. A column takes a value of another run only if
it was measured alike: the same version and parameters of the metric, and for distances and
originality the same content of the reference. What wasn't is kept out, and the report says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from concours.eval.compare import refusal
from concours.eval.compare.differences import Side
from concours.eval.errors import UsageError
from concours.eval.report.model import Refusal
from concours.eval.store.reports import StoredRun
from concours.metrics.registry import find

DIGITS = 8


def side_by_side(runs: Sequence[StoredRun]) -> tuple[StoredRun, list[Refusal]]:
    """The first run with the systems of the others, each named ``system @run``.

    Raises:
        UsageError: the runs are of different benchmarks.
    """
    base, refused = runs[0], []
    for other in runs[1:]:
        if other.benchmark != base.benchmark:
            raise UsageError(
                f"run {_digits(other)} is of {other.benchmark}, run {_digits(base)} of "
                f"{base.benchmark}; a table holds runs of one benchmark"
            )
        base, more = _joined(base, other)
        refused += more
    return base, refused


def _joined(base: StoredRun, other: StoredRun) -> tuple[StoredRun, list[Refusal]]:
    names = {
        name: f"{name} @{_digits(other)}"
        for name, is_reference, *_ in other.systems
        if not is_reference
    }
    reasons = {m.key: _unlike(m.key, base, other, names) for m in base.measures}
    alike = {key for key, reason in reasons.items() if not reason}
    known = {m.key for m in base.measures}
    extra = [m.key for m in other.measures if m.key not in known]
    refused = [
        Refusal(new, tuple(keys), f"kept out: {reason}")
        for new in names.values()
        for reason, keys in _by_reason(reasons, extra, other).items()
    ]
    same_draws = _seed(base) == _seed(other)
    return (
        replace(
            base,
            systems=(
                *base.systems,
                *((names[n], False, s, c) for n, _, s, c in other.systems if n in names),
            ),
            items=(
                *base.items,
                *(replace(i, system=names[i.system]) for i in other.items if i.system in names),
            ),
            scores={
                **base.scores,
                **{
                    (names[s], position, key): score
                    for (s, position, key), score in other.scores.items()
                    if s in names and key in alike
                },
            },
            set_scores={
                **base.set_scores,
                **{
                    (names[s], key): score if same_draws else replace(score, halves=())
                    for (s, key), score in other.set_scores.items()
                    if s in names and key in alike
                },
            },
        ),
        refused,
    )


def _unlike(key: str, base: StoredRun, other: StoredRun, names: dict[str, str]) -> str:
    """Why a column can't take the other run's values; "" where it can."""
    measure = next(m for m in base.measures if m.key == key)
    here = next(name for name, is_reference, *_ in base.systems if not is_reference)
    there = next(iter(names), "")
    if not there:
        return ""
    to_reference = find(measure.metric).level in ("set", "corpus")
    sides = Side(here, _without_prompts(base)), Side(there, _without_prompts(other))
    return refusal(key, *sides, to_reference=to_reference)


def _without_prompts(run: StoredRun) -> StoredRun:
    """Prompts are compared system by system, over all of the table, and not here."""
    return replace(run, items=())


def _by_reason(reasons: dict[str, str], extra: list[str], other: StoredRun) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, reason in reasons.items():
        if reason:
            found.setdefault(reason.replace(f"{key} ", "it ", 1), []).append(key)
    if extra:
        found[f"only run {_digits(other)} has it, and the first run gives the columns"] = extra
    return found


def _digits(run: StoredRun) -> str:
    return str(run.manifest.get("run", "?"))[:DIGITS]


def _seed(run: StoredRun) -> Any:
    return run.manifest.get("seeds", {}).get("intervals")
