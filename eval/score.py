"""Scoring files and folders without a config and without a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from concours.eval import compute, frame_scores, sets
from concours.eval.embeddings.described import require_embeddings
from concours.eval.embeddings.statistics import is_statistics
from concours.eval.errors import UsageError
from concours.eval.event_files import find_event_files, score_events
from concours.eval.execute import make_executor
from concours.eval.items import Item, find_items
from concours.eval.pairing.asked import NOT_PAIRED, Pairing, answerable
from concours.eval.pairing.partners import together, unanswered
from concours.eval.plan import Measure, Plan, PlannedSystem
from concours.eval.progress import Progress, Silent
from concours.eval.songs import named_songs, song_pattern, with_songs
from concours.eval.work import Outcome, ScoreValue
from concours.metrics import registry
from concours.metrics.registry import expand
from concours.metrics.spec import MetricRequest

REFERENCE = "reference"
SHOWN = {"truth": "ground_truth", "target": "target", "prefix": "prompt"}


@dataclass(frozen=True)
class ScoredItem:
    """One piece of the path argument ``given``; ``status`` is "failed" where it could not be read,
    with the cause in ``reason``. ``partners`` names what pair metrics held it against, by role."""

    given: str
    path: str
    sha256: str | None
    status: str
    reason: str
    warnings: tuple[str, ...]
    scores: Mapping[str, ScoreValue]
    partners: Mapping[str, str] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoredSet:
    """One path held against the reference."""

    path: str
    reference: str
    scores: Mapping[str, sets.SetOutcome]


@dataclass(frozen=True)
class Scores:
    """Everything that was scored. ``reference_items`` are the reference's own, each held against
    the others; ``unanswered`` are the ground truths that no item answers."""

    requests: tuple[MetricRequest, ...]
    items: tuple[ScoredItem, ...]
    sets: tuple[ScoredSet, ...]
    reference_items: tuple[ScoredItem, ...]
    unanswered: tuple[str, ...] = ()


def score_paths(
    paths: Sequence[str],
    *,
    metrics: Sequence[str] = (),
    reference: str | None = None,
    groups: str | None = None,
    compat: str | None = None,
    pairing: Pairing = NOT_PAIRED,
    beats: str | None = None,
    profile: bool = False,
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
    ``groups`` is a CSV file with the columns ``path`` and ``song``: which are cut from one
    recording.

    ``compat`` names another tool (muspy, musdr, mgeval, pypianoroll) whose numbers are reproduced,
    bugs included; ``metrics`` then picks among those of that tool. MusDr's own event files (CSV)
    are read under ``compat="musdr"``.

    ``pairing`` says what each item is held against; the metrics of pairs come with it by default.
    ``beats`` settles the parameter of that name wherever a metric has it: ``check``, ``trust`` or
    ``estimate``. ``profile`` adds each piece's histograms and curves
    (:mod:`concours.metrics.profile`).

    Raises:
        UsageError: nothing at a path, or a metric that needs a reference or a partner where none is
            given.
        MetricError: an unknown metric, parameter or tool.
    """
    events: list[ScoredItem] = []
    if compat == "musdr":
        names = [r.name for r in _of_peer(compat, metrics)]
        with_events = {p: files for p in dict.fromkeys(paths) if (files := find_event_files(p))}
        events = [_scored_events(p, f, names) for p, files in with_events.items() for f in files]
        paths = [p for p in paths if p not in with_events or _holds_music(p)]
    if events and not paths:
        return Scores(tuple(_of_peer("musdr", metrics)), tuple(events), (), ())
    found = pairing.of({p: find_items(p) for p in dict.fromkeys(paths)})
    statistics = reference is not None and is_statistics(Path(reference))
    own = find_items(reference) if reference is not None and not statistics else []
    if groups is not None:
        table = Path(groups).expanduser()
        grouped = together({REFERENCE: own, **found}, lambda items: with_songs(items, table))
        own, found = grouped.pop(REFERENCE), grouped
    else:
        own, found = _by_name(own), {p: _by_name(items) for p, items in found.items()}
    systems = [PlannedSystem(p, tuple(i), p) for p, i in found.items()]
    everything = [i for s in systems for i in s.items]
    kinds = {i.kind for i in everything}
    if compat is not None:
        asked = _of_peer(compat, metrics)
    else:
        paired = pairing.families(everything, kinds)
        asked = expand(metrics or [*_default_metrics(kinds, reference is not None), *paired])
    if beats is not None:
        asked = [_with_beats(r, beats) for r in asked]
    asked = answerable(asked, everything, metrics)
    if reference is None:
        needing = [r.name for r in asked if r.spec.level in ("set", "corpus")]
        if metrics and needing and not _only_groups(metrics):
            raise UsageError(f"{needing[0]} compares with a reference: add --reference FOLDER")
        asked = [r for r in asked if r.spec.level in ("clip", "pair")]
    if reference is not None:
        at = str(Path(reference).absolute()) if statistics else ""
        systems.insert(0, PlannedSystem(REFERENCE, tuple(own), reference, {}, True, at))
    require_embeddings(asked, opened=True)
    plan = Plan("score", tuple(systems), tuple(_with_features(asked)), seed)
    scores = _compute(plan, asked, reference, workers, progress or Silent(), profile)
    scores = replace(scores, items=(*events, *scores.items))
    if pairing.ground_truth is None:
        return scores
    return replace(scores, unanswered=tuple(unanswered(everything, pairing.ground_truth)))


def _by_name(items: list[Item]) -> list[Item]:
    return named_songs(items, song_pattern(items))


def _scored_events(given: str, file: Path, names: Sequence[str]) -> ScoredItem:
    sha256, found = score_events(file, names)
    if isinstance(found, str):
        return ScoredItem(given, str(file), sha256 or None, "failed", found, (), {})
    return ScoredItem(given, str(file), sha256, "ok", "", (), found)


def _holds_music(path: str) -> bool:
    try:
        return bool(find_items(path))
    except UsageError:
        return False


def _with_beats(request: MetricRequest, beats: str) -> MetricRequest:
    if "beats" not in request.spec.parameters:
        return request
    if request.parameters["beats"] != request.spec.parameters["beats"]:
        return request  # what is written with the metric holds
    return MetricRequest(request.spec, {**request.parameters, "beats": beats})


def _of_peer(peer: str, names: Sequence[str]) -> list[MetricRequest]:
    known = registry.compat(peer)
    specs = [registry.find(f"{peer}/{n}") for n in names] if names else list(known.values())
    return [MetricRequest(s, s.parameters) for s in specs]


def _default_metrics(kinds: set[str], compared: bool) -> list[str]:
    groups: list[str] = [k for k in ("symbolic", "audio") if k in kinds]
    if compared and "symbolic" in kinds:
        groups += ["surprise", "originality"]
    return [*groups, "audio_originality"] if compared and "audio" in kinds else groups


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
    profile: bool,
) -> Scores:
    measures = [m for s in plan.systems for m in (*plan.item_measures(s), *plan.pair_measures(s))]
    measures += [Measure(r) for r in plan.set_requests()]
    ids = {identity: i for i, identity in enumerate(dict.fromkeys(m.identity for m in measures))}
    outcomes: dict[str, Outcome] = {}
    found: dict[tuple[str, int], ScoreValue] = {}

    def known(sha256: str, number: int) -> bool:
        bad = sha256 in outcomes and outcomes[sha256].status == "failed"
        return bad or (sha256, number) in found

    embeddings = sets.needed_embeddings(plan, ids, lambda *_: False, lambda *_: False)
    with closing(make_executor("local", workers)) as executor:
        batches = compute.compute_items(
            plan, ids, known, set(), executor, progress, embeddings, profile=profile
        )
        for batch in batches:
            for o in batch:
                outcomes.setdefault(o.sha256, o)
                found |= {(o.sha256, s.measurement): s for s in o.scores}
                found |= {(p, s.measurement): s for p, own in o.pair_scores.items() for s in own}
        on_frames = frame_scores.frame_tasks(plan, ids, known)
        of_frames = executor.map(frame_scores.score_frames, on_frames, frame_scores.lost_frames)
        for _, scores in of_frames:
            found |= {(sha, s.measurement): s for sha, s in scores}
        features = {ids[Measure(f).identity]: f.key for f in plan.features}
        values = {
            (sha, features[number]): s.value
            for (sha, number), s in found.items()
            if number in features and s.value is not None
        }
        tasks = sets.set_tasks(plan, ids, lambda *_: False, values)
        results = [
            r for _, done in executor.map(sets.score_set, tasks, sets.lost_set) for r in done
        ]
    keys = {ids[Measure(r).identity]: r.key for r in plan.set_requests()}
    shown = {r.key for r in asked}

    def items(system: PlannedSystem) -> tuple[ScoredItem, ...]:
        own = (*plan.item_measures(system), *plan.pair_measures(system))
        of = {m.request.key: ids[m.identity] for m in own if m.request.key in shown}
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
    scores = {
        k: s
        for k, m in measures.items()
        if (s := found.get((item.sha256, m)) or found.get((item.pair, m))) is not None
    }
    return ScoredItem(
        system.source,
        path,
        item.sha256,
        outcome.status,
        outcome.reason,
        outcome.warnings,
        scores,
        {p.role: p.name for p in item.partners if p.name},
        outcome.profile,
    )


def _shown_path(system: PlannedSystem, item: Item) -> str:
    """The file as the user would name it, with the tune's fragment."""
    place = Path(system.source)
    if place.is_dir():
        return f"{system.source.rstrip('/')}/{item.path}"
    return f"{item.location}#{item.fragment}" if item.fragment else str(item.location)
