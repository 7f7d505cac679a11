"""Which embeddings there are: ours, ONNX files, and those that other packages bring.

Naming an embedding costs nothing; opening one imports its engine and reads its checkpoint. A
checkpoint is never downloaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, cast

from concours.eval.errors import UsageError
from concours.metrics.embeddings.protocol import Embedding

ENTRY_POINT_GROUP = "concours.embeddings"


def _spectral_stats(_: str) -> Embedding:
    from concours.metrics.embeddings.spectral_stats import SpectralStats

    return SpectralStats()


def _vggish(argument: str) -> Embedding:
    from concours.eval.embeddings.vggish import open_vggish

    return open_vggish(argument)


def _clap(argument: str) -> Embedding:
    from concours.eval.embeddings.clap import open_clap

    return open_clap(argument)


def _onnx(argument: str) -> Embedding:
    from concours.eval.embeddings.onnx_file import open_onnx

    return open_onnx(argument)


def _classifier(argument: str) -> Embedding:
    from concours.eval.embeddings.audio_classifier import open_classifier

    return open_classifier(argument)


def _exported(name: str) -> Callable[[str], Embedding]:
    def make(argument: str) -> Embedding:
        from concours.eval.embeddings.onnx_file import open_exported

        return open_exported(name, argument)

    return make


def _encoder(kind: str) -> Callable[[str], Embedding]:
    def make(argument: str) -> Embedding:
        from concours.eval.embeddings.self_supervised import open_encoder

        return open_encoder(kind, argument)

    return make


BUILT_IN: dict[str, Callable[[str], Embedding]] = {
    "spectral-stats-v1": _spectral_stats,
    "vggish": _vggish,
    "clap": _clap,
    **{k: _encoder(k) for k in ("encodec", "wav2vec2", "hubert", "wavlm", "mert")},
    "ast": _classifier,
    "passt": _exported("passt"),
    "openl3": _exported("openl3"),
    "onnx": _onnx,
}


ENGINES = ("laion-clap", "frechet-audio-distance")


def embedding_of(parameters: Mapping[str, Any]) -> str:
    """What :func:`open_embedding` knows the embedding of a metric's parameters by."""
    name, engine = str(parameters["embedding"]), str(parameters.get("engine", "concours"))
    return name if engine == "concours" else f"{engine}/{name}"


@lru_cache(maxsize=4)
def open_embedding(name: str) -> Embedding:
    """The embedding called ``name``, or ``name:argument`` (``onnx:model.onnx``).

    Raises:
        UsageError: no such embedding, its engine is not installed, or its checkpoint is missing,
            damaged or another one; the message says what to do.
    """
    engine, _, inner = name.partition("/")
    if engine in ENGINES:
        from concours.eval.embeddings.peers import open_peer

        return open_peer(engine, inner)
    kind, _, argument = name.partition(":")
    if kind in BUILT_IN:
        return BUILT_IN[kind](argument)
    others = {e.name: e for e in entry_points(group=ENTRY_POINT_GROUP)}
    if kind in others:
        make: Any = others[kind].load()
        return cast(Embedding, make(argument) if argument else make())
    known = ", ".join([*BUILT_IN, *sorted(others)])
    raise UsageError(f"no embedding is called {kind!r}; there are: {known}")
