"""Which trial a rater gets next.

A rater has at most one open assignment (a unique index sees to it). Block designs are drawn
beforehand: a rater claims a whole block, so that rivals never meet. On-demand designs choose one
trial at a time from the counts so far, under the lock of the study's row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select, update

from concours.eval.store.engine import Store
from concours.eval.store.study_choices import Chooser, candidates_for, outcomes_so_far
from concours.eval.store.study_setup import new_id
from concours.eval.store.study_tables import (
    assignment,
    block,
    block_trial,
    rater,
    stimulus,
    study,
    study_item,
    trial,
    trial_stimulus,
)
from concours.eval.store.transactions import read, write


@dataclass(frozen=True)
class Slot:
    """One stimulus as the rater meets it; ``position`` is its place in the trial's design."""

    stimulus_id: str
    role: str
    label: str
    position: int
    seconds: float


@dataclass(frozen=True)
class Assignment:
    """``x_matches`` is the design position of the clip that X repeats, None without an X."""

    id: str
    trial_id: str
    kind: str
    position: int
    status: str
    opened_at: float
    prompt: str
    slots: tuple[Slot, ...]
    x_matches: int | None = None


def claim_block(store: Store, study_id: str, rater_id: str, leading: Sequence[int] = ()) -> bool:
    """Gives the rater the first free block as pending assignments.

    ``leading`` are numbers of trials that come before it (training). True where the rater has a
    block now; False where none is free and :func:`add_blocks` is needed.
    """

    def body(connection: Connection) -> bool:
        # the rater's row: two tabs must not claim two blocks
        connection.execute(select(rater.c.id).where(rater.c.id == rater_id).with_for_update())
        if _has_block(connection, rater_id):
            return True
        free = (
            select(block.c.id)
            .where(block.c.study_id == study_id, block.c.rater_id.is_(None))
            .order_by(block.c.number)
            .limit(1)
        )
        found = connection.scalar(free.with_for_update(skip_locked=True))
        if found is None:
            # nothing, or only rows that a rival holds: wait for them before saying so
            found = connection.scalar(free.with_for_update())
        if found is None:
            return False
        connection.execute(update(block).where(block.c.id == found).values(rater_id=rater_id))
        rows = _leading(connection, study_id, leading)
        rows += [
            (row.trial_id, row.slot_order)
            for row in connection.execute(
                select(block_trial)
                .where(block_trial.c.block_id == found)
                .order_by(block_trial.c.position)
            )
        ]
        taken = set(
            connection.scalars(
                select(assignment.c.trial_id).where(assignment.c.rater_id == rater_id)
            )
        )
        first = _next_position(connection, rater_id)
        fresh = [(t, order) for t, order in rows if t not in taken]
        for offset, (trial_id, order) in enumerate(fresh):
            _assign(connection, rater_id, trial_id, first + offset, order)
        return True

    return write(store, body)


def claim_trial(
    store: Store,
    study_id: str,
    rater_id: str,
    choose: Chooser,
    shuffle: Callable[[int, int], Sequence[int]],
    leading: Sequence[int] = (),
) -> bool:
    """Adds one pending assignment, the trial that ``choose`` picks; False where it picks none.

    ``shuffle(times the trial was given, slots)`` is the order of its slots. A rater's first trials
    are those numbered ``leading`` (training).
    """

    def body(connection: Connection) -> bool:
        connection.execute(select(study.c.id).where(study.c.id == study_id).with_for_update())
        waiting = select(assignment.c.id).where(
            assignment.c.rater_id == rater_id, assignment.c.status.in_(("pending", "open"))
        )
        if connection.scalar(waiting.limit(1)) is not None:
            return True
        mine = select(assignment.c.trial_id).where(assignment.c.rater_id == rater_id)
        had = set(connection.scalars(mine))
        lead = [] if had else _leading(connection, study_id, leading)
        for position, (trial_id, order) in enumerate(lead):
            _assign(connection, rater_id, trial_id, position, order)
        if lead:
            return True
        candidates = candidates_for(connection, study_id, had)
        chosen = choose(candidates, outcomes_so_far(connection, study_id))
        if chosen is None:
            return False
        slots = list(shuffle(chosen.given, len(chosen.systems)))
        position = _next_position(connection, rater_id)
        _assign(connection, rater_id, chosen.trial_id, position, slots)
        return True

    return write(store, body)


def next_assignment(
    store: Store, rater_id: str, now: float, open_seconds: float
) -> Assignment | None:
    """The rater's open assignment, or the next pending one, which it opens; None at the end.

    One that expired while the rater was away is opened again.
    """
    mine = assignment.c.rater_id == rater_id

    def look(connection: Connection) -> Assignment | None:
        found = connection.scalar(
            select(assignment.c.id).where(mine, assignment.c.status == "open")
        )
        return None if found is None else read_assignment(connection, found)

    found = read(store, look)
    if found is not None:
        return found

    def body(connection: Connection) -> Assignment | None:
        connection.execute(select(rater.c.id).where(rater.c.id == rater_id).with_for_update())
        opened = look(connection)
        if opened is not None:
            return opened
        waiting = connection.scalar(
            select(assignment.c.id)
            .where(mine, assignment.c.status.in_(("pending", "expired")))
            .order_by(assignment.c.position)
            .limit(1)
        )
        if waiting is None:
            return None
        connection.execute(
            update(assignment)
            .where(assignment.c.id == waiting)
            .values(status="open", opened_at=now, expires_at=now + open_seconds)
        )
        return read_assignment(connection, waiting)

    return write(store, body)


def find_assignment(store: Store, rater_id: str, assignment_id: str) -> Assignment | None:
    """An assignment of this rater, whatever its status."""
    query = select(assignment.c.id).where(
        assignment.c.id == assignment_id, assignment.c.rater_id == rater_id
    )

    def body(connection: Connection) -> Assignment | None:
        return (
            None if connection.scalar(query) is None else read_assignment(connection, assignment_id)
        )

    return read(store, body)


def progress(store: Store, rater_id: str) -> tuple[int, int]:
    """(answered, assigned) trials of a rater."""
    query = (
        select(assignment.c.status, func.count())
        .where(assignment.c.rater_id == rater_id)
        .group_by(assignment.c.status)
    )
    counts: dict[str, int] = read(store, lambda c: dict(map(_pair, c.execute(query))))
    return counts.get("submitted", 0), sum(counts.values())


def answered(store: Store, rater_id: str, kind: str = "test") -> int:
    """How many trials of a kind the rater has answered."""
    query = (
        select(func.count())
        .select_from(assignment)
        .join(trial, trial.c.id == assignment.c.trial_id)
        .where(
            assignment.c.rater_id == rater_id,
            assignment.c.status == "submitted",
            trial.c.kind == kind,
        )
    )
    return read(store, lambda c: int(c.scalar(query) or 0))


def expire(store: Store, study_id: str, now: float, idle_seconds: float) -> int:
    """Closes assignments left open, and gives the blocks of absent raters to others.

    A block goes back where its rater has not been seen for ``idle_seconds`` and has not finished;
    what they answered stays. Returns the number of assignments closed.
    """
    absent = select(rater.c.id).where(
        rater.c.study_id == study_id,
        rater.c.completed_at.is_(None),
        rater.c.last_seen_at < now - idle_seconds,
    )
    overdue = select(rater.c.id).where(rater.c.study_id == study_id)

    def body(connection: Connection) -> int:
        gone = list(connection.scalars(absent))
        late = connection.execute(
            update(assignment)
            .where(
                assignment.c.rater_id.in_(overdue),
                assignment.c.status == "open",
                assignment.c.expires_at < now,
            )
            .values(status="expired")
        ).rowcount
        left = connection.execute(
            update(assignment)
            .where(assignment.c.rater_id.in_(gone), assignment.c.status.in_(("open", "pending")))
            .values(status="expired")
        ).rowcount
        connection.execute(update(block).where(block.c.rater_id.in_(gone)).values(rater_id=None))
        return int(late + left)

    return write(store, body)


def read_assignment(connection: Connection, assignment_id: str) -> Assignment:
    row = connection.execute(
        select(assignment, trial.c.kind, study_item.c.prompt)
        .join(trial, trial.c.id == assignment.c.trial_id)
        .outerjoin(study_item, study_item.c.id == trial.c.item_id)
        .where(assignment.c.id == assignment_id)
    ).one()
    found = connection.execute(
        select(
            trial_stimulus.c.position,
            trial_stimulus.c.label,
            stimulus.c.id,
            stimulus.c.role,
            stimulus.c.seconds,
            stimulus.c.clip_sha256,
        )
        .join(stimulus, stimulus.c.id == trial_stimulus.c.stimulus_id)
        .where(trial_stimulus.c.trial_id == row.trial_id)
    ).all()
    shown = {s.position: Slot(s.id, s.role, s.label, s.position, s.seconds) for s in found}
    of_x = [s.clip_sha256 for s in found if s.label == "x"]
    matches = [s.position for s in found if s.label != "x" and s.clip_sha256 in of_x]
    return Assignment(
        id=row.id,
        trial_id=row.trial_id,
        kind=row.kind,
        position=row.position,
        status=row.status,
        opened_at=row.opened_at or 0.0,
        prompt=row.prompt or "",
        slots=tuple(shown[i] for i in row.slot_order),
        x_matches=matches[0] if matches else None,
    )


def _leading(
    connection: Connection, study_id: str, numbers: Sequence[int]
) -> list[tuple[str, list[int]]]:
    """(trial, slot order) of the trials of these numbers, as the design has them."""
    rows = connection.execute(
        select(trial.c.id, func.count(trial_stimulus.c.position).label("n"))
        .join(trial_stimulus, trial_stimulus.c.trial_id == trial.c.id)
        .where(trial.c.study_id == study_id, trial.c.number.in_(numbers))
        .group_by(trial.c.id, trial.c.number)
        .order_by(trial.c.number)
    )
    return [(row.id, list(range(row.n))) for row in rows]


def _has_block(connection: Connection, rater_id: str) -> bool:
    return bool(connection.scalar(select(exists().where(block.c.rater_id == rater_id))))


def _next_position(connection: Connection, rater_id: str) -> int:
    last = connection.scalar(
        select(func.max(assignment.c.position)).where(assignment.c.rater_id == rater_id)
    )
    return 0 if last is None else int(last) + 1


def _assign(
    connection: Connection, rater_id: str, trial_id: str, position: int, order: Sequence[int]
) -> None:
    connection.execute(
        insert(assignment).values(
            id=new_id(),
            rater_id=rater_id,
            trial_id=trial_id,
            position=position,
            slot_order=list(order),
            status="pending",
        )
    )


def _pair(row: Any) -> tuple[str, int]:
    return row[0], row[1]
