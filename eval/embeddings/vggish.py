"""VGGish: 128 dimensions for every 0.96 s, from torchvggish's checkpoint.

The frames are those that published FADs use: the last layer before its ReLU, without the PCA and
the quantisation of the AudioSet release.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.embeddings.engines import read_state, require
from concours.eval.errors import UsageError
from concours.eval.weights import content_hash, locate
from concours.metrics.clip import Samples
from concours.metrics.embeddings.protocol import EmbeddingSpec, Frames, check_rate
from concours.metrics.embeddings.vggish_input import SAMPLE_RATE, vggish_patches

BATCH = 32
LAYERS = (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool")


@dataclass(frozen=True, eq=False)
class Vggish:
    """An opened VGGish."""

    spec: EmbeddingSpec
    features: Any
    embeddings: Any

    def __call__(self, audio: Samples, sample_rate: int) -> Frames:
        check_rate(self.spec, sample_rate)
        torch = require("torch", "torch")
        patches = vggish_patches(audio)
        found = []
        for start in range(0, len(patches), BATCH):
            with torch.inference_mode():
                batch = torch.from_numpy(patches[start : start + BATCH, np.newaxis])
                # the checkpoint comes from TensorFlow, where channels are last
                flat = self.features(batch).permute(0, 2, 3, 1).flatten(1)
                found.append(self.embeddings(flat).numpy())
        return np.concatenate(found).astype(np.float32)


def open_vggish(argument: str) -> Vggish:
    """VGGish from its place among the weights, or from the file given.

    Raises:
        UsageError: the checkpoint is missing or another model's, or torch is not installed.
    """
    place = Path(argument).expanduser() if argument else locate("vggish")
    if not place.is_file():
        raise UsageError(f"vggish:{argument}: no file there")
    nn = require("torch", "torch").nn
    features, embeddings = _layers(nn)
    state = read_state(place)
    for part, module in (("features.", features), ("embeddings.", embeddings)):
        own = {k.removeprefix(part): v for k, v in state.items() if k.startswith(part)}
        try:
            module.load_state_dict(own)
        except RuntimeError as error:
            raise UsageError(f"{place}: not VGGish in torchvggish's format: {error}") from error
    spec = EmbeddingSpec(
        name="vggish",
        model_id="vggish",
        dimension=128,
        sample_rate=SAMPLE_RATE,
        window=0.96,
        hop=0.96,
        weights_hash=content_hash(place),
        note="VGGish before its last ReLU, without PCA",
    )
    return Vggish(spec, features.eval(), embeddings.eval())


def _layers(nn: Any) -> tuple[Any, Any]:
    layers: list[Any] = []
    channels = 1
    for width in LAYERS:
        if width == "pool":
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = int(width)
    embeddings = nn.Sequential(
        nn.Linear(512 * 4 * 6, 4096), nn.ReLU(True), nn.Linear(4096, 4096), nn.ReLU(True),
        nn.Linear(4096, 128),
    )  # fmt: skip
    return nn.Sequential(*layers), embeddings
