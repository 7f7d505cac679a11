"""``concours study analyze STUDY``: from the answers in the store to the report."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from concours.eval.cli import cli
from concours.eval.errors import UsageError
from concours.eval.listeners.of_run import ratings_of_run
from concours.eval.store import open_store, runs, study
from concours.listening_test.building import build_study
from concours.listening_test.config import StudyConfig
from concours.listening_test.forms import parse_trial
from concours.listening_test.live import LiveStudy, open_live
from concours.listening_test.pages import current_page, questions_of
from concours.listening_test.texts import texts_for

SYSTEMS = ("a", "b", "c")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for system in SYSTEMS:
        (tmp_path / system).mkdir()
        for i in range(4):
            path = tmp_path / system / f"p{i}.wav"
            soundfile.write(path, draw.normal(0, 0.1, (6000, 1)), 8000)
    return tmp_path


def answered(folder: Path, value: Any, raters: int = 10, **config: Any) -> str:
    """A study whose raters answer every question by ``value(systems of the slots, question)``."""
    url = f"sqlite:///{folder / 'study.db'}"
    settings = {
        "name": "pilot", "systems": {s: {"path": s} for s in SYSTEMS}, "items_per_system": 3,
        "audio": {"seconds": 0.5, "rate": 22050, "channels": 1}, "training": 0, "level": False,
        **config,
    }  # fmt: skip
    with open_store(url) as store:
        build_study(store, StudyConfig.model_validate(settings), folder, 1000.0)
        live = open_live(store, "pilot")
        system = {r["stimulus_id"]: r["system"] for r in study.stimulus_rows(store, live.id)}
        for token in study.invite_raters(store, live.id, raters, 1000.0):
            _take(live, token, system, value)
    return url


def _take(live: LiveStudy, token: str, system: dict[str, str], value: Any) -> None:
    rater = study.join_by_token(live.store, live.id, token)
    assert rater is not None
    study.give_consent(live.store, rater.id, 1, 1000.0)
    for moment in range(1000):
        rater = study.find_rater(live.store, live.id, rater.id)
        assert rater is not None
        page = current_page(live, rater)
        if page.assignment is None:
            return
        questions = questions_of(live, page, texts_for({}, "en"), "en")
        heard = [system[s.stimulus_id] for s in page.assignment.slots]
        answers = {q["id"]: value(heard, q) for q in questions if q["kind"] != "text"}
        parsed = parse_trial(live.config, page.assignment, questions, answers)
        answer = study.Answer(
            key=page.assignment.id, elapsed=1.0, ratings=parsed.ratings,
            preferences=parsed.preferences,
        )  # fmt: skip
        study.submit(live.store, rater.id, page.name, answer, 1001.0 + moment)


def analyzed(url: str, *arguments: str) -> dict[str, Any]:
    run = CliRunner().invoke(
        cli, ["study", "analyze", "pilot", "--store", url, "--format", "json", *arguments]
    )
    assert run.exception is None, run.exception
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_a_study_of_ratings(folder: Path) -> None:
    draw = np.random.default_rng(1)
    truth = {"a": 2.0, "b": 3.0, "c": 4.0}

    def value(heard: list[str], _: Any) -> int:
        return int(np.clip(round(truth[heard[0]] + draw.normal(0, 0.5)), 1, 5))

    found = analyzed(answered(folder, value, method="mos"))
    means = {s["system"]: s for s in found["systems"]}
    assert {k: round(v["mean"]) for k, v in means.items()} == {"a": 2, "b": 3, "c": 4}
    assert means["a"]["n_raters"] == 10
    assert means["a"]["ci_low"] < means["a"]["mean"] < means["a"]["ci_high"]
    assert [set(g) for g in found["comparisons"][0]["groups"]] == [{"c"}, {"b"}, {"a"}]


def test_a_study_without_answers_says_so(folder: Path) -> None:
    url = answered(folder, None, raters=0, method="mos")
    run = CliRunner().invoke(cli, ["study", "analyze", "pilot", "--store", url])
    assert isinstance(run.exception, UsageError)
    assert "no answers yet" in str(run.exception)


def test_a_study_of_preferences(folder: Path) -> None:
    draw = np.random.default_rng(2)
    logs = {"a": -0.7, "b": 0.0, "c": 0.7}

    def value(heard: list[str], _: Any) -> str:
        gap = logs[heard[0]] - logs[heard[1]]
        return "a" if draw.random() < 1 / (1 + np.exp(-gap)) else "b"

    found = analyzed(answered(folder, value, raters=25, method="pairwise"))
    shares = {s["system"]: s["mean"] for s in found["systems"]}
    assert shares["a"] < 0.5 < shares["c"]
    strengths = {s["system"]: s for s in found["preferences"][0]["strengths"]}
    assert strengths["a"]["strength"] < strengths["b"]["strength"] < strengths["c"]["strength"]
    assert strengths["c"]["ci_low"] > 1
    assert found["preferences"][0]["method"] == "sandwich clustered by rater"
    assert found["preferences"][0]["n_raters"] == 25


def test_a_mushra_study_screens_by_its_own_hidden_reference(folder: Path) -> None:
    draw = np.random.default_rng(3)
    asked: list[int] = []

    def value(_: list[str], __: Any) -> int:
        asked.append(1)
        return int(draw.integers(20, 80))

    url = answered(folder, value, raters=4, method="mushra", reference="a")
    kept = analyzed(url)
    assert any("would exclude every rater" in n for n in kept["screening"]["notes"])
    assert "hidden reference" in {s["system"] for s in kept["systems"]}
    assert len({f["rater"] for f in kept["screening"]["flagged"]}) == 4
    assert sum(s["n_ratings"] for s in kept["systems"]) == len(asked)


def benchmark_of(folder: Path, url: str) -> Path:
    """A run of the very files that the study plays, in the study's store."""
    file = folder / "b.yaml"
    file.write_text(
        f"store: {url}\n"
        "references: {a: {path: a}}\n"
        "systems: {model-b: {path: b}, model-c: {path: c}}\n"
        "benchmarks: {heard: {reference: a, systems: [model-b, model-c],\n"
        "  metrics: [chroma_entropy, effective_bandwidth]}}\n",
        encoding="utf-8",
    )
    run = CliRunner().invoke(cli, ["run", str(file), "--workers", "1", "--no-html", "--quiet"])
    assert run.exit_code == 0, run.output
    return file


def test_a_run_finds_what_listeners_said_about_its_files(folder: Path) -> None:
    truth = {"a": 2, "b": 3, "c": 4}
    url = answered(folder, lambda heard, _: truth[heard[0]], method="mos")
    benchmark_of(folder, url)
    with open_store(url) as store:
        run_id = runs.latest_run(store, "heard")
        assert run_id is not None
        heard = ratings_of_run(store, run_id)["pilot"]
    joined = analyzed(url, "--benchmark", "heard", "--powered-by", "chroma_entropy")
    assert joined["metrics"]["n_clips"] == 9
    found = {p["metric"] for p in joined["metrics"]["predictors"]}
    assert "effective_bandwidth" in found | {
        u.partition(",")[0] for u in joined["metrics"]["unmeasured"]
    }
    (powered,) = (p for p in joined["prediction_powered"] if p["system"] == "b")
    # three of the four clips of a system were rated
    assert powered["reason"] == "3 rated and 1 unrated items; it needs 5 and 5"
    # "a" is the reference of the run, and was rated as well
    means = {n: float(heard.select(system=n).value.mean()) for n in heard.systems}
    assert means == {"a": 2.0, "model-b": 3.0, "model-c": 4.0}
    of_b = heard.select(system="model-b")
    assert len(of_b.raters) == 10
    assert len(set(of_b.item.tolist())) == 3


def test_a_rater_who_misses_the_study_s_trap_is_excluded(folder: Path) -> None:
    truth = {"a": 2, "b": 3, "c": 4}
    traps: list[int] = []

    def value(heard: list[str | None], _: Any) -> int:
        if heard[0] is None:
            traps.append(1)
            return 5 if len(traps) == 1 else 1
        return truth[heard[0]]

    url = answered(folder, value, raters=4, method="mos", traps=1)
    assert len(traps) == 4
    screening = analyzed(url)["screening"]
    (flag,) = screening["excluded"]
    assert (flag["rule"], flag["detail"]) == ("trap", "trap: missed 1 of 1")
    assert screening["n_ratings_before"] - screening["n_ratings"] == 9
    assert analyzed(url, "--keep-all")["screening"]["excluded"] == []


def test_the_leaderboard_shows_listeners_beside_metrics(folder: Path) -> None:
    truth = {"a": 2, "b": 3, "c": 4}
    url = answered(folder, lambda heard, _: truth[heard[0]], method="mos")
    file = benchmark_of(folder, url)
    result = CliRunner().invoke(cli, ["report", str(file), "--format", "json"])
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["benchmarks"]
    human = {r["system"]: r for r in found["rows"] if r["study"] == "pilot"}
    assert {s: r["value"] for s, r in human.items()} == {"a": 2.0, "model-b": 3.0, "model-c": 4.0}
    assert human["a"]["rank"] is None
    assert [human[s]["rank"] for s in ("model-c", "model-b")] == [1, 2]
    assert human["model-b"]["n_raters"] == 10
    assert human["model-b"]["ci_low"] is not None
    assert human["model-b"]["method"]
    heard = {m["metric"]: m["listeners"] for m in found["metrics"]}
    assert {h["scope"] for h in heard["chroma_entropy"]} >= {"clip"}
    assert all(h["study"] == "pilot" and h["n"] == 9 for h in heard["chroma_entropy"])
    for format_ in ("md", "csv", "latex"):
        text = CliRunner().invoke(cli, ["report", str(file), "--format", format_]).stdout
        assert "pilot:" in text
