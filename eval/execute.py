"""Running tasks on worker processes that are allowed to die.

An executor maps a function over tasks and yields (task, result) as they finish. Tasks travel in
chunks. A chunk whose worker crashes or takes too long is sent again task by task, so that the one
at fault is found and only it fails.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from typing import Any, Protocol, TypeVar

from concours.eval.errors import UsageError

T = TypeVar("T")
R = TypeVar("R")

SECONDS_A_TASK = 120.0
COMPILING_SECONDS = 60.0


class Executor(Protocol):
    def map(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        lost: Callable[[T, str], R],
    ) -> Iterator[tuple[T, R]]:
        """Yields each task once, with its result or with ``lost(task, cause)``."""
        ...

    def close(self) -> None:
        """Lets the workers go; until then they wait for the next tasks."""
        ...


def make_executor(name: str, workers: int | None = None) -> Executor:
    """``local`` (processes on this machine) or ``ray`` (a cluster, extra ``ray``).

    Raises:
        UsageError: another name, or ray is not installed.
    """
    count = workers if workers is not None else default_workers()
    if count < 1:
        raise UsageError(f"--workers must be at least 1, not {count}")
    if name == "local":
        return LocalExecutor(count)
    if name == "ray":
        return RayExecutor(count)
    raise UsageError(f"no executor is called {name!r}; there are local and ray")


def default_workers() -> int:
    """The processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _run_chunk(function: Callable[[T], R], chunk: Sequence[T]) -> list[R]:
    return [function(task) for task in chunk]


def _chunks(tasks: Sequence[T], workers: int) -> list[list[T]]:
    size = max(1, min(64, len(tasks) // (workers * 4)))
    return [list(tasks[i : i + size]) for i in range(0, len(tasks), size)]


class _Turn:
    """A lock of several processes, on which none waits for ever: its holder may be dead.

    ``given_up`` is shared by all of them: once one has waited in vain, nobody waits again, for
    there is one wait a kernel, and a task's time would pass in waiting.
    """

    def __init__(self, lock: Any, given_up: Any) -> None:
        self._lock = lock
        self._given_up = given_up
        self._held: list[bool] = []

    def __enter__(self) -> None:
        held = self._lock.acquire(timeout=0 if self._given_up.value else COMPILING_SECONDS)
        if not held:
            self._given_up.value = True
        self._held.append(held)

    def __exit__(self, *error: object) -> None:
        if self._held.pop():
            self._lock.release()


def _share_compiling(lock: Any, given_up: Any) -> None:
    """Workers that start together on an empty compile cache would all compile the same kernels."""
    from concours.metrics.compiled import compile_in_turn

    compile_in_turn(_Turn(lock, given_up))


class LocalExecutor:
    """Processes of this machine: started afresh, never forked, replaced when they die, and kept
    from one call of ``map`` to the next."""

    def __init__(self, workers: int, seconds_a_task: float = SECONDS_A_TASK) -> None:
        self.workers = workers
        self.seconds_a_task = seconds_a_task
        self._pool: Any = None
        self._size = 0

    def map(
        self, function: Callable[[T], R], tasks: Sequence[T], lost: Callable[[T, str], R]
    ) -> Iterator[tuple[T, R]]:
        if not tasks:
            return
        waiting = deque(_chunks(tasks, self.workers))
        running: dict[Any, list[T]] = {}
        pool = self._pool_of(min(self.workers, len(waiting)))
        complete = False
        try:
            while waiting or running:
                while waiting and len(running) < 2 * self.workers:
                    chunk = waiting.popleft()
                    future: Any = pool.schedule(
                        _run_chunk,
                        args=(function, chunk),
                        timeout=self.seconds_a_task * max(1, len(chunk) / 4),
                    )
                    running[future] = chunk
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    chunk = running.pop(future)
                    cause = self._cause(future)
                    if cause is None:
                        yield from zip(chunk, future.result(), strict=True)
                    elif len(chunk) == 1:
                        yield chunk[0], lost(chunk[0], cause)
                    else:
                        waiting.extend([task] for task in chunk)
            complete = True
        finally:
            if not complete:  # tasks that nobody waits for may still run
                self.close()

    def _pool_of(self, workers: int) -> Any:
        """The workers of the tasks before, where they are as many."""
        if self._pool is None or self._size < workers:
            import multiprocessing

            from pebble import ProcessPool

            self.close()
            context = multiprocessing.get_context("spawn")
            self._size = workers
            self._pool = ProcessPool(
                max_workers=workers,
                context=context,
                initializer=_share_compiling,
                initargs=(context.RLock(), context.Value("b", False, lock=False)),
            )
        return self._pool

    def close(self) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
            self._pool = None

    def _cause(self, future: Any) -> str | None:
        from pebble import ProcessExpired

        error = future.exception()
        if error is None:
            return None
        if isinstance(error, TimeoutError):
            return f"took longer than {self.seconds_a_task:.0f} s"
        if isinstance(error, ProcessExpired):
            return f"killed the process that read it (exit code {error.exitcode})"
        return f"{type(error).__name__}: {error}"


class RayExecutor:
    """The same on a Ray cluster; the files and the cache must be at the same paths everywhere."""

    def __init__(self, workers: int) -> None:
        try:
            import ray
        except ModuleNotFoundError as error:
            raise UsageError("--executor ray needs ray: pip install 'concours[ray]'") from error
        self._ray = ray
        self.workers = workers

    def map(
        self, function: Callable[[T], R], tasks: Sequence[T], lost: Callable[[T, str], R]
    ) -> Iterator[tuple[T, R]]:
        ray = self._ray
        if not ray.is_initialized():
            ray.init(log_to_driver=False, include_dashboard=False, num_cpus=self.workers)
        remote = ray.remote(max_retries=0)(_run_chunk)
        waiting = deque(_chunks(tasks, self.workers))
        running: dict[Any, list[T]] = {}
        while waiting or running:
            while waiting and len(running) < 2 * self.workers:
                chunk = waiting.popleft()
                running[remote.remote(function, chunk)] = chunk
            done, _ = ray.wait(list(running), num_returns=1)
            for reference in done:
                chunk = running.pop(reference)
                try:
                    yield from zip(chunk, ray.get(reference), strict=True)
                except ray.exceptions.RayError as error:
                    if len(chunk) == 1:
                        cause = f"killed the process that read it ({type(error).__name__})"
                        yield chunk[0], lost(chunk[0], cause)
                    else:
                        waiting.extend([task] for task in chunk)

    def close(self) -> None:
        """Nothing: the cluster keeps its own workers."""
