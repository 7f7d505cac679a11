"""Checkpoints through the command line: where they belong, added, verified, damaged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from concours.eval import weights
from concours.eval.cli import cli
from concours.eval.errors import UsageError


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCOURS_WEIGHTS", str(tmp_path / "weights"))


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["weights", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def _tokenizer(folder: Path, count: int = 50_265) -> Path:
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({f"t{i}": i for i in range(count)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return folder


def test_list_says_where_and_how() -> None:
    shown = _run("list")
    for name, checkpoint in weights.CHECKPOINTS.items():
        assert f"missing  {name}: " in shown
        assert checkpoint.licence in shown
        assert checkpoint.command in shown
        assert _run("path", name).strip() in shown.split()
    assert "vggish: embedding vggish, about 0.29 GB" in shown  # an estimate; no page was seen
    assert "music: embedding clap:music, 2.35 GB" in shown
    assert shown.count("published by its makers") == 1
    assert shown.count("no published sha256 is known") == len(weights.CHECKPOINTS) - 1


def test_list_shows_the_hash_of_what_was_added(tmp_path: Path) -> None:
    source = tmp_path / "630k-audioset-best.pt"
    source.write_bytes(b"weights")
    _run("add", "630k", str(source))
    assert f"sha256 {hashlib.sha256(b'weights').hexdigest()}, when added" in _run("list")


def test_a_missing_checkpoint_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"vggish .*is not at .*vggish-10086976\.pth; get it with"):
        weights.locate("vggish")
    with pytest.raises(UsageError, match="did you mean vggish"):
        weights.find_checkpoint("vgish")


def test_added_verified_and_damaged(tmp_path: Path) -> None:
    source = tmp_path / "630k-audioset-best.pt"
    source.write_bytes(b"weights" * 99)
    place = Path(_run("add", "630k", str(source)).strip())
    assert place == weights.locate("630k") == weights.place_of("630k")
    assert place.read_bytes() == source.read_bytes()
    assert _run("verify").endswith("  630k\n")
    place.write_bytes(b"other" * 200)
    with pytest.raises(UsageError, match="has changed since it was added"):
        weights.verify("630k")
    _run("add", "630k", str(source))
    assert _run("verify", "630k").split()[1] == "630k"


def test_a_published_hash_is_checked(tmp_path: Path) -> None:
    wrong = tmp_path / "vggish-10086976.pth"
    wrong.write_bytes(b"not vggish")
    with pytest.raises(UsageError, match=r"its sha256 starts with .* the published"):
        weights.add("vggish", wrong)
    assert not weights.place_of("vggish").exists()


def test_an_incomplete_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="5 tokens instead of 50265"):
        weights.add("roberta-base", _tokenizer(tmp_path / "five", 5))
    with pytest.raises(UsageError, match="is a folder"):
        weights.add("roberta-base", tmp_path / "five" / "vocab.json")
    weights.add("roberta-base", _tokenizer(tmp_path / "whole"))
    assert len(weights.verify("roberta-base")) == 64


def test_a_folders_hash_is_its_content(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    assert weights.content_hash(tmp_path / "a") == weights.content_hash(tmp_path / "b")
    (tmp_path / "b" / "model.bin").write_bytes(b"x")
    assert weights.content_hash(tmp_path / "a") != weights.content_hash(tmp_path / "b")
