"""Numbered migrations: each runs once, in order, in the transaction that records it.

A migration is never changed after a release; a new need is a new number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    insert,
    inspect,
    select,
    text,
)

from concours.eval.errors import StoreError
from concours.eval.store import tables
from concours.eval.store.study_tables import create_study_tables
from concours.eval.store.trust_tables import create_trust_tables

_own = MetaData()
migration_table = Table(
    "migration",
    _own,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
)


class Migration(NamedTuple):
    number: int
    name: str
    apply: Callable[[Connection], None]


def _runs_and_scores(connection: Connection) -> None:
    tables.metadata.create_all(connection)
    connection.execute(text(tables.SCORES_VIEW))


def _pairs(connection: Connection) -> None:
    """Columns that a database made by an earlier version lacks, and the view that reads them."""
    columns = {c["name"] for c in inspect(connection).get_columns("run_item")}
    if "pair_id" not in columns:
        connection.execute(
            text("ALTER TABLE run_item ADD COLUMN pair_id INTEGER REFERENCES item (id)")
        )
        connection.execute(text("ALTER TABLE run_item ADD COLUMN partners JSON"))
        connection.execute(text("DROP VIEW scores"))
        connection.execute(text(tables.SCORES_VIEW))


def _songs(connection: Connection) -> None:
    """A column for what an item is cut from."""
    columns = {c["name"] for c in inspect(connection).get_columns("run_item")}
    if "song" not in columns:
        connection.execute(text("ALTER TABLE run_item ADD COLUMN song TEXT"))


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "runs and scores", _runs_and_scores),
    Migration(2, "listening tests", create_study_tables),
    Migration(3, "trust cards", create_trust_tables),
    Migration(4, "pairs", _pairs),
    Migration(5, "songs", _songs),
)


def migrate(connection: Connection) -> None:
    """Brings the database to this version's tables.

    Raises:
        StoreError: a newer Concours has written it.
    """
    if connection.dialect.name == "postgresql":
        # two processes that open a new database at once must not both create its tables
        connection.execute(text("SELECT pg_advisory_xact_lock(7041776)"))
    _own.create_all(connection)
    done = set(connection.scalars(select(migration_table.c.number)))
    newest = MIGRATIONS[-1].number
    if done and max(done) > newest:
        raise StoreError(
            f"the database is at version {max(done)}, this Concours knows {newest}: upgrade it"
        )
    for migration in MIGRATIONS:
        if migration.number not in done:
            migration.apply(connection)
            row = {"number": migration.number, "name": migration.name}
            connection.execute(insert(migration_table).values(row))
