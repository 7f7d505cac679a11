"""What a run writes and reads: registration, what is already known, results in batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from concours.eval.errors import UsageError
from concours.eval.plan import Measure, Plan
from concours.eval.store.engine import Store
from concours.eval.store.tables import (
    invocation,
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
from concours.eval.work import Outcome, ScoreValue

ROWS_AT_ONCE = 5_000

MeasureIds = dict[tuple[str, int, str, str], int]


class SetValue(NamedTuple):
    """A set metric of one system, with its interval and its place among the run's set metrics;
    ``halves`` are the distances between half-samples, None where undefined."""

    system: str
    position: int
    score: ScoreValue
    ci_low: float | None
    ci_high: float | None
    n: int
    halves: Sequence[float | None] = ()


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts the rows that break no unique constraint, in order."""
    build = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for i in range(0, len(rows), ROWS_AT_ONCE):
        batch = [dict(r) for r in rows[i : i + ROWS_AT_ONCE]]
        connection.execute(build(table).on_conflict_do_nothing(), batch)


def register(store: Store, plan: Plan, manifest: Mapping[str, Any], loader: str) -> MeasureIds:
    """Writes down what the run consists of, in one transaction; again is harmless.

    Items and measures get their ids here, in the order of the plan, so that they don't depend on
    which worker finishes first.
    """
    with store.writing() as connection:
        contents = {i.sha256: None for s in plan.systems for i in s.items if i.sha256}
        contents |= {i.pair: None for s in plan.systems for i in s.items if i.pair}
        _insert_missing(connection, item, "sha256", list(contents))
        numbers = connection.execute(select(item.c.sha256, item.c.id))
        item_ids = {row.sha256: row.id for row in numbers}
        ids = _register_measures(connection, plan)
        header = {
            "id": plan.run_id,
            "benchmark": plan.benchmark,
            "reference": plan.reference.name if plan.reference else "",
            "config_hash": plan.config_hash,
            "loader": loader,
            "manifest": dict(manifest),
            "status": "running",
        }
        insert_new(connection, run, [header])
        for table in (run_system, run_item, run_measure):
            connection.execute(delete(table).where(table.c.run_id == plan.run_id))
        for position, system in enumerate(plan.systems):
            key = {"run_id": plan.run_id, "system": system.name}
            row = {
                **key,
                "position": position,
                "is_reference": int(system.is_reference),
                "source": system.source,
                "card": dict(system.card),
            }
            insert_new(connection, run_system, [row])
            rows = [
                {
                    **key,
                    "position": i,
                    "path": found.path,
                    "location": str(found.location.absolute()),
                    "prompt": found.prompt,
                    "song": found.song,
                    "item_id": item_ids[found.sha256] if found.sha256 else None,
                    "reason": found.reason,
                    "pair_id": item_ids[found.pair] if found.pair else None,
                    "partners": {p.role: p.name for p in found.partners if p.name},
                }
                for i, found in enumerate(system.items)
            ]
            insert_new(connection, run_item, rows)
            rows = [
                {**key, "measure_id": ids[m.identity], "position": i}
                for i, m in enumerate((*plan.item_measures(system), *plan.pair_measures(system)))
            ]
            insert_new(connection, run_measure, rows)
    return ids


def _insert_missing(
    connection: Connection, table: Table, column: str, values: Sequence[str]
) -> None:
    # not ON CONFLICT DO NOTHING: PostgreSQL would use up an id for every row it skips
    known = set(connection.scalars(select(table.c[column])))
    insert_new(connection, table, [{column: v} for v in values if v not in known])


def _register_measures(connection: Connection, plan: Plan) -> MeasureIds:
    wanted = _plan_measures(plan)
    known = _measure_ids(connection)
    rows = [
        {
            "metric": identity[0],
            "version": identity[1],
            "parameters": identity[2],
            "context": identity[3],
            "key": m.request.key,
            "level": m.request.spec.level,
            "direction": m.request.spec.direction,
            "unit": m.request.spec.unit,
        }
        for identity, m in wanted.items()
        if identity not in known
    ]
    insert_new(connection, measure, rows)
    return _measure_ids(connection)


def _plan_measures(plan: Plan) -> dict[tuple[str, int, str, str], Measure]:
    wanted = {m.identity: m for s in plan.systems for m in plan.item_measures(s)}
    wanted |= {m.identity: m for s in plan.systems for m in plan.pair_measures(s)}
    return wanted | {m.identity: m for m in map(Measure, plan.set_requests())}


def _measure_ids(connection: Connection) -> MeasureIds:
    m = measure.c
    rows = connection.execute(select(m.id, m.metric, m.version, m.parameters, m.context))
    return {(r.metric, r.version, r.parameters, r.context): r.id for r in rows}


def known_loads(store: Store, run_id: str, loader: str) -> dict[str, str]:
    """sha256 → status of every item of the run that has been read before."""
    query = (
        select(item.c.sha256, loading.c.status)
        .join(loading, loading.c.item_id == item.c.id)
        .join(run_item, run_item.c.item_id == item.c.id)
        .where(run_item.c.run_id == run_id, loading.c.loader == loader)
    )
    with store.reading() as connection:
        return {row.sha256: row.status for row in connection.execute(query)}


def known_scores(store: Store, run_id: str) -> set[tuple[str, int]]:
    """(sha256 or pair, measure id) of every score that the run needs and the store has."""
    queries = [
        select(item.c.sha256, score.c.measure_id)
        .join(score, score.c.item_id == item.c.id)
        .join(run_item, content == item.c.id)
        .join(
            run_measure,
            (run_measure.c.run_id == run_item.c.run_id)
            & (run_measure.c.system == run_item.c.system)
            & (run_measure.c.measure_id == score.c.measure_id),
        )
        .where(run_item.c.run_id == run_id)
        for content in (run_item.c.item_id, run_item.c.pair_id)
    ]
    with store.reading() as connection:
        return {(owner, number) for q in queries for owner, number in connection.execute(q)}


def values(store: Store, run_id: str, keys: Mapping[int, str]) -> dict[tuple[str, str], float]:
    """(sha256, metric key) → value, where there is one, of the measures numbered in ``keys``."""
    query = (
        select(item.c.sha256, score.c.measure_id, score.c.value)
        .join(score, score.c.item_id == item.c.id)
        .join(run_item, run_item.c.item_id == item.c.id)
        .where(
            run_item.c.run_id == run_id,
            score.c.measure_id.in_(list(keys)),
            score.c.value.is_not(None),
        )
    )
    with store.reading() as connection:
        return {(sha, keys[m]): v for sha, m, v in connection.execute(query)}


class Known(NamedTuple):
    """What the store holds of a plan: the ids of its measures (negative for those that it lacks),
    sha256 → status of what was read, (sha256 or pair, measure id), and (system, measure id)."""

    ids: MeasureIds
    loads: dict[str, str]
    scores: set[tuple[str, int]]
    sets: set[tuple[str, int]]


def known_of(store: Store | None, plan: Plan, loader: str) -> Known:
    """What a run of the plan would find done, without writing anything down."""
    wanted = list(_plan_measures(plan))
    made_up = {identity: -i for i, identity in enumerate(wanted, start=1)}
    if store is None:
        return Known(made_up, {}, set(), set())
    with store.reading() as connection:
        there = _measure_ids(connection)
        ids = {identity: there.get(identity, made_up[identity]) for identity in wanted}
        loads = (
            select(item.c.sha256, loading.c.status)
            .join(loading, loading.c.item_id == item.c.id)
            .where(loading.c.loader == loader)
        )
        scores = (
            select(item.c.sha256, score.c.measure_id)
            .join(score, score.c.item_id == item.c.id)
            .where(score.c.measure_id.in_([i for i in ids.values() if i > 0]))
        )
        return Known(
            ids,
            {row.sha256: row.status for row in connection.execute(loads)},
            {(owner, number) for owner, number in connection.execute(scores)},
            known_set_scores(store, plan.run_id),
        )


def write_outcomes(store: Store, outcomes: Iterable[Outcome], loader: str) -> None:
    """Stores what workers returned, in one transaction."""
    found = list(outcomes)
    with store.writing() as connection:
        wanted = [o.sha256 for o in found]
        wanted += [pair for o in found for pair in o.pair_scores]
        query = select(item.c.sha256, item.c.id).where(item.c.sha256.in_(wanted))
        ids = {row.sha256: row.id for row in connection.execute(query)}
        loads = [
            {
                "item_id": ids[o.sha256],
                "loader": loader,
                "format": o.format,
                "status": o.status,
                "reason": o.reason,
                "warnings": list(o.warnings),
                "n_notes": o.n_notes,
                "seconds": o.seconds,
            }
            for o in found
        ]
        insert_new(connection, loading, loads)
        scores = [
            {
                "item_id": ids[content],
                "measure_id": s.measurement,
                "value": s.value,
                "status": s.status,
                "reason": s.reason,
                "detail": dict(s.detail),
            }
            for o in found
            for content, own in ((o.sha256, o.scores), *o.pair_scores.items())
            for s in own
        ]
        insert_new(connection, score, scores)


def write_scores(store: Store, scores: Iterable[tuple[str, ScoreValue]]) -> None:
    """Stores scores of items, by content, in one transaction."""
    found = list(scores)
    with store.writing() as connection:
        query = select(item.c.sha256, item.c.id).where(item.c.sha256.in_([s for s, _ in found]))
        ids = {row.sha256: row.id for row in connection.execute(query)}
        rows = [
            {
                "item_id": ids[sha],
                "measure_id": s.measurement,
                "value": s.value,
                "status": s.status,
                "reason": s.reason,
                "detail": dict(s.detail),
            }
            for sha, s in found
        ]
        insert_new(connection, score, rows)


def known_set_scores(store: Store, run_id: str) -> set[tuple[str, int]]:
    """(system, measure id) of the run's set scores that the store has."""
    query = select(set_score.c.system, set_score.c.measure_id).where(set_score.c.run_id == run_id)
    with store.reading() as connection:
        return {(owner, number) for owner, number in connection.execute(query)}


def write_set_scores(store: Store, run_id: str, values: Iterable[SetValue]) -> None:
    rows = [
        {
            "run_id": run_id,
            "system": v.system,
            "measure_id": v.score.measurement,
            "position": v.position,
            "value": v.score.value,
            "ci_low": v.ci_low,
            "ci_high": v.ci_high,
            "n": v.n,
            "status": v.score.status,
            "reason": v.score.reason,
            "detail": {**v.score.detail, **({"halves": list(v.halves)} if v.halves else {})},
        }
        for v in values
    ]
    with store.writing() as connection:
        insert_new(connection, set_score, rows)


def log_start(store: Store, run_id: str, environment: Mapping[str, Any]) -> int:
    """Notes in the log that somebody works on a run; returns the entry's id."""
    row = {"run_id": run_id, "started": _now(), "environment": dict(environment)}
    with store.writing() as connection:
        key = connection.execute(invocation.insert().values(row)).inserted_primary_key
    assert key is not None
    return int(key[0])


def finish(store: Store, run_id: str, log: int, computed: int) -> None:
    """Marks the run complete."""
    with store.writing() as connection:
        connection.execute(update(run).where(run.c.id == run_id).values(status="complete"))
        done = {"finished": _now(), "computed": computed}
        connection.execute(update(invocation).where(invocation.c.id == log).values(done))


def latest_run(store: Store, benchmark: str) -> str | None:
    """The complete run of a benchmark that was worked on last."""
    query = (
        select(run.c.id)
        .join(invocation, invocation.c.run_id == run.c.id)
        .where(run.c.benchmark == benchmark, run.c.status == "complete")
        .group_by(run.c.id)
        .order_by(func.max(invocation.c.id).desc())
    )
    with store.reading() as connection:
        return connection.scalar(query)


def find_run(store: Store, prefix: str) -> str:
    """The complete run whose id starts with ``prefix``.

    Raises:
        UsageError: none does, or several do.
    """
    query = select(run.c.id).where(run.c.status == "complete").order_by(run.c.id)
    with store.reading() as connection:
        found = [i for i in connection.scalars(query) if i.startswith(prefix)]
    if len(found) != 1:
        what = "no complete run's" if not found else f"{len(found)} runs'"
        raise UsageError(f"{what} id starts with {prefix!r}; give more or other digits of it")
    return str(found[0])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
