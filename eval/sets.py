"""Set metrics: the distance of a system's items, as a set, to the reference's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from concours.eval.plan import HALF_SAMPLES, Measure, Plan, PlannedSystem
from concours.eval.stats.bootstrap import half_sample_interval
from concours.eval.work import ScoreValue, as_score
from concours.metrics.features import FeatureTable
from concours.metrics.registry import find
from concours.metrics.spec import Scored, Undefined

Known = Callable[[str, int], bool]
Ids = Mapping[tuple[str, int, str, str], int]


@dataclass(frozen=True)
class SetTask:
    """One set metric of one system, with the values it compares."""

    system: str
    measurement: int
    metric: str
    parameters: Mapping[str, Any]
    values: FeatureTable
    reference: FeatureTable
    seed: int
    confidence: float


@dataclass(frozen=True)
class SetOutcome:
    system: str
    score: ScoreValue
    ci_low: float | None
    ci_high: float | None
    n: int


def score_set(task: SetTask) -> SetOutcome:
    """The distance of a system's features to the reference's, with its interval; never raises."""
    spec = find(task.metric)
    n = len(task.values.values)

    def distance(rows: Any = slice(None), others: Any = slice(None)) -> Any:
        return spec.function(
            task.values._replace(values=task.values.values[rows]),
            task.reference._replace(values=task.reference.values[others]),
            **task.parameters,
        )

    def on_halves(rows: Any, others: Any) -> float | None:
        result = distance(rows, others)
        return None if isinstance(result, Undefined) else float(_value(result))

    try:
        score = as_score(task.measurement, distance())
        interval = None
        if score.value is not None:
            interval = half_sample_interval(
                on_halves,
                (n, len(task.reference.values)),
                score.value,
                bounds=spec.range,
                confidence=task.confidence,
                resamples=HALF_SAMPLES,
                seed=task.seed,
            )
    except Exception as error:  # a third party's metric may raise anything
        reason = f"{type(error).__name__}: {error}"
        return SetOutcome(task.system, _failed(task, reason), None, None, n)
    low, high = interval if interval is not None else (None, None)
    return SetOutcome(task.system, score, low, high, n)


def _value(result: Any) -> float:
    return float(result.value if isinstance(result, Scored) else result)


def _failed(task: SetTask, reason: str) -> ScoreValue:
    return ScoreValue(task.measurement, None, "failed", reason)


def lost_set(task: SetTask, reason: str) -> SetOutcome:
    return SetOutcome(task.system, _failed(task, reason), None, None, len(task.values.values))


def feature_table(
    system: PlannedSystem, features: Sequence[str], values: Mapping[tuple[str, str], float]
) -> FeatureTable:
    """The values (by content and metric key) of a system's items as a table; NaN is undefined."""
    rows = [[values.get((i.sha256, f), np.nan) for f in features] for i in system.items if i.sha256]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(features))
    return FeatureTable(tuple(features), table[~np.isnan(table).all(axis=1)])


def set_tasks(
    plan: Plan, ids: Ids, known: Known, values: Mapping[tuple[str, str], float]
) -> list[SetTask]:
    """The set metrics that are still missing; ``known(system, id)`` says which are not."""
    if plan.reference is None:
        return []
    features = [f.key for f in plan.features]
    reference = feature_table(plan.reference, features, values)
    tasks = []
    for system in plan.systems:
        if system.is_reference:
            continue
        table = feature_table(system, features, values)
        for request in plan.set_requests():
            number = ids[Measure(request).identity]
            if not known(system.name, number):
                tasks.append(
                    SetTask(
                        system.name,
                        number,
                        request.name,
                        dict(request.parameters),
                        table,
                        reference,
                        plan.seed,
                        plan.confidence,
                    )
                )
    return tasks
