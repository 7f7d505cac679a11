"""Trust cards as they were last dealt: what is known about a metric's right to be believed.

A card stands under its benchmark and the metric's key, so that a run with one more system keeps
it; it counts for a run only where the metric's version is still the one that was tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from concours.eval.store.engine import Store
from concours.eval.store.tables import measure, run, run_measure
from concours.eval.store.transactions import read, write
from concours.eval.store.trust_tables import trust_card


class StoredCard(NamedTuple):
    """``card`` is what ``concours trust --format json`` prints; ``run`` is the run it was dealt
    from, which may be an earlier one than the run it is read for."""

    key: str
    verdict: str
    card: Mapping[str, Any]
    run: str


def write_cards(store: Store, run_id: str, cards: Mapping[str, Mapping[str, Any]]) -> None:
    """Stores ``cards`` (by metric key, each with its ``verdict``) in place of earlier ones."""

    def body(connection: Connection) -> None:
        benchmark = connection.scalar(select(run.c.benchmark).where(run.c.id == run_id))
        versions = _versions(connection, run_id)
        keys = [k for k in cards if k in versions]
        own = trust_card.c.benchmark == benchmark
        connection.execute(delete(trust_card).where(own, trust_card.c.key.in_(keys)))
        if keys:
            connection.execute(
                insert(trust_card),
                [
                    {
                        "benchmark": benchmark, "key": k, "version": versions[k],
                        "run_id": run_id, "verdict": cards[k]["verdict"], "card": dict(cards[k]),
                    }
                    for k in keys
                ],
            )  # fmt: skip

    write(store, body)


def read_cards(store: Store, run_id: str) -> dict[str, StoredCard]:
    """The cards that hold for a run's metrics, by metric key; empty where none was dealt."""

    def body(connection: Connection) -> dict[str, StoredCard]:
        versions = _versions(connection, run_id)
        rows = connection.execute(
            select(trust_card)
            .join(run, run.c.benchmark == trust_card.c.benchmark)
            .where(run.c.id == run_id)
            .order_by(trust_card.c.key)
        )
        return {
            r.key: StoredCard(r.key, r.verdict, r.card, r.run_id)
            for r in rows
            if versions.get(r.key) == r.version
        }

    return read(store, body)


def _versions(connection: Connection, run_id: str) -> dict[str, int]:
    rows = connection.execute(
        select(measure.c.key, measure.c.version)
        .join(run_measure, run_measure.c.measure_id == measure.c.id)
        .where(run_measure.c.run_id == run_id)
    )
    return {str(key): int(version) for key, version in rows}
