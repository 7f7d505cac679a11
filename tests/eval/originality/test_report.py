"""The originality report: planted passages are named, and chance is called chance."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from concours.eval.baselines import write_midi
from concours.eval.cli import cli
from concours.eval.items import find_items
from concours.eval.originality.calibration import percentile
from concours.eval.originality.corpus_index import DEFAULT_VIEWS
from concours.eval.originality.html import to_html
from concours.eval.originality.reference import index_reference
from concours.eval.originality.report import as_dict, originality_report
from concours.eval.originality.tables import render
from concours.eval.progress import Silent

QUARTER = 480


@pytest.fixture(scope="module")
def tools():
    """What conftest.py makes tunes with; pytest imports it under a name of its own."""
    import importlib.util
    from pathlib import Path

    spec = importlib.util.spec_from_file_location("tunes", Path(__file__).with_name("conftest.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def index(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("index") / "corpus"
    return index_reference(str(corpus), out, DEFAULT_VIEWS, Silent())


def edited(kind: str, passage: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    line = passage.copy()
    line[:, 0] -= line[0, 0]
    if kind == "transposed":
        line[:, 1] += 4
    elif kind == "twice as fast":
        line[:, 0] //= 2
    elif kind == "slower":
        line[:, 0] = line[:, 0] * 3 // 2
    elif kind == "octaves":
        line[:, 1] += 12 * rng.integers(-1, 2, len(line))
    elif kind == "flat":
        line[:, 0] = np.arange(len(line)) * QUARTER
    elif kind == "changed":
        line[3::8, 1] += rng.choice([-2, -1, 1, 2], len(line[3::8]))
    elif kind == "ornamented":
        at = np.arange(3, len(line) - 1, 8)
        length = line[at + 1, 0] - line[at, 0]
        upper = np.stack([line[at, 0] + length // 3, line[at, 1] + 2], axis=1)
        back = np.stack([line[at, 0] + 2 * (length // 3), line[at, 1]], axis=1)
        line = np.concatenate([line, upper, back])
        line = line[np.argsort(line[:, 0], kind="stable")]
    return line


@pytest.mark.parametrize(
    ("kind", "called", "tempo"),
    [
        ("verbatim", "exact", 1.0),
        ("transposed", "exact", 1.0),
        ("twice as fast", "exact", 2.0),
        ("slower", "exact", 0.6667),
        ("octaves", "octaves moved", 1.0),
        ("flat", "rhythm replaced", None),
        ("changed", "altered", 1.0),
        ("ornamented", "altered", 1.0),
    ],
)
def test_planted_copies_are_found_with_source_and_bars(tools, index, tmp_path, kind, called, tempo):
    rng = np.random.default_rng(12)
    for i in range(4):
        source = tools.wander(i * 5)
        passage = edited(kind, source[20:44], rng)
        write_midi(
            tools.as_piece(tools.planted(tools.wander(1000 + i), passage)), tmp_path / f"{i}.mid"
        )
    report = originality_report(find_items(str(tmp_path)), index)
    for i, item in enumerate(report.items):
        found = [p for p in item.passages if p["source"] == f"{i * 5:02}.mid"]
        assert found, (kind, i, item.passages)
        best = max(found, key=lambda p: p["length"])
        assert best["kind"] == called
        assert best["length"] >= 15
        if tempo is not None:
            assert best["tempo_factor"] == tempo
        if kind == "transposed":
            assert best["transposition"] == 4
        source = tools.wander(i * 5)
        first, last = (1 + int(source[k, 0]) // (4 * QUARTER) for k in (20, 43))
        assert first <= best["source_bars"][0] <= best["source_bars"][1] <= last


def test_unrelated_pieces_have_nothing_but_their_longest_passage(tools, index, tmp_path):
    for i in range(20):
        write_midi(tools.as_piece(tools.wander(2000 + i)), tmp_path / f"{i:02}.mid")
    report = originality_report(find_items(str(tmp_path)), index)
    kinds = [p["kind"] for item in report.items for p in item.passages]
    assert kinds.count("altered") <= 2
    assert all(p["length"] < 12 for item in report.items for p in item.passages)
    assert 20 < np.mean([item.percentile for item in report.items]) < 80


def test_a_corpus_held_against_itself_is_covered_to_the_last_note(corpus, index):
    report = originality_report(find_items(str(corpus)), index)
    for item in report.items:
        assert set(item.coverage.values()) == {1.0}
        assert item.percentile == 100.0
        passage = item.passages[0]
        assert (passage["source"], passage["length"]) == (item.path, 80)
        assert passage["bars"] == passage["source_bars"]


def test_copies_within_the_set_are_found(tools, index, tmp_path):
    one, other = tools.wander(3000), tools.wander(3001)
    write_midi(tools.as_piece(one), tmp_path / "a.mid")
    write_midi(tools.as_piece(tools.planted(other, one[10:40])), tmp_path / "b.mid")
    write_midi(tools.as_piece(one), tmp_path / "c.mid")
    report = originality_report(find_items(str(tmp_path)), index)
    longest = {i.path: i.within_set["longest"] for i in report.items}
    assert longest == {"a.mid": 80, "b.mid": 30, "c.mid": 80}
    assert report.set["same_content"] == [["a.mid", "c.mid"]]


def test_calibration_sets_near_duplicates_aside(tools, tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    for i in range(12):
        write_midi(tools.as_piece(tools.wander(i)), music / f"{i:02}.mid")
    twin = tools.wander(3)
    twin[:, 1] += 5
    write_midi(tools.as_piece(twin), music / "twin.mid")
    index = index_reference(str(music), tmp_path / "index", DEFAULT_VIEWS, Silent())
    assert index.calibration["near_duplicates"] == [["03.mid", "twin.mid"]]
    assert index.calibration["views"]["interval-ratio"]["longest"]["p99"] < 20


def test_percentiles_count_ties_half():
    assert percentile(5, [1, 5, 5, 9]) == 50.0
    assert percentile(0, [1, 2]) == 0.0
    assert percentile(1, []) is None


def test_unreadable_and_silent_items_are_rows_of_their_own(tools, index, tmp_path):
    (tmp_path / "bad.mid").write_bytes(b"MThd?")
    write_midi(tools.as_piece(tools.wander(1)[:2]), tmp_path / "two.mid")
    report = originality_report(find_items(str(tmp_path)), index)
    bad, two = report.items
    assert (bad.status, two.status) == ("failed", "undefined")
    assert bad.reason
    assert two.reason == "no voice has 3 notes"


def test_the_page_is_whole_offline_and_escapes_names(tools, index, tmp_path):
    write_midi(tools.as_piece(tools.wander(5)), tmp_path / "<b>&.mid")
    report = originality_report(find_items(str(tmp_path)), index)
    page = to_html([("a <system>", report)])
    assert page == to_html([("a <system>", report)])
    assert "<b>&.mid" not in page
    assert "&lt;b&gt;&amp;.mid" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("data:audio/mpeg;base64,") == 2 * sum(len(i.passages) for i in report.items)
    assert 'class="note lit"' in page


def test_the_commands(tools, corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("CONCOURS_CACHE", str(tmp_path / "cache"))
    system = tmp_path / "system"
    system.mkdir()
    write_midi(
        tools.as_piece(tools.planted(tools.wander(1), tools.wander(3)[:24])), system / "x.mid"
    )
    run = CliRunner().invoke
    built = run(cli, ["index", "build", str(corpus), "--quiet"])
    assert built.exit_code == 0, built.output
    folder = built.stdout.strip()
    info = run(cli, ["index", "info", folder, "--format", "json"])
    assert json.loads(info.stdout)["pieces"] == 30
    assert "30 pieces" in run(cli, ["index", "info", folder]).stdout
    by_index = run(
        cli, ["originality", str(system), "--against", folder, "--format", "json", "--quiet"]
    )
    by_music = run(
        cli, ["originality", str(system), "--against", str(corpus), "--format", "json", "--quiet"]
    )
    assert by_index.exit_code == 0, by_index.output
    assert by_index.stdout == by_music.stdout
    found = json.loads(by_index.stdout)
    assert {"items", "calibration"} <= set(found)
    item = found["items"][0]
    assert {"path", "coverage", "percentile", "passages"} <= set(item)
    keys = {"length", "source", "bars", "source_bars", "transposition", "tempo_factor", "kind"}
    assert keys <= set(item["passages"][0])
    table = run(cli, ["originality", str(system), "--against", folder, "--quiet"])
    assert "x.mid: longest 80 notes" in table.stdout or "x.mid: longest" in table.stdout
    two = run(
        cli,
        [
            "originality",
            str(system),
            str(corpus),
            "--against",
            folder,
            "--format",
            "json",
            "--quiet",
        ],
    )
    together = json.loads(two.stdout)
    assert [r["system"] for r in together["systems"]] == [str(system), str(corpus)]
    assert {i["system"] for i in together["items"]} == {str(system), str(corpus)}
    assert "calibration" in together


def test_the_json_holds_plain_values(tools, index, tmp_path):
    write_midi(tools.as_piece(tools.wander(5)), tmp_path / "a.mid")
    report = as_dict(originality_report(find_items(str(tmp_path)), index))
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_a_file_of_the_reference_itself_is_called_so(corpus, index, tools, tmp_path):
    (tmp_path / "renamed.mid").write_bytes((corpus / "07.mid").read_bytes())
    moved = tools.wander(7)
    moved[:, 1] += 1
    write_midi(tools.as_piece(moved), tmp_path / "moved.mid")
    write_midi(tools.as_piece(tools.wander(4000)), tmp_path / "own.mid")
    report = originality_report(find_items(str(tmp_path)), index)
    named = {i.path: i.in_reference for i in report.items}
    assert named == {"renamed.mid": "07.mid", "moved.mid": None, "own.mid": None}
    assert (report.set["in_reference"], report.set["above_p95"]) == (1, 2)
    text = render("x", report)
    assert "longer than the reference's p95: 2 of 3 items" in text
    assert "renamed.mid: longest 80 notes, percentile 100, the same file as 07.mid" in text
    page = to_html([("x", report)], audio=False)
    assert "the same file as 07.mid of the reference" in page


def test_the_longest_exact_passage_is_listed_inside_a_longer_altered_one(tools, index, tmp_path):
    copy = tools.wander(9)[10:56].copy()
    copy[[32, 39], 1] += 1  # 32 notes as they were, then a change every seven
    write_midi(tools.as_piece(tools.planted(tools.wander(4001), copy)), tmp_path / "a.mid")
    report = originality_report(find_items(str(tmp_path)), index)
    item = report.items[0]
    named = [p for p in item.passages if p["source"] == "09.mid"]
    altered, exact = named[0], next(p for p in named if p["kind"] == "exact")
    assert altered["kind"] == "altered"
    assert altered["length"] > exact["length"] == item.longest == 32
    assert f"{item.longest} notes of 09.mid" in render("x", report)
