"""Whole studies without a browser: built, answered, watched, exported, recovered."""

import csv
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML
from simulated_raters import answer_all, arrive, build, clips_of, write_music

from concours.eval.store import open_store, study
from concours.listening_test.exporting import TABLES, export_study
from concours.listening_test.forms import AnswerError, check, trial_questions
from concours.listening_test.pages import current_page
from concours.listening_test.power import plan, simulate_power
from concours.listening_test.sequences import Running, confidence_sequence
from concours.listening_test.status import status_of
from concours.listening_test.texts import LANGUAGES, bundled, texts_for


@pytest.fixture
def music(tmp_path: Path) -> Path:
    return write_music(tmp_path)


@pytest.mark.parametrize("design", ["williams", "incomplete-blocks", "least-rated"])
def test_designs_stay_balanced_to_one(music: Path, tmp_path: Path, design: str) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        size = {} if design == "williams" else {"trials_per_rater": 5}
        live = build(music, store, method="mos", design=design, **size)
        answer_all(live, lambda *_: 3, raters=13)
        least, most = study.count_study(store, live.id).trial_given
        assert most - least <= 1


def test_adaptive_pairs_alternate_sides(music: Path, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(music, store, method="pairwise", design="adaptive-pairs", trials_per_rater=6)
        answer_all(live, lambda *_: "a", raters=8)
        rows = study.preference_rows(store, live.id)
        assert len(rows) == 48
        first = sum(r["system_a"] < r["system_b"] for r in rows)
        assert 16 <= first <= 32


def test_analyze_reads_a_study_of_every_kind(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from concours.eval.cli import cli

    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(1)
    for method, value in (
        ("mos", lambda *_: int(draw.integers(1, 6))),
        ("pairwise", lambda *_: str(draw.choice(["a", "b", "tie", "both_bad"]))),
        ("mushra", lambda *_: int(draw.integers(0, 101))),
    ):
        url = f"sqlite:///{tmp_path}/{method}.db"
        with open_store(url) as store:
            reference = {"reference": "a"} if method == "mushra" else {}
            answer_all(build(music, store, method=method, **reference), value, raters=6)
        done = CliRunner().invoke(
            cli, ["study", "analyze", "pilot", "--store", url, "--format", "json", "--keep-all"],
            catch_exceptions=False,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        systems = {row["system"] for row in json.loads(done.stdout)["systems"]}
        assert {"b", "c"} <= systems


def test_abx_knows_which_match_is_right(music: Path, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(music, store, method="abx", items_per_system=2)
        clips = clips_of(live)

        def right(_: int, given: study.Assignment, __: Any) -> str:
            x = clips[given.slots[2].stimulus_id]["system"]
            return "a" if clips[given.slots[0].stimulus_id]["system"] == x else "b"

        answer_all(live, right, raters=2)
        assert {r["value"] for r in study.rating_rows(store, live.id)} == {1.0}


def test_mushra_screening_flags_who_misses_the_reference(music: Path, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(music, store, method="mushra", reference="a")
        clips = clips_of(live)

        def value(rater: int, given: study.Assignment, question: Any) -> int:
            role = clips[given.slots[question["slot"]].stimulus_id]["role"]
            return 100 if role == "hidden_ref" and rater == 0 else 50

        answer_all(live, value, raters=2)
        found = status_of(live)
        assert set(found.flagged) == {2}
        assert "hidden reference" in found.flagged[2]
        roles = {r["role"] for r in study.rating_rows(store, live.id)}
        assert roles == {"test", "hidden_ref", "anchor_low", "anchor_mid"}
        assert found.counts.n_ratings == 2 * 4 * 5


def test_export_is_described_column_by_column(music: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(music, store, method="mos", traps=1)
        answer_all(live, lambda *_: 4, raters=2)
        status_of(live)
        for form in ("csv", "parquet"):
            counts = export_study(store, live.id, tmp_path / form, form)  # type: ignore[arg-type]
            assert counts["ratings"] == 2 * 13
        with (tmp_path / "csv" / "ratings.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == list(TABLES["ratings"])
        assert rows[0]["submitted_at"].startswith("1970-01-01T00:")
        assert {r["role"] for r in rows} == {"test", "trap"}
        table = parquet.read_table(tmp_path / "parquet" / "ratings.parquet")
        assert table.num_rows == len(rows)
        with (tmp_path / "csv" / "data_dictionary.csv").open() as file:
            described = {(r["table"], r["column"]) for r in csv.DictReader(file)}
        assert described == {(t, c) for t, columns in TABLES.items() for c in columns}
        with (tmp_path / "csv" / "screening.csv").open() as file:
            decided = {(r["rater"], r["rule"], r["decision"]) for r in csv.DictReader(file)}
        assert ("1", "trap", "flag") in decided


def test_confidence_sequences_hold_at_every_look() -> None:
    draw = np.random.default_rng(1)
    missed = 0
    for _ in range(400):
        values = np.clip(draw.normal(3.2, 0.8, 150), 1, 5)
        looks = confidence_sequence(list(values), 1, 5)
        missed += any(not look.low <= 3.2 <= look.high for look in looks)
    # the mean of the clipped values is 3.19; at 5% a correct sequence misses 20 of 400
    assert missed <= 28
    missed = 0
    for _ in range(400):
        rare = list((draw.random(100) < 0.1).astype(float))
        missed += any(not look.low <= 0.1 <= look.high for look in confidence_sequence(rare, 0, 1))
    assert missed <= 28


def test_confidence_sequences_narrow() -> None:
    draw = np.random.default_rng(2)
    looks = confidence_sequence(list(np.clip(draw.normal(3, 0.5, 300), 1, 5)), 1, 5)
    widths = [look.high - look.low for look in looks]
    assert all(a >= b - 1e-12 for a, b in pairwise(widths))
    assert widths[-1] < 0.25
    with pytest.raises(ValueError, match="outside"):
        confidence_sequence([6.0], 1, 5)


def test_every_language_has_every_text_and_its_places() -> None:
    import re

    english = bundled("en")
    for language in LANGUAGES:
        texts = bundled(language)
        missing = set(english) - set(texts) - {"choice_a", "choice_b"}
        assert not missing, (language, missing)
        for key, text in texts.items():
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", english[key])), key


def test_questions_offer_nothing_preselected_and_check_everything(
    music: Path, tmp_path: Path
) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(music, store, method="mos", emotion="both", emotion_frame="both")
        (token,) = study.invite_raters(store, live.id, 1, 0.0)
        rater = study.join_by_token(store, live.id, token)
        assert rater is not None
        given = live.next_trial(rater.id)
        assert given is not None
        questions = trial_questions(live.config, given, texts_for({}, "fr"), "fr")
        # quality, 2 × (valence, arousal, 9 GEMS), comment
        assert len(questions) == 1 + 2 * 11 + 1
        assert not any("value" in q for q in questions)
        with pytest.raises(AnswerError):
            check(questions, {})


def test_commands_on_the_smallest_study(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from concours.eval.cli import cli

    monkeypatch.chdir(music)
    url = f"sqlite:///{music}/pilot.db"
    smallest = {
        "store": url, "name": "pilot", "method": "mos",
        "dimensions": ["overall_quality", "musicality"], "emotion": "valence-arousal",
        "systems": {"a": {"path": "a"}, "b": {"path": "b"}}, "items_per_system": 4, "seed": 1,
        "audio": {"seconds": 0.5},
    }  # fmt: skip
    YAML().dump(smallest, music / "STUDY.yaml")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(cli, ["study", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    run("create", "STUDY.yaml")
    links = run("invite", "pilot", "--raters", "3", "--store", url).splitlines()
    assert len(links) == 3
    assert len(set(links)) == 3
    assert all(line.startswith("http://localhost:8765/join/") for line in links)
    crowd = run("invite", "pilot", "--crowd", "--store", url)
    assert "PROLIFIC_PID={{%PROLIFIC_PID%}}" in crowd
    run("invite", "pilot", "--revoke", "r2", "--store", url)
    run("withdraw", "pilot", "r3", "--yes", "--store", url)
    found = json.loads(run("status", "pilot", "--format", "json", "--store", url))
    assert found["raters"] == {"invited": 1, "revoked": 1, "withdrawn": 1}
    run("export", "pilot", "--out", "out", "--store", url)
    assert (music / "out" / "ratings.csv").is_file()
    run("close", "pilot", "--store", url)
    assert "closed" in run("status", "pilot", "--store", url)
    assert "raters" in run("power", "--difference", "0.5", "--items", "8")


def test_the_sequence_counts_raters_who_finished(music: Path, tmp_path: Path) -> None:
    """A mean that can still change is shown, and no part of the interval yet."""
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(music, store, method="mos")
        rater = arrive(live)
        page = current_page(live, rater)
        assert page.assignment is not None
        row = study.RatingRow(0, page.assignment.slots[0].stimulus_id, "overall_quality", 2.0)
        study.submit(store, rater.id, page.name, study.Answer("k", 1.0, [row]), 1.0)
        (before,) = status_of(live).systems
        assert (before.n_raters, before.interval) == (1, Running(0, 2.0, 1.0, 5.0))
        answer_all(live, lambda *_: 4, raters=3)
        after = {s.system: s for s in status_of(live).systems}
        assert {s.interval.n for s in after.values()} == {3}
        assert {s.interval.mean for s in after.values()} == {4.0}


@pytest.mark.parametrize("method", ["mos", "pairwise", "abx"])
def test_flat_raters_are_flagged_where_honest_ones_vary(
    method: str, music: Path, tmp_path: Path
) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(music, store, method=method)
        clips = clips_of(live)

        def value(_: int, given: study.Assignment, __: Any) -> Any:
            if method != "abx":
                return 3 if method == "mos" else "a"
            one, _two, x = (clips[s.stimulus_id]["system"] for s in given.slots)
            return "a" if one == x else "b"

        answer_all(live, value, raters=1)
        assert status_of(live).flagged == ({} if method == "abx" else {1: ("flat",)})


def test_a_power_plan_reaches_the_precision() -> None:
    """Studies of the planned size, analysed anew: four in five are as narrow as asked for."""
    for row in plan(half_width=0.35, items=(8, 16)):
        again = simulate_power(row.raters, row.items, None, seed=99)
        assert again.assured_half_width == pytest.approx(0.35, abs=0.03)
        fewer = simulate_power(max(2, row.raters - 3), row.items, None, seed=99)
        assert fewer.assured_half_width > again.assured_half_width
    # no number of raters makes up for items that differ
    assert plan(half_width=0.2, items=(4,), most_raters=100) == []
