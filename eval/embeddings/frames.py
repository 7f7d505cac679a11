"""The frames of items, kept in the cache: float32, one file for each content and embedding.

An entry is named by the item's content, by how it became sound, and by the embedding's identity
(model, checkpoint, preprocessing), never by a path. A clip that is too short has an entry without
frames; one that failed has none and is tried again.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.cache import cache_folder, digest
from concours.eval.embeddings.catalogue import open_embedding
from concours.eval.embeddings.described import describe, identity_of
from concours.eval.embeddings.statistics import read_statistics
from concours.eval.errors import UsageError
from concours.eval.load import LOADER_VERSION
from concours.eval.render import RENDERING
from concours.eval.weights import content_hash
from concours.metrics.clip import Clip
from concours.metrics.embeddings.protocol import EmbeddingSpec, Frames, TooShortError, embed
from concours.metrics.frame_set import FrameSet, frame_set
from concours.metrics.gaussians import GaussianStats

FOLDER = "frames"
MAX_BYTES = 512 << 20
BLOCKS = 20


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
    """The cached frames of a system's items under one embedding, and the song of each; ``missing``
    items have none. ``set_id`` is a hash of all contents, ``statistics`` the file of a reference
    that is known by its statistics alone.
    """

    embedding: str
    files: tuple[str, ...]
    songs: tuple[str, ...] = ()
    missing: int = 0
    set_id: str = ""
    statistics: str = ""

    @property
    def count(self) -> int:
        return len(self.files) + self.missing


@lru_cache(maxsize=4)
def read_set(source: FrameFiles) -> FrameSet:
    """The frames of a set of items, in the order of the files; missing ones are counted.

    Sets of more than :data:`MAX_BYTES` are read one file at a time: their statistics are whole,
    their frames a sample.
    """
    if source.statistics:
        return statistics_set(Path(source.statistics), source.embedding)
    spec = describe(source.embedding)
    facts = {**facts_of(spec), "set": source.set_id}
    sizes = [Path(f).stat().st_size for f in source.files]
    if sum(sizes) > MAX_BYTES:
        return _streamed(source, sizes, spec.note, facts)
    parts: list[Frames] = [np.load(file, allow_pickle=False) for file in source.files]
    songs = source.songs or source.files
    return frame_set(parts, source.missing, spec.note, songs, facts)


def facts_of(spec: EmbeddingSpec) -> dict[str, Any]:
    """What a result must say of the embedding that made its frames."""
    return {
        "embedding_id": spec.identity,
        "model": spec.model_id,
        "weights_hash": spec.weights_hash,
        "preprocessing": {
            "sample_rate": spec.sample_rate,
            "window": spec.window,
            "hop": spec.hop,
            "channels": spec.channels,
            "resampler": f"soxr {spec.resampler}",
            "loudness": spec.loudness,
            "version": spec.version,
        },
    }


def _streamed(
    source: FrameFiles, sizes: Sequence[int], note: str, facts: Mapping[str, Any]
) -> FrameSet:
    """A set in constant memory: one file at a time, in their order, into blocks of whole songs."""
    share = MAX_BYTES / sum(sizes)
    waiting: list[list[Frames]] = [[] for _ in range(BLOCKS)]
    blocks: list[GaussianStats | None] = [None] * BLOCKS

    def settle(b: int) -> None:
        rows = np.concatenate(waiting[b])
        part = GaussianStats.from_frames(rows)
        known = blocks[b]
        blocks[b] = part if known is None else known.merge(part)
        waiting[b].clear()

    sample: list[Frames] = []
    dealt: list[int] = []
    clips, missing = 0, source.missing
    for file, song in zip(source.files, source.songs or source.files, strict=True):
        frames = np.load(file, allow_pickle=False)
        if not len(frames):
            missing += 1
            continue
        clips += 1
        b = int(digest(song)[:8], 16) % BLOCKS
        waiting[b].append(frames)
        if sum(map(len, waiting[b])) > 4 * frames.shape[1]:
            settle(b)
        if int(digest("sample", Path(file).name)[:8], 16) < share * 2**32:
            sample.append(frames)
            dealt.append(b)
    for b in range(BLOCKS):
        if waiting[b]:
            settle(b)
    held = [b for b in range(BLOCKS) if blocks[b] is not None]
    place = {b: i for i, b in enumerate(held)}
    whole = tuple(s for s in blocks if s is not None)
    drawn = frame_set(sample, 0, note, None, facts)
    song_numbers = np.array([place[b] for b in dealt], np.int64)
    # clips says how many there are, and of_units counts those of the sample
    return drawn._replace(left_out=missing, song=song_numbers, blocks=whole, facts={
        **facts, "all_clips": clips,
    }, names=tuple(f"block {b}" for b in held))  # fmt: skip


def statistics_set(file: Path, embedding: str) -> FrameSet:
    """A reference that is known by its statistics alone.

    Raises:
        UsageError: as :func:`~concours.eval.embeddings.statistics.read_statistics`, or statistics
            of another number of dimensions than the embedding's.
    """
    spec = describe(embedding)
    found = read_statistics(file, spec.identity, embedding)
    if found.stats.d != spec.dimension:
        raise UsageError(
            f"{file}: statistics of {found.stats.d} dimensions, and {embedding} has "
            f"{spec.dimension}: they were made with another embedding"
        )
    empty = np.zeros((0, spec.dimension), np.float32)
    facts = {"set": content_hash(file)[:32], "frames_known": found.frames_known}
    return FrameSet(empty, np.zeros(0, np.int64), 0, blocks=(found.stats,), facts=facts)
