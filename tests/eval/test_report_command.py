"""``concours report`` on real runs: places, groups, verdicts, several runs in a table, sound."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from report_sample import walk

from concours.eval.baselines import write_midi
from concours.eval.cli import cli
from concours.eval.errors import UsageError
from concours.eval.store import open_store
from concours.eval.store.history import complete_runs
from concours.eval.store.trust import write_cards

CONFIG = """\
references: {corpus: {path: corpus}}
systems:
  near: {path: near, prompts: near.csv}
  far: {path: far, prompts: far.csv}
  other: {path: other, songs: "^(\\\\d)"}
benchmarks:
  b:
    reference: corpus
    systems: [near, far, other]
    metrics: [pitch_range, note_density, wasserstein_distance, ngram_overlap]
    resamples: 200
"""


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


def report(file: Path, *options: str | Path) -> dict[str, Any]:
    result = call("report", file, "--format", "json", *options)
    assert result.exit_code == 0, result.output
    (benchmark,) = json.loads(result.stdout)["benchmarks"]
    return dict(benchmark)


def music(folder: Path, seeds: range, **how: Any) -> list[str]:
    folder.mkdir(exist_ok=True)
    for i, seed in enumerate(seeds):
        write_midi(walk(seed, **{"stride": 240, "spread": 1.2, "bars": 6, **how}),
                   folder / f"{i:02d}.mid")  # fmt: skip
    return [f"{i:02d}.mid" for i in range(len(seeds))]


def prompts(file: Path, names: list[str], words: Callable[[int], str]) -> None:
    with file.open("w", newline="") as stream:
        rows = [["path", "prompt"], *([n, words(i)] for i, n in enumerate(names))]
        csv.writer(stream).writerows(rows)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A config and its three runs: the second has one more piece, the third another reference."""
    folder = tmp_path_factory.mktemp("board")
    music(folder / "corpus", range(12))
    near = music(folder / "near", range(20, 30))
    far = music(folder / "far", range(40, 50), stride=120, spread=4.0)
    music(folder / "other", range(60, 70), spread=1.4)
    prompts(folder / "near.csv", near, lambda i: f"tune {i}")
    prompts(folder / "far.csv", far, lambda i: f"tune {i}")
    file = folder / "benchmarks.yaml"
    file.write_text(CONFIG)
    for change in ("", "other/99.mid", "corpus/99.mid"):
        if change:
            write_midi(walk(99, stride=240, spread=1.2), folder / change)
        result = call("run", file, "--no-html", "--quiet", "--workers", "1")
        assert result.exit_code == 0, result.output
    with open_store(f"sqlite:///{folder}/concours.db") as store:
        found = [r.id for r in complete_runs(store, "b")]
    assert len(found) == 3
    return file, found


def test_letters_say_what_the_tests_say(board: tuple[Path, list[str]]) -> None:
    found = report(board[0])
    rows = {(r["system"], r["metric"]): r for r in found["rows"]}
    tested = found["comparisons"]
    main = ("pitch_range", "note_density", "wasserstein_distance", "ngram_overlap")
    assert len([c for c in tested if c["metric"] in main]) == 3 * len(main)
    for c in tested:
        one, two = (rows[c[side], c["metric"]]["group"] for side in ("first", "second"))
        assert bool(set(one) & set(two)) == (c["p_holm"] is None or c["p_holm"] > 0.05)
    far, near = (rows[s, "wasserstein_distance"] for s in ("far", "near"))
    # "other" is two songs, too few to be told from anything
    assert (far["rank"], far["rank_low"], far["rank_high"]) == (3, 2, 3)
    assert near["rank_high"] <= 2
    assert not set(far["group"]) & set(near["group"])
    assert {r["system"] for r in found["overall"]["rows"]} == {"near", "far", "other"}
    methods = {(c["metric"], c["method"]) for c in tested if {c["first"], c["second"]} ==
               {"near", "far"}}  # fmt: skip
    assert ("ngram_overlap", "paired on 10 prompts") in methods
    assert ("wasserstein_distance", "joint half-samples") in methods


def test_songs_are_the_units(board: tuple[Path, list[str]]) -> None:
    rows = {(r["system"], r["metric"]): r for r in report(board[0])["rows"]}
    # 00.mid … 09.mid share the song "0"; 99.mid is another
    assert rows["other", "pitch_range"]["n_clusters"] == 2
    assert rows["near", "pitch_range"]["n_clusters"] == 10
    assert rows["other", "wasserstein_distance"]["ci_low"] is None


def test_runs_share_a_table_only_where_measured_alike(board: tuple[Path, list[str]]) -> None:
    file, (first, second, third) = board
    together = report(file, "--run", second, "--run", first)
    assert together["refusals"] == []
    assert f"other @{first[:8]}" in {r["system"] for r in together["rows"]}
    guarded = report(file, "--run", third[:10], "--run", first[:10])
    rows = {(r["system"], r["metric"]): r for r in guarded["rows"]}
    kept_out = rows[f"near @{first[:8]}", "wasserstein_distance"]
    assert kept_out["value"] is None
    assert "another content" in kept_out["reason"]
    assert rows[f"near @{first[:8]}", "pitch_range"]["value"] is not None
    refused = {(r["system"], m) for r in guarded["refusals"] for m in r["metrics"]}
    assert (f"far @{first[:8]}", "ngram_overlap") in refused
    assert "kept out" in call("report", file, "--run", third, "--run", first).stdout


def test_other_prompts_are_not_ranked_together(board: tuple[Path, list[str]]) -> None:
    file = board[0].with_name("prompted.yaml")
    names = [f"{i:02d}.mid" for i in range(10)]
    prompts(file.with_name("late.csv"), names, lambda i: f"tune {i + 5}")
    file.write_text(CONFIG.replace("far.csv", "late.csv").replace("  b:", "  late:"))
    assert call("run", file, "--no-html", "--quiet", "--workers", "1").exit_code == 0
    found = report(file)
    rows = {(r["system"], r["metric"]): r for r in found["rows"]}
    far = rows["far", "pitch_range"]
    assert far["value"] is not None
    assert far["rank"] is None
    assert "other prompts than near (5 of 10 are missing, 5 are others)" in far["unranked"]
    assert [r["system"] for r in found["refusals"]] == ["far"]
    compared = call("compare", "near", "far", "--config", file, "--format", "json")
    reasons = {r["metric"]: r["reason"] for r in json.loads(compared.stdout)["rows"]}
    assert "5 are shared" in reasons["wasserstein_distance"]


def test_a_trust_card_stands_beside_its_column(board: tuple[Path, list[str]]) -> None:
    file, ids = board
    ladder = [{"degradation": "note shuffle", "answer": "misled"}]
    card = {"verdict": "misled", "ladder": ladder, "separated_pairs": 2, "pairs": 3}
    with open_store(f"sqlite:///{file.parent}/concours.db") as store:
        write_cards(store, ids[-1], {"pitch_range": card})
    metrics = {m["metric"]: m for m in report(file)["metrics"]}
    assert metrics["pitch_range"]["verdict"] == "misled"
    assert "misled by note shuffle" in metrics["pitch_range"]["verdict_note"]
    assert metrics["note_density"]["verdict"] == ""
    assert "*misled*" in call("report", file, "--format", "md").stdout
    assert "(misled)" in call("report", file).stdout
    assert r"\textit{misled}" in call("report", file, "--format", "latex").stdout


def test_sound_in_the_page_beside_it_or_nowhere(board: tuple[Path, list[str]]) -> None:
    file, page = board[0], board[0].with_name("page.html")
    options = ("--format", "html", "--out", page)
    link = ("--originality", "near=near originality.html")
    assert call("report", file, *options, "--audio", "beside", *link).exit_code == 0
    beside = page.read_text(encoding="utf-8")
    kept = {f.name for f in page.with_name("page-audio").iterdir()}
    assert kept
    assert "data:audio" not in beside
    assert all(f'src="page-audio/{name}"' in beside for name in kept)
    assert 'href="near originality.html"' in beside
    assert call("report", file, *options, "--audio", "none").exit_code == 0
    silent = page.read_text(encoding="utf-8")
    assert "<audio" not in silent
    assert "<svg" in silent
    assert call("report", file, *options, "--audio", "loud").exit_code == 2
    refused = call("report", file, *options, "--originality", "near")
    assert isinstance(refused.exception, UsageError)
