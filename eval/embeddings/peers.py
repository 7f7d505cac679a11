"""``engine: laion-clap`` and ``engine: frechet-audio-distance``: the peers' own packages.

For those who must publish a number that these packages made. They need an environment of their own
(extra ``peers``), are imported only here, and are kept from downloading: what they would fetch must
be at its place before. Frames come from the package; distances are ours, which agree with theirs to
the error of their matrix square root.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.embeddings.engines import read_state, require
from concours.eval.errors import UsageError
from concours.eval.weights import TOKENS, content_hash, locate, weights_folder
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
    _go_offline()
    return _laion(name) if engine == "laion-clap" else _frechet(name)


def _go_offline() -> None:
    """Keeps Hugging Face's packages from fetching what they miss, and from hanging where they
    can't: by the environment, and where they have read it already, by what they made of it."""
    for setting in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ[setting] = "1"
    for name in ("huggingface_hub.constants", "transformers.utils.hub"):
        module: Any = sys.modules.get(name)
        for held in ("HF_HUB_OFFLINE", "_is_offline_mode"):
            if hasattr(module, held):
                setattr(module, held, True)


@contextmanager
def _hub_of_files(hub: Path) -> Iterator[None]:
    """torch.hub with ``hub`` for its folder, where it reads code and checkpoints and fetches
    nothing; both as they were afterwards."""
    torch_hub = require("torch.hub", "peers")
    folder, load, fetch = torch_hub.get_dir(), torch_hub.load, torch_hub.download_url_to_file

    def local(repo_or_dir: str, model: str, **_: Any) -> Any:
        code = hub / (repo_or_dir.replace("/", "_") + "_master")
        return load(str(code), model, source="local")

    def refuse(url: str, dst: str, *_: Any, **__: Any) -> None:
        raise FileNotFoundError(f"{dst} is not there, and nothing is downloaded ({url})")

    torch_hub.load, torch_hub.download_url_to_file = local, refuse
    try:
        torch_hub.set_dir(str(hub))
        yield
    finally:
        torch_hub.load, torch_hub.download_url_to_file = load, fetch
        torch_hub.set_dir(folder)


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
        torch = require("torch", "peers")
        with torch.inference_mode():
            found = [
                self.module.get_audio_embedding_from_data(
                    x=windows[i : i + BATCH], use_tensor=False
                )
                for i in range(0, len(windows), BATCH)
            ]
        return np.concatenate(found).astype(np.float32)

    def embed_texts(self, texts: Sequence[str]) -> Frames:
        """Vectors of prompts, (len(texts), 512).

        Raises:
            UsageError: roberta-base's tokenizer is not, or not all, in Hugging Face's cache; the
                package would give every prompt the same tokens.
        """
        held = len(self.module.tokenize)
        if held != TOKENS:
            raise UsageError(
                f"{self.spec.name}: the tokenizer of roberta-base in Hugging Face's cache has "
                f"{held} tokens instead of {TOKENS}; fetch it with: hf download roberta-base"
            )
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

    amodel = "HTSAT-base" if width == 128 else "HTSAT-tiny"
    try:
        with redirect_stdout(io.StringIO()):  # the package talks where scores belong
            module = package.CLAP_Module(enable_fusion=fusion, device="cpu", amodel=amodel)
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
        said = io.StringIO()
        try:
            with redirect_stdout(said):
                found = self.measure.get_embeddings([np.asarray(audio)], sr=sample_rate)
        except ValueError as error:  # it prints what went wrong, and then has no rows to join
            raise ValueError(f"{self.spec.name}: {said.getvalue().strip() or error}") from error
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
        needed = [place]
        if kind == "vggish":  # the package reads the parameters of the PCA that it then leaves out
            pca = hub / "checkpoints" / "vggish_pca_params-970ea276.pth"
            needed += [pca, hub / "harritaylor_torchvggish_master"]
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
        with _hub_of_files(Path(settings["ckpt_dir"])), redirect_stdout(io.StringIO()):
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
