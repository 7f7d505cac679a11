"""What a worker does: read one item, compute its metrics, return plain values.

Nothing here touches the database, and nothing about one item can stop the others: a file that
cannot be read is a failed outcome, a metric that raises is a failed score.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from concours.eval.cache import open_arrays
from concours.eval.load import LoadError, load, read_part
from concours.eval.load.audio import load_audio
from concours.eval.render import RENDER_RATE, RenderError, render_audio
from concours.metrics.clip import Clip, make_clip
from concours.metrics.piece import Piece
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
class Task:
    """One item and what to take from it."""

    sha256: str
    location: str
    fragment: str
    kind: str
    measurements: tuple[Measurement, ...] = ()
    extractions: tuple[Extraction, ...] = ()
    frames: tuple[FramesWanted, ...] = ()


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
    """What came of a task. ``status`` is about reading the item, not about its scores."""

    sha256: str
    status: Literal["ok", "failed"]
    reason: str = ""
    format: str = ""
    warnings: tuple[str, ...] = ()
    n_notes: int | None = None
    seconds: float | None = None
    scores: tuple[ScoreValue, ...] = ()
    extracts: Mapping[str, Any] = field(default_factory=dict)


def failed(task: Task, reason: str) -> Outcome:
    return Outcome(task.sha256, "failed", reason)


def score_item(task: Task) -> Outcome:
    """Reads the item and computes everything the task asks for; never raises."""
    path = Path(task.location)
    try:
        data = read_part(path, task.fragment) if task.fragment else path.read_bytes()
    except OSError as error:
        return failed(task, f"cannot be read: {error.strerror or error}")
    except LoadError as error:
        return failed(task, str(error))
    try:
        if hashlib.sha256(data).hexdigest() != task.sha256:
            return failed(task, "changed while the run was reading it; run again")
        subject = _read(task, path, data)
    except LoadError as error:
        return failed(task, str(error))
    except RecursionError:
        return failed(task, "nested too deeply to be read")
    except MemoryError:
        return failed(task, "does not fit into memory")
    piece = subject.piece
    return Outcome(
        task.sha256,
        "ok",
        format=subject.format,
        warnings=(*subject.warnings, *_make_frames(subject, task.frames)),
        n_notes=piece.n_notes if piece is not None else None,
        seconds=piece.seconds if piece is not None else subject.clip.duration,
        scores=tuple(_measure(subject, m) for m in task.measurements),
        extracts={e.key: _extract(piece, e) for e in task.extractions if piece is not None},
    )


@dataclass(frozen=True, eq=False)
class _Subject:
    """An item that has been read: its notes, where it has any, and its sound."""

    piece: Piece | None
    sound: Clip | None
    format: str
    warnings: tuple[str, ...]

    @cached_property
    def clip(self) -> Clip:
        """The sound; notes are played by the bundled soundfont.

        Raises:
            RenderError: there is nothing to play, or nothing to play it with.
        """
        if self.sound is not None:
            return self.sound
        assert self.piece is not None
        samples = render_audio(self.piece, RENDER_RATE)
        if len(samples) == 0:
            raise RenderError("no notes, so nothing to hear")
        return make_clip(samples, RENDER_RATE, {"codec": "rendered"})


def _read(task: Task, path: Path, data: bytes) -> _Subject:
    if task.kind == "audio":
        audio = load_audio(path, data)
        return _Subject(None, audio.clip, audio.format, audio.warnings)
    loaded = load(path, data)
    return _Subject(loaded.piece, None, loaded.format, loaded.warnings)


def _make_frames(subject: _Subject, wanted: Sequence[FramesWanted]) -> list[str]:
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


def _measure(subject: _Subject, measurement: Measurement) -> ScoreValue:
    spec = find(measurement.metric)
    try:
        arguments: list[Any] = [subject.clip if spec.inputs == "audio" else subject.piece]
        if arguments[0] is None:
            reason = "a metric of notes, and this item is audio"
            return ScoreValue(measurement.id, None, "undefined", reason)
        if spec.corpus is not None:
            model = _open_model(measurement.model, measurement.metric)
            left = measurement.leave_out
            arguments.append(model.excluding(left) if left else model)
        result = spec.function(*arguments, **measurement.parameters)
    except RenderError as error:
        return ScoreValue(measurement.id, None, "undefined", f"cannot be heard: {error}")
    except Exception as error:  # a third party's metric may raise anything
        return ScoreValue(measurement.id, None, "failed", f"{type(error).__name__}: {error}")
    return as_score(measurement.id, result)


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


def _extract(piece: Piece, extraction: Extraction) -> Any:
    model = find(extraction.metric).corpus
    assert model is not None
    return model.extract(piece, extraction.parameters)


def model_parameters(spec: MetricSpec, parameters: Parameters) -> dict[str, Any]:
    """The parameters of a corpus metric that shape its fitted reference."""
    return {k: parameters[k] for k in spec.corpus.parameters} if spec.corpus else {}
