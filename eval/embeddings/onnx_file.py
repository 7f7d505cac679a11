"""Embeddings from an ONNX file, and the export of CLAP's audio tower to one.

What goes into the model stands in the file's own metadata or, where it has none, in a JSON file
beside it (``model.onnx.json``) with ``sample_rate``, ``window`` and ``hop`` (seconds), and
``input``: ``waveform`` (batch, samples), the default, or one of our front ends, ``clap``,
``clap-fusion`` (the mel bands of checkpoints with fusion) or ``vggish``. The model's first output
has the shape (batch, d).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from concours.eval.embeddings.engines import require
from concours.eval.errors import UsageError
from concours.eval.weights import content_hash, locate
from concours.metrics.clip import Samples
from concours.metrics.embeddings.clap_input import clap_mel, clap_windows
from concours.metrics.embeddings.protocol import EmbeddingSpec, Frames, check_rate, windows
from concours.metrics.embeddings.vggish_input import vggish_patches

BATCH = 8
INPUTS = ("waveform", "clap", "clap-fusion", "vggish")
KEYS = ("input", "sample_rate", "window", "hop", "model_id")


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """An opened ONNX model."""

    spec: EmbeddingSpec
    session: Any
    input: str

    def __call__(self, audio: Samples, sample_rate: int) -> Frames:
        check_rate(self.spec, sample_rate)
        batch = self._inputs(audio)
        name = self.session.get_inputs()[0].name
        found = [
            self.session.run(None, {name: np.ascontiguousarray(batch[i : i + BATCH])})[0]
            for i in range(0, len(batch), BATCH)
        ]
        return np.concatenate(found).astype(np.float32)

    def _inputs(self, audio: Samples) -> Any:
        from concours.eval.embeddings.clap import sixteen_bits

        if self.input == "waveform":
            return windows(audio, self.spec)
        if self.input == "vggish":
            return vggish_patches(audio)[:, np.newaxis]
        parts = clap_windows(sixteen_bits(audio), self.spec.hop)
        fusion = self.input == "clap-fusion"
        return np.stack([clap_mel(w, fusion) for w in parts])[:, np.newaxis]


# what models that papers use take, where their ONNX file doesn't say so itself
EXPORTED: dict[str, dict[str, Any]] = {
    "passt": {"sample_rate": 32_000, "window": 10.0, "hop": 10.0, "model_id": "passt"},
    "openl3": {"sample_rate": 48_000, "window": 1.0, "hop": 0.5, "model_id": "openl3"},
}


def open_exported(name: str, argument: str) -> OnnxFile:
    """A model that its user has exported to ONNX: from its place among the weights, or a file.

    Raises:
        UsageError: as :func:`open_onnx`, or it is not at its place.
    """
    place = argument or str(locate(name))
    return open_onnx(place, f"{name}:{argument}" if argument else name, EXPORTED[name])


def open_onnx(
    argument: str, name: str = "", usual: Mapping[str, Any] = MappingProxyType({})
) -> OnnxFile:
    """The embedding in an ONNX file; ``usual`` are settings where the file has none of its own.

    Raises:
        UsageError: no such file, no ONNX model, settings missing, or onnxruntime isn't installed.
    """
    place = Path(argument).expanduser()
    if not argument or not place.is_file():
        raise UsageError(f"onnx:{argument}: no file there; write onnx:path/to/model.onnx")
    runtime = require("onnxruntime", "onnx")
    try:
        session = runtime.InferenceSession(str(place), providers=["CPUExecutionProvider"])
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        raise UsageError(f"{place}: no ONNX model that onnxruntime reads: {first}") from error
    settings = _settings(place, session, usual)
    dimension = session.get_outputs()[0].shape[-1]
    if not isinstance(dimension, int):
        raise UsageError(f"{place}: the model's first output has no fixed last dimension")
    spec = EmbeddingSpec(
        name=name or f"onnx:{argument}",
        model_id=str(settings.get("model_id", "onnx")),
        dimension=dimension,
        sample_rate=int(settings["sample_rate"]),
        window=float(settings["window"]),
        hop=float(settings["hop"]),
        weights_hash=content_hash(place),
    )
    return OnnxFile(spec, session, str(settings.get("input", "waveform")))


def _settings(place: Path, session: Any, usual: Mapping[str, Any]) -> dict[str, Any]:
    beside = place.with_name(place.name + ".json")
    held = session.get_modelmeta().custom_metadata_map
    settings: dict[str, Any] = dict(usual)
    settings |= {k: held[f"concours.{k}"] for k in KEYS if f"concours.{k}" in held}
    if beside.is_file():
        try:
            settings |= json.loads(beside.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UsageError(f"{beside}: no JSON: {error}") from error
    missing = [k for k in ("sample_rate", "window", "hop") if k not in settings]
    if missing:
        raise UsageError(f"{place}: {', '.join(missing)} unknown; write them into {beside.name}")
    if settings.get("input", "waveform") not in INPUTS:
        raise UsageError(f"{place}: input must be one of {', '.join(INPUTS)}")
    return settings


def export_clap(argument: str, target: Path) -> Path:
    """Writes the audio tower of a CLAP checkpoint to ``target``; scoring from it needs no torch.

    Of a checkpoint with fusion, what is written is the path of clips of at most 10 s, which is the
    only one that our windows take: it never meets the layers that fuse.

    Raises:
        UsageError: the checkpoint is missing, or torch or onnx is not installed.
    """
    from concours.eval.embeddings.clap import open_clap

    torch, onnx = require("torch", "torch"), require("onnx", "onnx")
    require("onnxscript", "onnx")
    clap = open_clap(argument)
    encoder = clap.model.audio_model.audio_encoder
    for module in (encoder, encoder.patch_embed):
        module.enable_fusion = False

    class Tower(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model

        def forward(self, features: Any) -> Any:
            out = self.model.get_audio_features(features)
            return torch.nn.functional.normalize(getattr(out, "pooler_output", out), dim=-1)

    target.parent.mkdir(parents=True, exist_ok=True)
    example = torch.zeros(2, 1, 1001, 64)
    program = torch.onnx.export(
        Tower(clap.model).eval(), (example,), dynamo=True, verbose=False,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
    )  # fmt: skip
    program.save(str(target), external_data=False)
    model = onnx.load(str(target))
    spec = clap.spec
    for key, value in (
        ("input", "clap-fusion" if clap.fusion else "clap"),
        ("sample_rate", spec.sample_rate),
        ("window", spec.window),
        ("hop", spec.hop),
        ("model_id", f"{spec.model_id}:{spec.weights_hash}"),
    ):
        entry = model.metadata_props.add()
        entry.key, entry.value = f"concours.{key}", str(value)
    onnx.save(model, str(target))
    return target
