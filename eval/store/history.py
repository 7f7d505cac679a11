"""The runs that a store holds, in the order in which they were completed."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select

from concours.eval.store.engine import Store
from concours.eval.store.tables import invocation, run


class CompleteRun(NamedTuple):
    """``completed`` is the time of the first completion, as ISO 8601 text in UTC."""

    id: str
    benchmark: str
    completed: str


def complete_runs(store: Store, benchmark: str) -> list[CompleteRun]:
    """The complete runs of a benchmark, oldest first."""
    completed = func.min(invocation.c.finished)
    query = (
        select(run.c.id, run.c.benchmark, completed)
        .join(invocation, invocation.c.run_id == run.c.id)
        .where(
            run.c.benchmark == benchmark,
            run.c.status == "complete",
            invocation.c.finished.is_not(None),
        )
        .group_by(run.c.id, run.c.benchmark)
        .order_by(completed, func.min(invocation.c.id))
    )
    with store.reading() as connection:
        return [CompleteRun(*row) for row in connection.execute(query)]
