"""The notes and the recordings behind a report's items, read from where they lay.

Only a file that still has the bytes that were scored is shown.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from concours.eval.load import LoadError, kind_of, load, part_bytes
from concours.eval.load.audio import load_audio
from concours.eval.report import Sound
from concours.eval.report.model import Item, System
from concours.metrics.piece import Piece


def pieces(system: System, item: Item) -> Piece | None:  # noqa: ARG001
    """The notes of an item; None where it has none, or the file is no longer what was scored."""
    path = Path(item.location)
    fragment = item.path.partition("#")[2]
    if kind_of(path) == "audio":
        return None
    data = _bytes(item, fragment)
    try:
        return None if data is None else load(path, data, fragment).piece
    except LoadError:
        return None


def sounds(system: System, item: Item) -> Sound | None:  # noqa: ARG001
    """The recording of an item; None where it has none, or the file is no longer what was
    scored."""
    path = Path(item.location)
    data = _bytes(item, "") if kind_of(path) == "audio" else None
    try:
        clip = None if data is None else load_audio(path, data).clip
    except LoadError:
        return None
    return None if clip is None else Sound(clip.samples, clip.sample_rate)


def _bytes(item: Item, fragment: str) -> bytes | None:
    try:
        data = Path(item.location).read_bytes()
    except OSError:
        return None
    digest = hashlib.sha256(part_bytes(data, fragment)).hexdigest()
    return data if digest == item.sha256 else None
