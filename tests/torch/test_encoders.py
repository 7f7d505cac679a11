"""Encoders from folders in transformers' format, with small random models of each kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from concours.eval.embeddings.catalogue import open_embedding  # noqa: E402
from concours.eval.errors import UsageError  # noqa: E402
from concours.metrics.embeddings.protocol import TooShortError  # noqa: E402

pytestmark = pytest.mark.torch

SMALL = {
    "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48,
    "conv_dim": (16, 16, 16), "conv_kernel": (10, 3, 3), "conv_stride": (5, 8, 8),
    "num_feat_extract_layers": 3, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip


def _save(kind: str, folder: Path) -> Any:
    torch.manual_seed(3)
    names = {"wav2vec2": "Wav2Vec2", "hubert": "Hubert", "wavlm": "WavLM", "mert": "Hubert"}
    name = names[kind]
    config = getattr(transformers, f"{name}Config")(**SMALL)
    model = getattr(transformers, f"{name}Model")(config).eval()
    model.save_pretrained(folder)
    settings = {"sampling_rate": 24_000 if kind == "mert" else 16_000, "do_normalize": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    if kind == "mert":  # as its makers publish it
        file = folder / "config.json"
        stated = json.loads(file.read_text()) | {"model_type": "mert_model", "auto_map": {"a": "b"}}
        file.write_text(json.dumps(stated))
    return model


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wavlm", "mert"])
def test_states_of_a_layer(kind: str, tmp_path: Path) -> None:
    model = _save(kind, tmp_path / "model")
    rate = 24_000 if kind == "mert" else 16_000
    audio = np.random.default_rng(0).normal(size=2 * rate).astype(np.float32) * 0.1
    extractor = transformers.Wav2Vec2FeatureExtractor(sampling_rate=rate, do_normalize=True)
    values = extractor(audio, sampling_rate=rate, return_tensors="pt").input_values
    with torch.inference_mode():
        states = model(values, output_hidden_states=True).hidden_states
    for layer in (-1, 0, 2):
        ours = open_embedding(f"{kind}:{tmp_path}/model:layer={layer}")
        assert (ours.spec.sample_rate, ours.spec.dimension) == (rate, 32)
        np.testing.assert_allclose(ours(audio, rate), states[layer][0].numpy(), atol=1e-5)
    with pytest.raises(UsageError, match="layers 0 to 3"):
        open_embedding(f"{kind}:{tmp_path}/model:layer=9")


def test_windows_of_ten_seconds(tmp_path: Path) -> None:
    _save("hubert", tmp_path / "model")
    ours = open_embedding(f"hubert:{tmp_path}/model")
    audio = np.random.default_rng(0).normal(size=26 * 16_000).astype(np.float32) * 0.1
    parts = [ours(audio[s : s + 160_000], 16_000) for s in (0, 160_000, 320_000)]
    np.testing.assert_allclose(ours(audio, 16_000), np.concatenate(parts), atol=1e-6)
    whole = ours(audio[:160_000], 16_000)
    np.testing.assert_allclose(ours(audio[:165_000], 16_000), whole, atol=1e-6)
    with pytest.raises(TooShortError):
        ours(audio[:1000], 16_000)


def test_encodec_is_continuous_before_its_codes(tmp_path: Path) -> None:
    torch.manual_seed(3)
    config = transformers.EncodecConfig(num_filters=4, hidden_size=16, codebook_dim=16)
    model = transformers.EncodecModel(config).eval()
    model.save_pretrained(tmp_path / "model")
    audio = np.random.default_rng(0).normal(size=24_000).astype(np.float32) * 0.1
    with torch.inference_mode():
        expected = model.encoder(torch.from_numpy(audio)[None, None])[0].T.numpy()
    ours = open_embedding(f"encodec:{tmp_path}/model")
    found = ours(audio, 24_000)
    assert found.shape == (75, 16)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_another_models_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="no hubert"):
        open_embedding(f"hubert:{tmp_path}")
