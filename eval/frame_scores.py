"""Scores of items that need the frames of their whole set: how odd a clip is, how it fits its
prompt, how it resembles its target.

They are computed once frames are in the cache, for a system at a time, and are item scores like
any other from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.embeddings.catalogue import embedding_of
from concours.eval.embeddings.described import describe
from concours.eval.embeddings.frames import FrameFiles, frames_file, read_set, store_frames
from concours.eval.embeddings.texts import text_vectors
from concours.eval.items import Partner
from concours.eval.pairing.scores import opened
from concours.eval.plan import Measure, Plan, PlannedSystem
from concours.eval.sets import frame_files
from concours.eval.work import ScoreValue, as_score
from concours.metrics.audio_fit import Prompts
from concours.metrics.frame_set import FrameSet, frame_set
from concours.metrics.registry import find
from concours.metrics.spec import MetricResult, Undefined

Known = Callable[[str, int], bool]
Ids = Mapping[tuple[str, int, str, str], int]
NO_FRAMES = "no frames of the embedding: too short, or it could not be read"


@dataclass(frozen=True)
class FrameTask:
    """One metric of all items of a system: their contents, the files of their frames, and what
    they are held against. ``prompts`` and ``own`` are the run's prompts and each item's, -1 for
    none; ``targets`` each item's target and the file of its frames, None for none."""

    measurement: int
    metric: str
    parameters: Mapping[str, Any]
    contents: tuple[str, ...]
    frames: FrameFiles
    reference: FrameFiles | None = None
    prompts: tuple[str, ...] = ()
    own: tuple[int, ...] = ()
    targets: tuple[tuple[Partner, str] | None, ...] = ()


Scored = list[tuple[str, ScoreValue]]


def score_frames(task: FrameTask) -> Scored:
    """The score of each content; never raises."""
    try:
        return _scored(task)
    except Exception as error:  # an engine or a third party's metric may raise anything
        return lost_frames(task, f"{type(error).__name__}: {error}")


def lost_frames(task: FrameTask, reason: str) -> Scored:
    """Every score of a task as failed."""
    return [(c, ScoreValue(task.measurement, None, "failed", reason)) for c in task.contents]


def _scored(task: FrameTask) -> Scored:
    parts = [_frames_of(f) for f in task.frames.files]
    held = [i for i, p in enumerate(parts) if p is not None and len(p)]
    facts = read_set(FrameFiles(task.frames.embedding, ())).facts
    x = frame_set([parts[i] for i in held], facts=facts)
    spec = find(task.metric)
    results: list[MetricResult] = []
    if held:
        results = spec.function(x, _other(task, held), **task.parameters)
    by_place = dict(zip(held, results, strict=True))
    missing = Undefined(NO_FRAMES)
    return [
        (c, as_score(task.measurement, by_place.get(i, missing)))
        for i, c in enumerate(task.contents)
    ]


def _other(task: FrameTask, held: Sequence[int]) -> FrameSet | Prompts:
    """What the clips are held against: prompts, their targets, or the whole reference."""
    if task.own:
        if not task.prompts:
            return Prompts(np.zeros((0, 1), np.float32), np.full(len(held), -1))
        vectors = text_vectors(task.frames.embedding, task.prompts)
        return Prompts(vectors, np.array([task.own[i] for i in held], np.int64))
    if task.targets:
        parts = [_frames_of_target(task.targets[i], task.frames.embedding) for i in held]
        d = describe(task.frames.embedding).dimension
        rows = [np.zeros((0, d), np.float32) if p is None else p for p in parts]
        clip = np.repeat(np.arange(len(rows)), [len(r) for r in rows]).astype(np.int64)
        return FrameSet(np.concatenate(rows), clip, len(rows))
    assert task.reference is not None
    return read_set(task.reference)


def _frames_of(file: str) -> Any:
    try:
        return np.load(file, allow_pickle=False)
    except OSError:
        return None


def _frames_of_target(target: tuple[Partner, str] | None, embedding: str) -> Any:
    """The frames of a target, made here where they are not in the cache; None where it has none."""
    if target is None:
        return None
    partner, file = target
    if not Path(file).is_file():
        subject = opened(partner)
        if isinstance(subject, str):
            return None
        store_frames(subject.clip, Path(file), embedding)
    return _frames_of(file)


def frame_tasks(plan: Plan, ids: Ids, known: Known) -> list[FrameTask]:
    """The item metrics on frames that are still missing; ``known(sha256, id)`` says which are
    not."""
    prompts = plan.prompts
    number_of = {p: i for i, p in enumerate(prompts)}
    tasks = []
    for system in plan.systems:
        for measure in plan.item_measures(system):
            if not measure.request.spec.of_frames:
                continue
            number = ids[measure.identity]
            items = {i.sha256: i for i in system.items if i.sha256 is not None}
            if all(known(sha, number) for sha in items):
                continue
            task = FrameTask(
                number,
                measure.request.spec.lookup,
                dict(measure.request.parameters),
                tuple(items),
                _files(system, measure),
            )
            tasks.append(_against(task, plan, measure, number_of))
    return tasks


def _files(system: PlannedSystem, measure: Measure) -> FrameFiles:
    """The frames of each content, in the order of the plan."""
    embedding = embedding_of(measure.request.parameters)
    kinds = {i.sha256: i.kind for i in system.items if i.sha256 is not None}
    return FrameFiles(embedding, tuple(str(frames_file(s, k, embedding)) for s, k in kinds.items()))


def _against(
    task: FrameTask, plan: Plan, measure: Measure, number_of: Mapping[str, int]
) -> FrameTask:
    """The task with what its contents are held against. A content keeps its prompt or target in
    every system that holds it, the reference among them: its score is stored once."""
    spec = measure.request.spec
    items = [i for s in plan.systems for i in s.items]
    if spec.level == "corpus":
        assert plan.reference is not None
        return replace(task, reference=frame_files(plan.reference, measure.request))
    if spec.partner == "prompt":
        words = {i.sha256: i.words for i in items if i.words}
        own = tuple(number_of.get(words.get(c, ""), -1) for c in task.contents)
        return replace(task, prompts=tuple(number_of), own=own)
    embedding = task.frames.embedding
    truths = {
        i.sha256: (p, str(frames_file(p.sha256, p.kind, embedding)))
        for i in items
        for p in i.partners
        if p.role == "truth" and p.sha256
    }
    return replace(task, targets=tuple(truths.get(c) for c in task.contents))
