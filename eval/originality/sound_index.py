"""Recordings indexed on disk by fingerprints, chroma and an embedding.

Layout
------
- ``audio.json``: the table of contents (see :mod:`concours.eval.originality.contents`), with the
  embedding and its identity, and for each clip its name, sha256, seconds, shard and where its file
  lay.
- ``NNN/landmarks``, ``NNN/chroma``, ``NNN/vectors``: the arrays of one shard, memory-mapped.

Conventions
-----------
- A shard holds whole clips, about :data:`SHARD_SECONDS` of them; adding clips writes new shards
  and leaves the others as they are. A clip is known by the sha256 of its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.cache import open_arrays
from concours.eval.embeddings.catalogue import open_embedding
from concours.eval.embeddings.described import identity_of
from concours.eval.errors import UsageError
from concours.eval.items import Item
from concours.eval.load import LOADER_VERSION, LoadError
from concours.eval.load.audio import load_audio
from concours.eval.originality.contents import Contents, Form, corpus_hash
from concours.metrics.clip import Clip
from concours.metrics.embeddings.protocol import Embedding, TooShortError, embed
from concours.metrics.originality import landmarks, qmax
from concours.metrics.originality.chroma_index import ChromaIndex
from concours.metrics.originality.landmark_index import LandmarkIndex
from concours.metrics.originality.landmarks import Constellation, constellation
from concours.metrics.originality.neighbours import VectorIndex, Vectors, mean_vector
from concours.metrics.originality.qmax import Profiles, profiles

SOUND_CONTENTS = "audio.json"
DEFAULT_EMBEDDING = "spectral-stats-v1"
FORMAT = [1, landmarks.VERSION, qmax.VERSION]
SHARD_SECONDS = 100 * 3600.0
FORM = Form(
    SOUND_CONTENTS,
    "clips",
    {"format": FORMAT, "loader": LOADER_VERSION},
    "index of recordings",
)


@dataclass(frozen=True)
class IndexedClip:
    """One clip: its path in the reference, its file's hash and place, seconds, and its shard."""

    name: str
    sha256: str
    seconds: float
    shard: int
    location: str


@dataclass(frozen=True, eq=False)
class SoundFeatures:
    """What a clip is compared by. ``vector`` is empty where the embedding could not take it;
    ``note`` says why."""

    seconds: float
    peaks: Constellation
    chroma: Profiles
    vector: Vectors
    note: str = ""


@dataclass(frozen=True, eq=False)
class SoundIndex:
    """An open index. ``clips`` are in the order of the shards, and of each part in ``landmarks``
    and ``chroma``; ``vectors`` are those of all shards."""

    folder: Path
    embedding: str
    clips: tuple[IndexedClip, ...]
    skipped: tuple[tuple[str, str], ...]
    landmarks: tuple[LandmarkIndex, ...]
    chroma: tuple[ChromaIndex, ...]
    vectors: VectorIndex
    bytes: int
    calibration: dict[str, Any] = field(default_factory=dict)

    def located(self, items: Iterable[Item]) -> SoundIndex:
        """The same index, with the files of its clips where these items have them now."""
        now = {i.sha256: str(i.location.absolute()) for i in items}
        clips = (replace(c, location=now.get(c.sha256, c.location)) for c in self.clips)
        return replace(self, clips=tuple(clips))

    @property
    def corpus_hash(self) -> str:
        """Hash of the contents of all clips, whatever their names and order."""
        return corpus_hash(c.sha256 for c in self.clips)

    @property
    def seconds(self) -> float:
        return sum(c.seconds for c in self.clips)


def features(clip: Clip, embedding: Embedding) -> SoundFeatures:
    """Everything that a clip is compared by."""
    note = ""
    try:
        vector = mean_vector(embed(embedding, clip))
    except TooShortError as error:
        vector, note = np.zeros(0, np.float32), str(error)
    except Exception as error:  # an engine or a third party's embedding may raise anything
        vector, note = np.zeros(0, np.float32), f"{type(error).__name__}: {error}"
    return SoundFeatures(clip.duration, constellation(clip), profiles(clip), vector, note)


def build_sound_index(
    items: Iterable[Item], folder: Path, *, embedding: str = DEFAULT_EMBEDDING
) -> SoundIndex:
    """Indexes recordings into ``folder``, or adds those that its index lacks.

    Raises:
        UsageError: ``folder`` holds something else, a damaged index or one of another embedding,
            the embedding can't be opened, or no item can be read.
    """
    identity = identity_of(embedding)
    contents = Contents.begin(folder, FORM, {"embedding": embedding, "identity": identity})
    if contents.stated["identity"] != identity:
        raise UsageError(
            f"{folder}: its embedding is {contents.stated['embedding']} of another identity than "
            f"{embedding}; build an index of that in another folder"
        )
    builder = _Builder(contents, open_embedding(embedding))
    for item in items:
        builder.add(item)
    builder.finish()
    return open_sound_index(folder)


def open_sound_index(folder: Path, *, verify: bool = True) -> SoundIndex:
    """Opens an index; ``verify=False`` checks the sizes of its files but not their hashes.

    Raises:
        UsageError: no index there, one of another version, or a file that is missing, cut short
            or changed.
    """
    contents = Contents.read(folder, FORM)
    contents.check(verify)
    shards = [folder / f"{i:03d}" for i in range(contents.n_shards)]
    arrays = [{k: open_arrays(s / k) for k in ("landmarks", "chroma", "vectors")} for s in shards]
    vectors = [VectorIndex.from_arrays(a["vectors"]) for a in arrays]
    return SoundIndex(
        folder,
        contents.stated["embedding"],
        tuple(IndexedClip(**c) for c in contents.entries),
        contents.skipped,
        tuple(LandmarkIndex.from_arrays(a["landmarks"]) for a in arrays),
        tuple(ChromaIndex.from_arrays(a["chroma"]) for a in arrays),
        VectorIndex(
            np.concatenate([v.vector for v in vectors]), np.concatenate([v.names for v in vectors])
        ),
        contents.bytes,
        contents.stated["calibration"],
    )


def store_sound_calibration(index: SoundIndex, calibration: dict[str, Any]) -> SoundIndex:
    """Puts the calibration into the table of contents and gives the index with it."""
    Contents.read(index.folder, FORM).calibrate(calibration)
    return replace(index, calibration=calibration)


class _Builder:
    """Collects clips into shards; each shard is on disk before the next begins."""

    def __init__(self, contents: Contents, embedding: Embedding) -> None:
        self.contents, self.embedding = contents, embedding
        self.waiting: list[tuple[dict[str, Any], SoundFeatures]] = []
        self.seconds = 0.0

    def add(self, item: Item) -> None:
        if not self.contents.holds(item.sha256) and (reason := self._take(item)):
            self.contents.skip(item.path, reason)

    def _take(self, item: Item) -> str:
        if item.sha256 is None:
            return item.reason
        try:
            clip = load_audio(item.location).clip
        except LoadError as error:
            return str(error)
        found = features(clip, self.embedding)
        if self.waiting and self.seconds + found.seconds > SHARD_SECONDS:
            self._flush()
        stated = {
            "name": self.contents.take(item),
            "sha256": item.sha256,
            "seconds": round(found.seconds, 3),
            "shard": self.contents.n_shards,
            "location": str(item.location.absolute()),
        }
        self.waiting.append((stated, found))
        self.seconds += found.seconds
        return ""

    def _flush(self) -> None:
        names = [stated["name"] for stated, _ in self.waiting]
        found = [f for _, f in self.waiting]
        size = self.embedding.spec.dimension
        vectors = [f.vector if len(f.vector) else np.full(size, np.nan) for f in found]
        parts: Mapping[str, Any] = {
            "landmarks": LandmarkIndex.build([f.peaks for f in found], names),
            "chroma": ChromaIndex.build([f.chroma for f in found], names),
            "vectors": VectorIndex.build(vectors, names),
        }
        shard = self.contents.folder / f"{self.contents.n_shards:03d}"
        for kind, part in parts.items():
            self.contents.store(shard / kind, part.to_arrays())
        self.contents.append(stated for stated, _ in self.waiting)
        self.waiting, self.seconds = [], 0.0

    def finish(self) -> None:
        if self.waiting:
            self._flush()
        self.contents.finish("none of the reference's recordings could be read")
