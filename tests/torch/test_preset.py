"""A paper's preset through the command line: run, run again, and run with one clip more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("transformers")
soundfile = pytest.importorskip("soundfile")

from random_clap import laion, save  # noqa: E402

from concours.eval.cli import cli  # noqa: E402
from concours.eval.embeddings import catalogue  # noqa: E402
from concours.eval.errors import UsageError  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:torch.meshgrid")]


def _clip(file: Path, pitch: float) -> None:
    t = np.arange(2 * 48_000) / 48_000
    noise = 0.01 * np.random.default_rng(round(pitch)).normal(size=len(t))
    soundfile.write(file, 0.3 * np.sin(2 * np.pi * pitch * t) + noise, 48_000)


def test_a_complete_run_opens_no_checkpoint(
    laion_clap_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "weights"
    (weights / "clap").mkdir(parents=True)
    save(laion(laion_clap_model, "tiny", False),
         weights / "clap" / "music_audioset_epoch_15_esc_90.14.pt")  # fmt: skip
    monkeypatch.setenv("CONCOURS_WEIGHTS", str(weights))
    for folder, pitches in (("ref", (220, 330, 440)), ("mine", (250, 350, 450))):
        (tmp_path / folder).mkdir()
        for pitch in pitches:
            _clip(tmp_path / folder / f"{pitch}.wav", pitch)
    config = tmp_path / "benchmarks.yaml"
    config.write_text(
        "references: {ref: {path: ref}}\nsystems: {mine: {path: mine}}\n"
        "benchmarks: {table: {reference: ref, systems: [mine], metrics: [gui2023]}}\n"
    )
    opened: list[str] = []
    build = catalogue.BUILT_IN["clap"]

    def counted(argument: str) -> Any:
        opened.append(argument)
        return build(argument)

    def run(*more: str) -> Any:
        catalogue.open_embedding.cache_clear()  # as in a new process
        opened.clear()
        return CliRunner().invoke(
            cli, ["run", str(config), "--workers", "1", "--no-html", *more], catch_exceptions=False
        )

    monkeypatch.setitem(catalogue.BUILT_IN, "clap", counted)
    first = run()
    assert first.exit_code == 0, first.output
    assert opened == ["music"]
    again = run()
    assert again.exit_code == 0, again.output
    assert opened == []
    assert again.stdout == first.stdout
    assert run("--plan").exit_code == 0
    assert opened == []

    # something to compute again: what cannot be opened is said before anything is computed
    def broken(argument: str) -> Any:
        raise UsageError(f"clap:{argument} cannot be opened")

    _clip(tmp_path / "mine" / "550.wav", 550)
    monkeypatch.setitem(catalogue.BUILT_IN, "clap", broken)
    with pytest.raises(UsageError, match="clap:music cannot be opened"):
        run()
