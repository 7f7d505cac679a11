"""Worker processes: kept between calls, replaced when they die, and never a task lost."""

from contextlib import closing

from concours.eval.execute import LocalExecutor

PID = "__import__('os').getpid()"
DIES = "__import__('os')._exit(3)"


def lost(_: str, cause: str) -> str:
    return cause


def test_workers_stay_for_the_next_tasks_and_go_when_told() -> None:
    with closing(LocalExecutor(1)) as executor:
        first = [pid for _, pid in executor.map(eval, [PID] * 3, lost)]
        second = [pid for _, pid in executor.map(eval, [PID] * 3, lost)]
        assert len({*first, *second}) == 1
        executor.close()
        (fresh,) = [pid for _, pid in executor.map(eval, [PID], lost)]
        assert fresh not in first


def test_a_task_that_kills_its_worker_fails_alone_and_the_next_call_finds_workers() -> None:
    with closing(LocalExecutor(2)) as executor:
        found = list(executor.map(eval, ["1 + 1", DIES, "2 + 2", *["3"] * 40], lost))
        assert sorted(str(v) for _, v in found if v != 3) == [
            "2", "4", "killed the process that read it (exit code 3)",
        ]  # fmt: skip
        assert len(found) == 43
        assert [v for _, v in executor.map(eval, ["5"], lost)] == [5]


def test_tasks_that_nobody_waits_for_are_stopped() -> None:
    with closing(LocalExecutor(1)) as executor:
        slow = executor.map(eval, ["0", *["__import__('time').sleep(60)"] * 4], lost)
        assert next(slow) == ("0", 0)
        slow.close()  # type: ignore[attr-defined]
        assert [v for _, v in executor.map(eval, ["5"], lost)] == [5]
