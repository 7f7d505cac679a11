"""Our VGGish against torchvggish, with seeded random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
theirs = pytest.importorskip("torchvggish.torchvggish")
theirs_input = pytest.importorskip("torchvggish.vggish_input")

from concours.eval.embeddings.vggish import open_vggish  # noqa: E402
from concours.eval.errors import UsageError  # noqa: E402
from concours.metrics.embeddings.protocol import TooShortError  # noqa: E402
from concours.metrics.embeddings.vggish_input import vggish_patches  # noqa: E402

pytestmark = pytest.mark.torch


def _audio(seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * 16_000)) / 16_000
    noise = np.random.default_rng(0).normal(size=len(t)) * 0.01
    return (0.3 * np.sin(2 * np.pi * 330 * t) * np.exp(-t) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    model = theirs.VGG(theirs.make_layers(), postprocess=False)
    path = tmp_path_factory.mktemp("vggish") / "vggish.pth"
    torch.save(model.state_dict(), path)
    return path


def test_patches_agree() -> None:
    audio = _audio(4.2)
    expected = theirs_input.waveform_to_examples(audio, 16_000, return_tensor=False)
    np.testing.assert_allclose(vggish_patches(audio), expected, atol=1e-5)
    with pytest.raises(TooShortError):
        vggish_patches(audio[:15_599])
    assert len(vggish_patches(audio[:15_600])) == 1


def test_embeddings_agree(checkpoint: Path) -> None:
    model = theirs.VGG(theirs.make_layers(), postprocess=False).eval()
    model.load_state_dict(torch.load(checkpoint, weights_only=True))
    model.embeddings = model.embeddings[:-1]  # as FAD takes it: before the last ReLU
    audio = _audio(5.0)
    with torch.inference_mode():
        expected = model(theirs_input.waveform_to_examples(audio, 16_000)).numpy()
    ours = open_vggish(str(checkpoint))
    found = ours(audio, 16_000)
    assert found.shape == (5, 128)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert (expected < 0).any()


def test_another_models_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(2, 2)}, tmp_path / "x.pth")
    with pytest.raises(UsageError, match="not VGGish"):
        open_vggish(str(tmp_path / "x.pth"))
