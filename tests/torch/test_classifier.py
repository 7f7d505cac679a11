"""AST from a folder in transformers' format, with small random weights."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from concours.eval.embeddings.catalogue import open_embedding  # noqa: E402
from concours.eval.errors import UsageError  # noqa: E402
from concours.metrics.audio_fit import kl_reference_to_generated  # noqa: E402
from concours.metrics.embeddings.protocol import TooShortError  # noqa: E402
from concours.metrics.frame_set import frame_set  # noqa: E402

pytestmark = pytest.mark.torch


def test_logits_and_their_divergence(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = transformers.ASTConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        num_labels=12,
    )  # fmt: skip
    model = transformers.ASTForAudioClassification(config).eval()
    model.save_pretrained(tmp_path / "model")
    with warnings.catch_warnings():  # transformers, without torchaudio, of its own mel bands
        warnings.filterwarnings("ignore", "At least one mel filter has all zero values")
        extractor = transformers.ASTFeatureExtractor()
    extractor.save_pretrained(tmp_path / "model")
    ours = open_embedding(f"ast:{tmp_path}/model")
    assert (ours.spec.dimension, ours.spec.sample_rate) == (12, 16_000)
    random = np.random.default_rng(0)
    audio = (random.normal(size=16_000 * 12) * 0.1).astype(np.float32)
    found = ours(audio, 16_000)
    size = round(10.24 * 16_000)
    expected = []
    for part in (audio[:size], audio[size:]):
        values = extractor(part, sampling_rate=16_000, return_tensors="pt")["input_values"]
        with torch.inference_mode():
            expected.append(model(values).logits.numpy()[0])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(TooShortError):
        ours(audio[:8000], 16_000)
    odds = np.exp(found.astype(np.float64))  # a small divergence shows float32
    posterior = odds / odds.sum(axis=1, keepdims=True)
    p, q = posterior[:1].mean(axis=0), posterior[1:].mean(axis=0)
    kl = kl_reference_to_generated(frame_set([found[1:]]), frame_set([found[:1]]))[0]
    assert kl.value == pytest.approx(float((p * np.log(p / q)).sum()), rel=1e-5)  # type: ignore[union-attr]
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="no AST"):
        open_embedding(f"ast:{tmp_path}")
