"""The tables of listening tests.

A study has systems, items and stimuli (prepared clips). A trial is what is shown at once: one
stimulus (MOS), two (pairs) or many (MUSHRA). A block is the row of trials that one rater works
through, drawn beforehand from a balanced design. An assignment is one trial given to one rater; a
submission is the answer to it, with its ratings and preferences.

Ratings are append-only: a trigger refuses to update them, a correction is a new submission that
supersedes the old one, and only a withdrawal deletes. A stimulus joins the objective scores by
``clip_sha256 = item.sha256``. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

study_metadata = MetaData()


def _study() -> Column[str]:
    return Column("study_id", ForeignKey("study.id"), nullable=False, index=True)


def _rater() -> Column[str]:
    return Column("rater_id", ForeignKey("rater.id"), nullable=False, index=True)


# status: draft, live (frozen), closed. `secret` signs cookies and stimulus links.
study = Table(
    "study",
    study_metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("method", Text, nullable=False),
    Column("config", JSON, nullable=False),
    Column("protocol_version", Integer, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("crowd_key_sha256", Text, unique=True),
    Column("created_at", Float, nullable=False),
    Column("live_at", Float),
    Column("closed_at", Float),
)

study_system = Table(
    "study_system",
    study_metadata,
    Column("id", Text, primary_key=True),
    _study(),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    UniqueConstraint("study_id", "name"),
)

study_item = Table(
    "study_item",
    study_metadata,
    Column("id", Text, primary_key=True),
    _study(),
    Column("name", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    UniqueConstraint("study_id", "name"),
)

# role: test, reference, hidden_ref, anchor_low, anchor_mid, trap, gold, training
stimulus = Table(
    "stimulus",
    study_metadata,
    Column("id", Text, primary_key=True),
    _study(),
    Column("system_id", ForeignKey("study_system.id")),
    Column("item_id", ForeignKey("study_item.id")),
    Column("role", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("clip_sha256", Text, nullable=False, index=True),
    Column("served_sha256", Text, nullable=False),
    Column("lufs", Float),
    Column("gain_db", Float, nullable=False),
    Column("seconds", Float, nullable=False),
)

stimulus_audio = Table(
    "stimulus_audio",
    study_metadata,
    Column("stimulus_id", ForeignKey("stimulus.id"), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# kind: test, training, trap
trial = Table(
    "trial",
    study_metadata,
    Column("id", Text, primary_key=True),
    _study(),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("item_id", ForeignKey("study_item.id")),
    UniqueConstraint("study_id", "number"),
)

trial_stimulus = Table(
    "trial_stimulus",
    study_metadata,
    Column("trial_id", ForeignKey("trial.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("stimulus_id", ForeignKey("stimulus.id"), nullable=False),
    Column("label", Text, nullable=False),
)

rater = Table(
    "rater",
    study_metadata,
    Column("id", Text, primary_key=True),
    _study(),
    Column("number", Integer, nullable=False),
    Column("token_sha256", Text, unique=True),
    Column("source", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("last_seen_at", Float, nullable=False),
    Column("language", Text),
    Column("tab", Text),
    Column("consent_version", Integer),
    Column("consented_at", Float),
    Column("completed_at", Float),
    Column("completion_code", Text),
    Column("revoked_at", Float),
    Column("withdrawn_at", Float),
    UniqueConstraint("study_id", "number"),
)

# What names a person outside the study: deleted on withdrawal, never exported.
rater_private = Table(
    "rater_private",
    study_metadata,
    Column("rater_id", ForeignKey("rater.id"), primary_key=True),
    _study(),
    Column("external_id", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    UniqueConstraint("study_id", "external_id"),
)

block = Table(
    "block",
    study_metadata,
    Column("id", Text, primary_key=True),
    _study(),
    Column("number", Integer, nullable=False),
    Column("rater_id", ForeignKey("rater.id"), unique=True),
    UniqueConstraint("study_id", "number"),
)

# slot_order: the positions of the trial's stimuli as the rater meets them
block_trial = Table(
    "block_trial",
    study_metadata,
    Column("block_id", ForeignKey("block.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("trial_id", ForeignKey("trial.id"), nullable=False),
    Column("slot_order", JSON, nullable=False),
)

# status: pending, open, submitted, expired
assignment = Table(
    "assignment",
    study_metadata,
    Column("id", Text, primary_key=True),
    _rater(),
    Column("trial_id", ForeignKey("trial.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("slot_order", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("opened_at", Float),
    Column("expires_at", Float),
    UniqueConstraint("rater_id", "position"),
)

submission = Table(
    "submission",
    study_metadata,
    Column("id", Text, primary_key=True),
    Column("assignment_id", ForeignKey("assignment.id"), nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("revision", Integer, nullable=False),
    Column("supersedes", ForeignKey("submission.id")),
    Column("submitted_at", Float, nullable=False),
    Column("elapsed", Float, nullable=False),
    Column("heard", JSON, nullable=False),
    Column("comment", Text, nullable=False),
    UniqueConstraint("assignment_id", "revision"),
)

# frame: felt, perceived or "" ; compared_with: the other stimulus of a comparison rating
rating = Table(
    "rating",
    study_metadata,
    Column("id", Integer, primary_key=True),
    Column("submission_id", ForeignKey("submission.id"), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("stimulus_id", ForeignKey("stimulus.id"), nullable=False, index=True),
    Column("compared_with", ForeignKey("stimulus.id")),
    Column("dimension", Text, nullable=False),
    Column("frame", Text, nullable=False),
    Column("value", Float, nullable=False),
    UniqueConstraint("submission_id", "slot", "dimension", "frame"),
)

# choice: a, b, tie, both_bad; a is the stimulus in the first slot
preference = Table(
    "preference",
    study_metadata,
    Column("id", Integer, primary_key=True),
    Column("submission_id", ForeignKey("submission.id"), nullable=False),
    Column("dimension", Text, nullable=False),
    Column("stimulus_a", ForeignKey("stimulus.id"), nullable=False),
    Column("stimulus_b", ForeignKey("stimulus.id"), nullable=False),
    Column("choice", Text, nullable=False),
    UniqueConstraint("submission_id", "dimension"),
)

# An answer that is not sent yet, so that a reload or another device finds it.
draft = Table(
    "draft",
    study_metadata,
    Column("rater_id", ForeignKey("rater.id"), primary_key=True),
    Column("page", Text, primary_key=True),
    Column("answers", JSON, nullable=False),
    Column("saved_at", Float, nullable=False),
)

# Pages that are not trials: consent, headphones, level, questionnaires.
page_answer = Table(
    "page_answer",
    study_metadata,
    Column("rater_id", ForeignKey("rater.id"), primary_key=True),
    Column("page", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("answers", JSON, nullable=False),
    Column("submitted_at", Float, nullable=False),
)

playback_event = Table(
    "playback_event",
    study_metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment_id", ForeignKey("assignment.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("tab", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("at_seconds", Float, nullable=False),
    Column("received_at", Float, nullable=False),
    UniqueConstraint("assignment_id", "tab", "sequence"),
)

# Never deletes a rating: an analysis applies the latest decision, or none.
screening_decision = Table(
    "screening_decision",
    study_metadata,
    Column("id", Integer, primary_key=True),
    _rater(),
    Column("rule", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("decided_at", Float, nullable=False),
)

# What a withdrawal leaves: how much was erased and when.
erasure = Table(
    "erasure",
    study_metadata,
    Column("id", Integer, primary_key=True),
    _study(),
    Column("erased_at", Float, nullable=False),
    Column("n_ratings", Integer, nullable=False),
)

Index(
    "assignment_one_open",
    assignment.c.rater_id,
    unique=True,
    sqlite_where=assignment.c.status == "open",
    postgresql_where=assignment.c.status == "open",
)

APPEND_ONLY = ("rating", "preference", "submission")
_REFUSAL = "answers are append-only: submit a new revision"


def create_study_tables(connection: Connection) -> None:
    """Migration 2: the tables, and triggers that refuse to change an answer."""
    study_metadata.create_all(connection)
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(
                "CREATE FUNCTION concours_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
            )
        )
    for table in APPEND_ONLY:
        body = (
            "EXECUTE FUNCTION concours_append_only()"
            if connection.dialect.name == "postgresql"
            else f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
        connection.execute(
            text(f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} FOR EACH ROW {body}")
        )
