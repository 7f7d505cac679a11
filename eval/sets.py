"""Set metrics: the distance of a system's items, as a set, to the reference's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from concours.eval.embeddings.frames import FrameFiles, frames_file, read_set
from concours.eval.plan import HALF_SAMPLES, Measure, Plan, PlannedSystem
from concours.eval.stats.halves import Rows, half_sample_draws, half_sample_interval
from concours.eval.work import ScoreValue, as_score
from concours.metrics.audio_sets import FrameSet
from concours.metrics.features import FeatureTable
from concours.metrics.registry import find
from concours.metrics.spec import MetricRequest, MetricResult, Scored, Undefined

FRAME_HALF_SAMPLES = 20  # a distance between frames costs a thousand times one between features

Values = FeatureTable | FrameSet
Known = Callable[[str, int], bool]
Ids = Mapping[tuple[str, int, str, str], int]


@dataclass(frozen=True)
class SetTask:
    """One set metric of one system, with the values it compares.

    ``clusters`` and ``reference_clusters`` name the prompt or song of each row (or file).
    ``by_feature`` numbers the measures of single features that come out of the same computation.
    """

    system: str
    measurement: int
    metric: str
    parameters: Mapping[str, Any]
    by_feature: Mapping[str, int]
    values: FeatureTable | FrameFiles
    reference: FeatureTable | FrameFiles
    clusters: tuple[str, ...]
    reference_clusters: tuple[str, ...]
    seed: int
    confidence: float


@dataclass(frozen=True)
class SetOutcome:
    """``halves`` are the distances between half-samples, the same ones for all systems; NaN where
    undefined."""

    system: str
    score: ScoreValue
    ci_low: float | None
    ci_high: float | None
    n: int
    halves: tuple[float, ...] = ()


ALL = ""


def score_set(task: SetTask) -> list[SetOutcome]:
    """The distance of a system's features to the reference's, and that of each feature where the
    metric is a mean of those, with intervals; never raises."""
    try:
        return _score_set(task)
    except Exception as error:  # a third party's metric may raise anything
        return lost_set(task, f"{type(error).__name__}: {error}")


def lost_set(task: SetTask, reason: str) -> list[SetOutcome]:
    """Every outcome of a task as failed."""
    numbers = [task.measurement, *task.by_feature.values()]
    n = task.values.count if isinstance(task.values, FrameFiles) else len(task.values.values)
    return [
        SetOutcome(task.system, ScoreValue(i, None, "failed", reason), None, None, n)
        for i in numbers
    ]


def _score_set(task: SetTask) -> list[SetOutcome]:
    spec = find(task.metric)
    values, reference = _opened(task.values), _opened(task.reference)
    sizes = _size(values), _size(reference)

    def compute(rows: Rows, others: Rows) -> MetricResult:
        return spec.function(_part(values, rows), _part(reference, others), **task.parameters)

    whole: MetricResult = spec.function(values, reference, **task.parameters)
    scores = {ALL: as_score(task.measurement, whole)} | {
        feature: _of_feature(whole, feature, number) for feature, number in task.by_feature.items()
    }
    known = {k: s.value for k, s in scores.items() if s.value is not None}
    draws = half_sample_draws(
        lambda rows, others: _named(compute(rows, others)),
        (task.clusters, task.reference_clusters),
        list(known),
        draws=FRAME_HALF_SAMPLES if isinstance(values, FrameSet) else HALF_SAMPLES,
        seed=task.seed,
    )
    outcomes = []
    for name, score in scores.items():
        low, high = None, None
        halves: tuple[float, ...] = ()
        if name in draws:
            found = half_sample_interval(
                known[name], draws[name], bounds=spec.range, confidence=task.confidence
            )
            low, high = found or (None, None)
            halves = tuple(float(f"{d:.6g}") for d in draws[name])
        outcomes.append(SetOutcome(task.system, score, low, high, sizes[0], halves))
    return outcomes


def _opened(values: FeatureTable | FrameFiles) -> Values:
    return read_set(values) if isinstance(values, FrameFiles) else values


def _size(values: Values) -> int:
    return values.clips if isinstance(values, FrameSet) else len(values.values)


def _part(values: Values, rows: Rows) -> Values:
    """Some items of a set; all frames of a clip come and go together."""
    if isinstance(values, FrameSet):
        return values.of_clips(rows)
    return values._replace(values=values.values[rows])


def _named(result: MetricResult) -> dict[str, float]:
    """The value of all features, and of each where the metric gives it."""
    if isinstance(result, Undefined):
        return {}
    if not isinstance(result, Scored):
        return {ALL: float(result)}
    each = result.detail.get("features")
    return {ALL: float(result.value), **(each if isinstance(each, Mapping) else {})}


def _of_feature(result: MetricResult, feature: str, number: int) -> ScoreValue:
    if isinstance(result, Scored):
        if feature in result.detail["features"]:
            return as_score(number, result.detail["features"][feature])
        reason = str(result.detail["left_out"].get(feature, "not compared"))
        return ScoreValue(number, None, "undefined", reason)
    reason = result.reason if isinstance(result, Undefined) else "not compared"
    return ScoreValue(number, None, "undefined", reason)


def needed_embeddings(plan: Plan, ids: Ids, known: Known) -> list[str]:
    """The embeddings whose frames a set metric still needs; ``known`` as in :func:`set_tasks`."""
    needed = [
        str(r.parameters["embedding"])
        for r in plan.set_requests()
        if r.spec.inputs == "embedding"
        for s in plan.systems
        if not s.is_reference and not known(s.name, ids[Measure(r).identity])
    ]
    return list(dict.fromkeys(needed))


def _frame_files(
    system: PlannedSystem, request: MetricRequest
) -> tuple[FrameFiles, tuple[str, ...]]:
    """Where the frames of a system's items lie, and their clusters; sorted, since no distance
    depends on the order. Frames that were never made are left out."""
    embedding = str(request.parameters["embedding"])
    files = [
        (frames_file(i.sha256, i.kind, embedding), system.cluster(i))
        for i in system.items
        if i.sha256
    ]
    found = sorted((str(f), cluster) for f, cluster in files if f.exists())
    return (
        FrameFiles(embedding, tuple(f for f, _ in found), len(files) - len(found)),
        tuple(c for _, c in found),
    )


def feature_table(
    system: PlannedSystem, features: Sequence[str], values: Mapping[tuple[str, str], float]
) -> tuple[FeatureTable, tuple[str, ...]]:
    """The values (by content and metric key) of a system's items as a table, NaN where undefined,
    and the cluster of each row."""
    items = [i for i in system.items if i.sha256]
    rows = [[values.get((i.sha256 or "", f), np.nan) for f in features] for i in items]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(features))
    known = np.asarray(~np.isnan(table).all(axis=1), dtype=bool)
    clusters = tuple(system.cluster(i) for i, k in zip(items, known, strict=True) if k)
    return FeatureTable(tuple(features), table[known]), clusters


def set_tasks(
    plan: Plan, ids: Ids, known: Known, values: Mapping[tuple[str, str], float]
) -> list[SetTask]:
    """The set metrics that are still missing; ``known(system, id)`` says which are not."""
    if plan.reference is None:
        return []
    features = [f.key for f in plan.features]
    reference = feature_table(plan.reference, features, values)
    asked = [r for r in plan.requests if r.spec.level == "set"]
    tasks = []
    for system in plan.systems:
        if system.is_reference:
            continue
        table = feature_table(system, features, values)
        for request in asked:
            if not features and request.spec.inputs != "embedding":
                continue
            by_feature = {key: ids[Measure(one).identity] for key, one in plan.by_feature(request)}
            number = ids[Measure(request).identity]
            if not all(known(system.name, i) for i in (number, *by_feature.values())):
                sources: list[tuple[FeatureTable | FrameFiles, tuple[str, ...]]]
                sources = [table, reference]
                if request.spec.inputs == "embedding":
                    sources = [_frame_files(s, request) for s in (system, plan.reference)]
                (own, clusters), (home, home_clusters) = sources
                tasks.append(
                    SetTask(
                        system.name,
                        number,
                        request.name,
                        dict(request.parameters),
                        by_feature,
                        own,
                        home,
                        clusters,
                        home_clusters,
                        plan.seed,
                        plan.confidence,
                    )
                )
    return tasks
