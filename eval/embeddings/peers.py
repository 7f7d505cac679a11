"""``engine: laion-clap`` and ``engine: frechet-audio-distance``: the peers' own packages.

For those who must publish a number that these packages made. They need an environment of their own
(extra ``peers``), are imported only here, and are kept from downloading: what they would fetch must
be at its place before. Frames come from the package; distances are ours, which agree with theirs to
the error of their matrix square root.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.embeddings.engines import read_state, require
from concours.eval.errors import UsageError
from concours.eval.weights import content_hash, locate, weights_folder
from concours.metrics.clip import Samples
from concours.metrics.embeddings.clap_input import SAMPLE_RATE, SECONDS, clap_windows
from concours.metrics.embeddings.protocol import Embedding, EmbeddingSpec, Frames, check_rate
from concours.metrics.embeddings.vggish_input import SHORTEST

BATCH = 8
# our names of LAION's checkpoints as frechet-audio-distance calls them
SUBMODELS = {"music": "music_audioset", "music-speech": "music_speech_audioset",
             "630k": "630k-audioset", "630k-fusion": "630k-audioset"}  # fmt: skip


def open_peer(engine: str, name: str) -> Embedding:
    """An embedding run by another package.

    Raises:
        UsageError: the package is not installed, has no such embedding, or its files are missing.
    """
    # the packages fetch what they miss, and hang where they can't
    for setting in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ.setdefault(setting, "1")
    return _laion(name) if engine == "laion-clap" else _frechet(name)


@dataclass(frozen=True, eq=False)
class LaionClap:
    """laion_clap's own module; windows of 10 s stand at fixed places, as in our engine."""

    spec: EmbeddingSpec
    module: Any

    def __call__(self, audio: Samples, sample_rate: int) -> Frames:
        check_rate(self.spec, sample_rate)
        # a short clip goes in as it is: the package repeats and pads it
        short = len(audio) < SAMPLE_RATE * SECONDS
        windows = [audio] if short else clap_windows(audio, self.spec.hop)
        found = [
            self.module.get_audio_embedding_from_data(x=windows[i : i + BATCH], use_tensor=False)
            for i in range(0, len(windows), BATCH)
        ]
        return np.concatenate(found).astype(np.float32)

    def embed_texts(self, texts: Sequence[str]) -> Frames:
        """Vectors of prompts, (len(texts), 512)."""
        # of a single text some versions of the package make a vector and not a row
        asked = [*texts, ""] if len(texts) == 1 else list(texts)
        found = self.module.get_text_embedding(asked, use_tensor=False)
        return np.asarray(found, np.float32)[: len(texts)]


def _laion(name: str) -> Embedding:
    kind, _, argument = name.partition(":")
    if kind != "clap":
        raise UsageError(f"engine laion-clap runs clap, and not {kind}")
    given = Path(argument).expanduser()
    place = given if argument.endswith(".pt") else locate(argument or "music")
    if not place.is_file():
        raise UsageError(f"clap:{argument}: no LAION checkpoint at {place}")
    package = _package("laion_clap", "laion-clap")
    keys = read_state(place)
    tensors = {k.removeprefix("module."): v for k, v in keys.items()}
    width = int(tensors["audio_branch.patch_embed.proj.weight"].shape[0])
    fusion = any(k.startswith("audio_branch.patch_embed.mel_conv2d") for k in tensors)
    try:
        module = package.CLAP_Module(
            enable_fusion=fusion, device="cpu",
            amodel="HTSAT-base" if width == 128 else "HTSAT-tiny",
        )  # fmt: skip
        module.load_ckpt(ckpt=str(place), verbose=False)
    except Exception as error:
        raise UsageError(f"laion-clap cannot open {place}: {_said(error)}") from error
    spec = EmbeddingSpec(
        name=f"{name} by laion-clap",
        model_id=f"laion-clap {version('laion-clap')}:{place.name}",
        dimension=512,
        sample_rate=SAMPLE_RATE,
        window=float(SECONDS),
        hop=1.0,
        weights_hash=content_hash(place),
        note=f"run by laion-clap {version('laion-clap')}",
    )
    return LaionClap(spec, module.eval())


@dataclass(frozen=True, eq=False)
class PeerFrechet:
    """frechet_audio_distance's own embedding of a whole clip. Of more than 10 s its CLAP draws a
    crop at random; it is drawn from one seed here, so that a clip has one number."""

    spec: EmbeddingSpec
    measure: Any
    shortest: float

    def __call__(self, audio: Samples, sample_rate: int) -> Frames:
        from concours.metrics.embeddings.protocol import TooShortError

        check_rate(self.spec, sample_rate)
        if len(audio) < self.shortest * sample_rate:
            raise TooShortError(
                f"{len(audio) / sample_rate:.3f} s: {self.spec.name} needs {self.shortest:g} s"
            )
        state = np.random.get_state()  # noqa: NPY002
        np.random.seed(0)  # noqa: NPY002
        try:
            found = self.measure.get_embeddings([np.asarray(audio)], sr=sample_rate)
        finally:
            np.random.set_state(state)  # noqa: NPY002
        return np.asarray(found, np.float32).reshape(-1, self.spec.dimension)


def _frechet(name: str) -> Embedding:
    kind, _, argument = name.partition(":")
    if kind not in ("vggish", "clap", "encodec"):
        raise UsageError(f"engine frechet-audio-distance runs vggish, clap and encodec, not {kind}")
    settings: dict[str, Any]
    if kind == "clap":
        model = argument or "music"
        if model not in SUBMODELS:
            raise UsageError(f"frechet-audio-distance has no CLAP {model}: {', '.join(SUBMODELS)}")
        place = locate(model)
        settings = {
            "model_name": "clap",
            "submodel_name": SUBMODELS[model],
            "sample_rate": SAMPLE_RATE,
            "enable_fusion": model.endswith("fusion"),
            "ckpt_dir": str(place.parent),
        }
        rate, dimension, window, shortest = SAMPLE_RATE, 512, float(SECONDS), 0.001
    else:
        hub = weights_folder() / "torch-hub"
        file = "vggish-10086976.pth" if kind == "vggish" else "encodec_24khz-d7cc33bc.th"
        place = hub / "checkpoints" / file
        needed = [place] if kind == "encodec" else [place, hub / "harritaylor_torchvggish_master"]
        missing = [str(p) for p in needed if not p.exists()]
        if missing:
            raise UsageError(
                f"frechet-audio-distance keeps its {kind} in torch's hub, and {missing[0]} is not "
                f"there; copy ~/.cache/torch/hub from a machine where the package has run to {hub}"
            )
        rate = 16_000 if kind == "vggish" else 24_000
        settings = {"model_name": kind, "sample_rate": rate, "ckpt_dir": str(hub)}
        dimension, window = 128, 0.96 if kind == "vggish" else 1 / 75
        shortest = SHORTEST / 16_000 if kind == "vggish" else 0.1
    package = _package("frechet_audio_distance", "frechet-audio-distance")
    try:
        measure = package.FrechetAudioDistance(verbose=False, **settings)
    except Exception as error:
        raise UsageError(f"frechet-audio-distance cannot open {kind}: {_said(error)}") from error
    made = version("frechet-audio-distance")
    spec = EmbeddingSpec(
        name=f"{name} by frechet-audio-distance",
        model_id=f"frechet-audio-distance {made}:{name}",
        dimension=dimension,
        sample_rate=rate,
        window=window,
        hop=window,
        weights_hash=content_hash(place),
        note=f"run by frechet-audio-distance {made}",
    )
    return PeerFrechet(spec, measure, shortest)


def _package(module: str, shown: str) -> Any:
    import sys

    arguments, sys.argv = sys.argv, sys.argv[:1]  # laion_clap reads the command line on import
    try:
        return require(module, "peers")
    except UsageError as error:
        raise UsageError(
            f"{error}. {shown} needs an environment of its own (Python 3.11 or 3.12, numpy below "
            "2, torchvision), and on import the tokenizers of bert-base-uncased, roberta-base and "
            "facebook/bart-base and the weights of roberta-base in Hugging Face's cache; nothing "
            "is downloaded here. See docs/audio.md"
        ) from error
    finally:
        sys.argv = arguments


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().split(chr(10))[0]}"
