"""ONNX files: an exported CLAP says what torch says, and any model with its settings runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from onnx import TensorProto, helper  # noqa: E402

from concours.eval.embeddings.catalogue import open_embedding  # noqa: E402
from concours.eval.embeddings.clap import open_clap  # noqa: E402
from concours.eval.embeddings.onnx_file import export_clap  # noqa: E402
from concours.eval.errors import UsageError  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]  # the exporter warns


@pytest.mark.parametrize("fusion", [False, True])
def test_exported_clap_agrees(fusion: bool, sound: np.ndarray, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.ClapConfig(
        text_config={"num_hidden_layers": 1, "vocab_size": 60, "hidden_size": 32,
                     "intermediate_size": 32, "num_attention_heads": 2},
        audio_config={"enable_fusion": fusion, "fusion_type": "aff_2d" if fusion else None},
        projection_dim=512,
    )  # fmt: skip
    transformers.ClapModel(config).save_pretrained(tmp_path / "model")
    file = export_clap(f"{tmp_path}/model", tmp_path / "clap.onnx")
    long = np.tile(sound, 4)
    ours, exported = open_clap(f"{tmp_path}/model"), open_embedding(f"onnx:{file}")
    assert (exported.spec.sample_rate, exported.spec.dimension) == (48_000, 512)
    for audio in (sound, long):
        np.testing.assert_allclose(exported(audio, 48_000), ours(audio, 48_000), atol=1e-5)


def _mean_and_peak(path: Path) -> Any:
    """A model of two outputs a window: the mean and the largest sample."""
    nodes = [
        helper.make_node("ReduceMean", ["x", "axis"], ["mean"], keepdims=1),
        helper.make_node("ReduceMax", ["x", "axis"], ["peak"], keepdims=1),
        helper.make_node("Concat", ["mean", "peak"], ["y"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "stats",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 8000])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])],
        [helper.make_tensor("axis", TensorProto.INT64, [1], [1])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10
    onnx.save(model, path)


def test_any_model_with_its_settings(tmp_path: Path) -> None:
    file = tmp_path / "stats.onnx"
    _mean_and_peak(file)
    with pytest.raises(UsageError, match="sample_rate, window, hop unknown"):
        open_embedding(f"onnx:{file}")
    settings = {"sample_rate": 8000, "window": 1.0, "hop": 0.5}
    file.with_name("stats.onnx.json").write_text(json.dumps(settings))
    audio = np.random.default_rng(0).normal(size=20_000).astype(np.float32)
    found = open_embedding(f"onnx:{file}")(audio, 8000)
    expected = [[w.mean(), w.max()] for w in (audio[s : s + 8000] for s in (0, 4000, 8000, 12000))]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    (tmp_path / "no.onnx").write_text("no model")
    with pytest.raises(UsageError, match="no ONNX model"):
        open_embedding(f"onnx:{tmp_path}/no.onnx")
