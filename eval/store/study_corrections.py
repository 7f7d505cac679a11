"""Going back: a rater opens an answered trial again, and the new answer is its next revision.

An open correction is a draft whose page is named ``fix:ASSIGNMENT:REVISION``. It lies in the store
like everything else of a rater, so that a reload or another device finds it. Old revisions stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from concours.eval.store.engine import Store
from concours.eval.store.study_answers import (
    Answer,
    PreferenceRow,
    RatingRow,
    Stored,
    insert_submission,
    is_stored,
)
from concours.eval.store.study_tables import (
    assignment,
    draft,
    preference,
    rater,
    rating,
    submission,
    trial,
)
from concours.eval.store.transactions import read, write

CORRECTION = "fix:"


@dataclass(frozen=True)
class Answered:
    """An answered test trial (or trap) with its newest revision."""

    assignment_id: str
    revision: int
    comment: str
    ratings: tuple[RatingRow, ...]
    preferences: tuple[PreferenceRow, ...]


def answered_trials(store: Store, rater_id: str) -> list[Answered]:
    """What a rater answered, training left out, in the order in which it was met."""

    def body(connection: Connection) -> list[Answered]:
        newest: dict[str, Any] = {}
        for row in connection.execute(
            select(submission)
            .join(assignment, assignment.c.id == submission.c.assignment_id)
            .join(trial, trial.c.id == assignment.c.trial_id)
            .where(assignment.c.rater_id == rater_id, trial.c.kind != "training")
            .order_by(assignment.c.position, submission.c.revision)
        ):
            newest[row.assignment_id] = row
        ids = [row.id for row in newest.values()]
        rated: dict[str, list[RatingRow]] = {}
        for r in connection.execute(select(rating).where(rating.c.submission_id.in_(ids))):
            one = RatingRow(
                r.slot, r.stimulus_id, r.dimension, r.value, r.frame, compared_with=r.compared_with
            )
            rated.setdefault(r.submission_id, []).append(one)
        preferred: dict[str, list[PreferenceRow]] = {}
        for p in connection.execute(select(preference).where(preference.c.submission_id.in_(ids))):
            choice = PreferenceRow(p.dimension, p.stimulus_a, p.stimulus_b, p.choice)
            preferred.setdefault(p.submission_id, []).append(choice)
        return [
            Answered(
                row.assignment_id,
                row.revision,
                row.comment,
                tuple(rated.get(row.id, ())),
                tuple(preferred.get(row.id, ())),
            )
            for row in newest.values()
        ]

    return read(store, body)


def open_correction(
    store: Store, rater_id: str, assignment_id: str, answers: Mapping[str, Any], now: float
) -> str | None:
    """Opens an answered trial again, filled with ``answers``; returns the name of its page.

    One correction is open at a time; another one is closed without a change. None where the trial
    has no answer of this rater.
    """

    def body(connection: Connection) -> str | None:
        _lock(connection, rater_id)
        last = _last_revision(connection, rater_id, assignment_id)
        if last is None:
            return None
        page = f"{CORRECTION}{assignment_id}:{last.revision + 1}"
        connection.execute(_open_drafts(rater_id))
        connection.execute(
            insert(draft).values(rater_id=rater_id, page=page, answers=dict(answers), saved_at=now)
        )
        return page

    return write(store, body)


def find_correction(store: Store, rater_id: str) -> str | None:
    """The page of the rater's open correction."""
    query = select(draft.c.page).where(
        draft.c.rater_id == rater_id, draft.c.page.startswith(CORRECTION)
    )
    return read(store, lambda c: c.scalar(query))


def close_correction(store: Store, rater_id: str) -> None:
    """Leaves the open correction without a change."""
    write(store, lambda c: c.execute(_open_drafts(rater_id)))


def correct(store: Store, rater_id: str, page: str, answer: Answer, now: float) -> Stored:
    """Stores an open correction: a new revision that supersedes the last one, which stays.

    ``repeated``: this key is stored already. ``conflict``: the page is not open, because it was
    answered or left elsewhere.
    """
    assignment_id = assignment_of(page)

    def body(connection: Connection) -> Stored:
        _lock(connection, rater_id)
        if is_stored(connection, answer.key, assignment_id):
            return "repeated"
        last = _last_revision(connection, rater_id, assignment_id)
        mine = (draft.c.rater_id == rater_id, draft.c.page == page)
        opened = connection.execute(delete(draft).where(*mine)).rowcount
        if last is None or not opened or page != f"{CORRECTION}{assignment_id}:{last.revision + 1}":
            return "conflict"
        insert_submission(connection, assignment_id, answer, now, last.revision + 1, last.id)
        connection.execute(update(rater).where(rater.c.id == rater_id).values(last_seen_at=now))
        return "stored"

    return write(store, body)


def assignment_of(page: str) -> str:
    """The assignment that a correction's page is about; "" for other pages."""
    kind, _, rest = page.partition(":")
    return rest.partition(":")[0] if f"{kind}:" == CORRECTION else ""


def _lock(connection: Connection, rater_id: str) -> None:
    # two tabs that correct at once wait for each other
    connection.execute(select(rater.c.id).where(rater.c.id == rater_id).with_for_update())


def _last_revision(connection: Connection, rater_id: str, assignment_id: str) -> Any:
    newest = select(func.max(submission.c.revision)).where(
        submission.c.assignment_id == assignment_id
    )
    return connection.execute(
        select(submission.c.id, submission.c.revision)
        .join(assignment, assignment.c.id == submission.c.assignment_id)
        .where(
            assignment.c.id == assignment_id,
            assignment.c.rater_id == rater_id,
            submission.c.revision == newest.scalar_subquery(),
        )
    ).one_or_none()


def _open_drafts(rater_id: str) -> Any:
    return delete(draft).where(draft.c.rater_id == rater_id, draft.c.page.startswith(CORRECTION))
