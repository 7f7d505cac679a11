"""Set metrics: the distance of a system's items, as a set, to the reference's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.embeddings.frames import frames_file, read_set
from concours.eval.plan import HALF_SAMPLES, Measure, Plan, PlannedSystem
from concours.eval.stats.bootstrap import Rows, half_sample_interval
from concours.eval.work import ScoreValue, as_score
from concours.metrics.audio_sets import FrameSet
from concours.metrics.features import FeatureTable
from concours.metrics.registry import find
from concours.metrics.spec import MetricRequest, Scored, Undefined

FRAME_HALF_SAMPLES = 20  # a distance between frames costs a thousand times one between features

Known = Callable[[str, int], bool]
Ids = Mapping[tuple[str, int, str, str], int]


@dataclass(frozen=True)
class FrameFiles:
    """The cached frames of a system's items under one embedding."""

    embedding: str
    files: tuple[str, ...]


Values = FeatureTable | FrameSet


@dataclass(frozen=True)
class SetTask:
    """One set metric of one system, with the values that it compares (or where they lie)."""

    system: str
    measurement: int
    metric: str
    parameters: Mapping[str, Any]
    values: FeatureTable | FrameFiles
    reference: FeatureTable | FrameFiles
    seed: int
    confidence: float


@dataclass(frozen=True)
class SetOutcome:
    """``n`` counts the system's items that took part."""

    system: str
    score: ScoreValue
    ci_low: float | None
    ci_high: float | None
    n: int


def score_set(task: SetTask) -> SetOutcome:
    """The distance of a system's items to the reference's, with its interval; never raises.

    The interval resamples items: all frames of a clip come and go together.
    """
    n = 0
    try:
        spec = find(task.metric)
        values, reference = _opened(task.values), _opened(task.reference)
        n = _size(values)

        def distance(rows: Rows, others: Rows) -> float | None:
            chosen = _part(values, rows), _part(reference, others)
            result = spec.function(*chosen, **task.parameters)
            return None if isinstance(result, Undefined) else _value(result)

        result = spec.function(values, reference, **task.parameters)
        score = as_score(task.measurement, result)
        interval = None
        if score.value is not None:
            framed = isinstance(values, FrameSet)
            interval = half_sample_interval(
                distance,
                (n, _size(reference)),
                score.value,
                bounds=spec.range,
                confidence=task.confidence,
                resamples=FRAME_HALF_SAMPLES if framed else HALF_SAMPLES,
                seed=task.seed,
            )
    except Exception as error:  # a third party's metric may raise anything
        reason = f"{type(error).__name__}: {error}"
        return SetOutcome(task.system, _failed(task, reason), None, None, n)
    low, high = interval if interval is not None else (None, None)
    return SetOutcome(task.system, score, low, high, n)


def _opened(values: FeatureTable | FrameFiles) -> Values:
    if isinstance(values, FeatureTable):
        return values
    return _read_frames(values)


@lru_cache(maxsize=4)
def _read_frames(source: FrameFiles) -> FrameSet:
    return read_set([Path(f) for f in source.files], source.embedding)


def _size(values: Values) -> int:
    return values.clips if isinstance(values, FrameSet) else len(values.values)


def _part(values: Values, rows: Rows) -> Values:
    if isinstance(values, FrameSet):
        return values.of_clips(rows)
    return values._replace(values=values.values[rows])


def _value(result: Any) -> float:
    return float(result.value if isinstance(result, Scored) else result)


def _failed(task: SetTask, reason: str) -> ScoreValue:
    return ScoreValue(task.measurement, None, "failed", reason)


def lost_set(task: SetTask, reason: str) -> SetOutcome:
    held = task.values
    n = len(held.files) if isinstance(held, FrameFiles) else len(held.values)
    return SetOutcome(task.system, _failed(task, reason), None, None, n)


def needed_embeddings(plan: Plan, ids: Ids, known: Known) -> list[str]:
    """The embeddings whose frames a set metric still needs."""
    return list(
        dict.fromkeys(
            _embedding(r)
            for r in plan.set_requests()
            if r.spec.inputs == "embedding"
            for s in plan.systems
            if not s.is_reference and not known(s.name, ids[Measure(r).identity])
        )
    )


def _embedding(request: MetricRequest) -> str:
    return str(request.parameters["embedding"])


def _frame_files(system: PlannedSystem, embedding: str) -> FrameFiles:
    """Where the frames of a system's items lie; sorted, since no distance depends on the order."""
    files = [str(frames_file(i.sha256, i.kind, embedding)) for i in system.items if i.sha256]
    return FrameFiles(embedding, tuple(sorted(files)))


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
                on_frames = request.spec.inputs == "embedding"
                sources = (
                    [_frame_files(s, _embedding(request)) for s in (system, plan.reference)]
                    if on_frames
                    else [table, reference]
                )
                tasks.append(
                    SetTask(
                        system.name,
                        number,
                        request.name,
                        dict(request.parameters),
                        sources[0],
                        sources[1],
                        plan.seed,
                        plan.confidence,
                    )
                )
    return tasks
