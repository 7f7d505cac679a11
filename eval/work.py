"""What a worker does: read one item, compute its metrics, return plain values.

Nothing here touches the database, and nothing about one item can stop the others: a file that
cannot be read is a failed outcome, a metric that raises is a failed score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

from concours.eval.cache import open_arrays
from concours.eval.items import Partner
from concours.eval.load import LoadError
from concours.eval.pairing.scores import pair_result
from concours.eval.render import RenderError
from concours.eval.subject import Subject, read_subject
from concours.metrics.profile import profile_of
from concours.metrics.registry import find
from concours.metrics.spec import MetricResult, MetricSpec, Parameters, Scored, Undefined

Status = Literal["ok", "undefined", "failed"]


@dataclass(frozen=True)
class Measurement:
    """One metric to compute: ``model`` is the cache folder of a corpus metric's fitted reference,
    ``leave_out`` the name of the piece in it that is this item itself."""

    id: int
    metric: str
    parameters: Mapping[str, Any]
    model: str = ""
    leave_out: str = ""


@dataclass(frozen=True)
class Extraction:
    """A corpus model's extract to take from an item of the reference."""

    key: str
    metric: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class FramesWanted:
    """Frames of an embedding to make, and the cache file that they go to."""

    embedding: str
    file: str


@dataclass(frozen=True)
class PairWork:
    """What to take from an item together with its partners; ``pair`` is their identity."""

    pair: str
    partners: tuple[Partner, ...]
    measurements: tuple[Measurement, ...]


@dataclass(frozen=True)
class Task:
    """One item and what to take from it."""

    sha256: str
    location: str
    fragment: str
    kind: str
    measurements: tuple[Measurement, ...] = ()
    extractions: tuple[Extraction, ...] = ()
    frames: tuple[FramesWanted, ...] = ()
    pairs: tuple[PairWork, ...] = ()
    profile: bool = False


@dataclass(frozen=True)
class ScoreValue:
    """A metric's result as it is stored; ``measurement`` is the id it was asked under."""

    measurement: int
    value: float | None
    status: Status
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of a task. ``status`` is about reading the item, not about its scores;
    ``pair_scores`` go by the identity of the pair."""

    sha256: str
    status: Literal["ok", "failed"]
    reason: str = ""
    format: str = ""
    warnings: tuple[str, ...] = ()
    n_notes: int | None = None
    seconds: float | None = None
    scores: tuple[ScoreValue, ...] = ()
    pair_scores: Mapping[str, tuple[ScoreValue, ...]] = field(default_factory=dict)
    extracts: Mapping[str, Any] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)


def failed(task: Task, reason: str) -> Outcome:
    return Outcome(task.sha256, "failed", reason)


def score_item(task: Task) -> Outcome:
    """Reads the item and computes everything the task asks for; never raises."""
    try:
        subject = read_subject(task.kind, task.fragment, Path(task.location), task.sha256)
    except LoadError as error:
        return failed(task, str(error))
    piece = subject.piece
    return Outcome(
        task.sha256,
        "ok",
        format=subject.format,
        warnings=(*subject.warnings, *_make_frames(subject, task.frames)),
        n_notes=piece.n_notes if piece is not None else None,
        seconds=piece.seconds if piece is not None else subject.clip.duration,
        scores=tuple(_measure(subject, m) for m in task.measurements),
        pair_scores={p.pair: _measure_pair(subject, p) for p in task.pairs},
        profile=profile_of(piece) if task.profile and piece is not None else {},
        extracts=_extracts(subject, task.extractions),
    )


def _make_frames(subject: Subject, wanted: Sequence[FramesWanted]) -> list[str]:
    """Puts the frames into the cache; returns why some clips have none."""
    from concours.eval.embeddings.frames import store_frames

    told = []
    for w in wanted:
        try:
            reason = store_frames(subject.clip, Path(w.file), w.embedding)
        except Exception as error:  # an engine or a third party's embedding may raise anything
            reason = f"{type(error).__name__}: {error}"
        if reason:
            told.append(f"no frames of {w.embedding}: {reason}")
    return told


def _measure(subject: Subject, measurement: Measurement) -> ScoreValue:
    spec = find(measurement.metric)

    def compute() -> MetricResult:
        arguments: list[Any] = [subject.clip if spec.inputs == "audio" else subject.piece]
        if arguments[0] is None:
            return Undefined("a metric of notes, and this item is audio")
        if spec.corpus is not None:
            model = _open_model(measurement.model, measurement.metric)
            left = measurement.leave_out
            arguments.append(model.excluding(left) if left else model)
        result: MetricResult = spec.function(*arguments, **measurement.parameters)
        return result

    return _guarded(measurement.id, compute)


def _measure_pair(subject: Subject, work: PairWork) -> tuple[ScoreValue, ...]:
    return tuple(
        _guarded(
            m.id,
            partial(pair_result, subject, find(m.metric), work.partners, m.parameters),
        )
        for m in work.measurements
    )


def _guarded(measurement: int, compute: Callable[[], MetricResult]) -> ScoreValue:
    try:
        result = compute()
    except RenderError as error:
        return ScoreValue(measurement, None, "undefined", f"cannot be heard: {error}")
    except Exception as error:  # a third party's metric may raise anything
        return ScoreValue(measurement, None, "failed", f"{type(error).__name__}: {error}")
    return as_score(measurement, result)


def as_score(measurement: int, result: MetricResult) -> ScoreValue:
    """A metric's result in the form in which it is stored."""
    if isinstance(result, Undefined):
        return ScoreValue(measurement, None, "undefined", result.reason)
    value, detail = (result.value, result.detail) if isinstance(result, Scored) else (result, {})
    if not math.isfinite(value):
        return ScoreValue(measurement, None, "failed", f"the metric returned {value}")
    return ScoreValue(measurement, float(value), "ok", "", dict(detail))


@lru_cache(maxsize=8)
def _open_model(folder: str, metric: str) -> Any:
    corpus = find(metric).corpus
    assert corpus is not None
    return corpus.open(open_arrays(Path(folder)))


def _extracts(subject: Subject, wanted: Sequence[Extraction]) -> dict[str, Any]:
    """What the corpus models take of an item of the reference; nothing of what it has not."""
    found = {}
    for extraction in wanted:
        spec = find(extraction.metric)
        assert spec.corpus is not None
        try:
            source = subject.clip if spec.inputs == "audio" else subject.piece
        except RenderError:
            continue
        if source is not None:
            found[extraction.key] = spec.corpus.extract(source, extraction.parameters)
    return found


def model_parameters(spec: MetricSpec, parameters: Parameters) -> dict[str, Any]:
    """The parameters of a corpus metric that shape its fitted reference."""
    return {k: parameters[k] for k in spec.corpus.parameters} if spec.corpus else {}
