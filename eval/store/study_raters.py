"""The people of a study: invitation, arrival, consent, completion, withdrawal.

A token is stored as its SHA-256 only. It belongs to one rater for good, so that the same link
resumes on any device; revoking or withdrawing removes it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from concours.eval.errors import UsageError
from concours.eval.store.engine import Store
from concours.eval.store.study_setup import new_id
from concours.eval.store.study_tables import (
    assignment,
    block,
    draft,
    erasure,
    page_answer,
    playback_event,
    preference,
    rater,
    rater_private,
    rating,
    screening_decision,
    study,
    submission,
)
from concours.eval.store.transactions import read, write


@dataclass(frozen=True)
class Rater:
    id: str
    number: int
    status: str
    language: str | None
    tab: str | None
    consented: bool
    completion_code: str | None


@dataclass(frozen=True)
class Erased:
    """What a withdrawal removed."""

    n_ratings: int


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def invite_raters(store: Store, study_id: str, count: int, now: float) -> list[str]:
    """Makes ``count`` raters and returns their tokens, which are nowhere else."""
    tokens = [secrets.token_urlsafe(24) for _ in range(count)]

    def body(connection: Connection) -> list[str]:
        for token in tokens:
            _new_rater(connection, study_id, "invited", now, token_sha256=token_hash(token))
        return tokens

    return write(store, body)


def open_crowd_link(store: Store, study_id: str) -> str:
    """A new key under which anybody with a crowd platform's id may join; it replaces the last."""
    key = secrets.token_urlsafe(24)
    query = update(study).where(study.c.id == study_id).values(crowd_key_sha256=token_hash(key))
    write(store, lambda c: c.execute(query))
    return key


def join_by_token(store: Store, study_id: str, token: str) -> Rater | None:
    """The rater to whom a token belongs; None where it is unknown, revoked or withdrawn."""
    query = select(rater).where(
        rater.c.study_id == study_id, rater.c.token_sha256 == token_hash(token)
    )
    return read(store, lambda c: _as_rater(c.execute(query).one_or_none()))


def join_by_crowd(
    store: Store, study_id: str, key: str, external_id: str, detail: Mapping[str, str], now: float
) -> Rater | None:
    """The rater with this platform id, made on the first arrival; None for a wrong key.

    Somebody who withdrew has no platform id here any more; coming back makes a new rater.
    """

    def body(connection: Connection) -> Rater | None:
        mine = and_(study.c.id == study_id, study.c.crowd_key_sha256 == token_hash(key))
        if connection.scalar(select(study.c.id).where(mine).with_for_update()) is None:
            return None
        known = connection.scalar(
            select(rater_private.c.rater_id).where(
                rater_private.c.study_id == study_id, rater_private.c.external_id == external_id
            )
        )
        if known is None:
            known = _new_rater(connection, study_id, "crowd", now)
            connection.execute(
                insert(rater_private).values(
                    rater_id=known,
                    study_id=study_id,
                    external_id=external_id,
                    detail=dict(detail),
                )
            )
        return _as_rater(connection.execute(select(rater).where(rater.c.id == known)).one())

    return write(store, body)


def is_crowd_key(store: Store, study_id: str, key: str) -> bool:
    """Whether a crowd link is the study's current one."""
    mine = and_(study.c.id == study_id, study.c.crowd_key_sha256 == token_hash(key))
    return read(store, lambda c: c.scalar(select(study.c.id).where(mine)) is not None)


def find_rater(store: Store, study_id: str, rater_id: str) -> Rater | None:
    query = select(rater).where(rater.c.id == rater_id, rater.c.study_id == study_id)
    return read(store, lambda c: _as_rater(c.execute(query).one_or_none()))


def rater_by_name(store: Store, study_id: str, name: str) -> str:
    """The id of a rater given as id, number (``7`` or ``r7``) or platform id.

    Raises:
        UsageError: nobody of that name.
    """

    def body(connection: Connection) -> str:
        found = connection.scalar(
            select(rater_private.c.rater_id).where(
                rater_private.c.study_id == study_id, rater_private.c.external_id == name
            )
        )
        digits = name.removeprefix("r")
        number = int(digits) if digits.isdecimal() and len(digits) < 9 else -1
        found = found or connection.scalar(
            select(rater.c.id).where(
                rater.c.study_id == study_id, or_(rater.c.id == name, rater.c.number == number)
            )
        )
        if found is None:
            raise UsageError(f"there is no rater {name!r} in this study; see `study status`")
        return str(found)

    return read(store, body)


def take_tab(store: Store, rater_id: str, tab: str, now: float) -> None:
    """Makes ``tab`` the rater's current window; an older one learns that it is not."""
    query = update(rater).where(rater.c.id == rater_id).values(tab=tab, last_seen_at=now)
    write(store, lambda c: c.execute(query))


def set_language(store: Store, rater_id: str, language: str) -> None:
    query = update(rater).where(rater.c.id == rater_id).values(language=language)
    write(store, lambda c: c.execute(query))


def give_consent(store: Store, rater_id: str, version: int, now: float) -> None:
    """Records the consent, once."""
    query = (
        update(rater)
        .where(rater.c.id == rater_id, rater.c.consented_at.is_(None))
        .values(consent_version=version, consented_at=now, status="active", last_seen_at=now)
    )
    write(store, lambda c: c.execute(query))


def complete_rater(store: Store, rater_id: str, code: str, now: float) -> str:
    """Marks the rater as finished and returns the completion code, the first one given."""

    def body(connection: Connection) -> str:
        connection.execute(
            update(rater)
            .where(rater.c.id == rater_id, rater.c.completed_at.is_(None))
            .values(status="completed", completed_at=now, completion_code=code)
        )
        return str(connection.scalar(select(rater.c.completion_code).where(rater.c.id == rater_id)))

    return write(store, body)


def revoke_rater(store: Store, rater_id: str, now: float) -> None:
    """Makes the link worthless; what was answered stays, and an unfinished block goes to others."""

    def body(connection: Connection) -> None:
        changed = connection.execute(
            update(rater)
            .where(rater.c.id == rater_id, rater.c.withdrawn_at.is_(None))
            .values(token_sha256=None, status="revoked", revoked_at=now)
        ).rowcount
        finished = select(rater.c.completed_at).where(rater.c.id == rater_id)
        if not changed or connection.scalar(finished) is not None:
            return
        connection.execute(
            update(assignment)
            .where(assignment.c.rater_id == rater_id, assignment.c.status.in_(("open", "pending")))
            .values(status="expired")
        )
        connection.execute(update(block).where(block.c.rater_id == rater_id).values(rater_id=None))

    write(store, body)


def withdraw_rater(store: Store, rater_id: str, now: float) -> Erased:
    """Erases everything the rater gave, private data and link included.

    What stays: an anonymous row of the rater, the count of erased ratings and the time. Their
    block goes to somebody else. A second withdrawal changes nothing.
    """

    def body(connection: Connection) -> Erased:
        mine = select(rater.c.withdrawn_at, rater.c.study_id).where(rater.c.id == rater_id)
        row = connection.execute(mine.with_for_update()).one()
        if row.withdrawn_at is not None:
            return Erased(0)
        assignments = select(assignment.c.id).where(assignment.c.rater_id == rater_id)
        submissions = select(submission.c.id).where(submission.c.assignment_id.in_(assignments))
        erased = connection.execute(delete(rating).where(rating.c.submission_id.in_(submissions)))
        count = erased.rowcount
        gone = delete(preference).where(preference.c.submission_id.in_(submissions))
        count += connection.execute(gone).rowcount
        # the newest revision first: it points at the one before
        newest = connection.execute(
            select(submission.c.id)
            .where(submission.c.assignment_id.in_(assignments))
            .order_by(submission.c.revision.desc())
        ).all()
        for found in newest:
            connection.execute(delete(submission).where(submission.c.id == found.id))
        for query in (
            update(block).where(block.c.rater_id == rater_id).values(rater_id=None),
            delete(playback_event).where(playback_event.c.assignment_id.in_(assignments)),
            delete(assignment).where(assignment.c.rater_id == rater_id),
            delete(draft).where(draft.c.rater_id == rater_id),
            delete(page_answer).where(page_answer.c.rater_id == rater_id),
            delete(screening_decision).where(screening_decision.c.rater_id == rater_id),
            delete(rater_private).where(rater_private.c.rater_id == rater_id),
        ):
            connection.execute(query)
        connection.execute(
            update(rater)
            .where(rater.c.id == rater_id)
            .values(
                token_sha256=None,
                status="withdrawn",
                withdrawn_at=now,
                language=None,
                tab=None,
                completion_code=None,
            )
        )
        connection.execute(
            insert(erasure).values(study_id=row.study_id, erased_at=now, n_ratings=count)
        )
        return Erased(count)

    return write(store, body)


def _new_rater(
    connection: Connection, study_id: str, source: str, now: float, token_sha256: str | None = None
) -> str:
    # the row of the study serialises the numbering
    connection.execute(select(study.c.id).where(study.c.id == study_id).with_for_update())
    last = select(func.max(rater.c.number)).where(rater.c.study_id == study_id)
    rater_id = new_id()
    connection.execute(
        insert(rater).values(
            id=rater_id,
            study_id=study_id,
            number=(connection.scalar(last) or 0) + 1,
            token_sha256=token_sha256,
            source=source,
            status="invited",
            created_at=now,
            last_seen_at=now,
        )
    )
    return rater_id


def _as_rater(row: Any) -> Rater | None:
    if row is None or row.withdrawn_at is not None or row.revoked_at is not None:
        return None
    return Rater(
        id=row.id,
        number=row.number,
        status=row.status,
        language=row.language,
        tab=row.tab,
        consented=row.consented_at is not None,
        completion_code=row.completion_code,
    )
