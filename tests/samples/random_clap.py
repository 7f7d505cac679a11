"""LAION's CLAP with seeded random weights, by the package's own model code, in its own format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

AUDIO = {
    "audio_length": 1024, "clip_samples": 480_000, "mel_bins": 64, "sample_rate": 48_000,
    "window_size": 1024, "hop_size": 480, "fmin": 50, "fmax": 14_000, "class_num": 527,
    "model_type": "HTSAT",
}  # fmt: skip
TEXT = {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12,
        "model_type": "roberta"}  # fmt: skip


def laion(module: Any, size: str, fusion: bool) -> Any:
    torch.manual_seed(7)
    model = module.CLAP(
        1024 if size == "base" else 768, module.CLAPAudioCfp(**AUDIO, model_name=size), TEXT,
        enable_fusion=fusion, fusion_type="aff_2d" if fusion else "None",
    )  # fmt: skip
    for name, buffer in model.named_buffers():
        if "running_mean" in name:  # as after training, so that their mapping shows
            buffer.copy_(torch.randn_like(buffer) * 0.1)
    return model.eval()


def save(model: Any, path: Path) -> Path:
    state = {f"module.{k}": v for k, v in model.state_dict().items()}
    state["module.text_branch.embeddings.position_ids"] = torch.arange(514)[None]
    torch.save({"epoch": 14, "name": "test", "state_dict": state}, path)
    return path
