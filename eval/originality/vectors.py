"""Embeddings that users bring: nearest neighbours among ``.npy`` files, without any sound.

A file holds one item a row, shape (n, d); a folder holds one item a file, its vector (d,) or its
frames (k, d).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.eval.errors import UsageError
from concours.eval.originality.sound_report import (
    EMBEDDING,
    SoundItem,
    SoundReport,
    neighbour_dict,
    null_dict,
)
from concours.metrics.originality.neighbours import VectorIndex, mean_vector
from concours.metrics.originality.sound_null import Null, neighbour_null, recordings

SUFFIX = ".npy"


@dataclass(frozen=True, eq=False)
class VectorReference:
    """The vectors of a reference with their null."""

    source: str
    index: VectorIndex
    null: Null
    calibration: dict[str, Any]


def holds_vectors(path: str) -> bool:
    """Whether a path is a ``.npy`` file, or a folder with such files and nothing beside them."""
    at = Path(path)
    if at.is_dir():
        files = [f for f in at.iterdir() if f.is_file() and not f.name.startswith(".")]
        return bool(files) and all(f.suffix == SUFFIX for f in files)
    return at.suffix == SUFFIX


def read_vectors(path: str) -> tuple[list[str], list[NDArray[Any]]]:
    """The names and vectors at a path.

    Raises:
        UsageError: nothing there, a file that holds no numbers, or another shape.
    """
    at = Path(path)
    if at.is_dir():
        files = sorted(f for f in at.iterdir() if f.suffix == SUFFIX)
        return [f.name for f in files], [mean_vector(_read(f)) for f in files]
    rows = _read(at)
    if rows.ndim != 2:
        raise UsageError(f"{path}: one item a row, shape (n, d), not {rows.shape}")
    return [f"{at.name}#{i}" for i in range(len(rows))], list(rows)


def open_vectors(path: str) -> VectorReference:
    """The reference in a ``.npy`` file or folder, with its null.

    Raises:
        UsageError: as :func:`read_vectors`, or vectors of several dimensions.
    """
    names, vectors = read_vectors(path)
    try:
        index = VectorIndex.build(vectors, names)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
    # rows have numbers, not names: nothing says which belong together
    groups = recordings(names) if Path(path).is_dir() else list(range(len(names)))
    null = neighbour_null(index, groups)
    calibration = {"recordings": len(set(groups)), "cuts_of_one_recording": [],
                   "kinds": {EMBEDDING: null_dict(null)}}  # fmt: skip
    return VectorReference(path, index, null, calibration)


def vector_report(path: str, reference: VectorReference) -> SoundReport:
    """Every item's nearest neighbour in the reference.

    Raises:
        UsageError: as :func:`read_vectors`, or another dimension than the reference's.
    """
    names, vectors = read_vectors(path)
    items = tuple(_item(path, n, v, reference) for n, v in zip(names, vectors, strict=True))
    digest = hashlib.sha256(np.ascontiguousarray(reference.index.vector).tobytes()).hexdigest()
    found = {
        "clips": reference.index.n_clips,
        "seconds": 0.0,
        "corpus_sha256": digest,
        "kinds": [EMBEDDING],
        "embedding": reference.source,
        "not_searched": [],
        "left_out": "everything but the vectors",
    }
    near = sum(n["above_level"] for i in items for n in i.nearest)
    of_set = {"items": len(items), "compared": sum(i.status == "ok" for i in items),
              "coverage": {}, "near_neighbours": near}  # fmt: skip
    return SoundReport(items, of_set, found, reference.calibration)


def _item(path: str, name: str, vector: NDArray[Any], reference: VectorReference) -> SoundItem:
    digest = hashlib.sha256(np.ascontiguousarray(vector, np.float32).tobytes()).hexdigest()
    if not np.isfinite(vector).all():
        return SoundItem(name, digest, "undefined", "its vector holds NaN or infinity")
    try:
        nearest = reference.index.nearest(vector)
    except ValueError as error:
        raise UsageError(f"{path} against {reference.source}: {error}") from error
    listed = [neighbour_dict(reference.index, n.clip, n.distance, reference.null, reference.source)
              for n in nearest]  # fmt: skip
    place = listed[0]["percentile"] if listed else None
    return SoundItem(name, digest, "ok", percentile=place, nearest=tuple(listed))


def _read(file: Path) -> NDArray[Any]:
    try:
        found = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"{file}: no array that can be read: {error}") from error
    if found.ndim not in (1, 2) or not np.issubdtype(found.dtype, np.number) or not found.size:
        raise UsageError(f"{file}: no vectors: shape {found.shape} of {found.dtype}")
    array: NDArray[Any] = found.astype(np.float32)
    return array
