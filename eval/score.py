"""Scoring files and folders without a config and without a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from concours.eval import compute, frame_scores, sets
from concours.eval.embeddings.statistics import is_statistics
from concours.eval.errors import UsageError
from concours.eval.execute import make_executor
from concours.eval.items import Item, find_items, with_column
from concours.eval.plan import Measure, Plan, PlannedSystem
from concours.eval.progress import Progress, Silent
from concours.eval.work import Outcome, ScoreValue
from concours.metrics import registry
from concours.metrics.registry import expand
from concours.metrics.spec import MetricRequest

REFERENCE = "reference"


@dataclass(frozen=True)
class ScoredItem:
    """One piece of the path argument ``given``; ``status`` is "failed" where it could not be read,
    with the cause in ``reason``."""

    given: str
    path: str
    sha256: str | None
    status: str
    reason: str
    warnings: tuple[str, ...]
    scores: Mapping[str, ScoreValue]


@dataclass(frozen=True)
class ScoredSet:
    """One path held against the reference."""

    path: str
    reference: str
    scores: Mapping[str, sets.SetOutcome]


@dataclass(frozen=True)
class Scores:
    """Everything that was scored. ``reference_items`` are the reference's own, each held against
    the others."""

    requests: tuple[MetricRequest, ...]
    items: tuple[ScoredItem, ...]
    sets: tuple[ScoredSet, ...]
    reference_items: tuple[ScoredItem, ...]


def score_paths(
    paths: Sequence[str],
    *,
    metrics: Sequence[str] = (),
    reference: str | None = None,
    prompts: str | None = None,
    groups: str | None = None,
    compat: str | None = None,
    workers: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Scores:
    """Scores every piece at the paths (folders, files or globs), and their sets where a reference
    is given.

    ``metrics`` are written as ``name``, ``name:parameter=value`` or a family; the default is
    every metric of notes, of sound or of both, as the items at the paths are, and with a reference
    the distances to it and originality too.

    ``reference`` may be statistics (``.npz``) instead of music: Fréchet distances need no more.
    ``prompts`` is a CSV file with the columns ``path`` and ``prompt``, ``groups`` one with ``path``
    and ``song``: what pieces were asked for, and which are cut from one recording.

    ``compat`` names another tool (muspy, musdr, mgeval, pypianoroll) whose numbers are reproduced,
    bugs included; ``metrics`` then picks among those of that tool.

    Raises:
        UsageError: nothing at a path, or a metric that needs a reference where none is given.
        MetricError: an unknown metric, parameter or tool.
    """
    found = {p: find_items(p) for p in dict.fromkeys(paths)}
    held = reference is not None and is_statistics(Path(reference))
    own = find_items(reference) if reference is not None and not held else []
    if prompts is not None:
        found = with_column(found, Path(prompts), "prompt")
    if groups is not None:
        both = with_column({**found, REFERENCE: own}, Path(groups), "song")
        own = both.pop(REFERENCE)
        found = both
    systems = [PlannedSystem(p, tuple(items), p) for p, items in found.items()]
    kinds = {i.kind for s in systems for i in s.items}
    if compat is not None:
        asked = _of_peer(compat, metrics)
    else:
        asked = expand(metrics or _default_metrics(kinds, reference is not None))
    if reference is None:
        needing = [r.name for r in asked if r.spec.level in ("set", "corpus")]
        if metrics and needing and not _only_groups(metrics):
            raise UsageError(f"{needing[0]} compares with a reference: add --reference FOLDER")
        asked = [r for r in asked if r.spec.level not in ("set", "corpus")]
    named = {m.partition(":")[0] for m in metrics}
    if prompts is None:
        lacking = [r.name for r in asked if r.spec.partner == "prompt" and r.name in named]
        if lacking:
            raise UsageError(f"{lacking[0]} holds sound against its prompt: add --prompts FILE")
    if reference is not None:
        at = str(Path(reference).absolute()) if held else ""
        systems.insert(0, PlannedSystem(REFERENCE, tuple(own), reference, {}, True, at))
    plan = Plan("score", tuple(systems), tuple(_with_features(asked)), seed)
    return _compute(plan, asked, reference, workers, progress or Silent())


def _of_peer(peer: str, names: Sequence[str]) -> list[MetricRequest]:
    known = registry.compat(peer)
    specs = [registry.find(f"{peer}/{n}") for n in names] if names else list(known.values())
    return [MetricRequest(s, s.parameters) for s in specs]


def _default_metrics(kinds: set[str], compared: bool) -> list[str]:
    groups: list[str] = [k for k in ("symbolic", "audio") if k in kinds]
    return [*groups, "surprise", "originality"] if compared and "symbolic" in kinds else groups


def _only_groups(metrics: Iterable[str]) -> bool:
    return all(m in ("symbolic", "audio") for m in metrics)


def _with_features(asked: Sequence[MetricRequest]) -> list[MetricRequest]:
    """Set metrics compare features; where none are asked for, they compare all."""
    on_features = any(r.spec.inputs == "features" for r in asked)
    if not on_features or any(r.spec.level == "clip" for r in asked):
        return list(asked)
    return [*(r for r in expand(["symbolic"]) if r.spec.level == "clip"), *asked]


def _compute(
    plan: Plan,
    asked: Sequence[MetricRequest],
    reference: str | None,
    workers: int | None,
    progress: Progress,
) -> Scores:
    measures = [m for s in plan.systems for m in plan.item_measures(s)]
    measures += [Measure(r) for r in plan.set_requests()]
    ids = {identity: i for i, identity in enumerate(dict.fromkeys(m.identity for m in measures))}
    executor = make_executor("local", workers)
    outcomes: dict[str, Outcome] = {}
    found: dict[tuple[str, int], ScoreValue] = {}

    def known(sha256: str, number: int) -> bool:
        bad = sha256 in outcomes and outcomes[sha256].status == "failed"
        return bad or (sha256, number) in found

    embeddings = sets.needed_embeddings(plan, ids, lambda *_: False, lambda *_: False)
    batches = compute.compute_items(plan, ids, known, set(), executor, progress, embeddings)
    for batch in batches:
        for o in batch:
            outcomes.setdefault(o.sha256, o)
            found |= {(o.sha256, s.measurement): s for s in o.scores}
    on_frames = frame_scores.frame_tasks(plan, ids, known)
    for _, scores in executor.map(frame_scores.score_frames, on_frames, frame_scores.lost_frames):
        found |= {(sha, s.measurement): s for sha, s in scores}
    values = {
        (sha, f.key): s.value
        for f in plan.features
        for (sha, number), s in found.items()
        if number == ids[Measure(f).identity] and s.value is not None
    }
    tasks = sets.set_tasks(plan, ids, lambda *_: False, values)
    results = [r for _, done in executor.map(sets.score_set, tasks, sets.lost_set) for r in done]
    keys = {ids[Measure(r).identity]: r.key for r in plan.set_requests()}
    shown = {r.key for r in asked}

    def items(system: PlannedSystem) -> tuple[ScoredItem, ...]:
        of = {
            m.request.key: ids[m.identity]
            for m in plan.item_measures(system)
            if m.request.key in shown
        }
        return tuple(_item(system, i, of, outcomes, found) for i in system.items)

    own = [s for s in plan.systems if s.is_reference]
    others = [s for s in plan.systems if not s.is_reference]
    return Scores(
        tuple(asked),
        tuple(i for s in others for i in items(s)),
        tuple(
            ScoredSet(
                s.name,
                reference,
                {keys[r.score.measurement]: r for r in results if r.system == s.name},
            )
            for s in others
            if reference is not None
        ),
        tuple(i for s in own for i in items(s)),
    )


def _item(
    system: PlannedSystem,
    item: Item,
    measures: Mapping[str, int],
    outcomes: Mapping[str, Outcome],
    found: Mapping[tuple[str, int], ScoreValue],
) -> ScoredItem:
    path = _shown_path(system, item)
    outcome = outcomes.get(item.sha256 or "")
    if item.sha256 is None or outcome is None:
        return ScoredItem(system.source, path, item.sha256, "failed", item.reason, (), {})
    scores = {k: s for k, m in measures.items() if (s := found.get((item.sha256, m))) is not None}
    return ScoredItem(
        system.source,
        path,
        item.sha256,
        outcome.status,
        outcome.reason,
        outcome.warnings,
        scores,
    )


def _shown_path(system: PlannedSystem, item: Item) -> str:
    """The file as the user would name it, with the tune's fragment."""
    place = Path(system.source)
    if place.is_dir():
        return f"{system.source.rstrip('/')}/{item.path}"
    return f"{item.location}#{item.fragment}" if item.fragment else str(item.location)


def as_dict(scores: Scores) -> dict[str, Any]:
    """The JSON form: ``items`` and ``sets``."""
    return {
        "items": [
            {
                "path": i.path,
                "sha256": i.sha256,
                "status": i.status,
                "reason": i.reason,
                "warnings": list(i.warnings),
                "scores": {k: _score(s) for k, s in i.scores.items()},
            }
            for i in scores.items
        ],
        "sets": [
            {
                "path": s.path,
                "reference": s.reference,
                "scores": {
                    k: {
                        "value": o.score.value,
                        "ci_low": o.ci_low,
                        "ci_high": o.ci_high,
                        "n": o.n,
                        "status": o.score.status,
                        "reason": o.score.reason,
                        "detail": dict(o.score.detail),
                    }
                    for k, o in s.scores.items()
                },
            }
            for s in scores.sets
        ],
    }


def _score(score: ScoreValue) -> dict[str, Any]:
    found: dict[str, Any] = {
        "value": score.value,
        "status": score.status,
        "reason": score.reason,
    }
    if score.detail:
        found["detail"] = dict(score.detail)
    return found
