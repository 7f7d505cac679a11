"""CLAP: sound and text in one space of 512 dimensions, in LAION's and in transformers' format."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.eval.embeddings.engines import read_state, require
from concours.eval.errors import UsageError
from concours.eval.weights import TOKENIZER, check_tokenizer, content_hash, locate
from concours.metrics.clip import Samples
from concours.metrics.embeddings.clap_input import SAMPLE_RATE, SECONDS, clap_mel, clap_windows
from concours.metrics.embeddings.protocol import EmbeddingSpec, Frames, check_rate

DEFAULT = "music"
BATCH = 8
DIMENSIONS = 512
# patch width → what else HTSAT-tiny and -base differ in
SIZES: dict[int, dict[str, Any]] = {
    96: {"hidden_size": 768, "depths": [2, 2, 6, 2]},
    128: {"hidden_size": 1024, "depths": [2, 2, 12, 2]},
}
# what a LAION checkpoint holds beyond the two towers and the projections
LEFT_OVER = re.compile(
    r"^(audio_branch\.(spectrogram_extractor|logmel_extractor|tscam_conv|head)\."
    r"|(audio|text)_transform\.|.*attn_mask$|.*position_ids$|.*self_mask$)"
)
RENAMED = (
    (r"^text_branch\.", "text_model."),
    (r"^audio_branch\.", "audio_model.audio_encoder."),
    (r"\.attn\.proj\.", ".attention.output.dense."),
    (r"\.attn\.", ".attention.self."),
    (r"\.mlp\.fc1\.", ".intermediate.dense."),
    (r"\.mlp\.fc2\.", ".output.dense."),
    (r"(\.blocks\.\d+)\.norm1\.", r"\1.layernorm_before."),
    (r"(\.blocks\.\d+)\.norm2\.", r"\1.layernorm_after."),
    (r"\.bn0\.", ".batch_norm."),
    (r"_projection\.0\.", "_projection.linear1."),
    (r"_projection\.2\.", "_projection.linear2."),
)
MAY_LACK = re.compile(r"(position_ids|relative_position_index|token_type_ids)$")


@dataclass(frozen=True, eq=False)
class Clap:
    """An opened CLAP model; frames are unit vectors, one for every window of 10 s."""

    spec: EmbeddingSpec
    model: Any
    fusion: bool
    tokenizer_folder: Path | None = None

    def __call__(self, audio: Samples, sample_rate: int) -> Frames:
        check_rate(self.spec, sample_rate)
        torch = require("torch", "torch")
        windows = clap_windows(sixteen_bits(audio), self.spec.hop)
        found = []
        for start in range(0, len(windows), BATCH):
            mel = [clap_mel(w, self.fusion) for w in windows[start : start + BATCH]]
            features = np.stack(mel)[:, np.newaxis]
            longer = None
            if self.fusion:  # a window is never longer than 10 s
                features = np.repeat(features, 4, axis=1)
                longer = torch.zeros((len(mel), 1), dtype=torch.bool)
            with torch.inference_mode():
                out = self.model.get_audio_features(torch.from_numpy(features), is_longer=longer)
            found.append(_unit(_pooled(out)))
        return np.concatenate(found)

    def embed_texts(self, texts: Sequence[str]) -> Frames:
        """Unit vectors of prompts, shape (len(texts), 512).

        Raises:
            UsageError: the tokenizer is missing or incomplete.
        """
        torch, transformers = require("torch", "torch"), require("transformers", "torch")
        folder = self.tokenizer_folder or locate(TOKENIZER)
        if self.tokenizer_folder is None:
            check_tokenizer(folder)
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        wanted = self.model.config.text_config.vocab_size
        if len(tokenizer) != wanted:
            raise UsageError(
                f"{folder}: the tokenizer has {len(tokenizer)} tokens and the model {wanted}; "
                "it is incomplete or another model's"
            )
        tokens = tokenizer(
            list(texts), padding="max_length", truncation=True, max_length=77, return_tensors="pt"
        )
        with torch.inference_mode():
            out = self.model.get_text_features(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
            )
        return _unit(_pooled(out))


def open_clap(argument: str, hop: float = 1.0) -> Clap:
    """CLAP from the checkpoint called ``argument``, or from a ``.pt`` file or a folder.

    Raises:
        UsageError: the checkpoint is missing or is no CLAP, or an engine is not installed.
    """
    given = Path(argument).expanduser()
    named = not (argument.endswith(".pt") or "/" in argument)
    place = locate(argument or DEFAULT) if named else given
    if not place.exists():
        raise UsageError(f"clap:{argument}: nothing at {place}")
    if place.is_dir():
        model = _from_folder(place)
        tokenizer = place if (place / "tokenizer_config.json").is_file() else None
    else:
        model, tokenizer = model_of_laion(read_state(place), str(place)), None
    spec = EmbeddingSpec(
        name=f"clap:{argument}" if argument else "clap",
        model_id=f"clap:{place.name}",
        dimension=DIMENSIONS,
        sample_rate=SAMPLE_RATE,
        window=float(SECONDS),
        hop=hop,
        weights_hash=content_hash(place),
    )
    return Clap(spec, model.eval(), bool(model.config.audio_config.enable_fusion), tokenizer)


def model_of_laion(state: dict[str, Any], name: str) -> Any:
    """transformers' ClapModel with the weights of a LAION checkpoint.

    Raises:
        UsageError: not an HTSAT-tiny or -base with RoBERTa, or tensors are missing or left over.
    """
    transformers = require("transformers", "torch")
    tensors = {k.removeprefix("module."): v for k, v in state.items()}
    patch = tensors.get("audio_branch.patch_embed.proj.weight")
    if patch is None or int(patch.shape[0]) not in SIZES:
        raise UsageError(f"{name}: not a LAION CLAP checkpoint with an HTSAT-tiny or -base tower")
    width = int(patch.shape[0])
    fusion = any(k.startswith("audio_branch.patch_embed.mel_conv2d") for k in tensors)
    config = transformers.ClapConfig(
        text_config={"layer_norm_eps": 1e-5},  # RoBERTa's; the class default is 1e-12
        audio_config={
            **SIZES[width],
            "patch_embeds_hidden_size": width,
            "num_attention_heads": [4, 8, 16, 32],
            "enable_fusion": fusion,
            "fusion_type": "aff_2d" if fusion else None,
        },
        projection_dim=DIMENSIONS,
        projection_hidden_act="relu",
    )
    model = transformers.ClapModel(config)
    missing, unexpected = model.load_state_dict(renamed(tensors), strict=False)
    faults = [k for k in missing if not MAY_LACK.search(k)] + list(unexpected)
    if faults:
        raise UsageError(f"{name}: {len(faults)} tensors missing or unknown, such as {faults[0]}")
    return model


def renamed(tensors: dict[str, Any]) -> dict[str, Any]:
    """LAION's tensors under transformers' names; fused attention weights are split in three."""
    found: dict[str, Any] = {}
    for key, tensor in tensors.items():
        if LEFT_OVER.search(key):
            continue
        name = key
        for pattern, replacement in RENAMED:
            name = re.sub(pattern, replacement, name)
        if ".self.qkv." in name:
            for part, third in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                found[name.replace("qkv", part)] = third
        else:
            found[name] = tensor
    return found


def _from_folder(folder: Path) -> Any:
    transformers = require("transformers", "torch")
    try:
        return transformers.ClapModel.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        raise UsageError(f"{folder}: no CLAP model in transformers' format: {first}") from error


def sixteen_bits(audio: Samples) -> Samples:
    """Samples rounded towards zero to 16 bits, as LAION's own code does before it listens."""
    scaled = np.clip(audio, -1.0, 1.0) * np.float32(32767.0)
    rounded: Samples = scaled.astype(np.int16).astype(np.float32) / np.float32(32767.0)
    return rounded


def _pooled(out: Any) -> NDArray[np.float32]:
    tensor = getattr(out, "pooler_output", out)
    return np.asarray(tensor.numpy(), dtype=np.float32)


def _unit(rows: NDArray[np.float32]) -> Frames:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Frames = (rows / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
