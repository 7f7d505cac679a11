"""The store of listening tests, on SQLite and PostgreSQL: nothing lost, nothing doubled."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from concours.eval.errors import UsageError
from concours.eval.store import Store, open_store, study
from concours.eval.store.transactions import StoreBusy, write

N_TRIALS = 6


def make_study(store: Store, blocks: int, name: str = "pilot", replace: bool = False) -> str:
    clips = [
        study.NewStimulus(
            id=study.new_id(),
            system="ab"[i % 2],
            item=f"item{i // 2}",
            role="test",
            source=f"{i}.wav",
            clip_sha256=f"clip{i}",
            data=b"RIFF" + bytes([i]),
            lufs=-23.0,
            gain_db=0.0,
            seconds=1.0,
        )
        for i in range(N_TRIALS)
    ]
    return study.create_study(
        store,
        name=name,
        method="mos",
        config={"name": name},
        protocol_version=1,
        seed=1,
        now=1000.0,
        systems={"a": "a/", "b": "b/"},
        items={f"item{i}": "" for i in range(N_TRIALS // 2)},
        stimuli=clips,
        trials=[
            study.NewTrial(i, "test", clip.item, ((clip.id, "A"),)) for i, clip in enumerate(clips)
        ],
        blocks=[
            study.NewBlock(b, tuple(((i + b) % N_TRIALS, (0,)) for i in range(N_TRIALS)))
            for b in range(blocks)
        ],
        replace=replace,
    )


def answer_for(given: study.Assignment, key: str, value: float = 3.0) -> study.Answer:
    return study.Answer(
        key=key,
        elapsed=2.0,
        ratings=[study.RatingRow(0, given.slots[0].stimulus_id, "overall_quality", value)],
    )


def take_study(store: Store, study_id: str, token: str) -> int:
    rater = study.join_by_token(store, study_id, token)
    assert rater is not None
    assert study.claim_block(store, study_id, rater.id)
    done = 0
    while given := study.next_assignment(store, rater.id, time.time(), 600.0):
        result = study.submit(store, rater.id, given.id, answer_for(given, given.id), time.time())
        assert result == "stored"
        done += 1
    return done


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with open_store(store_url) as opened:
        yield opened


def join(store: Store, study_id: str) -> study.Rater:
    (token,) = study.invite_raters(store, study_id, 1, 1000.0)
    rater = study.join_by_token(store, study_id, token)
    assert rater is not None
    return rater


def opened(store: Store, study_id: str, rater: study.Rater) -> study.Assignment:
    assert study.claim_block(store, study_id, rater.id)
    given = study.next_assignment(store, rater.id, 1001.0, 600.0)
    assert given is not None
    return given


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


def test_correction_supersedes_and_keeps(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    rater = join(store, study_id)
    given = opened(store, study_id, rater)
    assert study.open_correction(store, rater.id, given.id, {}, 1.0) is None
    study.submit(store, rater.id, given.id, answer_for(given, "one", 2.0), 1.0)
    page = study.open_correction(store, rater.id, given.id, {"overall_quality": 2}, 1.5)
    assert page is not None
    assert study.find_correction(store, rater.id) == page
    with ThreadPoolExecutor(max_workers=4) as pool:
        results = list(
            pool.map(
                lambda _: study.correct(store, rater.id, page, answer_for(given, "2", 4.0), 2.0),
                range(4),
            )
        )
    assert Counter(results) == {"stored": 1, "repeated": 3}
    assert study.correct(store, rater.id, page, answer_for(given, "late"), 3.0) == "conflict"
    assert study.find_correction(store, rater.id) is None
    (answered,) = study.answered_trials(store, rater.id)
    assert (answered.revision, answered.ratings[0].value) == (2, 4.0)
    rows = study.rating_rows(store, study_id)
    assert [(r["value"], r["revision"], bool(r["superseded"])) for r in rows] == [
        (2.0, 1, True),
        (4.0, 2, False),
    ]


def test_a_correction_that_was_left_stays_closed(store: Store) -> None:
    study_id = make_study(store, blocks=2)
    rater, other = join(store, study_id), join(store, study_id)
    given = opened(store, study_id, rater)
    study.submit(store, rater.id, given.id, answer_for(given, "one", 2.0), 1.0)
    assert study.open_correction(store, other.id, given.id, {}, 1.0) is None
    page = study.open_correction(store, rater.id, given.id, {"overall_quality": 2}, 1.0)
    assert page is not None
    study.save_draft(store, rater.id, page, {"overall_quality": 5}, 2.0, must_be_open=True)
    assert study.read_draft(store, rater.id, page) == {"overall_quality": 5}
    study.close_correction(store, rater.id)
    # a message of the page that was left, late on its way
    study.save_draft(store, rater.id, page, {"overall_quality": 5}, 3.0, must_be_open=True)
    assert study.find_correction(store, rater.id) is None
    assert study.correct(store, rater.id, page, answer_for(given, "x"), 4.0) == "conflict"
    assert [r["value"] for r in study.rating_rows(store, study_id)] == [2.0]


def test_a_revoked_rater_gives_the_block_back(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    gone, other = join(store, study_id), join(store, study_id)
    given = opened(store, study_id, gone)
    study.submit(store, gone.id, given.id, answer_for(given, "k"), 1.0)
    study.revoke_rater(store, gone.id, 2.0)
    assert study.claim_block(store, study_id, other.id)
    assert len(study.rating_rows(store, study_id)) == 1


def test_the_database_refuses_to_change_a_rating(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    rater = join(store, study_id)
    given = opened(store, study_id, rater)
    study.submit(store, rater.id, given.id, answer_for(given, "k"), 1.0)
    with pytest.raises(DBAPIError, match="append-only"):
        write(store, lambda c: c.execute(text("UPDATE rating SET value = 5")))


def test_withdrawal_erases_everything_but_a_count(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    key = study.open_crowd_link(store, study_id)
    rater = study.join_by_crowd(store, study_id, key, "PID-secret", {"session": "s"}, 1000.0)
    assert rater is not None
    study.give_consent(store, rater.id, 1, 1000.0)
    given = opened(store, study_id, rater)
    study.save_draft(store, rater.id, given.id, {"overall_quality": 2}, 1001.0)
    study.record_playback(store, given.id, "tab", [study.Playback(0, "play", 0, 0.0)], 1001.0)
    study.submit(store, rater.id, given.id, answer_for(given, "k"), 1002.0)
    page = study.open_correction(store, rater.id, given.id, {}, 1002.5)
    assert page is not None
    study.correct(store, rater.id, page, answer_for(given, "k2"), 1003.0)
    study.open_correction(store, rater.id, given.id, {}, 1003.5)
    study.answer_page(store, rater.id, "about", "pk", {"age": "private"}, 1003.0)
    study.decide(store, [(rater.id, "too fast", "flag", {})], 1004.0)
    assert study.withdraw_rater(store, rater.id, 1005.0) == study.Erased(2)
    assert study.withdraw_rater(store, rater.id, 1006.0) == study.Erased(0)
    assert study.find_rater(store, study_id, rater.id) is None
    counts = study.count_study(store, study_id)
    assert (counts.n_ratings, counts.n_erasures, counts.n_erased) == (0, 1, 2)
    assert counts.blocks_claimed == 0
    for rows in (
        study.rating_rows, study.page_rows, study.playback_rows,
        study.screening_rows, study.rater_rows,
    ):  # fmt: skip
        assert rows(store, study_id) == []
    again = study.join_by_crowd(store, study_id, key, "PID-secret", {}, 1010.0)
    assert again is not None
    assert again.id != rater.id


def test_crowd_id_is_one_rater_however_often_they_come(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    key = study.open_crowd_link(store, study_id)

    def arrive(_: int) -> str:
        rater = study.join_by_crowd(store, study_id, key, "PID", {}, 1000.0)
        assert rater is not None
        return rater.id

    with ThreadPoolExecutor(max_workers=6) as pool:
        assert len(set(pool.map(arrive, range(6)))) == 1
    assert study.join_by_crowd(store, study_id, "wrong", "PID", {}, 1000.0) is None


def test_revoked_tokens_and_guesses_open_nothing(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    (token,) = study.invite_raters(store, study_id, 1, 1000.0)
    rater = study.join_by_token(store, study_id, token)
    assert rater is not None
    assert study.join_by_token(store, study_id, token[:-1]) is None
    study.revoke_rater(store, study.rater_by_name(store, study_id, "r1"), 1001.0)
    assert study.join_by_token(store, study_id, token) is None
    assert study.find_rater(store, study_id, rater.id) is None


def test_the_token_is_stored_as_a_hash_only(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    (token,) = study.invite_raters(store, study_id, 1, 1000.0)
    with store.reading() as connection:
        rows = connection.execute(text("SELECT * FROM rater")).all()
    assert token not in repr(rows)


def test_drafts_survive_and_name_the_newest_tab(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    rater = join(store, study_id)
    study.take_tab(store, rater.id, "first", 1.0)
    assert study.save_draft(store, rater.id, "page", {"a": 1}, 1.0) == "first"
    study.take_tab(store, rater.id, "second", 2.0)
    assert study.save_draft(store, rater.id, "page", {"a": 2}, 2.0) == "second"
    assert study.read_draft(store, rater.id, "page") == {"a": 2}


def test_playback_events_are_stored_once(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    given = opened(store, study_id, join(store, study_id))
    events = [study.Playback(i, "play", 0, 0.1 * i) for i in range(3)]
    assert study.record_playback(store, given.id, "t", events[:2], 1.0) == 2
    assert study.record_playback(store, given.id, "t", events, 2.0) == 1


def test_a_live_study_cannot_be_replaced(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    with pytest.raises(UsageError, match="already"):
        make_study(store, blocks=1)
    study_id = make_study(store, blocks=2, replace=True)
    study.go_live(store, study_id, 1.0)
    with pytest.raises(UsageError, match="live"):
        make_study(store, blocks=1, replace=True)
    with pytest.raises(UsageError, match="there are: pilot"):
        study.find_study(store, "polit")


def test_screening_decisions_are_a_history(store: Store) -> None:
    study_id = make_study(store, blocks=1)
    rater = join(store, study_id)
    assert study.decide(store, [(rater.id, "rule", "flag", {"n": 1})], 1.0) == 1
    assert study.decide(store, [(rater.id, "rule", "flag", {"n": 1})], 2.0) == 0
    assert study.decide(store, [(rater.id, "rule", "pass", {"n": 0})], 3.0) == 1
    assert [r["decision"] for r in study.screening_rows(store, study_id)] == ["flag", "pass"]


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
