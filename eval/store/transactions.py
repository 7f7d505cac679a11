"""Transactions that survive their rivals: retried when the database asks for it.

SQLite: one writer at a time inside this process (a lock of ours, which is fair), and BEGIN
IMMEDIATE with a busy timeout against other processes. PostgreSQL: a serialisation failure or a
deadlock is run again. What still fails is :class:`StoreBusy`, which a caller shows and retries.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError, TimeoutError

from concours.eval.errors import StoreError
from concours.eval.store.engine import Store

T = TypeVar("T")

ATTEMPTS = 5
LOCK_SECONDS = 40.0
_RETRIED = {"40001", "40P01"}
_writers: dict[str, threading.Lock] = {}
_writers_guard = threading.Lock()


class StoreBusy(StoreError):
    """The database is locked or cannot be reached; nothing was written, try again."""


def write(store: Store, body: Callable[[Connection], T]) -> T:
    """Runs ``body`` in one transaction, again where another transaction got in its way.

    Raises:
        StoreBusy: still locked, or not reachable, after the last attempt.
    """
    for attempt in range(ATTEMPTS):
        try:
            with _only_writer(store), store.writing() as connection:
                return body(connection)
        except (OperationalError, TimeoutError) as error:
            if attempt + 1 == ATTEMPTS or not _passes(error):
                raise StoreBusy(f"the database cannot write now: {_cause(error)}") from error
        except DBAPIError as error:
            if attempt + 1 == ATTEMPTS or _state(error) not in _RETRIED:
                raise
        time.sleep(0.02 * 2**attempt)
    raise AssertionError("unreachable")


def read(store: Store, body: Callable[[Connection], T]) -> T:
    """Runs ``body`` on a connection that takes no lock.

    Raises:
        StoreBusy: the database cannot be reached.
    """
    try:
        with store.reading() as connection:
            return body(connection)
    except (OperationalError, TimeoutError) as error:
        raise StoreBusy(f"the database cannot be read now: {_cause(error)}") from error


@contextmanager
def _only_writer(store: Store) -> Iterator[None]:
    if store.engine.dialect.name != "sqlite":
        yield
        return
    with _writers_guard:
        lock = _writers.setdefault(str(store.engine.url), threading.Lock())
    if not lock.acquire(timeout=LOCK_SECONDS):
        raise StoreBusy("the database is locked by another writer")
    try:
        yield
    finally:
        lock.release()


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", "") or "")


def _passes(error: Exception) -> bool:
    """Whether another attempt may work at once: a rival transaction or a dropped connection."""
    if isinstance(error, DBAPIError):
        return _state(error) in _RETRIED or error.connection_invalidated
    return False


def _cause(error: Exception) -> str:
    return str(getattr(error, "orig", error)).strip().splitlines()[0]
