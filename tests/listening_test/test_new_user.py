"""What somebody does who has read the documentation alone, on real folders, mistakes included."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML
from simulated_raters import answer_all, write_music
from sqlalchemy import text

from concours.eval.cli import cli
from concours.eval.errors import ConcoursError
from concours.eval.store import open_store
from concours.listening_test.live import open_live


def concours(*arguments: str) -> str:
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(*arguments: str) -> str:
    """What a mistaken command says."""
    done = CliRunner().invoke(cli, ["study", *arguments])
    assert done.exit_code != 0
    return str(done.exception) if isinstance(done.exception, ConcoursError) else done.output


def write_study(folder: Path, **config: Any) -> str:
    path = folder / "STUDY.yaml"
    YAML().dump(config, path)
    return str(path)


def rate_everything(url: str, name: str, raters: int = 2) -> None:
    with open_store(url) as store:
        answer_all(open_live(store, name), lambda r, *_: 3 + r % 3, raters=raters)


def test_the_smallest_study_on_real_folders(
    shared_data: Path, tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    systems = shared_data / "symbolic" / "systems"
    file = write_study(
        tmp_path, store=store_url, name="pilot", method="mos",
        dimensions=["overall_quality", "musicality"], emotion="valence-arousal",
        systems={"a": {"path": str(systems / "cwt_cp_linear")},
                 "b": {"path": str(systems / "davda54_lstm_multi")}},
        items_per_system=4, seed=1, audio={"seconds": 3}, level=False,
    )  # fmt: skip
    concours("study", "create", file)
    links = concours("study", "invite", "pilot", "--raters", "3", "--store", store_url).split()
    assert len(set(links)) == 3
    rate_everything(store_url, "pilot")
    found = json.loads(
        concours("study", "status", "pilot", "--store", store_url, "--format", "json")
    )
    assert {s["system"] for s in found["systems"]} == {"a", "b"}
    assert found["n_ratings"] == 2 * 9 * 4
    for form in ("csv", "parquet"):
        out = str(tmp_path / form)
        concours("study", "export", "pilot", "--out", out, "--format", form, "--store", store_url)
        assert (tmp_path / form / f"ratings.{form}").stat().st_size > 0
    report = json.loads(
        concours("study", "analyze", "pilot", "--store", store_url, "--format", "json")
    )
    assert {s["system"] for s in report["systems"]} == {"a", "b"}


def test_ratings_join_the_scores_of_a_run_by_content(
    tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A benchmark of a folder and a baseline is run, then listened to, in one store."""
    monkeypatch.chdir(tmp_path)
    for folder, tunes in (
        ("mine", ("CDEF|GABc|", "cBAG|FEDC|", "CEGc|ECGE|", "GGAB|cccc|", "C2E2|G2c2|")),
        ("known", ("CCGG|AAG2|", "FFEE|DDC2|", "GGFF|EED2|")),
    ):
        (tmp_path / folder).mkdir()
        for i, tune in enumerate(tunes):
            text_of_tune = f"X:1\nM:4/4\nL:1/4\nK:C\n{tune}\n"
            (tmp_path / folder / f"t{i}.abc").write_text(text_of_tune)
    config = {
        "store": store_url,
        "references": {"known": {"path": "known"}},
        "systems": {
            "mine": {"path": "mine"},
            "chance": {"baseline": "random", "train_on": "known", "count": 4},
        },
        "benchmarks": {
            "small": {
                "reference": "known",
                "systems": ["mine", "chance"],
                "metrics": ["pitch_entropy"],
            }
        },
    }
    YAML().dump(config, tmp_path / "benchmarks.yaml")
    concours("run", "--workers", "1")
    concours("study", "create", "--from-benchmark", "small")
    rate_everything(store_url, "small")
    concours("study", "export", "small", "--out", "out", "--store", store_url)
    with (tmp_path / "out" / "ratings.csv").open() as file:
        rated = {
            (r["system"], r["item"], r["clip_sha256"])
            for r in csv.DictReader(file)
            if r["kind"] == "test"
        }
    assert len(rated) == 8
    join = """
        SELECT DISTINCT s.system, r.dimension, s.metric, s.value FROM rating r
        JOIN stimulus t ON t.id = r.stimulus_id
        JOIN study_system n ON n.id = t.system_id
        JOIN item i ON i.sha256 = t.clip_sha256
        JOIN scores s ON s.item = i.sha256 AND s.system = n.name
        WHERE s.metric = 'pitch_entropy'"""
    with open_store(store_url) as store, store.reading() as connection:
        known = set(connection.scalars(text("SELECT sha256 FROM item")))
        columns = connection.execute(text("SELECT * FROM scores LIMIT 1")).keys()
        assert {sha for _, _, sha in rated} <= known
        assert {"system", "metric", "value"} <= set(columns), columns
        joined = connection.execute(text(join)).all()
    assert {row.system for row in joined} == {"mine", "chance"}
    assert {row.dimension for row in joined} == {"overall_quality", "musicality"}
    assert all(row.value is not None for row in joined)


def test_one_bad_file_stops_no_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_music(tmp_path, 4))
    (tmp_path / "a" / "broken.mid").write_bytes(b"MThd nothing")
    (tmp_path / "a" / "p0.wav").write_bytes(b"RIFF nothing")
    file = write_study(
        tmp_path, name="pilot", method="mos", items_per_system=3, training=0,
        systems={"a": {"path": "a"}, "b": {"path": "b"}}, audio={"seconds": 0.5},
    )  # fmt: skip
    done = CliRunner().invoke(cli, ["study", "create", file], catch_exceptions=False)
    assert done.exit_code == 0
    file = write_study(
        tmp_path, name="more", method="mos", items_per_system=4, training=0,
        systems={"a": {"path": "a"}, "b": {"path": "b"}}, audio={"seconds": 0.5},
    )  # fmt: skip
    assert "systems.a: 3 items that can be heard (2 left out: " in refused("create", file)


def test_every_mistake_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_music(tmp_path, 3))
    (tmp_path / "b" / "p2.wav").rename(tmp_path / "b" / "other.wav")
    config: dict[str, Any] = {
        "name": "pilot", "method": "ab", "items_per_system": 3, "training": 0,
        "systems": {"a": {"path": "a"}, "b": {"path": "b"}}, "audio": {"seconds": 0.5},
    }  # fmt: skip
    assert "no-such.yaml" in refused("create", "no-such.yaml")
    assert "give a STUDY.yaml" in refused("create")
    unequal = refused("create", write_study(tmp_path, **config))
    assert "files of the same name; the systems share 2" in unequal
    assert "p2 of a is not in b" in unequal
    gone = {**config, "systems": {"a": {"path": "a"}, "b": {"path": "nowhere"}}}
    assert "systems.b: nowhere: nothing there" in refused("create", write_study(tmp_path, **gone))
    many = {**config, "method": "mos", "items_per_system": 9}
    assert "systems.a: 3 items, items_per_system asks for 9" in refused(
        "create", write_study(tmp_path, **many)
    )
    concours("study", "create", write_study(tmp_path, **{**config, "items_per_system": 2}))
    file = write_study(tmp_path, **{**config, "items_per_system": 2})
    assert "already" in refused("create", file)
    concours("study", "create", file, "--replace")
    assert "draft" in concours("study", "status", "pilot")
    assert "no study 'polit'; there are: pilot" in refused("status", "polit")
    assert "no answers yet" in refused("analyze", "pilot")
    assert "give one of" in refused("invite", "pilot")
    assert "no rater 'r9'" in refused("invite", "pilot", "--revoke", "r9")
    assert "no rater 'r9'" in refused("withdraw", "pilot", "r9", "--yes")
    concours("study", "invite", "pilot", "--raters", "1")
    assert '"invited": 1' in concours("study", "status", "pilot", "--format", "json")
    assert "--forwarded everybody" in refused("serve", "pilot", "--forwarded", "everybody")
    assert "is live: it cannot be replaced" in refused("create", file, "--replace")
    concours("study", "close", "pilot")
    assert "closed" in refused("invite", "pilot", "--raters", "1")
    assert "postgres" in refused("status", "pilot", "--store", "postgresql://nobody@127.0.0.1:1/x")
    assert "--half-width" in refused("power")
    assert "write numbers from 2 on" in refused("power", "--half-width", "0.3", "--items", "1,x")
    assert "--oidc" in refused("dashboard", "pilot", "--host", "0.0.0.0")
    assert "--allow" in refused("dashboard", "pilot", "--oidc")
    assert "--allow needs --oidc" in refused("dashboard", "pilot", "--allow", "a@example.org")
    (tmp_path / "benchmarks.yaml").write_text(
        "references: {r: {path: a}}\nsystems: {s: {path: b}}\n"
        "benchmarks: {one: {reference: r, systems: [s]}}\n"
    )
    assert "no benchmark 'two'; there are: one" in refused("create", "--from-benchmark", "two")
