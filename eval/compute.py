"""Computing what a plan asks for and nobody has computed yet.

Two passes over items, because corpus metrics need the reference's fitted model: the reference
first, whose extracts make the models that are not in the cache, then everything else. Results
leave as batches, in the order in which workers finish; whoever stores them decides what that
means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from concours.eval.cache import cache_folder, store_arrays, stored_folder
from concours.eval.embeddings.frames import frames_file
from concours.eval.errors import UsageError
from concours.eval.execute import Executor
from concours.eval.items import Item
from concours.eval.plan import Measure, Plan, PlannedSystem
from concours.eval.progress import Progress
from concours.eval.work import (
    Extraction,
    FramesWanted,
    Measurement,
    Outcome,
    PairWork,
    Task,
    failed,
    model_parameters,
    score_item,
)

BATCH = 256
MODELS = "models"
FRAMES = -1  # stands for an item's frames where a measure's id is asked for

Known = Callable[[str, int], bool]
Ids = Mapping[tuple[str, int, str, str], int]


def compute_items(
    plan: Plan,
    ids: Ids,
    known: Known,
    read: set[str],
    executor: Executor,
    progress: Progress,
    embeddings: Sequence[str] = (),
    *,
    profile: bool = False,
) -> Iterator[list[Outcome]]:
    """Outcomes, in batches, of every item that lacks a score or frames or has never been read.

    ``ids`` numbers the measures, ``known(sha256, id)`` says what is there already (of
    :data:`FRAMES`, whether the item cannot be read), ``read`` holds the contents whose loading is
    known. The frames of ``embeddings`` go to the cache. ``profile`` asks for each piece's profile.
    """
    reference = plan.reference
    missing = _missing_models(plan)
    if reference is not None and missing:
        tasks = _tasks(plan, [reference], ids, known, read, skip_models=set(missing))
        tasks = _with_extractions(reference, tasks, missing)
        extracts: dict[str, Mapping[str, Any]] = {}
        for batch in _batches(executor, tasks, progress, "reading the reference"):
            for outcome in batch:
                read.add(outcome.sha256)
                extracts[outcome.sha256] = outcome.extracts
            yield [replace(o, extracts={}) for o in batch]
        for model, measure in missing.items():
            _fit(reference, model, measure, extracts)
    tasks = _tasks(plan, plan.systems, ids, known, read, embeddings=embeddings)
    if profile:
        tasks = [replace(t, profile=True) for t in tasks]
    yield from _batches(executor, tasks, progress, "scoring")


def count_missing(
    plan: Plan, ids: Ids, known: Known, read: set[str], embeddings: Sequence[str] = ()
) -> int:
    """How many items still need work."""
    return len(_tasks(plan, plan.systems, ids, known, read, embeddings=embeddings))


def _missing_models(plan: Plan) -> dict[str, Measure]:
    """Models that the plan needs and the cache lacks, with a measure that needs each."""
    needed = {m.model: m for s in plan.systems for m in plan.item_measures(s) if m.model}
    return {k: m for k, m in needed.items() if not (cache_folder() / MODELS / k).is_dir()}


def _tasks(
    plan: Plan,
    systems: Sequence[PlannedSystem],
    ids: Ids,
    known: Known,
    read: set[str],
    skip_models: set[str] | None = None,
    embeddings: Sequence[str] = (),
) -> list[Task]:
    """A task for each content that still needs something, in the order of the plan."""
    tasks: dict[str, Task] = {}
    for system in systems:
        measures = [m for m in plan.item_measures(system) if not m.request.spec.of_frames]
        pair_measures = plan.pair_measures(system)
        for item in system.items:
            if item.sha256 is None:
                continue
            task = tasks.get(item.sha256) or Task(
                item.sha256, str(item.location), item.fragment, item.kind
            )
            asked = {m.id for m in task.measurements}
            new = tuple(
                Measurement(
                    ids[m.identity],
                    m.request.spec.lookup,
                    dict(m.request.parameters),
                    str(cache_folder() / MODELS / m.model) if m.model else "",
                    item.path if m.leave_out else "",
                )
                for m in measures
                if ids[m.identity] not in asked
                and m.model not in (skip_models or ())
                and not known(item.sha256, ids[m.identity])
            )
            pairs = _pairs(pair_measures, item, task, ids, known)
            tasks[item.sha256] = replace(task, measurements=task.measurements + new, pairs=pairs)
    wanted = [_with_frames(t, embeddings, known) for t in tasks.values()]
    return [t for t in wanted if t.measurements or t.frames or t.pairs or t.sha256 not in read]


def _pairs(
    measures: Sequence[Measure], item: Item, task: Task, ids: Ids, known: Known
) -> tuple[PairWork, ...]:
    """The task's pairs with that of the item, which several systems may share."""
    pair = item.pair
    unreadable = item.sha256 is not None and known(item.sha256, FRAMES)
    if not measures or not pair or unreadable:
        return task.pairs
    there = next((p for p in task.pairs if p.pair == pair), PairWork(pair, item.partners, ()))
    asked = {m.id for m in there.measurements}
    new = tuple(
        Measurement(ids[m.identity], m.request.spec.lookup, dict(m.request.parameters))
        for m in measures
        if ids[m.identity] not in asked and not known(pair, ids[m.identity])
    )
    if not new:
        return task.pairs
    others = tuple(p for p in task.pairs if p.pair != pair)
    return (*others, replace(there, measurements=there.measurements + new))


def _with_frames(task: Task, embeddings: Sequence[str], known: Known) -> Task:
    """The task with the frames that the cache lacks; an item that cannot be read needs none."""
    if known(task.sha256, FRAMES):
        return task
    files = {e: frames_file(task.sha256, task.kind, e) for e in embeddings}
    missing = tuple(FramesWanted(e, str(f)) for e, f in files.items() if not f.is_file())
    return replace(task, frames=missing)


def _with_extractions(
    reference: PlannedSystem, tasks: list[Task], missing: Mapping[str, Measure]
) -> list[Task]:
    """Every item of the reference, with what the missing models need of it."""
    wanted = tuple(
        Extraction(model, m.request.name, model_parameters(m.request.spec, m.request.parameters))
        for model, m in missing.items()
    )
    scored = {t.sha256: t for t in tasks}
    every = {
        i.sha256: scored.get(i.sha256) or Task(i.sha256, str(i.location), i.fragment, i.kind)
        for i in reference.items
        if i.sha256 is not None
    }
    return [replace(t, extractions=wanted) for t in every.values()]


def _fit(
    reference: PlannedSystem,
    model: str,
    measure: Measure,
    extracts: Mapping[str, Mapping[str, Any]],
) -> None:
    """Fits a model to the reference's extracts and puts it into the cache."""
    pieces = [
        (item.path, extracts[item.sha256][model])
        for item in reference.items
        if item.sha256 is not None and model in extracts.get(item.sha256, {})
    ]
    if not pieces:
        raise UsageError(f"no piece of the reference {reference.name} could be read")
    spec = measure.request.spec
    assert spec.corpus is not None
    corpus, parameters = spec.corpus, model_parameters(spec, measure.request.parameters)

    def fill(folder: Path) -> None:
        arrays = corpus.fit([e for _, e in pieces], [name for name, _ in pieces], parameters)
        store_arrays(folder, arrays)

    stored_folder(MODELS, model, fill)


def _batches(
    executor: Executor, tasks: list[Task], progress: Progress, what: str
) -> Iterator[list[Outcome]]:
    batch: list[Outcome] = []
    results = executor.map(score_item, tasks, failed)
    for _, outcome in progress.track(results, len(tasks), what):
        batch.append(outcome)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
