"""Pair, control and prompt metrics from the command line and in benchmarks."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from concours.eval.baselines import write_midi
from concours.eval.cli import cli
from concours.eval.errors import ConfigError, UsageError
from concours.eval.load import load
from concours.metrics.piece import Piece, make_piece


def invoke(*words: str) -> Result:
    return CliRunner().invoke(cli, [*words], catch_exceptions=False)


def scored(*words: str) -> dict[str, Any]:
    result = invoke("score", *words, "--format", "json", "--quiet", "--workers", "1")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def values(found: dict[str, Any], path: str) -> dict[str, Any]:
    item = next(i for i in found["items"] if i["path"].endswith(path))
    return {k: s["value"] for k, s in item["scores"].items()}


@pytest.fixture
def outputs(tmp_path: Path, more_music: Callable[[Path, range], Path]) -> Path:
    """``truth`` (4 pieces), ``out`` (the first whole, the second cut in half, the third in another
    file format of name only, a stranger)."""
    truth = more_music(tmp_path / "truth", range(4))
    out = tmp_path / "out"
    out.mkdir()
    (out / "000.mid").write_bytes((truth / "000.mid").read_bytes())
    whole = load(truth / "001.mid").piece
    write_midi(half(whole), out / "001.mid")
    (out / "002.midi").write_bytes((truth / "002.mid").read_bytes())
    (out / "stranger.mid").write_bytes((truth / "003.mid").read_bytes())
    return tmp_path


def half(piece: Piece) -> Piece:
    cut = piece.where(piece.onset < piece.end_tick // 2)
    return make_piece(
        onset=cut.onset,
        end=np.minimum(cut.end, piece.end_tick // 2),
        pitch=cut.pitch,
        velocity=cut.velocity,
        track=cut.track,
        ticks_per_quarter=piece.ticks_per_quarter,
    )


def test_outputs_meet_the_truth_of_their_name(outputs: Path) -> None:
    found = scored(
        str(outputs / "out"), "--ground-truth", str(outputs / "truth"), "--metrics", "pairs,control"
    )
    first, cut = values(found, "000.mid"), values(found, "001.mid")
    assert first["note_f1"] == first["chroma_similarity"] == first["chord_f1"] == 1
    assert first["tempo_error"] == 0
    assert cut["note_f1"] < 0.8
    assert cut["chroma_similarity"] < 0.7
    assert cut["bar_count_error"] > 0.3
    assert values(found, "002.midi")["note_f1"] == 1
    stranger = next(i for i in found["items"] if "stranger" in i["path"])
    assert stranger["scores"]["note_f1"]["status"] == "undefined"
    assert "no piece of this name" in stranger["scores"]["note_f1"]["reason"]
    assert found["unanswered"] == ["003.mid"]
    scores = found["items"][0]["scores"]["note_f1"]
    assert scores["level"] == "pair"
    assert scores["detail"]["precision"] == scores["detail"]["recall"] == 1


def test_pairs_come_by_default_and_in_every_format(outputs: Path) -> None:
    words = (str(outputs / "out"), "--ground-truth", str(outputs / "truth"), "--quiet")
    table = invoke("score", *words).stdout
    for name in ("note_f1", "bar_pitch_overlap", "instrument_f1", "pitch_entropy"):
        assert name in table
    rows = invoke("score", *words, "--format", "csv").stdout
    assert ",note_f1,1.0," in rows
    assert "the item has no" not in rows


def test_a_table_of_ground_truths(outputs: Path) -> None:
    table = outputs / "pairs.csv"
    table.write_text("path,ground_truth\nstranger.mid,truth/003.mid\n000,truth/001.mid\n")
    found = scored(
        str(outputs / "out"), "--ground-truth", str(table), "--metrics", "note_f1,onset_f1"
    )
    assert values(found, "stranger.mid")["note_f1"] == 1
    assert values(found, "000.mid")["note_f1"] < 0.5
    assert values(found, "001.mid")["note_f1"] is None


TARGETS = """\
path,key,tempo,bars,time_signature,instruments,range,density,chords
000.mid,A minor,120,,4/4,"piano, violin",C4-C5,,
001.mid,,60,8,3/4,0,,12,C | Am | F | G7
"""


def test_targets_by_the_row(outputs: Path) -> None:
    table = outputs / "targets.csv"
    table.write_text(TARGETS)
    found = scored(str(outputs / "out"), "--target", str(table), "--metrics", "control")
    first, second = values(found, "000.mid"), values(found, "001.mid")
    assert first["tempo_error"] == 0
    assert first["time_signature_accuracy"] == 1
    assert first["instrument_f1"] == pytest.approx(2 / 3)
    assert first["bar_count_error"] is None
    assert second["tempo_error"] == 1
    assert second["time_signature_accuracy"] == 0
    assert second["chord_f1"] is not None
    assert values(found, "002.midi")["tempo_error"] is None


def test_one_target_for_all_as_json(outputs: Path) -> None:
    table = outputs / "target.json"
    table.write_text(json.dumps({"tempo": 120, "instruments": ["piano"], "pitch_range": [36, 76]}))
    found = scored(str(outputs / "out"), "--target", str(table), "--metrics", "control")
    assert all(i["scores"]["tempo_error"]["value"] == 0 for i in found["items"])
    assert all(i["scores"]["instrument_f1"]["value"] == 1 for i in found["items"])


def test_a_piece_is_a_target(outputs: Path) -> None:
    one = str(outputs / "truth/000.mid")
    found = scored(str(outputs / "out"), "--target", one, "--metrics", "control")
    assert values(found, "000.mid")["chord_f1"] == 1
    assert values(found, "stranger.mid")["chord_f1"] < 1


def test_prompts_in_words_and_in_music(outputs: Path) -> None:
    opening = load(outputs / "truth/001.mid").piece
    start = opening.where(opening.onset < 2 * 1920)
    write_midi(
        make_piece(onset=start.onset, end=start.end, pitch=start.pitch), outputs / "opening.mid"
    )
    table = outputs / "prompts.csv"
    table.write_text(
        "path,prompt\n"
        '000.mid,"A piano tune at 120 bpm, in 4/4 time"\n'
        "001.mid,opening.mid\n"
        "002.midi,something sad\n"
    )
    found = scored(str(outputs / "out"), "--prompts", str(table), "--metrics", "control,prefix")
    worded, continued = values(found, "000.mid"), values(found, "001.mid")
    assert worded["tempo_error"] == 0
    assert worded["instrument_f1"] == worded["time_signature_accuracy"] == 1
    assert worded["key_score"] is worded["prefix_recall"] is None
    assert continued["prefix_recall"] == 1
    assert continued["continuation_bars"] > 0
    assert continued["key_score"] is not None
    assert set(values(found, "002.midi").values()) == {None}
    copied = scored(str(outputs / "out"), "--prompts", str(table),
                    "--metrics", "continuation_copied:n=4")  # fmt: skip
    assert 0 <= values(copied, "001.mid")["continuation_copied:n=4"] <= 1
    assert values(copied, "000.mid")["continuation_copied:n=4"] is None


def test_one_table_for_several_systems(outputs: Path) -> None:
    table = outputs / "prompts.csv"
    table.write_text("path,prompt\nout/000.mid,60 bpm\ntruth/000.mid,240 bpm\n001.mid,120 bpm\n")
    folders = [str(outputs / "out"), str(outputs / "truth")]
    found = scored(*folders, "--prompts", str(table), "--metrics", "tempo_error")
    assert values(found, "out/000.mid")["tempo_error"] == 1
    assert values(found, "truth/000.mid")["tempo_error"] == 1
    assert values(found, "truth/001.mid")["tempo_error"] == 0


def test_one_prompt_for_all(outputs: Path) -> None:
    words = (str(outputs / "out"), "--metrics", "tempo_error")
    found = scored(*words, "--prompt", "slow, 60 bpm")
    assert {i["scores"]["tempo_error"]["value"] for i in found["items"]} == {1.0}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--metrics", "note_f1"], "add --ground-truth"),
        (["--metrics", "control"], "add --target"),
        (["--metrics", "prefix_recall", "--prompt", "60 bpm"], "a musical prompt"),
        (["--ground-truth", "nowhere"], "nothing there"),
        (["--target", "bad.csv"], "bad.csv:2: a key is written as"),
        (["--target", "wrong.csv"], "no attribute 'colour'"),
        (["--target", "lost.json"], "no item is called 99.mid"),
        (["--prompts", "missing.csv"], "cannot be read"),
        (["--prompts", "bad.csv"], "needs a row and the columns path, prompt"),
        (["--prompts", "a.csv", "--prompt", "b"], "not both"),
        (["--prompt", "opening.mid"], "there is no file opening.mid"),
    ],
)
def test_mistakes_are_named(
    outputs: Path, words: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(outputs)
    Path("bad.csv").write_text("path,key\n000.mid,H major\n")
    Path("wrong.csv").write_text("path,colour\n000.mid,red\n")
    Path("lost.json").write_text('{"99.mid": {"bars": 3}}')
    with pytest.raises(UsageError, match=re.escape(message)):
        invoke("score", "out", "--quiet", *words)


def test_a_truth_that_cannot_be_read_is_a_reason(outputs: Path) -> None:
    (outputs / "truth/000.mid").write_bytes(b"MThd, but not much more")
    found = scored(
        str(outputs / "out"), "--ground-truth", str(outputs / "truth"), "--metrics", "note_f1"
    )
    broken = found["items"][0]["scores"]["note_f1"]
    assert broken["status"] == "undefined"
    assert "the ground truth 000.mid cannot be read" in broken["reason"]
    assert values(found, "002.midi")["note_f1"] == 1


CONFIG = """\
references: {corpus: {path: truth}}
systems:
  good: {path: truth, ground_truth: truth}
  mixed: {path: out, ground_truth: truth, targets: targets.csv}
  free: {path: out2}
benchmarks:
  pairs:
    reference: corpus
    systems: [good, mixed, free]
    metrics: [pitch_entropy, note_f1, {chroma_similarity: {align: warp}}, control]
"""


@pytest.fixture
def paired_benchmark(outputs: Path) -> Path:
    (outputs / "targets.csv").write_text(TARGETS)
    (outputs / "out2").mkdir()
    for name in ("a.mid", "b.mid"):
        (outputs / "out2" / name).write_bytes((outputs / "out/000.mid").read_bytes())
    file = outputs / "benchmarks.yaml"
    file.write_text(CONFIG)
    return file


def leaderboard(file: Path) -> dict[tuple[str, str], dict[str, Any]]:
    printed = invoke("report", str(file), "--format", "json")
    assert printed.exit_code == 0, printed.output
    table = json.loads(printed.stdout)["benchmarks"][0]
    return {(r["system"], r["metric"]): r for r in table["rows"]}


def test_pairs_in_a_benchmark(paired_benchmark: Path) -> None:
    planned = invoke("run", str(paired_benchmark), "--plan")
    assert planned.exit_code == 0, planned.output
    assert invoke("run", str(paired_benchmark), "--no-html", "--quiet").exit_code == 0
    rows = leaderboard(paired_benchmark)
    good, mixed = rows["good", "note_f1"], rows["mixed", "note_f1"]
    assert good["value"] == 1
    assert good["rank"] == 1
    assert good["n"] == 4
    assert mixed["n"] == 3
    assert mixed["rank"] == 2
    assert rows["free", "note_f1"]["status"] == "undefined"
    assert rows["free", "note_f1"]["value"] is None
    assert rows["mixed", "tempo_error"]["n"] == 2
    assert rows["good", "tempo_error"]["value"] == 0, "the truth is the target where there is none"
    again = invoke("run", str(paired_benchmark), "--no-html")
    assert "nothing left to compute" in again.stderr
    for style in ("md", "csv", "html"):
        out = paired_benchmark.parent / f"report.{style}"
        invoke("report", str(paired_benchmark), "--format", style, "--out", str(out))
        assert "note_f1" in out.read_text().replace("\\", "")  # Markdown escapes it


def test_another_target_is_another_score(paired_benchmark: Path) -> None:
    invoke("run", str(paired_benchmark), "--no-html", "--quiet")
    before = leaderboard(paired_benchmark)["mixed", "tempo_error"]["value"]
    table = paired_benchmark.parent / "targets.csv"
    table.write_text(TARGETS.replace("001.mid,,60", "001.mid,,30"))
    invoke("run", str(paired_benchmark), "--no-html", "--quiet")
    after = leaderboard(paired_benchmark)["mixed", "tempo_error"]["value"]
    assert after == before + 0.5


def test_copies_of_an_item_keep_their_own_truths(paired_benchmark: Path) -> None:
    folder = paired_benchmark.parent
    (folder / "copies.csv").write_text(
        "path,ground_truth\na.mid,truth/000.mid\nb.mid,truth/001.mid\n"
    )
    paired_benchmark.write_text(
        CONFIG.replace("free: {path: out2}", "free: {path: out2, ground_truth: copies.csv}")
    )
    invoke("run", str(paired_benchmark), "--no-html", "--quiet")
    row = leaderboard(paired_benchmark)["free", "note_f1"]
    assert row["n"] == 2
    assert 0.5 <= row["value"] < 0.75, "one copy is right, the other is not"


def test_a_pair_metric_without_partners_is_a_fault_of_the_config(paired_benchmark: Path) -> None:
    paired_benchmark.write_text(
        CONFIG.replace(", ground_truth: truth", "").replace(", targets: targets.csv", "")
    )
    with pytest.raises(ConfigError, match=r"benchmarks.pairs.metrics.1: it needs ground_truth"):
        invoke("run", str(paired_benchmark), "--plan")
