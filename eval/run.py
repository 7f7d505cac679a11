"""Running benchmarks: plan, compute what is missing, store it, and say what happened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from concours.eval import compute, frame_scores, sets
from concours.eval.config import Config, Source
from concours.eval.embeddings.catalogue import embedding_of
from concours.eval.embeddings.described import require_embeddings
from concours.eval.errors import UsageError
from concours.eval.execute import Executor, make_executor
from concours.eval.items import Item
from concours.eval.load import LOADER_VERSION
from concours.eval.manifest import manifest
from concours.eval.plan import Measure, Plan, PlannedSystem
from concours.eval.progress import Progress, Silent
from concours.eval.songs import named_songs, song_pattern
from concours.eval.sources import resolve, statistics_of
from concours.eval.store import Store, open_store, runs
from concours.eval.store.engine import is_there

LOADER = str(LOADER_VERSION)


@dataclass(frozen=True)
class RunResult:
    """What one benchmark's run came to. ``computed`` counts the items that were worked on this
    time: 0 for a run that was complete already."""

    benchmark: str
    run_id: str
    items: int
    failed: int
    computed: int

    @property
    def failure_rate(self) -> float:
        return self.failed / self.items if self.items else 0.0


@dataclass(frozen=True)
class PlannedRun:
    """What ``--plan`` shows."""

    plan: Plan
    to_compute: int


def select(config: Config, only: Sequence[str]) -> list[str]:
    """The benchmarks to run.

    Raises:
        UsageError: a name that the config does not have.
    """
    for name in only:
        if name not in config.benchmarks:
            known = ", ".join(config.benchmarks)
            raise UsageError(f"--only {name}: there is no such benchmark; there are: {known}")
    return [name for name in config.benchmarks if not only or name in only]


def with_systems(config: Config, folders: Mapping[str, str]) -> Config:
    """The config with more systems, each a folder, in every benchmark.

    Raises:
        UsageError: a name that the config gives to something else.
    """
    taken = config.sources.keys() & folders.keys()
    if taken:
        raise UsageError(f"--system {min(taken)}: the config has that name already")
    systems = {n: Source(path=str(Path(f).absolute())) for n, f in folders.items()}
    benchmarks = {
        name: b.model_copy(update={"systems": [*b.systems, *folders]})
        for name, b in config.benchmarks.items()
    }
    return config.model_copy(
        update={"systems": {**config.systems, **systems}, "benchmarks": benchmarks}
    )


def make_plans(config: Config, folder: Path, only: Sequence[str], progress: Progress) -> list[Plan]:
    """The plans of the chosen benchmarks; relative paths start at ``folder``."""
    chosen = select(config, only)
    names = [n for c in chosen for n in _names(config, c)]
    items = resolve(config, dict.fromkeys(names), folder, progress.say)
    return [_plan(config, name, items, folder) for name in chosen]


def _names(config: Config, benchmark: str) -> list[str]:
    b = config.benchmarks[benchmark]
    return [b.reference, *b.systems]


def _plan(config: Config, name: str, items: Mapping[str, list[Any]], folder: Path) -> Plan:
    benchmark = config.benchmarks[name]
    patterns = {n: _songs(config.sources[n], items[n]) for n in _names(config, name)}
    systems = tuple(
        PlannedSystem(
            n,
            tuple(named_songs(items[n], patterns[n])),
            config.sources[n].described,
            config.sources[n].card,
            is_reference=n == benchmark.reference,
            statistics=statistics_of(config.sources[n], folder),
        )
        for n in _names(config, name)
    )
    require_embeddings(benchmark.requests)
    used = {n: config.sources[n].model_dump(exclude_defaults=True) for n in _names(config, name)}
    for n, pattern in patterns.items():  # what names say is told as if it had been written
        used[n] |= {"songs": pattern} if pattern else {}
    return Plan(
        name,
        systems,
        tuple(benchmark.requests),
        benchmark.seed,
        benchmark.resamples,
        benchmark.confidence,
        {"benchmark": benchmark.model_dump(), "sources": used},
    )


def _songs(source: Source, items: Sequence[Item]) -> str:
    return source.songs or ("" if source.groups else song_pattern(items))


def run_benchmarks(
    config: Config,
    folder: Path | None = None,
    *,
    only: Sequence[str] = (),
    workers: int | None = None,
    executor: str = "local",
    progress: Progress | None = None,
) -> list[RunResult]:
    """Runs the benchmarks of a config and stores their scores; running again is the resume.

    Relative paths, the store's among them, start at ``folder`` (the current one by default).

    Raises:
        UsageError: a source without music, an unknown benchmark or executor.
        StoreError: the database cannot be opened.
    """
    folder = folder or Path()
    shown = progress or Silent()
    with closing(make_executor(executor, workers)) as engine:  # what it lacks is told first
        plans = make_plans(config, folder, only, shown)
        with open_store(config.store, folder) as store:
            _open_embeddings(store, plans)
            return [_run(store, plan, folder, engine, shown) for plan in plans]


def _open_embeddings(store: Store, plans: Sequence[Plan]) -> None:
    """Opens the embeddings of everything that is still to compute, before any of it is: what is
    missing is one error, and a run that is complete opens none."""
    requests = []
    for plan in plans:
        needed = _needed(plan, runs.known_of(store, plan, LOADER))
        requests += [
            r
            for r in plan.requests
            if r.spec.inputs == "embedding" and embedding_of(r.parameters) in needed
        ]
    require_embeddings(requests, opened=True)


def plan_benchmarks(
    config: Config, folder: Path | None = None, *, only: Sequence[str] = ()
) -> list[PlannedRun]:
    """What :func:`run_benchmarks` would compute. Baselines are generated, nothing is scored, and
    nothing is written into the store; one that is not there yet is not made."""
    folder = folder or Path()
    with ExitStack() as stack:
        there = is_there(config.store, folder)
        store = stack.enter_context(open_store(config.store, folder)) if there else None
        plans = make_plans(config, folder, only, Silent())
        return [PlannedRun(plan, _missing(store, plan)) for plan in plans]


def _missing(store: Store | None, plan: Plan) -> int:
    known = runs.known_of(store, plan, LOADER)
    done = _known(known.loads, known.scores)
    return compute.count_missing(plan, known.ids, done, set(known.loads), _needed(plan, known))


def _needed(plan: Plan, known: runs.Known) -> list[str]:
    done = _known(known.loads, known.scores)
    return sets.needed_embeddings(plan, known.ids, lambda *key: key in known.sets, done)


def _run(
    store: Store, plan: Plan, folder: Path, executor: Executor, progress: Progress
) -> RunResult:
    description = manifest(plan, folder)
    ids = runs.register(store, plan, description, LOADER)
    scores = runs.known_scores(store, plan.run_id)
    loads = runs.known_loads(store, plan.run_id, LOADER)
    environment = {k: description[k] for k in ("command", "hardware", "versions", "code")}
    log = runs.log_start(store, plan.run_id, environment)

    known = _known(loads, scores)
    computed: set[str] = set()
    there = runs.known_set_scores(store, plan.run_id)
    embeddings = sets.needed_embeddings(plan, ids, lambda *key: key in there, known)
    for batch in compute.compute_items(
        plan, ids, known, set(loads), executor, progress, embeddings
    ):
        runs.write_outcomes(store, batch, LOADER)
        for outcome in batch:
            computed.add(outcome.sha256)
            loads[outcome.sha256] = outcome.status
            scores.update((outcome.sha256, s.measurement) for s in outcome.scores)
            scores.update((p, s.measurement) for p, own in outcome.pair_scores.items() for s in own)
    on_frames = frame_scores.frame_tasks(plan, ids, known)
    done = executor.map(frame_scores.score_frames, on_frames, frame_scores.lost_frames)
    for _, found in progress.track(done, len(on_frames), "comparing clips"):
        runs.write_scores(store, found)
    _compute_sets(store, plan, ids, executor, progress)
    runs.finish(store, plan.run_id, log, len(computed))
    items = [i for s in plan.systems for i in s.items]
    failures = sum(1 for i in items if i.sha256 is None or loads.get(i.sha256) == "failed")
    return RunResult(plan.benchmark, plan.run_id, len(items), failures, len(computed))


def _known(loads: Mapping[str, str], scores: set[tuple[str, int]]) -> compute.Known:
    """What needs no computing: scores that are there, and all of an item that cannot be read."""
    return lambda sha256, measure: loads.get(sha256) == "failed" or (sha256, measure) in scores


def _compute_sets(
    store: Store, plan: Plan, ids: runs.MeasureIds, executor: Executor, progress: Progress
) -> None:
    there = runs.known_set_scores(store, plan.run_id)
    features = {ids[Measure(f).identity]: f.key for f in plan.features}
    values = runs.values(store, plan.run_id, features)
    tasks = sets.set_tasks(plan, ids, lambda *key: key in there, values)
    results = executor.map(sets.score_set, tasks, sets.lost_set)
    found = [o for _, done in progress.track(results, len(tasks), "comparing sets") for o in done]
    places = {ids[Measure(r).identity]: i for i, r in enumerate(plan.set_requests())}
    runs.write_set_scores(
        store,
        plan.run_id,
        [
            runs.SetValue(
                o.system,
                places[o.score.measurement],
                o.score,
                o.ci_low,
                o.ci_high,
                o.n,
                [None if math.isnan(d) else d for d in o.halves],
            )
            for o in found
        ],
    )
