"""What a study keeps: answers, corrections, tokens, drafts, and what is erased."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from small_study import answer_for, join, make_study, opened
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from concours.eval.errors import UsageError
from concours.eval.store import Store, study
from concours.eval.store.transactions import write


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
