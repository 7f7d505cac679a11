"""Vectors of prompts, kept in the cache like frames: one file for all prompts of a run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from concours.eval.cache import cache_folder, digest
from concours.eval.embeddings.catalogue import open_embedding
from concours.eval.embeddings.described import identity_of
from concours.eval.errors import UsageError
from concours.metrics.embeddings.protocol import Frames

FOLDER = "texts"


def text_vectors(embedding: str, prompts: Sequence[str]) -> Frames:
    """One vector a prompt, (prompts, d), in the embedding's own space.

    Raises:
        UsageError: the embedding hears sound alone, or its tokenizer is missing or incomplete.
    """
    file = cache_folder() / FOLDER / f"{digest(identity_of(embedding), list(prompts))}.npy"
    if file.is_file():
        found: Frames = np.load(file, allow_pickle=False)
        return found
    embed = getattr(open_embedding(embedding), "embed_texts", None)
    if embed is None:
        raise UsageError(f"{embedding} has no side for texts; prompts need one, such as clap:music")
    vectors: Frames = np.asarray(embed(list(prompts)), np.float32)
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(prefix=".new-", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            np.save(stream, vectors, allow_pickle=False)
        Path(fresh).replace(file)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
    return vectors
