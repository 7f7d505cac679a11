"""A corpus indexed on disk: memory-mapped shards under a table of contents that is checked.

Layout
------
- ``index.json``: the table of contents (see :mod:`concours.eval.originality.contents`), with the
  views, and for each piece its name, sha256, notes and shard.
- ``NNN/notes/*.npy``: the notes of the shard's pieces
  (:class:`concours.metrics.originality.notes.Notes`), for points and fingerprints.
- ``NNN/VIEW/*.npy``: the arrays of one shard under one view (see
  :class:`concours.metrics.originality.index.NgramIndex`); they are memory-mapped, so a query needs
  the memory of the pages it touches.

Conventions
-----------
- A shard holds whole pieces, at most :data:`SHARD_NOTES` notes of them (one larger piece has a
  shard to itself). Building needs the memory of one shard, whatever the size of the corpus.
- A piece is known by the sha256 of its content; the same content is indexed once. Adding pieces
  writes new shards and leaves the others as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.eval.cache import open_arrays
from concours.eval.errors import UsageError
from concours.eval.items import Item
from concours.eval.load import LOADER_VERSION, LoadError, load
from concours.eval.originality.contents import Contents, Form, corpus_hash
from concours.metrics.originality.index import FORMAT, NgramIndex
from concours.metrics.originality.notes import Notes, notes_of
from concours.metrics.originality.tokens import Tokens, tokenize

CONTENTS = "index.json"
LAYOUT = 2
RECORDINGS = "audio"  # the folder beside it in which the index of recordings lies
DEFAULT_VIEWS = ("interval-ratio", "interval-class-ratio", "interval")
SHARD_NOTES = 100_000_000
NOTES = "notes"
FORM = Form(
    CONTENTS,
    "pieces",
    {"layout": LAYOUT, "format": FORMAT, "loader": LOADER_VERSION},
    "index",
)


@dataclass(frozen=True)
class IndexedPiece:
    """One piece of the corpus: its path there, its content's hash, its notes, its shard."""

    name: str
    sha256: str
    notes: int
    shard: int


@dataclass(frozen=True, eq=False)
class ShardNotes:
    """The notes of the pieces of one shard, in the order of their names.

    Piece ``i`` has the notes from ``starts[i]`` to before ``starts[i + 1]``.
    """

    notes: Notes
    starts: NDArray[np.int64]
    names: NDArray[np.str_]

    def piece(self, number: int) -> Notes:
        return self.notes.part(int(self.starts[number]), int(self.starts[number + 1]))


@dataclass(frozen=True)
class CorpusIndex:
    """An open index. ``shards[view]`` are its parts under a view, in order; ``notes`` the notes of
    each shard."""

    folder: Path
    views: tuple[str, ...]
    pieces: tuple[IndexedPiece, ...]
    skipped: tuple[tuple[str, str], ...]
    shards: dict[str, list[NgramIndex]]
    notes: tuple[ShardNotes, ...]
    calibration: dict[str, Any] = field(default_factory=dict)

    @property
    def corpus_hash(self) -> str:
        """Hash of the contents of all pieces, whatever their names and order."""
        return corpus_hash(p.sha256 for p in self.pieces)

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
        return replace(self, shards=shards)


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
    contents = Contents.begin(folder, FORM, {"views": list(views)}, beside=RECORDINGS)
    if contents.stated["views"] != list(views):
        raise UsageError(
            f"{folder}: its views are {', '.join(contents.stated['views'])}; "
            "build an index of other views in another folder"
        )
    builder = _Builder(contents, shard_notes)
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
    contents = Contents.read(folder, FORM)
    contents.check(verify)
    views = tuple(contents.stated["views"])
    numbers = range(contents.n_shards)
    shards = {
        view: [NgramIndex.from_arrays(open_arrays(_place(folder, i, view))) for i in numbers]
        for view in views
    }
    return CorpusIndex(
        folder,
        views,
        tuple(IndexedPiece(**p) for p in contents.entries),
        contents.skipped,
        shards,
        tuple(_open_notes(_place(folder, i, NOTES)) for i in numbers),
        contents.stated["calibration"],
    )


def store_calibration(index: CorpusIndex, calibration: dict[str, Any]) -> CorpusIndex:
    """Puts the calibration into the table of contents and gives the index with it."""
    Contents.read(index.folder, FORM).calibrate(calibration)
    return replace(index, calibration=calibration)


class _Builder:
    """Collects pieces into shards; each shard is on disk before the next begins."""

    def __init__(self, contents: Contents, shard_notes: int) -> None:
        self.contents, self.shard_notes = contents, shard_notes
        self.views: list[str] = contents.stated["views"]
        self.waiting: list[tuple[str, str, dict[str, Tokens], Notes]] = []
        self.notes = 0

    def add(self, item: Item) -> None:
        if not self.contents.holds(item.sha256) and (reason := self._take(item)):
            self.contents.skip(item.path, reason)

    def _take(self, item: Item) -> str:
        if item.sha256 is None:
            return item.reason
        if item.kind != "symbolic":
            return "audio: only notes are indexed"
        try:
            piece = load(item.location, None, item.fragment).piece
        except LoadError as error:
            return str(error)
        tokens = {view: tokenize(piece, view=view) for view in self.views}
        n = max(len(t) for t in tokens.values())
        if n == 0:
            return "no notes but drums" if piece.n_notes else "no notes"
        if self.waiting and self.notes + n > self.shard_notes:
            self._flush()
        self.waiting.append((self.contents.take(item), item.sha256, tokens, notes_of(piece)))
        self.notes += n
        return ""

    def _flush(self) -> None:
        folder, shard = self.contents.folder, self.contents.n_shards
        for view in self.views:
            laid = NgramIndex.build(
                [t[view] for *_, t, _ in self.waiting], [w[0] for w in self.waiting]
            )
            self.contents.store(_place(folder, shard, view), laid.to_arrays())
        self.waiting.sort(key=lambda w: w[0])
        notes = [w[3] for w in self.waiting]
        columns = [np.concatenate(c) for c in zip(*notes, strict=True)]
        starts = np.concatenate([[0], np.cumsum([len(n.onset) for n in notes])]).astype(np.int64)
        arrays = dict(zip(Notes._fields, columns, strict=True))
        arrays |= {"starts": starts, "names": np.array([w[0] for w in self.waiting], np.str_)}
        self.contents.store(_place(folder, shard, NOTES), arrays)
        self.contents.append(
            {
                "name": name,
                "sha256": sha256,
                "notes": max(len(t) for t in tokens.values()),
                "shard": shard,
            }
            for name, sha256, tokens, _ in self.waiting
        )
        self.waiting, self.notes = [], 0

    def finish(self) -> None:
        if self.waiting:
            self._flush()
        self.contents.finish("none of the reference's files could be indexed")


def _open_notes(place: Path) -> ShardNotes:
    arrays = open_arrays(place)
    return ShardNotes(Notes(*(arrays[k] for k in Notes._fields)), arrays["starts"], arrays["names"])


def _place(folder: Path, shard: int, view: str) -> Path:
    return folder / f"{shard:03d}" / view.replace("/", "-")
