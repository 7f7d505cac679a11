"""The Audio Spectrogram Transformer: 527 classes of AudioSet, for the KL of class posteriors.

Frames are logits, one row for every 10.24 s at 16,000 Hz; a shorter clip, and the rest of a longer
one if it is at least 1 s, are padded by the model's own feature extractor.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.embeddings.engines import require
from concours.eval.errors import UsageError
from concours.eval.weights import content_hash, locate
from concours.metrics.clip import Samples
from concours.metrics.embeddings.protocol import EmbeddingSpec, Frames, TooShortError, check_rate

SECONDS = 10.24
SHORTEST = 1.0


@dataclass(frozen=True, eq=False)
class Classifier:
    """An opened classifier."""

    spec: EmbeddingSpec
    model: Any
    extractor: Any

    def __call__(self, audio: Samples, sample_rate: int) -> Frames:
        check_rate(self.spec, sample_rate)
        torch = require("torch", "torch")
        size, least = (round(s * sample_rate) for s in (SECONDS, SHORTEST))
        if len(audio) < least:
            raise TooShortError(f"{len(audio) / sample_rate:.2f} s: ast needs {SHORTEST:g} s")
        found = []
        for start in range(0, len(audio), size):
            window = audio[start : start + size]
            if start and len(window) < least:
                break
            values = self.extractor(
                np.asarray(window), sampling_rate=sample_rate, return_tensors="pt"
            )["input_values"]
            with torch.inference_mode():
                found.append(self.model(values).logits.numpy())
        return np.concatenate(found).astype(np.float32)


def open_classifier(argument: str) -> Classifier:
    """AST from its place among the weights, or from a folder in transformers' format.

    Raises:
        UsageError: the folder is missing or another model's, or an engine is not installed.
    """
    place = Path(argument).expanduser() if argument else locate("ast")
    if not place.is_dir():
        raise UsageError(f"ast:{argument}: no folder there")
    transformers = require("transformers", "torch")
    try:
        model = transformers.ASTForAudioClassification.from_pretrained(
            str(place), local_files_only=True
        )
        with warnings.catch_warnings():  # of the lowest bands, empty in the original model too
            warnings.filterwarnings("ignore", "At least one mel filter has all zero values")
            extractor = transformers.ASTFeatureExtractor.from_pretrained(
                str(place), local_files_only=True
            )
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        raise UsageError(f"{place}: no AST in transformers' format: {first}") from error
    spec = EmbeddingSpec(
        name=f"ast:{argument}" if argument else "ast",
        model_id="ast",
        dimension=int(model.config.num_labels),
        sample_rate=int(extractor.sampling_rate),
        window=SECONDS,
        hop=SECONDS,
        weights_hash=content_hash(place),
        note="logits of classes, for the KL of posteriors and not for distances",
    )
    return Classifier(spec, model.eval(), extractor)
