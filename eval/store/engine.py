"""Opening the database: the settings under which several processes can share it safely."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from concours.eval.errors import StoreError
from concours.eval.store.migrations import migrate

BUSY_SECONDS = 30


class Store:
    """An open, migrated database. Reads and writes take their own short transactions."""

    def __init__(self, engine: Engine, url: str) -> None:
        self.engine = engine
        self.url = url

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading; it takes no lock, so that readers never wait for a writer."""
        with self.engine.connect().execution_options(reading=True) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back on any error."""
        with self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(url: str, folder: Path | None = None) -> Store:
    """Opens the database at a SQLAlchemy URL, creating and migrating it as needed.

    A relative SQLite path is taken from ``folder`` (the current one by default).

    Raises:
        StoreError: no such kind of database, a driver that is not installed, a folder that is
            missing, a database that is locked, damaged or newer than this version.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.drivername.startswith("sqlite") and parsed.database not in (None, "", ":memory:"):
            path = (folder or Path()) / str(parsed.database)
            parsed = parsed.set(database=str(path))
            if not path.parent.is_dir():
                raise StoreError(f"{url}: there is no folder {path.parent}; make it first")
        options: dict[str, Any] = {"pool_pre_ping": True}
        if parsed.drivername.startswith("sqlite"):
            options = {"connect_args": {"timeout": BUSY_SECONDS}}
        engine = create_engine(parsed, **options)
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreError(
            f"{url!r} is no database URL that SQLAlchemy knows; write sqlite:///file.db or "
            "postgresql://user@host/name"
        ) from error
    except ModuleNotFoundError as error:
        raise StoreError(
            f"{url}: the driver {error.name!r} is not installed; pip install 'concours[postgres]'"
        ) from error
    if engine.dialect.name == "sqlite":
        _configure_sqlite(engine)
    try:
        with engine.begin() as connection:
            migrate(connection)
    except DBAPIError as error:
        engine.dispose()
        raise StoreError(f"{url}: {error.orig}") from error
    except StoreError:
        engine.dispose()
        raise
    return Store(engine, url)


def is_there(url: str, folder: Path | None = None) -> bool:
    """Whether opening the store would find a database: false for an SQLite file yet to be made."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return True  # open_store says what is wrong with it
    if not parsed.drivername.startswith("sqlite") or parsed.database in (None, "", ":memory:"):
        return True
    return ((folder or Path()) / str(parsed.database)).exists()


def _configure_sqlite(engine: Engine) -> None:
    """WAL, foreign keys, and transactions that take the write lock when they begin.

    A transaction that starts by reading and then wants to write fails at once if somebody wrote
    in between; BEGIN IMMEDIATE waits its turn instead.
    """

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's
        cursor = connection.cursor()
        _switch_to_wal(cursor)
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("reading"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def _switch_to_wal(cursor: Any) -> None:
    """Turns the write-ahead log on; the mode stays with the file.

    Where two processes open a new file at once, SQLite refuses the switch to one of them without
    waiting, so this waits.
    """
    import sqlite3

    last = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > last:
                raise
            time.sleep(0.05)
        else:
            return
