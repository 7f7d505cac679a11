"""Our CLAP engine against LAION's own model code, with seeded random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from random_clap import laion, save  # noqa: E402

from concours.eval.embeddings.clap import model_of_laion, open_clap, sixteen_bits  # noqa: E402
from concours.eval.errors import UsageError  # noqa: E402
from concours.metrics.embeddings.clap_input import LENGTH  # noqa: E402

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:torch.meshgrid"),  # in LAION's code
]


def _theirs(model: Any, audio: np.ndarray, fusion: bool) -> np.ndarray:
    """LAION's embedding of audio of at most 10 s, with its repeat-padding."""
    repeated = np.tile(audio, LENGTH // len(audio))
    wave = torch.zeros(LENGTH)
    wave[: len(repeated)] = torch.from_numpy(repeated)
    item = {"waveform": wave[None], "longer": torch.tensor([[False]])}
    if fusion:
        item["mel_fusion"] = _fusion_mel(wave)[None].repeat(1, 4, 1, 1)
    with torch.inference_mode():
        found = model.encode_audio(item, device="cpu")["embedding"]
        return torch.nn.functional.normalize(model.audio_projection(found), dim=-1).numpy()


def _fusion_mel(wave: Any) -> Any:
    """What torchaudio's MelSpectrogram and AmplitudeToDB give, from torch's own STFT."""
    audio_utils = pytest.importorskip("transformers.audio_utils")
    spectrum = torch.stft(wave, 1024, 480, window=torch.hann_window(1024), center=True,
                          pad_mode="reflect", return_complex=True)  # fmt: skip
    bank = audio_utils.mel_filter_bank(513, 64, 50, 14_000, 48_000, norm=None, mel_scale="htk")
    mel = (spectrum.abs() ** 2).T.double() @ torch.from_numpy(bank)
    return (10 * torch.log10(torch.clamp(mel, min=1e-10))).float()


@pytest.mark.parametrize(("size", "fusion"), [("tiny", False), ("base", False), ("tiny", True)])
def test_audio_and_text_agree_with_laion(
    size: str, fusion: bool, laion_clap_model: Any, sound: np.ndarray, tmp_path: Path
) -> None:
    theirs = laion(laion_clap_model, size, fusion)
    ours = open_clap(str(save(theirs, tmp_path / "model.pt")))
    assert ours.fusion is fusion
    long = np.tile(sound, 4)[:LENGTH]
    for audio in (sound, long):
        expected = _theirs(theirs, sixteen_bits(audio), fusion)
        np.testing.assert_allclose(ours(audio, 48_000), expected, atol=1e-5)
    tokens = torch.randint(5, 50_000, (3, 77), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(tokens)
    mask[1, 20:], mask[2, 5:] = 0, 0
    tokens[mask == 0] = 1
    with torch.inference_mode():
        text = {"input_ids": tokens, "attention_mask": mask}
        expected = torch.nn.functional.normalize(theirs.encode_text(text, "cpu"), dim=-1).numpy()
        out = ours.model.get_text_features(input_ids=tokens, attention_mask=mask)
    found = getattr(out, "pooler_output", out).numpy()
    found = found / np.linalg.norm(found, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(expected[0] - expected[1]).max() > 1e-3  # else the test says nothing


def test_long_audio_has_fixed_windows(
    laion_clap_model: Any, sound: np.ndarray, tmp_path: Path
) -> None:
    ours = open_clap(str(save(laion(laion_clap_model, "tiny", False), tmp_path / "model.pt")))
    long = np.tile(sound, 4)
    first, again = ours(long, 48_000), ours(long, 48_000)
    assert first.shape == (5, 512)  # 13.2 s: 0, 1, 2, 3 and the last 10 s
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first[1], ours(long[48_000 : 48_000 + LENGTH], 48_000)[0], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1.0, atol=1e-6)
    with pytest.raises(ValueError, match="resample"):
        ours(long, 44_100)


def test_what_is_no_clap_checkpoint_is_refused(laion_clap_model: Any, tmp_path: Path) -> None:
    state = laion(laion_clap_model, "tiny", False).state_dict()
    with pytest.raises(UsageError, match="not a LAION CLAP"):
        model_of_laion({"a": torch.zeros(3)}, "x.pt")
    del state["audio_branch.layers.0.blocks.0.attn.qkv.weight"]
    with pytest.raises(UsageError, match="3 tensors missing"):
        model_of_laion(state, "x.pt")
    (tmp_path / "text.pt").write_text("not a checkpoint")
    with pytest.raises(UsageError, match="read safely"):
        open_clap(str(tmp_path / "text.pt"))


def test_folder_in_transformers_format(sound: np.ndarray, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = transformers.ClapConfig(
        text_config={"vocab_size": 60, "num_hidden_layers": 1, "hidden_size": 32,
                     "intermediate_size": 32, "num_attention_heads": 2},
        projection_dim=512,
    )  # fmt: skip
    transformers.ClapModel(config).save_pretrained(tmp_path / "model")
    ours = open_clap(f"{tmp_path}/model")
    assert ours(sound, 48_000).shape == (1, 512)
    assert ours.spec.identity == open_clap(f"{tmp_path}/model").spec.identity


def test_an_incomplete_tokenizer_is_an_error(
    laion_clap_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCOURS_WEIGHTS", str(tmp_path))
    ours = open_clap(str(save(laion(laion_clap_model, "tiny", False), tmp_path / "model.pt")))
    with pytest.raises(UsageError, match=r"roberta-base .* is not at .*hf download"):
        ours.embed_texts(["a song"])
    folder = tmp_path / "roberta-base"
    folder.mkdir()
    with pytest.raises(UsageError, match=r"vocab\.json and merges\.txt"):
        ours.embed_texts(["a song"])
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "vocab.json").write_text(json.dumps({"<s>": 0, "<pad>": 1}))
    with pytest.raises(UsageError, match="2 tokens instead of 50265"):
        ours.embed_texts(["a song"])
