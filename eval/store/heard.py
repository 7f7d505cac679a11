"""Which listening tests of a store played clips that a run has scored."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from concours.eval.store.engine import Store
from concours.eval.store.study_tables import stimulus, study
from concours.eval.store.tables import item, run_item
from concours.eval.store.transactions import read


class HeardStudy(NamedTuple):
    id: str
    name: str


def studies_heard(store: Store, run_id: str) -> list[HeardStudy]:
    """The studies, by name, that play a file of the run, found by the file's sha256."""
    scored = (
        select(item.c.sha256)
        .join(run_item, run_item.c.item_id == item.c.id)
        .where(run_item.c.run_id == run_id)
    )
    query = (
        select(study.c.id, study.c.name)
        .where(
            study.c.id.in_(select(stimulus.c.study_id).where(stimulus.c.clip_sha256.in_(scored)))
        )
        .order_by(study.c.name)
    )
    return read(store, lambda c: [HeardStudy(*row) for row in c.execute(query)])
