"""`concours originality` from the command line: prompts, checkpoints, other corpora, points."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from concours.eval.baselines import write_midi
from concours.eval.cli import cli
from concours.metrics.piece import make_piece

QUARTER = 480


@pytest.fixture(scope="module")
def tunes():
    spec = importlib.util.spec_from_file_location("tunes", Path(__file__).with_name("conftest.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ask(corpus, tmp_path_factory):
    """Runs the command against the corpus, whose index is built once."""
    folder = tmp_path_factory.mktemp("index") / "i"
    run = CliRunner().invoke
    built = run(cli, ["index", "build", str(corpus), "--out", str(folder), "--quiet"])
    assert built.exit_code == 0, built.output

    def asked(*arguments, format_="json"):
        words = ["originality", *map(str, arguments), "--against", str(folder), "--quiet"]
        found = run(cli, [*words, "--format", format_])
        assert found.exit_code == 0, (found.output, found.exception)
        return json.loads(found.stdout) if format_ == "json" else found.stdout

    return asked


def test_what_is_copied_from_the_prompt(tunes, ask, tmp_path):
    prompt, fresh = tunes.wander(500, 30), tunes.wander(501, 40)
    again = prompt[:24].copy()
    again[:, 1] += 3
    begins = prompt[-1, 0] + QUARTER
    # the prompt, 40 new notes, then 24 notes of the prompt a third higher
    fresh[:, 0] += begins
    again[:, 0] += fresh[-1, 0] + QUARTER
    (tmp_path / "prompts").mkdir()
    (tmp_path / "out").mkdir()
    write_midi(tunes.as_piece(prompt), tmp_path / "prompts" / "a.mid")
    whole = np.concatenate([prompt, fresh, again])
    write_midi(tunes.as_piece(whole), tmp_path / "out" / "a.mid")
    write_midi(tunes.as_piece(tunes.wander(502)), tmp_path / "out" / "b.mid")
    table = tmp_path / "prompts.csv"
    table.write_text("path,prompt\na.mid,prompts/a.mid\n")
    answers = [
        ask(tmp_path / "out", "--prompts", p)["items"] for p in (tmp_path / "prompts", table)
    ]
    assert answers[0] == answers[1]
    a, b = answers[0]
    assert b["from_prompt"] is None
    found = a["from_prompt"]
    assert found["begins_with_prompt"] is True
    assert found["continuation_notes"] == 64
    assert found["copied"] == 24 / 64
    assert found["longest"]["length"] == 24
    assert found["longest"]["transposition"] == 3
    assert found["longest"]["lag"] == again[0, 0] / QUARTER
    (tmp_path / "empty").mkdir()
    refused = CliRunner().invoke(
        cli,
        [
            "originality",
            str(tmp_path / "out"),
            "--against",
            str(tmp_path / "out"),
            "--prompts",
            str(table.with_name("none.csv")),
        ],
    )
    assert refused.exit_code == 2


def test_checkpoints_stand_in_natural_order_with_a_curve(tunes, ask, tmp_path):
    for epoch, shared in ((2, 10), (10, 60), (1, 0)):
        folder = tmp_path / f"epoch-{epoch}"
        folder.mkdir()
        for i in range(3):
            host = tunes.wander(600 + i)
            if shared:
                host = tunes.planted(host, tunes.wander(i)[:shared], at=5)
            write_midi(tunes.as_piece(host), folder / f"{i}.mid")
    found = ask(tmp_path / "epoch-*")
    names = [Path(row["system"]).name for row in found["checkpoints"]]
    assert names == ["epoch-1", "epoch-2", "epoch-10"]
    shares = [row["coverage"]["10"] for row in found["checkpoints"]]
    assert shares[0] < shares[1] < shares[2]
    assert [len(part["set"]["longest"]) for part in found["systems"]] == [3, 3, 3]
    text = ask(tmp_path / "epoch-*", format_="table")
    assert text.index("epoch-2") < text.index("epoch-10")
    page = tmp_path / "page.html"
    ask(tmp_path / "epoch-*", "--out", page, format_="html")
    assert "From system to system" in page.read_text()


def test_bands_and_measures_of_the_set(tunes, ask, tmp_path):
    copy = tunes.wander(4)
    write_midi(tunes.as_piece(copy), tmp_path / "a.mid")
    copy[:, 1] += 2
    write_midi(tunes.as_piece(copy), tmp_path / "b.mid")
    loop = np.concatenate([tunes.wander(9, 12) + np.array([k * 12 * QUARTER, 0]) for k in range(6)])
    write_midi(tunes.as_piece(loop[np.argsort(loop[:, 0])]), tmp_path / "loop.mid")
    found = ask(tmp_path, "--other", tmp_path)
    items = {i["path"]: i for i in found["items"]}
    usual = found["calibration"]["self_repetition"]
    assert usual["p5"] <= usual["p50"] <= usual["p95"]
    assert items["loop.mid"]["self_repetition_percentile"] > 90
    assert found["set"]["same_passages"] == [["a.mid", "b.mid"]]
    assert found["set"]["same_content"] == []
    assert items["a.mid"]["novelty"]["10"] == 0.0
    assert items["a.mid"]["cardinality"].keys() == {"16", "8"}
    for size in ("16", "8"):
        assert items["a.mid"]["cardinality"][size]["originality"] == 0.0
        assert items["a.mid"]["cardinality"][size]["best"]["source"] == "04.mid"
        assert items["a.mid"]["cardinality"][size]["percentile"] == 100.0
    assert found["other_corpus"]["pieces"] >= 2
    assert ask(tmp_path, "--no-cardinality")["items"][0]["cardinality"] == {}
    default = ask(tmp_path / "loop.mid")
    assert default["other_corpus"]["corpus"] == "bach-chorales"
    assert default["other_corpus"]["coverage"]["10"] < 0.05


@pytest.mark.parametrize("jitter", [0.0, 1 / 24])
def test_a_played_copy_is_found_by_fingerprints(tunes, ask, tmp_path, jitter):
    rng = np.random.default_rng(8)
    for i in range(3):
        passage = tunes.wander(i)[20:56].astype(float)
        passage[:, 0] = (passage[:, 0] - passage[0, 0]) * 1.1
        passage[:, 0] += rng.normal(0, jitter * QUARTER, len(passage))
        passage[:, 0] -= passage[0, 0]
        host = tunes.planted(tunes.wander(700 + i), np.rint(passage).astype(int))
        host = host[np.argsort(host[:, 0], kind="stable")]
        host[:, 0] = np.maximum(host[:, 0], 0)
        host = host[np.append(True, np.diff(host[:, 0]) > 0)]
        write_midi(tunes.as_piece(host), tmp_path / f"{i}.mid")
    found = ask(tmp_path)["items"]
    for i, item in enumerate(found):
        named = [p for p in item["passages"] if p["source"] == f"{i:02}.mid"]
        assert named, item["passages"]
        kinds = {p["kind"] for p in named}
        assert ("expressive timing" if jitter else "exact") in kinds


def test_strangers_have_hardly_such_a_passage(tunes, ask, tmp_path):
    for i in range(12):
        write_midi(tunes.as_piece(tunes.wander(800 + i)), tmp_path / f"{i:02}.mid")
    kinds = [p["kind"] for item in ask(tmp_path)["items"] for p in item["passages"]]
    assert kinds.count("expressive timing") <= 1


def test_drums_alone_and_nothing_are_told(ask, tmp_path):
    drums = make_piece(
        onset=range(0, 4800, 480), end=range(1, 4801, 480), pitch=[36] * 10, is_drum=[True] * 10
    )
    write_midi(drums, tmp_path / "drums.mid")
    assert ask(tmp_path)["items"][0]["status"] == "undefined"
