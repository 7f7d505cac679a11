"""What a report reads of a run: everything, in the order of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from concours.eval.clusters import cluster_of
from concours.eval.songs import song_of
from concours.eval.store.engine import Store
from concours.eval.store.tables import (
    item,
    loading,
    measure,
    run,
    run_item,
    run_measure,
    run_system,
    score,
    set_score,
)


@dataclass(frozen=True)
class StoredItem:
    """``song`` names what the item is cut from, "" for nothing."""

    system: str
    position: int
    path: str
    location: str
    sha256: str | None
    status: str
    reason: str
    warnings: tuple[str, ...]
    prompt: str = ""
    song: str = ""

    @property
    def unit(self) -> str:
        """The cluster it belongs to: its prompt or song, else the item by itself."""
        return cluster_of(self.system, self.path, self.prompt, self.song)


@dataclass(frozen=True)
class StoredScore:
    value: float | None
    status: str
    reason: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class StoredSetScore:
    """``reason`` is why there is no value, or what the value is to be taken with. ``halves`` are
    the distances between half-samples, shared by the systems of a run; None where undefined, empty
    in runs of an older version."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    status: str
    reason: str
    halves: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class StoredMeasure:
    key: str
    metric: str
    version: int
    parameters: str


@dataclass(frozen=True)
class StoredRun:
    """``systems`` are (name, is_reference, source, card); ``scores`` go by (system, position,
    key), ``set_scores`` by (system, key); ``measures`` hold each key once, item metrics first."""

    benchmark: str
    reference: str
    manifest: Mapping[str, Any]
    systems: tuple[tuple[str, bool, str, Mapping[str, Any]], ...]
    items: tuple[StoredItem, ...]
    measures: tuple[StoredMeasure, ...]
    scores: Mapping[tuple[str, int, str], StoredScore]
    set_scores: Mapping[tuple[str, str], StoredSetScore]


def read_run(store: Store, run_id: str) -> StoredRun:
    """One run, whole."""
    with store.reading() as connection:
        header = connection.execute(select(run).where(run.c.id == run_id)).one()
        systems = connection.execute(
            select(run_system).where(run_system.c.run_id == run_id).order_by(run_system.c.position)
        ).all()
        items = connection.execute(
            select(
                run_item,
                item.c.sha256,
                loading.c.status,
                loading.c.reason.label("why"),
                loading.c.warnings,
            )
            .outerjoin(item, item.c.id == run_item.c.item_id)
            .outerjoin(
                loading,
                (loading.c.item_id == item.c.id) & (loading.c.loader == header.loader),
            )
            .where(run_item.c.run_id == run_id)
            .order_by(run_item.c.system, run_item.c.position)
        ).all()
        scores = [
            row
            for content in (run_item.c.item_id, run_item.c.pair_id)
            for row in connection.execute(
                select(run_item.c.system, run_item.c.position, measure.c.key, score)
                .join(
                    run_measure,
                    (run_measure.c.run_id == run_item.c.run_id)
                    & (run_measure.c.system == run_item.c.system),
                )
                .join(measure, measure.c.id == run_measure.c.measure_id)
                .join(score, (score.c.item_id == content) & (score.c.measure_id == measure.c.id))
                .where(run_item.c.run_id == run_id)
            )
        ]
        measures = connection.execute(
            select(measure.c.key, measure.c.metric, measure.c.version, measure.c.parameters)
            .join(run_measure, run_measure.c.measure_id == measure.c.id)
            .where(run_measure.c.run_id == run_id)
            .order_by(run_measure.c.position, measure.c.id)
        ).all()
        sets = connection.execute(
            select(
                measure.c.key, measure.c.metric, measure.c.version, measure.c.parameters, set_score
            )
            .join(set_score, set_score.c.measure_id == measure.c.id)
            .where(set_score.c.run_id == run_id)
            .order_by(set_score.c.position)
        ).all()
    sources = header.manifest.get("config", {}).get("sources", {})
    patterns = {n: str(s.get("songs") or "") for n, s in sources.items()}
    by_key = {
        m.key: StoredMeasure(m.key, m.metric, m.version, m.parameters) for m in [*measures, *sets]
    }
    return StoredRun(
        header.benchmark,
        header.reference,
        header.manifest,
        tuple((s.system, bool(s.is_reference), s.source, s.card) for s in systems),
        tuple(
            StoredItem(
                i.system,
                i.position,
                i.path,
                i.location,
                i.sha256,
                i.status or "failed",
                i.why or i.reason,
                tuple(i.warnings or ()),
                i.prompt,
                song_of(i.path, patterns.get(i.system, "")) if i.song is None else i.song,
            )
            for i in items
        ),
        tuple(by_key.values()),
        {
            (s.system, s.position, s.key): StoredScore(s.value, s.status, s.reason, s.detail)
            for s in scores
        },
        {
            (s.system, s.key): StoredSetScore(
                s.value,
                s.ci_low,
                s.ci_high,
                s.n,
                s.status,
                s.reason or str((s.detail or {}).get("warning", "")),
                tuple((s.detail or {}).get("halves", ())),
            )
            for s in sets
        },
    )
