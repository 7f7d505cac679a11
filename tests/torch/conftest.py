"""The packages that the engines are compared with, imported without what they can't do offline."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def laion_clap_model() -> Iterator[Any]:
    """``laion_clap.clap_module.model``, the package's own model code.

    Importing laion_clap itself downloads tokenizers, so its two ``__init__`` files are passed
    over; torchvision, of which the model code needs one class that it never uses, is stood in for
    where it is missing; and RoBERTa starts from its configuration instead of from a download.
    """
    transformers = pytest.importorskip("transformers")
    found = find_spec("torchlibrosa")
    place = Path(next(iter(found.submodule_search_locations or [])), "..") if found else Path()
    root = (place / "laion_clap").resolve()
    if found is None or not root.is_dir():
        pytest.skip("laion_clap and torchlibrosa are not installed")
    with pytest.MonkeyPatch.context() as patch:
        for name, path in (
            ("laion_clap", root),
            ("laion_clap.clap_module", root / "clap_module"),
        ):
            package = ModuleType(name)
            package.__path__ = [str(path)]
            patch.setitem(sys.modules, name, package)
        if find_spec("torchvision") is None:
            for name in ("torchvision", "torchvision.ops", "torchvision.ops.misc"):
                patch.setitem(sys.modules, name, ModuleType(name))
            sys.modules["torchvision.ops.misc"].FrozenBatchNorm2d = object  # type: ignore[attr-defined]
        config = transformers.RobertaConfig(
            vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5
        )
        patch.setattr(
            transformers.RobertaModel,
            "from_pretrained",
            classmethod(lambda cls, *_, **__: cls(config)),
        )
        yield import_module("laion_clap.clap_module.model")


@pytest.fixture(scope="session")
def sound() -> np.ndarray:
    """3.3 s of chords and noise at 48,000 Hz."""
    t = np.arange(round(3.3 * 48_000)) / 48_000
    tones = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6, 1760.0)) / 8
    noise = np.random.default_rng(0).normal(size=len(t)) * 0.02
    return (tones * np.exp(-t) + noise).astype(np.float32)
