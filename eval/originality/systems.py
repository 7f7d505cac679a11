"""One door for both kinds of items: notes go to the index of notes, recordings to that of sound."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from concours.eval.cache import digest, stored_folder
from concours.eval.errors import UsageError
from concours.eval.items import Item, find_items
from concours.eval.load import LOADER_VERSION
from concours.eval.originality import report, sound_report, tables
from concours.eval.originality.checkpoints import checkpoint_curve
from concours.eval.originality.corpus_index import (
    CONTENTS,
    RECORDINGS,
    CorpusIndex,
    open_index,
)
from concours.eval.originality.prompts import find_prompts
from concours.eval.originality.reference import calibrated, index_items, reference_items
from concours.eval.originality.sound_index import (
    DEFAULT_EMBEDDING,
    FORMAT,
    SOUND_CONTENTS,
    SoundIndex,
    build_sound_index,
    open_sound_index,
    store_sound_calibration,
)
from concours.eval.originality.sound_tables import sound_text
from concours.eval.originality.vectors import (
    VectorReference,
    holds_vectors,
    open_vectors,
    vector_report,
)
from concours.eval.progress import Progress

CACHE = "originality-audio"


@dataclass(frozen=True)
class Reference:
    """The open, calibrated indexes of a reference: of its notes, of its recordings, or both; or
    vectors that stand for its items."""

    notes: CorpusIndex | None
    sound: SoundIndex | None
    vectors: VectorReference | None = None


@dataclass(frozen=True)
class SystemReport:
    """A system held against a reference. ``order`` are the paths of its items as found."""

    name: str
    order: tuple[str, ...]
    notes: report.OriginalityReport | None
    sound: sound_report.SoundReport | None


def open_reference(
    reference: str,
    out: Path | None,
    views: Sequence[str],
    progress: Progress,
    embedding: str | None = None,
) -> Reference:
    """Opens the indexes in the folder ``reference``, or indexes and calibrates the music there.

    ``embedding`` is ``spectral-stats-v1`` by default, and that of the index where there is one.

    Raises:
        UsageError: nothing at ``reference``, no music in it, a damaged index, or one of another
            embedding.
    """
    if out is None and _holds_index(Path(reference)):
        notes, sound = open_indexes(Path(reference), embedding)
        return Reference(
            calibrated(notes, progress) if notes is not None else None,
            _calibrated(sound, progress) if sound is not None else None,
        )
    if holds_vectors(reference):
        return Reference(None, None, open_vectors(reference))
    items = reference_items(reference)
    pieces = [i for i in items if i.kind == "symbolic"]
    recordings = [i for i in items if i.kind == "audio"]
    return Reference(
        index_items(pieces, out, views, progress) if pieces else None,
        _sound_index(recordings, out, embedding or DEFAULT_EMBEDDING, progress)
        if recordings
        else None,
    )


def _sound_folder(folder: Path) -> Path | None:
    inside = (folder, folder / RECORDINGS)
    return next((f for f in inside if (f / SOUND_CONTENTS).is_file()), None)


def _holds_index(folder: Path) -> bool:
    return (folder / CONTENTS).is_file() or _sound_folder(folder) is not None


def open_indexes(
    folder: Path, embedding: str | None = None
) -> tuple[CorpusIndex | None, SoundIndex | None]:
    """The index of notes and that of recordings in a folder, each None where it is not there.

    Raises:
        UsageError: neither is there, one is damaged, or that of recordings is of another
            ``embedding``.
    """
    place = _sound_folder(folder)
    sound = open_sound_index(place) if place is not None else None
    if sound is not None and embedding not in (None, sound.embedding):
        raise UsageError(
            f"{place}: its embedding is {sound.embedding}; for {embedding} give the recordings "
            "themselves, or build another index"
        )
    notes = open_index(folder) if sound is None or (folder / CONTENTS).is_file() else None
    return notes, sound


def _sound_index(
    items: list[Item], out: Path | None, embedding: str, progress: Progress
) -> SoundIndex:
    from concours.eval.embeddings.described import identity_of

    def build(folder: Path) -> SoundIndex:
        tracked = progress.track(items, len(items), "indexing recordings")
        return _calibrated(build_sound_index(tracked, folder, embedding=embedding), progress)

    if out is not None:
        return build(out / RECORDINGS).located(items)
    contents = sorted((i.path, i.sha256 or "") for i in items)
    version = sound_report.SOUND_CALIBRATION_VERSION
    key = digest(FORMAT, LOADER_VERSION, version, identity_of(embedding), contents)

    def fill(folder: Path) -> None:
        build(folder)

    return open_sound_index(stored_folder(CACHE, key, fill)).located(items)


def _calibrated(index: SoundIndex, progress: Progress) -> SoundIndex:
    if index.calibration:
        return index
    progress.say("calibrating: the reference's recordings against each other")
    return store_sound_calibration(index, sound_report.calibrate_sound(index))


def system_report(
    name: str,
    reference: Reference,
    progress: Progress,
    *,
    search: report.Search | None = None,
    prompts: Path | None = None,
    other: Mapping[str, Any] | None = None,
) -> SystemReport:
    """Holds each item at the path ``name`` against the index of its kind.

    ``search``: what is made of the notes' index once for several systems; ``prompts``: the music
    that items of notes continue; ``other``: the curve of another corpus.

    An item of a kind that the reference does not hold is a row of its own, undefined with the
    reason.

    Raises:
        UsageError: nothing there, no music, or vectors on one side alone.
    """
    if holds_vectors(name) or reference.vectors is not None:
        if reference.vectors is None or not holds_vectors(name):
            raise UsageError(f"{name}: .npy files are compared with .npy files, on both sides")
        found = vector_report(name, reference.vectors)
        return SystemReport(name, tuple(i.path for i in found.items), None, found)
    items = find_items(name)
    pieces = [i for i in items if i.kind == "symbolic"]
    recordings = [i for i in items if i.kind == "audio"]
    notes = sound = None
    if reference.notes is not None and (pieces or not recordings):
        tracked = progress.track(pieces, len(pieces), name)
        notes = report.originality_report(
            tracked,
            search or reference.notes,
            prompts=None if prompts is None else find_prompts(prompts, pieces),
            other_corpus=other,
        )
    if reference.sound is not None and (recordings or not pieces):
        tracked = progress.track(recordings, len(recordings), name)
        sound = sound_report.sound_report(tracked, reference.sound)
    if pieces and notes is None:
        lost = tuple(_lost(report.ItemReport, i, "notes, and the reference holds only recordings")
                     for i in pieces)  # fmt: skip
        notes = report.OriginalityReport(lost, {}, {}, {})
    if recordings and sound is None:
        lost_sound = tuple(_lost(sound_report.SoundItem, i, "a recording, and the reference holds "
                                 "only notes") for i in recordings)  # fmt: skip
        sound = sound_report.SoundReport(lost_sound, {}, {}, {})
    return SystemReport(name, tuple(i.path for i in items), notes, sound)


def _lost(kind: Any, item: Item, reason: str) -> Any:
    if item.sha256 is None:
        return kind(item.path, None, "failed", item.reason)
    return kind(item.path, item.sha256, "undefined", reason)


def render_systems(reports: Sequence[SystemReport], format_: str) -> str:
    """One or more systems' reports as ``table``, ``json`` or ``html``."""
    if format_ == "json":
        return json.dumps(_joined(reports), indent=2, ensure_ascii=False) + "\n"
    if format_ == "html":
        from concours.eval.originality.html import to_html

        return to_html([(r.name, r.notes) for r in reports], [r.sound for r in reports])
    held = _of_notes(reports)
    curve = tables.checkpoints(held) if len(held) > 1 else ""
    return curve + "\n".join(_text(r) for r in reports)


def _of_notes(reports: Sequence[SystemReport]) -> list[tuple[str, report.OriginalityReport]]:
    return [(r.name, r.notes) for r in reports if r.notes is not None and r.notes.searched]


def _joined(reports: Sequence[SystemReport]) -> dict[str, Any]:
    """All systems in one object: every item with its ``system``, what was searched once, and for
    each system its ``set``; with several, ``checkpoints`` has a row for each in natural order."""
    parts = [(r.name, as_dict(r)) for r in reports]
    items = [{"system": name, **item} for name, part in parts for item in part["items"]]
    if len(parts) == 1:
        return {"system": parts[0][0], **parts[0][1], "items": items}
    shared = {k: v for k, v in parts[0][1].items() if k not in ("items", "set")}
    return {
        "items": items,
        "systems": [{"system": name, "set": part["set"]} for name, part in parts],
        "checkpoints": checkpoint_curve(_of_notes(reports)),
        **shared,
    }


def _text(found: SystemReport) -> str:
    parts = []
    if found.notes is not None and found.notes.searched:
        parts.append(tables.render(found.name, found.notes))
    if found.sound is not None and found.sound.searched:
        parts.append(sound_text(found.name, found.sound))
    lost = [
        i for r in (found.notes, found.sound) if r is not None and not r.searched for i in r.items
    ]
    parts += ["".join(f"{i.path}: {i.status}: {i.reason}\n" for i in lost)] if lost else []
    return "\n".join(parts)


def as_dict(found: SystemReport) -> dict[str, Any]:
    """The JSON form: ``items`` of both kinds in their order, ``set``, ``searched`` and
    ``calibration``, in which what concerns recordings stands under ``audio``."""
    if found.sound is None:
        assert found.notes is not None
        return report.as_dict(found.notes)
    sound = found.sound
    notes = report.as_dict(found.notes) if found.notes is not None else {"items": []}
    by_path = {i["path"]: i for i in notes["items"]}
    by_path |= {i.path: {**i.__dict__, "passages": list(i.passages), "nearest": list(i.nearest)}
                for i in sound.items}  # fmt: skip
    return {
        "items": [by_path[path] for path in found.order if path in by_path],
        "set": {**notes.get("set", {}), "audio": dict(sound.set)},
        "searched": {**notes.get("searched", {}), "audio": dict(sound.searched)},
        "calibration": {**notes.get("calibration", {}), "audio": dict(sound.calibration)},
    }
