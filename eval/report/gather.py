"""From the store to what a report shows: means, intervals, gaps to the reference, ranks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from concours.eval.errors import UsageError
from concours.eval.listeners.of_run import ratings_of_run
from concours.eval.report.listeners import with_listeners
from concours.eval.report.model import (
    Benchmark,
    Cell,
    Column,
    Item,
    ItemScore,
    Refusal,
    Report,
    Status,
    System,
)
from concours.eval.report.overall import overall
from concours.eval.report.side_by_side import side_by_side
from concours.eval.report.standings import Sample, Samples, ranked, unlike_prompts
from concours.eval.report.verdicts import verdict_note
from concours.eval.stats.bootstrap import mean_interval
from concours.eval.store import Store, runs
from concours.eval.store.reports import StoredMeasure, StoredRun, read_run
from concours.eval.store.trust import read_cards
from concours.metrics.distribution import wasserstein_distance
from concours.metrics.features import FeatureTable
from concours.metrics.registry import find
from concours.metrics.spec import Scored, Undefined

Floats = NDArray[np.float64]


def gather(store: Store, benchmarks: Sequence[str]) -> Report:
    """The latest complete run of each benchmark.

    Raises:
        UsageError: a benchmark that has no complete run.
    """
    found = []
    for name in benchmarks:
        run_id = runs.latest_run(store, name)
        if run_id is None:
            raise UsageError(f"benchmark {name} has no complete run in the store: concours run")
        found.append(run_id)
    return gather_runs(store, found)


def gather_runs(store: Store, run_ids: Sequence[str]) -> Report:
    """These runs, of one benchmark each."""
    stored = [read_run(store, run_id) for run_id in run_ids]
    return Report(
        {s.benchmark: s.manifest for s in stored},
        tuple(_joined(store, run_id, s) for run_id, s in zip(run_ids, stored, strict=True)),
    )


def gather_together(store: Store, run_ids: Sequence[str]) -> Report:
    """Runs of one benchmark in one table: the first gives the columns and the reference, the
    systems of the others stand beside its own where they were measured alike.

    Raises:
        UsageError: runs of different benchmarks.
    """
    stored = [read_run(store, run_id) for run_id in run_ids]
    together, refused = side_by_side(stored)
    manifest = {f"{s.benchmark}, run {r[:8]}": s.manifest
                for s, r in zip(stored, run_ids, strict=True)}  # fmt: skip
    return Report(manifest, (_joined(store, run_ids[0], together, refused),))


def _joined(
    store: Store, run_id: str, stored: StoredRun, refused: Sequence[Refusal] = ()
) -> Benchmark:
    """The benchmark with what its trust cards and the listeners of the store's studies say."""
    cards = read_cards(store, run_id)
    benchmark = with_listeners(_benchmark(stored, refused), ratings_of_run(store, run_id))
    columns = tuple(
        replace(c, verdict=cards[c.key].verdict, verdict_note=verdict_note(cards[c.key].card))
        if c.key in cards
        else c
        for c in benchmark.columns
    )
    return replace(benchmark, columns=columns)


def _benchmark(stored: StoredRun, refused: Sequence[Refusal]) -> Benchmark:
    columns = tuple(_column(m) for m in stored.measures)
    samples = {
        (system, c.key): _sample(stored, system, c.key)
        for system, *_ in stored.systems
        for c in columns
        if c.level != "set"
    }
    features = [c.key for c in columns if c.level == "clip" and c.direction == "reference"]
    reference = {f: samples[stored.reference, f].values for f in features if stored.reference}
    systems = tuple(
        System(
            name,
            is_reference,
            source,
            {k: str(v) for k, v in card.items()},
            _items(stored, name, columns, reference),
        )
        for name, is_reference, source, card in stored.systems
    )
    kept_out = {(r.system, key): r.reason for r in refused for key in r.metrics}
    cells = {
        (s.name, c.key): _kept_out(s, c, reason)
        if (reason := kept_out.get((s.name, c.key)))
        else _cell(stored, s, c, samples)
        for s in systems
        for c in columns
    }
    unlike = unlike_prompts(stored, columns)
    cells, contests = ranked(stored, systems, columns, cells, samples, unlike)
    found = Benchmark(
        stored.benchmark,
        stored.reference,
        columns,
        systems,
        cells,
        tuple(contests),
        refusals=(*refused, *unlike),
        confidence=float(stored.manifest["intervals"]["confidence"]),
    )
    return replace(found, overall=overall(found))


def _column(measure: StoredMeasure) -> Column:
    spec = find(measure.metric)
    return Column(
        key=measure.key,
        name=measure.metric,
        family=spec.family,
        level=spec.level,
        direction=spec.direction,
        unit=spec.unit,
        range=spec.range,
        version=measure.version,
        parameters=json.loads(measure.parameters),
        summary=spec.summary,
        citation=spec.citation,
        definition=spec.definition,
    )


def _sample(stored: StoredRun, system: str, key: str) -> Sample:
    """The defined values of a system's items, in the order of its items, with their clusters."""
    found = [
        (value, i.unit)
        for i in stored.items
        if i.system == system
        and (score := stored.scores.get((system, i.position, key))) is not None
        and (value := score.value) is not None
    ]
    return Sample(np.array([v for v, _ in found], dtype=np.float64), tuple(u for _, u in found))


def _items(
    stored: StoredRun, system: str, columns: Sequence[Column], reference: Mapping[str, Floats]
) -> tuple[Item, ...]:
    items = []
    spreads = {
        key: (float(values.mean()), float(values.std(ddof=1)))
        for key, values in reference.items()
        if len(values) > 1 and values.std(ddof=1) > 0
    }
    for i in stored.items:
        if i.system != system:
            continue
        scores = {
            c.key: ItemScore(s.value, cast(Status, s.status), s.reason, s.detail)
            for c in columns
            if (s := stored.scores.get((system, i.position, c.key))) is not None
        }
        items.append(
            Item(
                i.path,
                i.location,
                i.sha256,
                cast(Status, i.status),
                i.reason,
                i.warnings,
                scores,
                _distance(scores, spreads),
            )
        )
    return tuple(items)


def _distance(
    scores: Mapping[str, ItemScore], spreads: Mapping[str, tuple[float, float]]
) -> float | None:
    """The root mean square of z-scores; ``spreads`` are the reference's means and deviations."""
    z = [
        (value - mean) / deviation
        for key, (mean, deviation) in spreads.items()
        if key in scores and (value := scores[key].value) is not None
    ]
    return float(np.sqrt(np.mean(np.square(z)))) if z else None


def _kept_out(system: System, column: Column, reason: str) -> Cell:
    return Cell(
        system.name, column.key, None, None, None, 0, 0, "undefined", reason, column.direction,
        None, None,
    )  # fmt: skip


def _cell(stored: StoredRun, system: System, column: Column, samples: Samples) -> Cell:
    def cell(**given: Any) -> Cell:
        blank: dict[str, Any] = {
            "value": None,
            "ci_low": None,
            "ci_high": None,
            "n": 0,
            "n_undefined": 0,
            "status": "ok",
            "reason": "",
            "rank": None,
            "gap": None,
        }
        return Cell(
            system=system.name, metric=column.key, direction=column.direction, **{**blank, **given}
        )

    if column.level == "set":
        s = stored.set_scores.get((system.name, column.key))
        if s is None:
            return cell(status="undefined", reason="the reference is not compared with itself")
        reason = s.reason
        if s.value is not None and s.ci_low is None:
            reason = "no interval: fewer than 4 items or songs in a set, or too few for its halves"
        return cell(
            value=s.value, ci_low=s.ci_low, ci_high=s.ci_high, n=s.n, status=s.status, reason=reason
        )
    found, clusters = samples[system.name, column.key]
    scores = [i.scores[column.key] for i in system.items if column.key in i.scores]
    undefined = Counter(s.reason for s in scores if s.status != "ok")
    if len(found) == 0:
        common = undefined.most_common(1)
        if column.level == "pair" and not scores:
            return cell(status="undefined", reason="its items have nothing to be held against")
        failures = any(s.status == "failed" for s in scores) or not scores
        return cell(
            status="failed" if failures else "undefined",
            n_undefined=len(scores),
            reason=common[0][0] if common else "no item could be read",
        )
    settings = stored.manifest["intervals"]
    interval = mean_interval(
        found,
        clusters=clusters,
        confidence=settings["confidence"],
        resamples=settings["bootstrap_resamples"],
        seed=stored.manifest["seeds"]["intervals"],
    )
    low, high = interval if interval is not None else (None, None)
    gap = None
    if column.direction == "reference" and stored.reference:
        gap = _gap(found, samples[stored.reference, column.key].values)
    return cell(
        value=float(found.mean()),
        ci_low=low,
        ci_high=high,
        n=len(found),
        gap=gap,
        n_undefined=sum(undefined.values()),
        n_clusters=len(set(clusters)),
        reason="" if interval is not None else f"no interval: a single {_unit(clusters)}",
    )


def _gap(values: Floats, reference: Floats) -> float | None:
    if len(reference) == 0:
        return None
    result = wasserstein_distance(
        FeatureTable(("x",), values[:, None]), FeatureTable(("x",), reference[:, None]), feature="x"
    )
    if isinstance(result, Undefined):
        return None
    return float(result.value if isinstance(result, Scored) else result)


def _unit(clusters: Sequence[str]) -> str:
    return clusters[0].partition(" ")[0]
