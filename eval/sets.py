"""Set metrics: the distance of a system's items, as a set, to the reference's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.embeddings.catalogue import embedding_of
from concours.eval.embeddings.frames import FrameFiles, frames_file, read_set, statistics_set
from concours.eval.plan import HALF_SAMPLES, Measure, Plan, PlannedSystem
from concours.eval.stats.halves import Rows, half_sample_draws, half_sample_interval
from concours.eval.work import ScoreValue, as_score
from concours.metrics.features import FeatureTable
from concours.metrics.frame_set import FrameSet
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
    fixed = isinstance(reference, FrameSet) and reference.is_statistics

    def compute(rows: Rows, others: Rows) -> MetricResult:
        held_against = reference if fixed else _part(reference, others)
        result: MetricResult = spec.function(_part(values, rows), held_against, **task.parameters)
        return result

    whole: MetricResult = spec.function(values, reference, **task.parameters)
    scores = {ALL: as_score(task.measurement, whole)} | {
        feature: _of_feature(whole, feature, number) for feature, number in task.by_feature.items()
    }
    known = {k: s.value for k, s in scores.items() if s.value is not None}
    draws = half_sample_draws(
        lambda rows, others: _named(compute(rows, others)),
        _clusters(task, values, reference),
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
        outcomes.append(SetOutcome(task.system, score, low, high, _count(values), halves))
    return outcomes


def _opened(values: FeatureTable | FrameFiles) -> Values:
    return read_set(values) if isinstance(values, FrameFiles) else values


def _clusters(
    task: SetTask, values: Values, reference: Values
) -> tuple[Sequence[str], Sequence[str]]:
    """The clusters of both sides' rows: of frames, the songs themselves are drawn."""
    if not isinstance(values, FrameSet) or not isinstance(reference, FrameSet):
        return task.clusters, task.reference_clusters
    # of statistics nothing can be drawn, and they count as fixed
    return values.names, values.names if reference.is_statistics else reference.names


def _count(values: Values) -> int:
    """How many items there are."""
    if isinstance(values, FrameSet):
        return int(values.facts.get("all_clips", values.clips))
    return len(values.values)


def _part(values: Values, rows: Rows) -> Values:
    """Some items of a set; all clips of a song come and go together."""
    if isinstance(values, FrameSet):
        return values.of_units(rows)
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


def needed_embeddings(plan: Plan, ids: Ids, known: Known, known_item: Known) -> list[str]:
    """The embeddings whose frames a metric still needs: ``known(system, id)`` says which set
    scores are there, ``known_item(sha256, id)`` which scores of items.

    Raises:
        UsageError: the reference is known by statistics that the embedding cannot be held against.
    """
    needed = [
        embedding_of(r.parameters)
        for r in plan.set_requests()
        if r.spec.inputs == "embedding"
        for s in plan.systems
        if not s.is_reference and not known(s.name, ids[Measure(r).identity])
    ]
    needed += [
        embedding_of(m.request.parameters)
        for s in plan.systems
        for m in plan.item_measures(s)
        if m.request.spec.of_frames
        and not all(known_item(i.sha256, ids[m.identity]) for i in s.items if i.sha256)
    ]
    found = list(dict.fromkeys(needed))
    if plan.reference is not None and plan.reference.statistics:
        for embedding in found:
            statistics_set(Path(plan.reference.statistics), embedding)
    return found


def frame_files(system: PlannedSystem, request: MetricRequest) -> FrameFiles:
    """Where the frames of a system's items lie, and their clusters; sorted, since no distance
    depends on the order. Frames that were never made are left out."""
    embedding = embedding_of(request.parameters)
    if system.statistics:
        return FrameFiles(embedding, (), statistics=system.statistics)
    files = [
        (frames_file(i.sha256, i.kind, embedding), system.cluster(i))
        for i in system.items
        if i.sha256
    ]
    found = sorted((str(f), cluster) for f, cluster in files if f.exists())
    return FrameFiles(
        embedding,
        tuple(f for f, _ in found),
        tuple(c for _, c in found),
        len(files) - len(found),
        system.set_id,
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
                    pair = [frame_files(s, request) for s in (system, plan.reference)]
                    sources = [(f, f.songs) for f in pair]
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
