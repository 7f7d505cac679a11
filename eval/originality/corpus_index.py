"""A corpus indexed on disk: memory-mapped shards under a table of contents that is checked.

Layout
------
- ``index.json``: format, views, pieces (name, sha256, notes, shard), files that were skipped with
  the cause, the bytes and sha256 of every array file, and the calibration.
- ``NNN/VIEW/*.npy``: the arrays of one shard under one view (see
  :class:`concours.metrics.originality.index.NgramIndex`); they are memory-mapped, so a query needs
  the memory of the pages it touches.

Conventions
-----------
- A shard holds whole pieces, at most :data:`SHARD_NOTES` notes of them (one larger piece has a
  shard to itself). Building needs the memory of one shard, whatever the size of the corpus.
- A piece is known by the sha256 of its content; the same content is indexed once. Adding pieces
  writes new shards and leaves the others as they are.
- The table of contents is written last, by renaming, so that a build that was interrupted leaves
  the index as it was before. Opening compares size and hash of every file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from concours.eval.cache import open_arrays, store_arrays
from concours.eval.errors import UsageError
from concours.eval.items import Item
from concours.eval.load import LOADER_VERSION, LoadError, load
from concours.metrics.originality.index import FORMAT, NgramIndex
from concours.metrics.originality.tokens import Tokens, tokenize

CONTENTS = "index.json"
RECORDINGS = "audio"  # the folder beside it in which the index of recordings lies
LAYOUT = 1
DEFAULT_VIEWS = ("interval-ratio", "interval-class-ratio", "interval")
SHARD_NOTES = 100_000_000


@dataclass(frozen=True)
class IndexedPiece:
    """One piece of the corpus: its path there, its content's hash, its notes, its shard."""

    name: str
    sha256: str
    notes: int
    shard: int


@dataclass(frozen=True)
class CorpusIndex:
    """An open index. ``shards[view]`` are its parts under a view, in order."""

    folder: Path
    views: tuple[str, ...]
    pieces: tuple[IndexedPiece, ...]
    skipped: tuple[tuple[str, str], ...]
    shards: dict[str, list[NgramIndex]]
    calibration: dict[str, Any] = field(default_factory=dict)

    @property
    def corpus_hash(self) -> str:
        """Hash of the contents of all pieces, whatever their names and order."""
        text = "\n".join(sorted(p.sha256 for p in self.pieces))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def n_notes(self) -> int:
        return sum(p.notes for p in self.pieces)

    def excluding(self, names: Iterable[str]) -> CorpusIndex:
        """The same index, in which the pieces called ``names`` answer no query."""
        shard_of = {p.name: p.shard for p in self.pieces}
        by_shard: dict[int, list[str]] = {}
        for name in names:
            by_shard.setdefault(shard_of[name], []).append(name)
        shards = {
            view: [s.excluding(*by_shard.get(i, [])) for i, s in enumerate(parts)]
            for view, parts in self.shards.items()
        }
        return CorpusIndex(
            self.folder, self.views, self.pieces, self.skipped, shards, self.calibration
        )


def build_index(
    items: Iterable[Item],
    folder: Path,
    *,
    views: Sequence[str] = DEFAULT_VIEWS,
    shard_notes: int = SHARD_NOTES,
) -> CorpusIndex:
    """Indexes the items into ``folder``, or adds those that its index lacks.

    Items that can't be read or hold no voice are listed as skipped, with the cause. An index that
    was there keeps its views.

    Raises:
        UsageError: ``folder`` holds something else, a damaged index, or one of other views.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = _contents(folder) if (folder / CONTENTS).exists() else None
    if contents is None and any(p.name != RECORDINGS for p in folder.iterdir()):
        raise UsageError(f"{folder}: not empty and no index; give an empty or a new folder")
    if contents is None:
        contents = {
            "layout": LAYOUT,
            "format": FORMAT,
            "loader": LOADER_VERSION,
            "views": list(views),
            "pieces": [],
            "skipped": [],
            "files": {},
            "calibration": {},
        }
    elif contents["views"] != list(views):
        raise UsageError(
            f"{folder}: its views are {', '.join(contents['views'])}; "
            "build an index of other views in another folder"
        )
    builder = _Builder(folder, contents, shard_notes)
    for item in items:
        builder.add(item)
    builder.finish()
    return open_index(folder)


def open_index(folder: Path, *, verify: bool = True) -> CorpusIndex:
    """Opens an index; ``verify=False`` checks the sizes of its files but not their hashes.

    Raises:
        UsageError: no index there, one of another version, or a file that is missing, cut short
            or changed.
    """
    contents = _contents(folder)
    for name, stated in contents["files"].items():
        check_file(folder / name, stated, verify)
    pieces = tuple(IndexedPiece(**p) for p in contents["pieces"])
    n_shards = 1 + max((p.shard for p in pieces), default=-1)
    shards = {
        view: [
            NgramIndex.from_arrays(open_arrays(_place(folder, i, view))) for i in range(n_shards)
        ]
        for view in contents["views"]
    }
    return CorpusIndex(
        folder,
        tuple(contents["views"]),
        pieces,
        tuple((s["name"], s["reason"]) for s in contents["skipped"]),
        shards,
        contents["calibration"],
    )


def store_calibration(index: CorpusIndex, calibration: dict[str, Any]) -> CorpusIndex:
    """Puts the calibration into the table of contents and gives the index with it."""
    contents = _contents(index.folder)
    contents["calibration"] = calibration
    _write(index.folder, contents)
    return CorpusIndex(
        index.folder, index.views, index.pieces, index.skipped, index.shards, calibration
    )


class _Builder:
    """Collects pieces into shards; each shard is on disk before the next begins."""

    def __init__(self, folder: Path, contents: dict[str, Any], shard_notes: int) -> None:
        self.folder, self.contents, self.shard_notes = folder, contents, shard_notes
        self.known = {p["sha256"] for p in contents["pieces"]}
        self.names = {p["name"] for p in contents["pieces"]}
        self.shard = 1 + max((p["shard"] for p in contents["pieces"]), default=-1)
        self.waiting: list[tuple[str, str, dict[str, Tokens]]] = []
        self.notes = 0
        self.changed = False

    def add(self, item: Item) -> None:
        if item.sha256 in self.known:
            return
        reason = self._take(item)
        if reason:
            skipped = [s for s in self.contents["skipped"] if s["name"] != item.path]
            self.contents["skipped"] = [*skipped, {"name": item.path, "reason": reason}]
            self.changed = True

    def _take(self, item: Item) -> str:
        if item.sha256 is None:
            return item.reason
        if item.kind != "symbolic":
            return "audio: only notes are indexed"
        try:
            piece = load(item.location, None, item.fragment).piece
        except LoadError as error:
            return str(error)
        tokens = {view: tokenize(piece, view=view) for view in self.contents["views"]}
        n = max(len(t) for t in tokens.values())
        if n == 0:
            return "no notes but drums" if piece.n_notes else "no notes"
        if self.waiting and self.notes + n > self.shard_notes:
            self._flush()
        name = item.path if item.path not in self.names else f"{item.path} ({item.sha256[:8]})"
        self.known.add(item.sha256)
        self.names.add(name)
        self.waiting.append((name, item.sha256, tokens))
        self.notes += n
        return ""

    def _flush(self) -> None:
        self.changed = True
        for view in self.contents["views"]:
            place = _place(self.folder, self.shard, view)
            place.mkdir(parents=True, exist_ok=True)
            laid = NgramIndex.build(
                [t[view] for *_, t in self.waiting], [w[0] for w in self.waiting]
            )
            store_arrays(place, laid.to_arrays())
            for file in sorted(place.glob("*.npy")):
                name = file.relative_to(self.folder).as_posix()
                self.contents["files"][name] = {
                    "bytes": file.stat().st_size,
                    "sha256": hash_file(file),
                }
        for name, sha256, tokens in sorted(self.waiting, key=lambda w: w[0]):
            n = max(len(t) for t in tokens.values())
            piece = {"name": name, "sha256": sha256, "notes": n, "shard": self.shard}
            self.contents["pieces"].append(piece)
        self.waiting, self.notes = [], 0
        self.shard += 1

    def finish(self) -> None:
        if self.waiting:
            self._flush()
        if not self.contents["pieces"]:
            skipped = self.contents["skipped"]
            cause = f" ({skipped[0]['name']}: {skipped[0]['reason']})" if skipped else ""
            raise UsageError(f"none of the reference's files could be indexed{cause}")
        if self.changed:
            self.contents["calibration"] = {}
            _write(self.folder, self.contents)


def _place(folder: Path, shard: int, view: str) -> Path:
    return folder / f"{shard:03d}" / view.replace("/", "-")


def _contents(folder: Path) -> dict[str, Any]:
    path = folder / CONTENTS
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        versions = (contents["layout"], contents["format"], contents["loader"])
    except FileNotFoundError as error:
        raise UsageError(f"{folder}: no index there (no {CONTENTS})") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: damaged; build the index again in a new folder") from error
    if versions != (LAYOUT, FORMAT, LOADER_VERSION):
        raise UsageError(
            f"{folder}: made by another version of Concours; build the index again in a new folder"
        )
    found: dict[str, Any] = contents
    return found


def _write(folder: Path, contents: dict[str, Any]) -> None:
    fresh = folder / f".{CONTENTS}.new"
    fresh.write_text(json.dumps(contents, indent=1, ensure_ascii=False), encoding="utf-8")
    fresh.replace(folder / CONTENTS)


def check_file(path: Path, stated: dict[str, Any], verify: bool) -> None:
    """Raises a UsageError where a file of an index is not as the table of contents states."""
    size = path.stat().st_size if path.exists() else None
    if size is None:
        cause = "is missing"
    elif size != stated["bytes"]:
        cause = f"has {size} bytes instead of {stated['bytes']}"
    elif verify and hash_file(path) != stated["sha256"]:
        cause = "has changed since it was written"
    else:
        return
    raise UsageError(f"{path} {cause}; build the index again in a new folder")


def hash_file(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
