"""Audio through the command line: clip metrics, set metrics, rendered notes, broken files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from concours.eval.cache import cache_folder
from concours.eval.cli import cli
from concours.eval.errors import UsageError

soundfile = pytest.importorskip("soundfile")

RATE = 22_050


def _write(folder: Path, count: int, pitch: float, noise: float, seed: int) -> Path:
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    t = np.arange(6 * RATE) / RATE
    for i in range(count):
        steps = random.integers(0, 12, 12).repeat(RATE // 2)
        tone = np.sin(2 * np.pi * np.cumsum(pitch * 2 ** (steps / 12)) / RATE) * 0.3
        soundfile.write(folder / f"{i}.wav", tone + noise * random.normal(size=len(t)), RATE)
    return folder


def _score(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(
        cli, ["score", *arguments, "--format", "json", "--workers", "1"], catch_exceptions=False
    )
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("audio")
    _write(root / "reference", 8, 220, 0.001, 0)
    _write(root / "near", 8, 220, 0.001, 1)
    _write(root / "far", 8, 440, 0.1, 2)
    return root


def test_items_and_sets(folders: Path) -> None:
    found = _score(str(folders / "near"), str(folders / "far"),
                   "--reference", str(folders / "reference"))  # fmt: skip
    assert len(found["items"]) == 16
    first = found["items"][0]["scores"]
    assert first["integrated_loudness"]["status"] == "ok"
    assert (first["stereo_width"]["status"], first["stereo_width"]["reason"]) == (
        "undefined",
        "mono",
    )
    assert "pitch_entropy" not in first
    near, far = (s["scores"] for s in found["sets"])
    for name in ("fad", "fad_infinity", "kad"):
        assert near[name]["value"] < far[name]["value"], name
    fad = near["fad"]
    assert fad["n"] == 8
    assert fad["ci_low"] <= fad["value"] <= fad["ci_high"]
    assert fad["detail"]["frames"] == 24
    assert fad["detail"]["dimensions"] == 101
    assert "no full rank" in fad["detail"]["rank_warning"]
    assert "not comparable" in fad["detail"]["note"]


def test_the_cache_holds_frames_by_content(folders: Path) -> None:
    arguments = (str(folders / "near"), "--reference", str(folders / "reference"),
                 "--metrics", "fad")  # fmt: skip
    first = _score(*arguments)["sets"]
    files = {f: f.stat().st_mtime_ns for f in (cache_folder() / "frames").rglob("*.npy")}
    assert len(files) >= 16
    assert not list((cache_folder() / "frames").rglob(".new-*"))
    assert _score(*arguments)["sets"] == first
    assert {f: f.stat().st_mtime_ns for f in files} == files


def test_one_bad_file_costs_one_item(folders: Path, tmp_path: Path) -> None:
    mixed = _write(tmp_path / "mixed", 5, 220, 0.001, 3)
    (mixed / "2b.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEnonsense")
    soundfile.write(mixed / "3b.wav", np.ones(RATE) * 0.1, RATE)
    found = _score(str(mixed), "--reference", str(folders / "reference"), "--metrics",
                   "fad,integrated_loudness")  # fmt: skip
    status = {Path(i["path"]).name: i for i in found["items"]}
    assert status["2b.wav"]["status"] == "failed"
    assert status["2b.wav"]["reason"]
    assert status["3b.wav"]["status"] == "ok"
    assert "needs 3 s" in " ".join(status["3b.wav"]["warnings"])
    assert sum(i["status"] == "ok" for i in found["items"]) == 6
    fad = found["sets"][0]["scores"]["fad"]
    assert (fad["n"], fad["detail"]["clips_without_frames"]) == (5, 2)


def test_notes_are_rendered_and_audio_has_no_notes(folders: Path, tmp_path: Path) -> None:
    from concours.eval.baselines import write_midi
    from concours.metrics.piece import make_piece

    onset = np.arange(0, 480 * 16, 240)
    piece = make_piece(onset=onset, end=onset + 240, pitch=60 + np.arange(len(onset)) % 12)
    notes = tmp_path / "notes"
    notes.mkdir()
    write_midi(piece, notes / "scale.mid")
    found = _score(str(notes), str(folders / "near"), "--metrics",
                   "pitch_entropy,integrated_loudness,chroma_entropy")  # fmt: skip
    rendered, recorded = found["items"][0]["scores"], found["items"][1]["scores"]
    assert rendered["pitch_entropy"]["status"] == "ok"
    assert -60 < rendered["integrated_loudness"]["value"] < 0
    assert rendered["chroma_entropy"]["value"] > 3
    assert recorded["pitch_entropy"]["reason"] == "a metric of notes, and this item is audio"


@pytest.mark.parametrize(
    ("embedding", "message"),
    [("clap", "get it with: curl"), ("clop", "no embedding is called 'clop'")],
)
def test_an_embedding_that_is_not_there_is_an_error(
    embedding: str, message: str, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCOURS_WEIGHTS", str(folders / "no-weights"))
    result = CliRunner().invoke(
        cli, ["score", str(folders / "near"), "--reference", str(folders / "reference"),
              "--metrics", f"fad:embedding={embedding}", "--workers", "1"],
    )  # fmt: skip
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)
