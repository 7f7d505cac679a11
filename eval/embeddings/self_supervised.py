"""EnCodec, wav2vec 2.0, HuBERT, WavLM and MERT: folders in transformers' format.

Frames are the states at every time step of a window of 10 s, so a clip gives hundreds of them:
EnCodec's continuous codes before quantisation, or one hidden layer of an encoder (the last; another
with ``NAME:layer=7``). Windows don't overlap; the last one is what remains, if it is at least 1 s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.eval.embeddings.engines import require
from concours.eval.errors import UsageError
from concours.eval.weights import content_hash, locate
from concours.metrics.clip import Samples
from concours.metrics.embeddings.protocol import (
    EmbeddingSpec,
    Frames,
    TooShortError,
    check_rate,
)

SECONDS = 10.0
SHORTEST = 1.0
KINDS = ("encodec", "wav2vec2", "hubert", "wavlm", "mert")
# MERT is HuBERT with weights of its own; its configuration asks for code from its repository
CLASSES = {
    "encodec": "EncodecModel",
    "wav2vec2": "Wav2Vec2Model",
    "hubert": "HubertModel",
    "wavlm": "WavLMModel",
    "mert": "HubertModel",
}


@dataclass(frozen=True, eq=False)
class Encoder:
    """An opened encoder. ``layer`` counts hidden states from 0 (the input of the first layer);
    -1 is the last. ``normalised`` says whether each window is brought to mean 0, variance 1."""

    spec: EmbeddingSpec
    model: Any
    kind: str
    layer: int
    normalised: bool

    def __call__(self, audio: Samples, sample_rate: int) -> Frames:
        check_rate(self.spec, sample_rate)
        torch = require("torch", "torch")
        found = []
        for window in self._windows(audio):
            with torch.inference_mode():
                found.append(self._frames(torch.from_numpy(window[np.newaxis])))
        return np.concatenate(found).astype(np.float32)

    def _windows(self, audio: Samples) -> Iterator[Samples]:
        size, least = (round(s * self.spec.sample_rate) for s in (SECONDS, SHORTEST))
        if len(audio) < least:
            raise TooShortError(
                f"{len(audio) / self.spec.sample_rate:.2f} s: {self.spec.name} needs {SHORTEST:g} s"
            )
        for start in range(0, len(audio), size):
            window = np.ascontiguousarray(audio[start : start + size])
            if start and len(window) < least:
                return
            if self.normalised:
                window = (window - window.mean()) / np.sqrt(window.var() + 1e-7)
            yield window.astype(np.float32)

    def _frames(self, window: Any) -> NDArray[np.float32]:
        if self.kind == "encodec":
            channels = self.model.config.audio_channels
            codes = self.model.encoder(window[:, None].repeat(1, channels, 1))
            return np.asarray(codes[0].T.numpy())
        states = self.model(window, output_hidden_states=True).hidden_states
        return np.asarray(states[self.layer][0].numpy())


def open_encoder(kind: str, argument: str) -> Encoder:
    """An encoder from its place among the weights, or from a folder; ``layer=N`` picks a layer.

    Raises:
        UsageError: the folder is missing or is another model's, the layer doesn't exist, or an
            engine is not installed.
    """
    folder, layer = _arguments(kind, argument)
    transformers = require("transformers", "torch")
    settings = _read(folder / "preprocessor_config.json")
    config = _read(folder / "config.json")
    rate = int(settings.get("sampling_rate") or config.get("sampling_rate") or 16_000)
    try:
        model = getattr(transformers, CLASSES[kind]).from_pretrained(
            str(folder), config=_config(transformers, kind, config), local_files_only=True
        )
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        raise UsageError(f"{folder}: no {kind} in transformers' format: {first}") from error
    strides = "upsampling_ratios" if kind == "encodec" else "conv_stride"
    hop = float(np.prod(getattr(model.config, strides)))
    if kind != "encodec":
        count = int(model.config.num_hidden_layers)
        if not -count - 1 <= layer <= count:
            raise UsageError(f"{kind}: there are layers 0 to {count}, and no {layer}")
    spec = EmbeddingSpec(
        name=f"{kind}:{argument}" if argument else kind,
        model_id=f"{kind}:{layer}",
        dimension=int(model.config.hidden_size),
        sample_rate=rate,
        window=SECONDS,
        hop=hop / rate,
        weights_hash=content_hash(folder),
    )
    return Encoder(spec, model.eval(), kind, layer, bool(settings.get("do_normalize", False)))


def _config(transformers: Any, kind: str, config: dict[str, Any]) -> Any:
    if kind != "mert":
        return None
    known = {
        k: v for k, v in config.items() if k not in ("auto_map", "model_type", "architectures")
    }
    return transformers.HubertConfig(**known)


def _arguments(kind: str, argument: str) -> tuple[Path, int]:
    folder, layer = "", -1
    for part in filter(None, argument.split(":")):
        if part.startswith("layer="):
            try:
                layer = int(part.removeprefix("layer="))
            except ValueError as error:
                raise UsageError(f"{kind}:{argument}: a layer is a number") from error
        else:
            folder = part
    place = Path(folder).expanduser() if folder else locate(kind)
    if not place.is_dir():
        raise UsageError(f"{kind}:{argument}: no folder there")
    return place, layer


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except ValueError as error:
        raise UsageError(f"{file}: no JSON: {error}") from error
    return dict(found)
