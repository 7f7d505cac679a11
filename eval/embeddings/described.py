"""What an embedding is, without opening it: its settings are kept in the cache once it was opened.

A run that is complete needs the identity of its embeddings and not their models, which take
seconds and gigabytes to open. An entry is named by what the user wrote, the contents of its
checkpoint and the code of ours that opens it: it is never stale.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from concours.eval.cache import cache_folder, digest
from concours.eval.embeddings.catalogue import BUILT_IN, embedding_of, open_embedding
from concours.eval.errors import UsageError
from concours.eval.weights import (
    CHECKPOINTS,
    content_hash,
    locate,
    place_of,
    weights_folder,
)
from concours.metrics.embeddings import protocol
from concours.metrics.embeddings.protocol import EmbeddingSpec
from concours.metrics.spec import MetricRequest

FOLDER = "embeddings"


def describe(name: str) -> EmbeddingSpec:
    """The settings of the embedding called ``name``.

    Raises:
        UsageError: as :func:`~concours.eval.embeddings.catalogue.open_embedding`, which is asked
            where the cache knows nothing of this checkpoint.
    """
    return _described(name, str(weights_folder()), str(cache_folder()))


def identity_of(name: str) -> str:
    """The hash of everything that moves the embedding's numbers, its checkpoint included.

    Raises:
        UsageError: as :func:`describe`.
    """
    return describe(name).identity


def require_embeddings(requests: Iterable[MetricRequest], *, opened: bool = False) -> None:
    """Looks for every embedding that metrics ask for, with the tokenizer of those that read
    prompts; ``opened`` opens them too, which finds missing packages and damaged checkpoints.

    Raises:
        UsageError: one that :func:`~concours.eval.embeddings.catalogue.open_embedding` cannot
            open, or all of them in one message, a line each, so that what is missing can be got in
            one go.
    """
    look: Callable[[str], object] = open_embedding if opened else describe
    faults: dict[str, None] = {}
    for request in requests:
        if request.spec.inputs != "embedding":
            continue
        name = embedding_of(request.parameters)
        try:
            look(name)
        except UsageError as error:
            faults[str(error)] = None
        needs = [c.needs for c in CHECKPOINTS.values() if c.embedding == name]
        for needed in needs[0] if needs and request.spec.partner == "prompt" else ():
            try:
                locate(needed)
            except UsageError as error:
                faults[str(error)] = None
    if faults:
        raise UsageError("\n".join(faults))


@lru_cache(maxsize=16)
def _described(name: str, _weights: str, _cache: str) -> EmbeddingSpec:
    files = checkpoint_files(name)
    if not files or not all(f.exists() for f in files):
        return open_embedding(name).spec
    key = digest(name, [content_hash(f) for f in files], _code())
    kept = cache_folder() / FOLDER / f"{key}.json"
    try:
        return EmbeddingSpec(**json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        spec = open_embedding(name).spec
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = kept.with_name(f".{key}-{os.getpid()}")
    fresh.write_text(json.dumps(asdict(spec)), encoding="utf-8")
    fresh.replace(kept)
    return spec


def checkpoint_files(name: str) -> list[Path]:
    """What a built-in embedding reads: a file or a folder, and an ONNX file's settings where they
    stand beside it; nothing where that is not known, as of the peers' engines and of plugins."""
    kind, _, argument = name.partition(":")
    if kind not in BUILT_IN:
        return []
    given = next((p for p in argument.split(":") if p and not p.startswith("layer=")), "")
    known = [c.name for c in CHECKPOINTS.values() if c.embedding == f"{kind}:{given}"]
    if known or not given:
        known = known or ["music" if kind == "clap" else kind]
        places = [place_of(n) for n in known if n in CHECKPOINTS]
    else:
        places = [Path(given).expanduser()]
    beside = [p.with_name(p.name + ".json") for p in places]
    return places + [b for b in beside if b.is_file()]


@lru_cache(maxsize=1)
def _code() -> str:
    """A hash of the modules that open embeddings."""
    found = hashlib.sha256()
    for folder in (Path(__file__).parent, Path(protocol.__file__).parent):
        for file in sorted(folder.glob("*.py")):
            found.update(file.read_bytes())
    return found.hexdigest()
