"""Progress on standard error: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")
SECONDS_BETWEEN_LINES = 10.0


class Progress(Protocol):
    def say(self, message: str) -> None:
        """One line about what happens now."""
        ...

    def track(self, results: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Passes the results on, counting them."""
        ...


class Silent:
    """For library use and ``--quiet``."""

    def say(self, message: str) -> None:
        pass

    def track(self, results: Iterable[T], total: int, what: str) -> Iterator[T]:  # noqa: ARG002
        yield from results


class Lines:
    """For logs and pipes: a line at most every ten seconds."""

    def say(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    def track(self, results: Iterable[T], total: int, what: str) -> Iterator[T]:
        started = last = time.monotonic()
        for done, result in enumerate(results, 1):
            yield result
            now = time.monotonic()
            if now - last >= SECONDS_BETWEEN_LINES or (done == total and now - started >= 1):
                last = now
                rate = done / (now - started)
                left = (total - done) / rate
                self.say(f"{what}: {done}/{total}, {rate:.0f}/s, {left:.0f} s left")


class Bar:
    """For terminals: a bar with the rate and the time that remains."""

    def say(self, message: str) -> None:
        from rich.console import Console

        Console(stderr=True, highlight=False).print(message, markup=False)

    def track(self, results: Iterable[T], total: int, what: str) -> Iterator[T]:
        from rich import progress
        from rich.console import Console

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[rate]}"),
            progress.TimeRemainingColumn(),
        )
        started = time.monotonic()
        with progress.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
            task = shown.add_task(what, total=total, rate="")
            for done, result in enumerate(results, 1):
                yield result
                rate = done / max(1e-9, time.monotonic() - started)
                shown.update(task, completed=done, rate=f"{rate:.0f}/s")


def make_progress(quiet: bool) -> Progress:
    if quiet:
        return Silent()
    return Bar() if sys.stderr.isatty() else Lines()
