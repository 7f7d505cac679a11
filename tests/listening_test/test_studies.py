"""Whole studies without a browser: built, answered, watched, exported, recovered."""

import csv
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from ruamel.yaml import YAML

from concours.eval.store import Store, open_store, study
from concours.listening_test.building import build_study
from concours.listening_test.config import StudyConfig
from concours.listening_test.exporting import TABLES, export_study
from concours.listening_test.forms import AnswerError, check, parse_trial, trial_questions
from concours.listening_test.live import LiveStudy, open_live
from concours.listening_test.sequences import confidence_sequence
from concours.listening_test.status import status_of
from concours.listening_test.texts import LANGUAGES, bundled, texts_for

SYSTEMS = ("a", "b", "c")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for system in SYSTEMS:
        (tmp_path / system).mkdir()
        for i in range(6):
            path = tmp_path / system / f"p{i}.wav"
            soundfile.write(path, draw.normal(0, 0.1, (6000, 1)), 8000)
    return tmp_path


def build(music: Path, store: Store, **config: Any) -> LiveStudy:
    settings = {
        "name": "pilot",
        "systems": {s: {"path": s} for s in SYSTEMS},
        "items_per_system": 4,
        "audio": {"seconds": 0.5, "rate": 22050, "channels": 1},
        "training": 0,
        "level": False,
        **config,
    }
    build_study(store, StudyConfig.model_validate(settings), music, 1000.0)
    return open_live(store, "pilot")


def answer_all(live: LiveStudy, value: Any, raters: int, start: float = 1000.0) -> None:
    """Every rater answers every trial; ``value(rater, slot names)`` picks from the options."""
    from concours.listening_test.pages import current_page, questions_of

    now = start
    for number, token in enumerate(study.invite_raters(live.store, live.id, raters, now)):
        rater = study.join_by_token(live.store, live.id, token)
        assert rater is not None
        study.give_consent(live.store, rater.id, 1, now)
        while True:
            rater = study.find_rater(live.store, live.id, rater.id)
            assert rater is not None
            page = current_page(live, rater)
            if page.assignment is None:
                assert page.kind == "done"
                break
            now += 1.0
            questions = questions_of(live, page, texts_for({}, "en"), "en")
            answers = {
                q["id"]: value(number, page.assignment, q) for q in questions if q["kind"] != "text"
            }
            parsed = parse_trial(live.config, page.assignment, questions, answers)
            answer = study.Answer(
                key=page.assignment.id, elapsed=1.0,
                ratings=parsed.ratings, preferences=parsed.preferences,
            )  # fmt: skip
            assert study.submit(live.store, rater.id, page.name, answer, now) == "stored"


def system_of(store: Store, live: LiveStudy) -> dict[str, Any]:
    return {r["stimulus_id"]: r for r in study.stimulus_rows(store, live.id)}


def test_a_planted_truth_is_recovered(music: Path, store_url: str) -> None:
    """Systems 2, 3 and 4 on average, raters biased and noisy: each interval holds its truth."""
    draw = np.random.default_rng(3)
    truth = {"a": 2.2, "b": 3.0, "c": 3.8}
    bias = draw.normal(0, 0.4, 30)
    with open_store(store_url) as store:
        live = build(music, store, method="mos", seed=5)
        system = {k: r["system"] for k, r in system_of(store, live).items()}

        def value(rater: int, given: study.Assignment, _: Any) -> int:
            mean = truth[system[given.slots[0].stimulus_id]] + bias[rater]
            return int(np.clip(round(mean + draw.normal(0, 0.6)), 1, 5))

        answer_all(live, value, raters=30)
        found = status_of(live)
        assert found.counts.n_ratings == 30 * 12
        assert found.counts.trial_given == (30, 30)
        for row in found.systems:
            # clipping to the scale moves a true mean by less than 0.1 here
            assert row.interval.low - 0.1 < truth[row.system] < row.interval.high + 0.1
        means = {row.system: row.interval.mean for row in found.systems}
        for name, mean in truth.items():
            assert means[name] == pytest.approx(mean, abs=0.25)
        from concours.eval.ratings_import.studies import study_answers
        from concours.eval.stats.mos import Interval, system_mos

        ratings = study_answers(store, live.id).ratings
        assert ratings is not None
        for name, mean in truth.items():
            estimate = system_mos(ratings.select(system=name))
            assert isinstance(estimate, Interval)
            assert "two-way" in estimate.method
            assert estimate.ci_low - 0.1 < mean < estimate.ci_high + 0.1


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
        clips = system_of(store, live)

        def right(_: int, given: study.Assignment, __: Any) -> str:
            x = clips[given.slots[2].stimulus_id]["system"]
            return "a" if clips[given.slots[0].stimulus_id]["system"] == x else "b"

        answer_all(live, right, raters=2)
        assert {r["value"] for r in study.rating_rows(store, live.id)} == {1.0}


def test_mushra_screening_flags_who_misses_the_reference(music: Path, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(music, store, method="mushra", reference="a")
        clips = system_of(store, live)

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
    # the mean of the clipped values is 3.19; at 5% a correct sequence misses at most 20
    assert missed <= 28


def test_confidence_sequences_narrow() -> None:
    draw = np.random.default_rng(2)
    looks = confidence_sequence(list(np.clip(draw.normal(3, 0.5, 300), 1, 5)), 1, 5)
    widths = [look.high - look.low for look in looks]
    assert all(a >= b - 1e-12 for a, b in pairwise(widths))
    assert widths[-1] < 0.5
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
