"""Many raters, tabs and processes at once: nothing is lost, nothing doubled, all balanced."""

import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from small_study import N_TRIALS, answer_for, join, make_study, opened, take_study
from sqlalchemy import text

from concours.eval.store import Store, open_store, study
from concours.eval.store.transactions import StoreBusy


def test_fifty_raters_at_once_lose_nothing_and_stay_balanced(store: Store) -> None:
    study_id = make_study(store, blocks=50)
    tokens = study.invite_raters(store, study_id, 50, 1000.0)
    with ThreadPoolExecutor(max_workers=50) as pool:
        done = list(pool.map(lambda t: take_study(store, study_id, t), tokens))
    assert done == [N_TRIALS] * 50
    counts = study.count_study(store, study_id)
    assert counts.n_ratings == 50 * N_TRIALS
    assert counts.trial_given == (50, 50)
    assert counts.blocks_claimed == 50
    rows = study.rating_rows(store, study_id)
    assert len({(r["rater"], r["stimulus_id"]) for r in rows}) == 50 * N_TRIALS


def test_several_processes_share_one_database(store: Store, store_url: str) -> None:
    study_id = make_study(store, blocks=24)
    tokens = study.invite_raters(store, study_id, 24, 1000.0)
    script = str(Path(__file__).with_name("rater_process.py"))
    workers = [
        subprocess.Popen([sys.executable, script, store_url, study_id, *tokens[i::3]])
        for i in range(3)
    ]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    assert study.count_study(store, study_id).n_ratings == 24 * N_TRIALS


def test_least_rated_stays_balanced_under_rivals(store: Store) -> None:
    study_id = make_study(store, blocks=0)
    raters = [join(store, study_id) for _ in range(20)]

    def least(candidates: list[study.Candidate], _: object) -> study.Candidate | None:
        return min(candidates, key=lambda c: (c.given, c.number), default=None)

    def work(rater: study.Rater) -> None:
        for n in range(4):
            assert study.claim_trial(store, study_id, rater.id, least, lambda _, n: range(n))  # type: ignore[arg-type]
            given = study.next_assignment(store, rater.id, time.time(), 600.0)
            assert given is not None
            study.submit(store, rater.id, given.id, answer_for(given, f"{rater.id}{n}"), 1.0)

    with ThreadPoolExecutor(max_workers=20) as pool:
        list(pool.map(work, raters))
    counts = study.count_study(store, study_id)
    assert counts.n_ratings == 80
    # nobody gets a trial twice, so the last to come may have to take one that is ahead already
    assert counts.trial_given[1] - counts.trial_given[0] <= 2


def test_four_clicks_store_one_answer(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    rater = join(store, study_id)
    given = opened(store, study_id, rater)
    with ThreadPoolExecutor(max_workers=4) as pool:
        results = list(
            pool.map(
                lambda _: study.submit(store, rater.id, given.id, answer_for(given, "k"), 1002.0),
                range(4),
            )
        )
    assert Counter(results) == {"stored": 1, "repeated": 3}
    assert study.count_study(store, study_id).n_ratings == 1


def test_second_tab_is_refused_and_told(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    rater = join(store, study_id)
    given = opened(store, study_id, rater)
    assert study.submit(store, rater.id, given.id, answer_for(given, "one"), 1.0) == "stored"
    assert study.submit(store, rater.id, given.id, answer_for(given, "two"), 1.0) == "conflict"
    assert study.count_study(store, study_id).n_ratings == 1


def test_another_raters_assignment_is_refused(store: Store) -> None:
    study_id = make_study(store, blocks=2)
    mine, other = join(store, study_id), join(store, study_id)
    given = opened(store, study_id, mine)
    assert study.submit(store, other.id, given.id, answer_for(given, "k"), 1.0) == "conflict"
    assert study.find_assignment(store, other.id, given.id) is None


def test_two_tabs_open_one_assignment_and_one_block(store: Store) -> None:
    study_id = make_study(store, blocks=8)
    rater = join(store, study_id)

    def arrive(_: int) -> str:
        assert study.claim_block(store, study_id, rater.id)
        given = study.next_assignment(store, rater.id, 1001.0, 600.0)
        assert given is not None
        return given.id

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert len(set(pool.map(arrive, range(8)))) == 1
    assert study.count_study(store, study_id).blocks_claimed == 1


def test_blocks_run_out_and_more_can_be_added(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    first, second = join(store, study_id), join(store, study_id)
    assert study.claim_block(store, study_id, first.id)
    assert not study.claim_block(store, study_id, second.id)
    more = study.NewBlock(1, tuple((i, (0,)) for i in range(N_TRIALS)))
    study.add_blocks(store, study_id, [more])
    study.add_blocks(store, study_id, [more])
    assert study.count_blocks(store, study_id) == 2
    assert study.claim_block(store, study_id, second.id)


def test_absent_raters_give_their_block_back_and_may_return(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    absent, present = join(store, study_id), join(store, study_id)
    given = opened(store, study_id, absent)
    assert study.expire(store, study_id, now=1001.0 + 50, idle_seconds=100.0) == 0
    assert study.expire(store, study_id, now=1001.0 + 5000, idle_seconds=100.0) == N_TRIALS
    assert study.claim_block(store, study_id, present.id)
    again = study.next_assignment(store, absent.id, 7000.0, 600.0)
    assert again is not None
    assert again.id == given.id
    assert study.submit(store, absent.id, again.id, answer_for(again, "k"), 7001.0) == "stored"


def test_a_locked_database_is_waited_for(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    rater = join(store, study_id)
    given = opened(store, study_id, rater)
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with open_store(store.url) as rival, rival.writing() as connection:
            if rival.engine.dialect.name == "postgresql":
                connection.execute(text("LOCK TABLE assignment IN ACCESS EXCLUSIVE MODE"))
            locked.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(10)
    threading.Timer(0.5, release.set).start()
    assert study.submit(store, rater.id, given.id, answer_for(given, "k"), 1.0) == "stored"
    holder.join()


def test_a_database_that_stays_locked_is_an_error_to_show(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store_url.startswith("postgresql"):
        pytest.skip("how long PostgreSQL waits for a lock is the server's business")
    monkeypatch.setattr("concours.eval.store.engine.BUSY_SECONDS", 0.05)
    with open_store(store_url) as mine, open_store(store_url) as rival:
        study_id = make_study(mine, blocks=1)
        with rival.writing(), pytest.raises(StoreBusy, match="locked"):
            study.go_live(mine, study_id, 1.0)
