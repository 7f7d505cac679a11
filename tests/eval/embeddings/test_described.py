"""What is known of an embedding without opening it."""

from __future__ import annotations

from pathlib import Path

import pytest

from concours.eval.embeddings import catalogue, described
from concours.eval.embeddings.described import checkpoint_files, describe
from concours.metrics.embeddings.protocol import EmbeddingSpec


class _Opened:
    """Stands for a checkpoint that takes seconds to open; it is never heard with."""

    def __init__(self, argument: str) -> None:
        self.spec = EmbeddingSpec(
            f"clap:{argument}", "x", 3, 48_000, 1.0, 1.0, weights_hash=Path(argument).read_text()
        )


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    found: list[str] = []

    def build(argument: str) -> _Opened:
        found.append(argument)
        return _Opened(argument)

    monkeypatch.setitem(catalogue.BUILT_IN, "clap", build)
    monkeypatch.setenv("CONCOURS_CACHE", str(tmp_path / "cache"))
    return found


def _anew() -> None:
    """As in a new process."""
    catalogue.open_embedding.cache_clear()
    described._described.cache_clear()


def test_a_checkpoint_is_opened_once(
    opened: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "model.pt"
    file.write_text("first")
    name = f"clap:{file}"
    first = describe(name)
    for _ in range(2):
        _anew()
        assert describe(name) == first
    assert len(opened) == 1
    file.write_text("another")  # another checkpoint at the same place
    _anew()
    assert describe(name).identity != first.identity
    assert len(opened) == 2
    # and other code of ours: what was kept may not be what it would say now
    _anew()
    monkeypatch.setattr(described, "_code", lambda: "changed")
    describe(name)
    assert len(opened) == 3
    for kept in (tmp_path / "cache" / "embeddings").iterdir():
        kept.write_text("{damaged")
    _anew()
    assert describe(name).weights_hash == "another"
    assert len(opened) == 4


def test_which_files_an_embedding_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCOURS_WEIGHTS", str(tmp_path))
    model = tmp_path / "m.onnx"
    for name, files in (
        ("clap", ["clap/music_audioset_epoch_15_esc_90.14.pt"]),
        ("clap:630k", ["clap/630k-audioset-best.pt"]),
        ("vggish", ["vggish/vggish-10086976.pth"]),
        ("hubert:layer=6", ["hubert"]),
        ("passt", ["passt/passt.onnx"]),
        (f"onnx:{model}", ["m.onnx"]),
        ("spectral-stats-v1", []),
        ("laion-clap/clap:music", []),
        ("plugin:x", []),
    ):
        assert checkpoint_files(name) == [tmp_path / f for f in files], name
    beside = tmp_path / "m.onnx.json"
    beside.write_text("{}")
    assert checkpoint_files(f"onnx:{model}") == [model, beside]
