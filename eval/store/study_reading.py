"""What leaves a study: the clips to serve, the counts of its progress, the rows of its export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select

from concours.eval.store.engine import Store
from concours.eval.store.study_setup import NewTrial
from concours.eval.store.study_tables import (
    assignment,
    block,
    erasure,
    page_answer,
    playback_event,
    preference,
    rater,
    rater_private,
    rating,
    screening_decision,
    stimulus,
    stimulus_audio,
    study_item,
    study_system,
    submission,
    trial,
    trial_stimulus,
)
from concours.eval.store.transactions import read

Row = Mapping[str, Any]


@dataclass(frozen=True)
class StudyCounts:
    """``raters`` and ``assignments`` by status; ``trial_given`` is (fewest, most) assignments
    of one test trial, expired ones left out."""

    raters: Mapping[str, int]
    assignments: Mapping[str, int]
    n_ratings: int
    n_preferences: int
    n_erasures: int
    n_erased: int
    trial_given: tuple[int, int]
    blocks: int
    blocks_claimed: int


def stimulus_bytes(store: Store, stimulus_id: str) -> bytes | None:
    query = select(stimulus_audio.c.data).where(stimulus_audio.c.stimulus_id == stimulus_id)
    found = read(store, lambda c: c.scalar(query))
    return None if found is None else bytes(found)


def read_trials(store: Store, study_id: str) -> list[NewTrial]:
    """The trials of a study by number, as they were made."""

    def body(connection: Connection) -> list[NewTrial]:
        shown: dict[str, list[tuple[str, str]]] = {}
        for row in connection.execute(
            select(trial_stimulus)
            .join(trial, trial.c.id == trial_stimulus.c.trial_id)
            .where(trial.c.study_id == study_id)
            .order_by(trial_stimulus.c.trial_id, trial_stimulus.c.position)
        ):
            shown.setdefault(row.trial_id, []).append((row.stimulus_id, row.label))
        rows = connection.execute(
            select(trial.c.id, trial.c.number, trial.c.kind, study_item.c.name)
            .outerjoin(study_item, study_item.c.id == trial.c.item_id)
            .where(trial.c.study_id == study_id)
            .order_by(trial.c.number)
        )
        return [NewTrial(r.number, r.kind, r.name, tuple(shown[r.id])) for r in rows]

    return read(store, body)


def training_trials(store: Store, study_id: str) -> list[int]:
    query = (
        select(trial.c.number)
        .where(trial.c.study_id == study_id, trial.c.kind == "training")
        .order_by(trial.c.number)
    )
    return read(store, lambda c: list(c.scalars(query)))


def count_study(store: Store, study_id: str) -> StudyCounts:
    mine = rater.c.study_id == study_id

    def body(connection: Connection) -> StudyCounts:
        raters = select(rater.c.status, func.count()).where(mine).group_by(rater.c.status)
        states = (
            select(assignment.c.status, func.count())
            .join(rater, rater.c.id == assignment.c.rater_id)
            .where(mine)
            .group_by(assignment.c.status)
        )
        answers = (
            select(func.count())
            .select_from(rating)
            .join(stimulus, stimulus.c.id == rating.c.stimulus_id)
            .where(stimulus.c.study_id == study_id)
        )
        choices = (
            select(func.count())
            .select_from(preference)
            .join(stimulus, stimulus.c.id == preference.c.stimulus_a)
            .where(stimulus.c.study_id == study_id)
        )
        erased = select(func.count(), func.coalesce(func.sum(erasure.c.n_ratings), 0)).where(
            erasure.c.study_id == study_id
        )
        given = (
            select(func.count(assignment.c.id).label("n"))
            .select_from(trial)
            .outerjoin(
                assignment,
                (assignment.c.trial_id == trial.c.id) & (assignment.c.status != "expired"),
            )
            .where(trial.c.study_id == study_id, trial.c.kind == "test")
            .group_by(trial.c.id)
            .subquery()
        )
        least, most = connection.execute(select(func.min(given.c.n), func.max(given.c.n))).one()
        n_erasures, n_erased = connection.execute(erased).one()
        blocks, claimed = connection.execute(
            select(func.count(), func.count(block.c.rater_id)).where(block.c.study_id == study_id)
        ).one()
        return StudyCounts(
            raters=dict(map(_pair, connection.execute(raters))),
            assignments=dict(map(_pair, connection.execute(states))),
            n_ratings=int(connection.scalar(answers) or 0),
            n_preferences=int(connection.scalar(choices) or 0),
            n_erasures=int(n_erasures),
            n_erased=int(n_erased),
            trial_given=(int(least or 0), int(most or 0)),
            blocks=int(blocks),
            blocks_claimed=int(claimed),
        )

    return read(store, body)


def rating_rows(store: Store, study_id: str) -> list[Row]:
    """Every rating with what it is about, oldest first; superseded revisions are marked."""
    other = stimulus.alias("other")
    other_system = study_system.alias("other_system")
    query = _answers(
        rating,
        study_id,
        rating.c.slot,
        rating.c.stimulus_id,
        stimulus.c.role,
        study_system.c.name.label("system"),
        study_item.c.name.label("item"),
        stimulus.c.clip_sha256,
        rating.c.dimension,
        rating.c.frame,
        rating.c.value,
        other.c.id.label("compared_with"),
        other_system.c.name.label("compared_with_system"),
    )
    return _rows(
        store,
        query.join(stimulus, stimulus.c.id == rating.c.stimulus_id)
        .outerjoin(study_system, study_system.c.id == stimulus.c.system_id)
        .outerjoin(study_item, study_item.c.id == stimulus.c.item_id)
        .outerjoin(other, other.c.id == rating.c.compared_with)
        .outerjoin(other_system, other_system.c.id == other.c.system_id),
    )


def preference_rows(store: Store, study_id: str) -> list[Row]:
    """The same for preferences."""
    a, b = stimulus.alias("a"), stimulus.alias("b")
    system_a, system_b = study_system.alias("system_a"), study_system.alias("system_b")
    query = _answers(
        preference,
        study_id,
        preference.c.dimension,
        preference.c.stimulus_a,
        a.c.role.label("role_a"),
        system_a.c.name.label("system_a"),
        preference.c.stimulus_b,
        b.c.role.label("role_b"),
        system_b.c.name.label("system_b"),
        study_item.c.name.label("item"),
        a.c.clip_sha256.label("clip_sha256_a"),
        b.c.clip_sha256.label("clip_sha256_b"),
        preference.c.choice,
    )
    return _rows(
        store,
        query.join(a, a.c.id == preference.c.stimulus_a)
        .join(b, b.c.id == preference.c.stimulus_b)
        .outerjoin(system_a, system_a.c.id == a.c.system_id)
        .outerjoin(system_b, system_b.c.id == b.c.system_id)
        .outerjoin(study_item, study_item.c.id == trial.c.item_id),
    )


def rater_rows(store: Store, study_id: str) -> list[Row]:
    """Raters by number; withdrawn ones are gone, revoked ones stay."""
    query = (
        select(
            rater.c.id,
            rater.c.number.label("rater"),
            rater.c.source,
            rater.c.status,
            rater.c.language,
            rater.c.consent_version,
            rater.c.consented_at,
            rater.c.completed_at,
            rater.c.last_seen_at,
        )
        .where(rater.c.study_id == study_id, rater.c.withdrawn_at.is_(None))
        .order_by(rater.c.number)
    )
    return _rows(store, query)


def code_rows(store: Store, study_id: str) -> list[Row]:
    """Raters by platform id with their completion codes: for paying, not for analysis."""
    query = (
        select(
            rater.c.number.label("rater"),
            rater_private.c.external_id.label("platform_id"),
            rater.c.status,
            rater.c.completion_code,
            rater.c.consented_at,
            rater.c.completed_at,
        )
        .outerjoin(rater_private, rater_private.c.rater_id == rater.c.id)
        .where(rater.c.study_id == study_id, rater.c.withdrawn_at.is_(None))
        .order_by(rater.c.number)
    )
    return _rows(store, query)


def stimulus_rows(store: Store, study_id: str) -> list[Row]:
    query = (
        select(
            stimulus.c.id.label("stimulus_id"),
            study_system.c.name.label("system"),
            study_item.c.name.label("item"),
            stimulus.c.role,
            stimulus.c.source,
            stimulus.c.clip_sha256,
            stimulus.c.served_sha256,
            stimulus.c.lufs,
            stimulus.c.gain_db,
            stimulus.c.seconds,
            study_item.c.prompt,
        )
        .outerjoin(study_system, study_system.c.id == stimulus.c.system_id)
        .outerjoin(study_item, study_item.c.id == stimulus.c.item_id)
        .where(stimulus.c.study_id == study_id)
        .order_by(study_system.c.name, study_item.c.name, stimulus.c.role, stimulus.c.id)
    )
    return _rows(store, query)


def page_rows(store: Store, study_id: str) -> list[Row]:
    query = (
        select(
            rater.c.number.label("rater"),
            page_answer.c.page,
            page_answer.c.answers,
            page_answer.c.submitted_at,
        )
        .join(rater, rater.c.id == page_answer.c.rater_id)
        .where(rater.c.study_id == study_id)
        .order_by(rater.c.number, page_answer.c.submitted_at)
    )
    return _rows(store, query)


def playback_rows(store: Store, study_id: str) -> list[Row]:
    query = (
        select(
            rater.c.number.label("rater"),
            assignment.c.id.label("assignment"),
            assignment.c.position,
            playback_event.c.tab,
            playback_event.c.sequence,
            playback_event.c.kind,
            playback_event.c.slot,
            playback_event.c.at_seconds,
            playback_event.c.received_at,
        )
        .join(assignment, assignment.c.id == playback_event.c.assignment_id)
        .join(rater, rater.c.id == assignment.c.rater_id)
        .where(rater.c.study_id == study_id)
        .order_by(rater.c.number, assignment.c.position, playback_event.c.id)
    )
    return _rows(store, query)


def screening_rows(store: Store, study_id: str) -> list[Row]:
    query = (
        select(
            rater.c.number.label("rater"),
            screening_decision.c.rule,
            screening_decision.c.decision,
            screening_decision.c.detail,
            screening_decision.c.decided_at,
        )
        .join(rater, rater.c.id == screening_decision.c.rater_id)
        .where(rater.c.study_id == study_id)
        .order_by(screening_decision.c.id)
    )
    return _rows(store, query)


def _answers(table: Table, study_id: str, *columns: Any) -> Select[Any]:
    """Rows of ratings or preferences with the rater, trial and revision that they belong to."""
    later = submission.alias("later")
    return (
        select(
            rater.c.number.label("rater"),
            assignment.c.id.label("assignment"),
            assignment.c.position,
            trial.c.number.label("trial"),
            trial.c.kind,
            submission.c.id.label("submission"),
            submission.c.revision,
            submission.c.submitted_at,
            submission.c.elapsed,
            submission.c.heard,
            submission.c.comment,
            *columns,
            later.c.id.is_not(None).label("superseded"),
        )
        .select_from(table)
        .join(submission, submission.c.id == table.c.submission_id)
        .join(assignment, assignment.c.id == submission.c.assignment_id)
        .join(trial, trial.c.id == assignment.c.trial_id)
        .join(rater, rater.c.id == assignment.c.rater_id)
        .outerjoin(later, later.c.supersedes == submission.c.id)
        .where(rater.c.study_id == study_id)
        .order_by(submission.c.submitted_at, table.c.id)
    )


def _rows(store: Store, query: Any) -> list[Row]:
    return read(store, lambda c: [dict(row) for row in c.execute(query).mappings()])


def _pair(row: Any) -> tuple[str, int]:
    return row[0], row[1]
