"""Workers that compile in turn: one that dies in its turn must not hold up the others."""

import multiprocessing
import threading
from typing import Any

import pytest

from concours.eval import execute


class Watched:
    """A lock that notes how long it was asked to wait."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock
        self.waits: list[float] = []

    def acquire(self, timeout: float) -> bool:
        self.waits.append(timeout)
        return bool(self.lock.acquire(timeout=timeout))

    def release(self) -> None:
        self.lock.release()


def test_a_holder_that_died_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "COMPILING_SECONDS", 0.1)
    context = multiprocessing.get_context("spawn")
    lock, given_up = context.RLock(), context.Value("b", False, lock=False)
    dying = threading.Thread(target=lock.acquire)  # owns it as a process of its own would
    dying.start()
    dying.join()
    first, second = Watched(lock), Watched(lock)
    for worker in (first, second):
        turn = execute._Turn(worker, given_up)
        for _ in range(3):
            with turn:
                pass
    assert first.waits == [0.1, 0, 0]
    assert second.waits == [0, 0, 0]


def test_a_turn_within_a_turn_is_no_wait() -> None:
    context = multiprocessing.get_context("spawn")
    given_up = context.Value("b", False, lock=False)
    turn = execute._Turn(context.RLock(), given_up)
    with turn, turn:
        pass
    assert not given_up.value
