"""Making a study, and its life: draft, live, closed."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from concours.eval.errors import UsageError
from concours.eval.store.engine import Store
from concours.eval.store.study_tables import (
    assignment,
    block,
    block_trial,
    rater,
    stimulus,
    stimulus_audio,
    study,
    study_item,
    study_system,
    trial,
    trial_stimulus,
)
from concours.eval.store.transactions import read, write


@dataclass(frozen=True)
class NewStimulus:
    """A prepared clip; ``system`` and ``item`` are names of the study, None for neither."""

    id: str
    system: str | None
    item: str | None
    role: str
    source: str
    clip_sha256: str
    data: bytes
    lufs: float | None
    gain_db: float
    seconds: float


@dataclass(frozen=True)
class NewTrial:
    """``stimuli`` are (stimulus id, label) in the order of the design."""

    number: int
    kind: str
    item: str | None
    stimuli: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class NewBlock:
    """One rater's row: (trial number, slot order) in the order of presentation."""

    number: int
    trials: tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Study:
    id: str
    name: str
    method: str
    config: Mapping[str, Any]
    seed: int
    status: str
    secret: str
    has_crowd_link: bool


def new_id() -> str:
    return uuid.uuid4().hex


def create_study(
    store: Store,
    *,
    name: str,
    method: str,
    config: Mapping[str, Any],
    protocol_version: int,
    seed: int,
    now: float,
    systems: Mapping[str, str],
    items: Mapping[str, str],
    stimuli: Sequence[NewStimulus],
    trials: Sequence[NewTrial],
    blocks: Sequence[NewBlock],
    replace: bool = False,
) -> str:
    """Stores a whole study as a draft and returns its id.

    ``systems`` maps names to sources, ``items`` names to prompts.

    Raises:
        UsageError: the name is taken (``replace`` replaces a draft that nobody was invited to).
    """

    def body(connection: Connection) -> str:
        taken = connection.execute(
            select(study.c.id, study.c.status).where(study.c.name == name)
        ).one_or_none()
        if taken is not None:
            if not replace:
                raise UsageError(
                    f"there is a study {name!r} already; choose another name, or replace it "
                    "with --replace while nobody is invited"
                )
            if taken.status != "draft":
                raise UsageError(f"the study {name!r} is {taken.status}: it cannot be replaced")
            _delete_draft(connection, taken.id)
        study_id = new_id()
        connection.execute(
            insert(study).values(
                id=study_id,
                name=name,
                method=method,
                config=dict(config),
                protocol_version=protocol_version,
                seed=seed,
                status="draft",
                secret=secrets.token_hex(32),
                created_at=now,
            )
        )
        system_ids = {n: new_id() for n in systems}
        item_ids = {n: new_id() for n in items}
        _insert_all(
            connection,
            study_system,
            [
                {"id": system_ids[n], "study_id": study_id, "name": n, "source": s}
                for n, s in systems.items()
            ],
        )
        _insert_all(
            connection,
            study_item,
            [
                {"id": item_ids[n], "study_id": study_id, "name": n, "prompt": p}
                for n, p in items.items()
            ],
        )
        for clip in stimuli:
            connection.execute(
                insert(stimulus).values(
                    id=clip.id,
                    study_id=study_id,
                    system_id=system_ids[clip.system] if clip.system else None,
                    item_id=item_ids[clip.item] if clip.item else None,
                    role=clip.role,
                    source=clip.source,
                    clip_sha256=clip.clip_sha256,
                    served_sha256=hashlib.sha256(clip.data).hexdigest(),
                    lufs=clip.lufs,
                    gain_db=clip.gain_db,
                    seconds=clip.seconds,
                )
            )
            connection.execute(insert(stimulus_audio).values(stimulus_id=clip.id, data=clip.data))
        for one in trials:
            trial_id = new_id()
            connection.execute(
                insert(trial).values(
                    id=trial_id,
                    study_id=study_id,
                    number=one.number,
                    kind=one.kind,
                    item_id=item_ids[one.item] if one.item else None,
                )
            )
            _insert_all(
                connection,
                trial_stimulus,
                [
                    {"trial_id": trial_id, "position": i, "stimulus_id": s, "label": label}
                    for i, (s, label) in enumerate(one.stimuli)
                ],
            )
        _insert_blocks(connection, study_id, blocks)
        return study_id

    return write(store, body)


def add_blocks(store: Store, study_id: str, blocks: Sequence[NewBlock]) -> None:
    """Appends blocks of the same design; numbers that exist already are left as they are."""

    def body(connection: Connection) -> None:
        connection.execute(select(study.c.id).where(study.c.id == study_id).with_for_update())
        there = set(connection.scalars(select(block.c.number).where(block.c.study_id == study_id)))
        _insert_blocks(connection, study_id, [b for b in blocks if b.number not in there])

    write(store, body)


def count_blocks(store: Store, study_id: str) -> int:
    query = select(func.count()).select_from(block).where(block.c.study_id == study_id)
    return read(store, lambda c: int(c.scalar(query) or 0))


def find_study(store: Store, name: str) -> Study:
    """The study of that name.

    Raises:
        UsageError: there is none; the message lists those that exist.
    """

    def body(connection: Connection) -> Study:
        row = connection.execute(select(study).where(study.c.name == name)).one_or_none()
        if row is None:
            known = list(connection.scalars(select(study.c.name).order_by(study.c.name)))
            there = f"there are: {', '.join(known)}" if known else "there is none yet"
            raise UsageError(f"{store.url}: no study {name!r}; {there}")
        return Study(
            id=row.id,
            name=row.name,
            method=row.method,
            config=row.config,
            seed=row.seed,
            status=row.status,
            secret=row.secret,
            has_crowd_link=row.crowd_key_sha256 is not None,
        )

    return read(store, body)


def go_live(store: Store, study_id: str, now: float) -> None:
    """Freezes a draft; a live study stays as it is."""
    query = (
        update(study)
        .where(study.c.id == study_id, study.c.status == "draft")
        .values(status="live", live_at=now)
    )
    write(store, lambda c: c.execute(query))


def close_study(store: Store, study_id: str, now: float) -> None:
    """Takes no more answers; raters are told so."""
    query = (
        update(study)
        .where(study.c.id == study_id, study.c.status != "closed")
        .values(status="closed", closed_at=now)
    )
    write(store, lambda c: c.execute(query))


def _insert_all(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _insert_blocks(connection: Connection, study_id: str, blocks: Sequence[NewBlock]) -> None:
    numbers = {
        row.number: row.id
        for row in connection.execute(
            select(trial.c.number, trial.c.id).where(trial.c.study_id == study_id)
        )
    }
    for one in blocks:
        block_id = new_id()
        connection.execute(insert(block).values(id=block_id, study_id=study_id, number=one.number))
        _insert_all(
            connection,
            block_trial,
            [
                {
                    "block_id": block_id,
                    "position": position,
                    "trial_id": numbers[number],
                    "slot_order": list(order),
                }
                for position, (number, order) in enumerate(one.trials)
            ],
        )


def _delete_draft(connection: Connection, study_id: str) -> None:
    trials = select(trial.c.id).where(trial.c.study_id == study_id)
    blocks = select(block.c.id).where(block.c.study_id == study_id)
    stimuli = select(stimulus.c.id).where(stimulus.c.study_id == study_id)
    for query in (
        delete(assignment).where(assignment.c.trial_id.in_(trials)),
        delete(block_trial).where(block_trial.c.block_id.in_(blocks)),
        delete(block).where(block.c.study_id == study_id),
        delete(rater).where(rater.c.study_id == study_id),
        delete(trial_stimulus).where(trial_stimulus.c.trial_id.in_(trials)),
        delete(trial).where(trial.c.study_id == study_id),
        delete(stimulus_audio).where(stimulus_audio.c.stimulus_id.in_(stimuli)),
        delete(stimulus).where(stimulus.c.study_id == study_id),
        delete(study_item).where(study_item.c.study_id == study_id),
        delete(study_system).where(study_system.c.study_id == study_id),
        delete(study).where(study.c.id == study_id),
    ):
        connection.execute(query)
