"""The frames of items, kept in the cache: float32, one file for each content and embedding.

An entry is named by the item's content, by how it became sound, and by the embedding's identity
(model, checkpoint, preprocessing), never by a path. A clip that is too short has an entry without
frames; one that failed has none and is tried again.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from concours.eval.cache import cache_folder, digest
from concours.eval.embeddings.catalogue import identity_of, open_embedding
from concours.eval.load import LOADER_VERSION
from concours.eval.render import RENDERING
from concours.metrics.audio_sets import FrameSet, frame_set
from concours.metrics.clip import Clip
from concours.metrics.embeddings.protocol import Frames, TooShortError, embed

FOLDER = "frames"


def frames_file(sha256: str, kind: str, embedding: str) -> Path:
    """Where the frames of an item (``symbolic``, which is rendered, or ``audio``) lie."""
    sound = [LOADER_VERSION, RENDERING] if kind == "symbolic" else [LOADER_VERSION]
    key = digest(sha256, kind, sound, identity_of(embedding))
    return cache_folder() / FOLDER / key[:2] / f"{key}.npy"


def store_frames(clip: Clip, file: Path, embedding: str) -> str:
    """Computes and stores a clip's frames; returns why there are none, or "".

    Raises:
        ValueError: the embedding cannot take this clip.
    """
    model = open_embedding(embedding)
    reason = ""
    try:
        frames = embed(model, clip)
    except TooShortError as error:
        frames, reason = np.zeros((0, model.spec.dimension), np.float32), str(error)
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(prefix=".new-", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            np.save(stream, frames, allow_pickle=False)
        Path(fresh).replace(file)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
    return reason


@dataclass(frozen=True)
class FrameFiles:
    """The cached frames of a system's items under one embedding; ``missing`` of them have none."""

    embedding: str
    files: tuple[str, ...]
    missing: int = 0

    @property
    def count(self) -> int:
        return len(self.files) + self.missing


@lru_cache(maxsize=4)
def read_set(source: FrameFiles) -> FrameSet:
    """The frames of a set of items, in the order of the files."""
    parts: list[Frames] = [np.load(file, allow_pickle=False) for file in source.files]
    return frame_set(parts, source.missing, open_embedding(source.embedding).spec.note)
