"""What an on-demand design chooses from: trials not had yet, and the comparisons so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from concours.eval.store.study_tables import (
    assignment,
    preference,
    stimulus,
    study_item,
    study_system,
    submission,
    trial,
    trial_stimulus,
)


@dataclass(frozen=True)
class Candidate:
    """A trial that the rater has not had; ``given`` counts everybody's assignments to it."""

    trial_id: str
    number: int
    kind: str
    systems: tuple[str, ...]
    item: str
    given: int


@dataclass(frozen=True)
class Outcome:
    """One answered comparison: systems by name, ``choice`` as stored."""

    a: str
    b: str
    choice: str


Chooser = Callable[[Sequence[Candidate], Sequence[Outcome]], Candidate | None]


def candidates_for(connection: Connection, study_id: str, had: set[str]) -> list[Candidate]:
    counts = (
        select(assignment.c.trial_id, func.count())
        .join(trial, trial.c.id == assignment.c.trial_id)
        .where(trial.c.study_id == study_id, assignment.c.status != "expired")
        .group_by(assignment.c.trial_id)
    )
    given: dict[str, int] = dict(map(_pair, connection.execute(counts)))
    shown: dict[str, list[Any]] = {}
    for row in connection.execute(
        select(
            trial.c.id,
            trial.c.number,
            trial.c.kind,
            study_system.c.name,
            study_item.c.name.label("item"),
        )
        .join(trial_stimulus, trial_stimulus.c.trial_id == trial.c.id)
        .join(stimulus, stimulus.c.id == trial_stimulus.c.stimulus_id)
        .outerjoin(study_system, study_system.c.id == stimulus.c.system_id)
        .outerjoin(study_item, study_item.c.id == trial.c.item_id)
        .where(trial.c.study_id == study_id, trial.c.kind != "training")
        .order_by(trial.c.number, trial_stimulus.c.position)
    ):
        shown.setdefault(row.id, []).append(row)
    return [
        Candidate(
            trial_id=trial_id,
            number=rows[0].number,
            kind=rows[0].kind,
            systems=tuple(r.name or "" for r in rows),
            item=rows[0].item or "",
            given=given.get(trial_id, 0),
        )
        for trial_id, rows in shown.items()
        if trial_id not in had
    ]


def outcomes_so_far(connection: Connection, study_id: str) -> list[Outcome]:
    """The newest answer to each comparison of two systems."""
    a, b = stimulus.alias("a"), stimulus.alias("b")
    later = submission.alias("later")
    system_a, system_b = study_system.alias("sa"), study_system.alias("sb")
    return [
        Outcome(row.a, row.b, row.choice)
        for row in connection.execute(
            select(system_a.c.name.label("a"), system_b.c.name.label("b"), preference.c.choice)
            .select_from(preference)
            .join(submission, submission.c.id == preference.c.submission_id)
            .join(a, a.c.id == preference.c.stimulus_a)
            .join(b, b.c.id == preference.c.stimulus_b)
            .join(system_a, system_a.c.id == a.c.system_id)
            .join(system_b, system_b.c.id == b.c.system_id)
            .outerjoin(later, later.c.supersedes == submission.c.id)
            .where(a.c.study_id == study_id, later.c.id.is_(None))
            .order_by(preference.c.id)
        )
    ]


def _pair(row: Any) -> tuple[str, int]:
    return row[0], row[1]
