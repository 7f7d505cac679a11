"""Prompts through the command line: a small random CLAP, its tokenizer, and hand-made cosines."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
soundfile = pytest.importorskip("soundfile")

from concours.eval.cli import cli  # noqa: E402
from concours.eval.embeddings.clap import open_clap  # noqa: E402

pytestmark = pytest.mark.torch

PROMPTS = ["a slow waltz", "heavy metal", "birdsong"]


def _tokenizer(folder: Path) -> int:
    """RoBERTa's tokenizer with the 256 bytes for a vocabulary."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    tokens = ["<s>", "<pad>", "</s>", "<unk>", *bytes_to_unicode().values(), "<mask>"]
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "RobertaTokenizer", "model_max_length": 512})
    )
    return len(tokens)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clap") / "model"
    folder.mkdir()
    torch.manual_seed(0)
    config = transformers.ClapConfig(
        text_config={"vocab_size": _tokenizer(folder), "num_hidden_layers": 2, "hidden_size": 32,
                     "intermediate_size": 32, "num_attention_heads": 2},
        projection_dim=512,
    )  # fmt: skip
    transformers.ClapModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    random = np.random.default_rng(0)
    t = np.arange(12 * 48_000) / 48_000
    for i, pitch in enumerate((220, 440, 880, 1760)):
        tone = 0.3 * np.sin(2 * np.pi * pitch * t) + 0.01 * (i + 1) * random.normal(size=len(t))
        soundfile.write(folder / f"{i}.wav", tone, 48_000)
    with (folder / "prompts.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "prompt"])
        writer.writerows((f"{i}.wav", prompt) for i, prompt in enumerate(PROMPTS))
    return folder


def _score(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(
        cli, ["score", *arguments, "--format", "json", "--workers", "1"], catch_exceptions=False
    )
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_scores_ranks_and_recall(model: Path, clips: Path) -> None:
    name = f"embedding=clap:{model}"
    found = _score(
        str(clips), "--prompts", str(clips / "prompts.csv"), "--metrics",
        f"clap_score:{name},clap_rank:{name},clap_recall:{name},clap_recall:{name},k=3",
    )  # fmt: skip
    clap = open_clap(str(model))
    text = clap.embed_texts(PROMPTS)
    for i, item in enumerate(found["items"]):
        scores = {k.partition(":")[0] + k[-4:]: v for k, v in item["scores"].items()}
        if i == 3:
            assert {s["reason"] for s in item["scores"].values()} == {"no prompt"}
            continue
        audio = clap(soundfile.read(clips / f"{i}.wav", dtype="float32")[0], 48_000)
        assert len(audio) == 3  # 12 s: windows at 0, 1 and 2 s
        vector = audio.mean(axis=0) / np.linalg.norm(audio.mean(axis=0))
        cosines = text @ vector
        by_name = {k.partition(":")[0]: v for k, v in item["scores"].items() if "k=3" not in k}
        assert by_name["clap_score"]["value"] == pytest.approx(cosines[i], abs=1e-5)
        rank = 1 + int((cosines > cosines[i]).sum())
        assert by_name["clap_rank"]["value"] == rank
        assert by_name["clap_recall"]["value"] == float(rank == 1)
        assert next(v for k, v in item["scores"].items() if "k=3" in k)["value"] == 1.0
        assert len(by_name["clap_score"]["detail"]["weights_hash"]) == 64
        assert scores


def test_a_run_stores_them(model: Path, clips: Path, tmp_path: Path) -> None:
    config = tmp_path / "benchmarks.yaml"
    config.write_text(
        f"""
references: {{ref: {{path: {clips}}}}}
systems:
  mine: {{path: "{clips}", prompts: "{clips}/prompts.csv"}}
benchmarks:
  table:
    reference: ref
    systems: [mine]
    metrics: [{{clap_score: {{embedding: "clap:{model}"}}}}]
"""
    )
    runner = CliRunner()
    for _ in range(2):
        done = runner.invoke(
            cli, ["run", str(config), "--workers", "1", "--quiet", "--no-html"],
            catch_exceptions=False,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
    out = runner.invoke(cli, ["report", str(config), "--format", "json"], catch_exceptions=False)
    rows = json.loads(out.stdout)["benchmarks"][0]["rows"]
    row = next(r for r in rows if r["system"] == "mine" and r["metric"].startswith("clap_score"))
    assert row["n"] == 3
    assert -1 <= row["ci_low"] <= row["value"] <= row["ci_high"] <= 1
    assert row["direction"] == "higher"


def test_prompts_need_a_file_that_fits(model: Path, clips: Path, tmp_path: Path) -> None:
    from concours.eval.errors import UsageError

    asked = ["score", str(clips), "--metrics", f"clap_score:embedding=clap:{model}"]
    for more, message in (
        ([], "add --prompts"),
        (["--prompts", str(tmp_path / "no.csv")], "cannot be read"),
    ):
        result = CliRunner().invoke(cli, [*asked, *more])
        assert isinstance(result.exception, UsageError)
        assert message in str(result.exception)
    (tmp_path / "other.csv").write_text("path,prompt\nnot-there.wav,x\n")
    result = CliRunner().invoke(cli, [*asked, "--prompts", str(tmp_path / "other.csv")])
    assert "no item is called not-there.wav" in str(result.exception)
