"""What raters answer: stored once, whatever is clicked, resent, reloaded or cut off.

Each answer carries a key that the browser drew. The same key again is the same answer; another
key for a trial that has an answer is refused and told so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, select, update

from concours.eval.store.engine import Store
from concours.eval.store.study_setup import new_id
from concours.eval.store.study_tables import (
    assignment,
    draft,
    page_answer,
    playback_event,
    preference,
    rater,
    rating,
    screening_decision,
    submission,
)
from concours.eval.store.transactions import read, write

Stored = Literal["stored", "repeated", "conflict"]


@dataclass(frozen=True)
class RatingRow:
    """``slot`` counts what the rater saw from 0; ``frame`` is felt, perceived or empty."""

    slot: int
    stimulus_id: str
    dimension: str
    value: float
    frame: str = ""
    compared_with: str | None = None


@dataclass(frozen=True)
class PreferenceRow:
    dimension: str
    stimulus_a: str
    stimulus_b: str
    choice: Literal["a", "b", "tie", "both_bad"]


@dataclass(frozen=True)
class Answer:
    key: str
    elapsed: float
    ratings: Sequence[RatingRow]
    preferences: Sequence[PreferenceRow] = ()
    heard: Sequence[float] = ()
    comment: str = ""


@dataclass(frozen=True)
class Playback:
    sequence: int
    kind: str
    slot: int
    at_seconds: float


def submit(store: Store, rater_id: str, assignment_id: str, answer: Answer, now: float) -> Stored:
    """Stores an answer to an open assignment.

    ``repeated``: this key is stored already. ``conflict``: the assignment has another answer, or
    is not this rater's. An assignment that expired while the rater worked on it still counts.
    """

    def body(connection: Connection) -> Stored:
        if is_stored(connection, answer.key, assignment_id):
            return "repeated"
        changed = connection.execute(
            update(assignment)
            .where(
                assignment.c.id == assignment_id,
                assignment.c.rater_id == rater_id,
                assignment.c.status.in_(("open", "expired")),
                assignment.c.opened_at.is_not(None),
            )
            .values(status="submitted")
        ).rowcount
        if changed != 1:
            # a rival with the same key may have committed while this one waited for the row
            return "repeated" if is_stored(connection, answer.key, assignment_id) else "conflict"
        insert_submission(connection, assignment_id, answer, now, revision=1, supersedes=None)
        connection.execute(
            delete(draft).where(draft.c.rater_id == rater_id, draft.c.page == assignment_id)
        )
        connection.execute(update(rater).where(rater.c.id == rater_id).values(last_seen_at=now))
        return "stored"

    return write(store, body)


def save_draft(
    store: Store,
    rater_id: str,
    page: str,
    answers: Mapping[str, Any],
    now: float,
    must_be_open: bool = False,
) -> str | None:
    """Keeps a half-filled page; returns the rater's current tab.

    A page that ``must_be_open`` (a correction) is kept only where it has a draft already: a slow
    message of a page that was left must not open it again.
    """

    def body(connection: Connection) -> str | None:
        seen = update(rater).where(rater.c.id == rater_id).values(last_seen_at=now)
        connection.execute(seen)
        mine = (draft.c.rater_id == rater_id, draft.c.page == page)
        values = {"answers": dict(answers), "saved_at": now}
        changed = connection.execute(update(draft).where(*mine).values(**values)).rowcount
        if changed == 0 and not must_be_open:
            connection.execute(insert(draft).values(rater_id=rater_id, page=page, **values))
        tab: str | None = connection.scalar(select(rater.c.tab).where(rater.c.id == rater_id))
        return tab

    return write(store, body)


def read_draft(store: Store, rater_id: str, page: str) -> dict[str, Any]:
    query = select(draft.c.answers).where(draft.c.rater_id == rater_id, draft.c.page == page)
    found = read(store, lambda c: c.scalar(query))
    return dict(found) if found else {}


def answer_page(
    store: Store, rater_id: str, page: str, key: str, answers: Mapping[str, Any], now: float
) -> Stored:
    """Stores a page that is no trial, once."""

    def body(connection: Connection) -> Stored:
        connection.execute(select(rater.c.id).where(rater.c.id == rater_id).with_for_update())
        known = connection.scalar(
            select(page_answer.c.key).where(
                page_answer.c.rater_id == rater_id, page_answer.c.page == page
            )
        )
        if known is not None:
            return "repeated" if known == key else "conflict"
        connection.execute(
            insert(page_answer).values(
                rater_id=rater_id, page=page, key=key, answers=dict(answers), submitted_at=now
            )
        )
        connection.execute(delete(draft).where(draft.c.rater_id == rater_id, draft.c.page == page))
        connection.execute(update(rater).where(rater.c.id == rater_id).values(last_seen_at=now))
        return "stored"

    return write(store, body)


def read_pages(store: Store, rater_id: str) -> dict[str, dict[str, Any]]:
    """The answered pages of a rater by name."""
    query = select(page_answer.c.page, page_answer.c.answers).where(
        page_answer.c.rater_id == rater_id
    )
    return read(store, lambda c: {page: dict(answers) for page, answers in c.execute(query)})


def record_playback(
    store: Store, assignment_id: str, tab: str, events: Sequence[Playback], now: float
) -> int:
    """Appends events that are not stored yet and returns how many were new."""

    def body(connection: Connection) -> int:
        there = set(
            connection.scalars(
                select(playback_event.c.sequence).where(
                    playback_event.c.assignment_id == assignment_id, playback_event.c.tab == tab
                )
            )
        )
        fresh = {e.sequence: e for e in events if e.sequence not in there}
        if fresh:
            connection.execute(
                insert(playback_event),
                [
                    {
                        "assignment_id": assignment_id,
                        "sequence": e.sequence,
                        "tab": tab,
                        "kind": e.kind,
                        "slot": e.slot,
                        "at_seconds": e.at_seconds,
                        "received_at": now,
                    }
                    for e in fresh.values()
                ],
            )
        return len(fresh)

    return write(store, body) if events else 0


def decide(
    store: Store,
    decisions: Sequence[tuple[str, str, str, Mapping[str, Any]]],
    now: float,
) -> int:
    """Appends decisions (rater, rule, decision, detail) that differ from the last of their rule."""

    def body(connection: Connection) -> int:
        count = 0
        for rater_id, rule, decision, detail in decisions:
            last = connection.scalar(
                select(screening_decision.c.decision)
                .where(screening_decision.c.rater_id == rater_id, screening_decision.c.rule == rule)
                .order_by(screening_decision.c.id.desc())
                .limit(1)
            )
            if last != decision:
                connection.execute(
                    insert(screening_decision).values(
                        rater_id=rater_id,
                        rule=rule,
                        decision=decision,
                        detail=dict(detail),
                        decided_at=now,
                    )
                )
                count += 1
        return count

    return write(store, body)


def is_stored(connection: Connection, key: str, assignment_id: str) -> bool:
    """Whether this answer to the assignment is there already."""
    query = select(func.count()).where(
        submission.c.key == key, submission.c.assignment_id == assignment_id
    )
    return bool(connection.scalar(query))


def insert_submission(
    connection: Connection,
    assignment_id: str,
    answer: Answer,
    now: float,
    revision: int,
    supersedes: str | None,
) -> None:
    """Adds an answer with its ratings and preferences."""
    submission_id = new_id()
    connection.execute(
        insert(submission).values(
            id=submission_id,
            assignment_id=assignment_id,
            key=answer.key,
            revision=revision,
            supersedes=supersedes,
            submitted_at=now,
            elapsed=answer.elapsed,
            heard=list(answer.heard),
            comment=answer.comment,
        )
    )
    for table, rows in ((rating, answer.ratings), (preference, answer.preferences)):
        values = [{"submission_id": submission_id, **vars(row)} for row in rows]
        if values:
            connection.execute(insert(table), values)
