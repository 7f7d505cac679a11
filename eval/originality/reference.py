"""From what a user calls the reference to an open, calibrated index."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from concours.eval.cache import digest, stored_folder
from concours.eval.corpora import CORPORA, corpus_files
from concours.eval.errors import UsageError
from concours.eval.items import Item, find_items, items_of
from concours.eval.load import LOADER_VERSION, LoadError, load
from concours.eval.originality.calibration import CALIBRATION_VERSION, calibrate
from concours.eval.originality.corpus_index import (
    CONTENTS,
    LAYOUT,
    CorpusIndex,
    build_index,
    open_index,
    store_calibration,
)
from concours.eval.originality.report import corpus_curve
from concours.eval.progress import Progress
from concours.metrics.originality.index import FORMAT

CACHE = "originality"
DEFAULT_OTHER = "bach-chorales"
OTHER_PIECES = 30


def index_reference(
    reference: str, out: Path | None, views: Sequence[str], progress: Progress
) -> CorpusIndex:
    """Opens the index in the folder ``reference``, or indexes and calibrates the music there.

    ``reference`` may also be the name of a corpus, whose reference split is taken. Without
    ``out`` the index lives in the cache under a hash of the contents, so that it is built once.

    Raises:
        UsageError: nothing at ``reference``, no music in it, or a damaged index.
    """
    if out is None and (Path(reference) / CONTENTS).is_file():
        return calibrated(open_index(Path(reference)), progress)
    return index_items(reference_items(reference), out, views, progress)


def index_items(
    items: list[Item], out: Path | None, views: Sequence[str], progress: Progress
) -> CorpusIndex:
    """Indexes and calibrates these items, in ``out`` or in the cache.

    Raises:
        UsageError: none can be indexed, or ``out`` holds something else or a damaged index.
    """
    if out is not None:
        return calibrated(_build(items, out, views, progress), progress)
    contents = sorted((i.path, i.sha256 or "") for i in items)
    key = digest(LAYOUT, FORMAT, LOADER_VERSION, CALIBRATION_VERSION, list(views), contents)

    def fill(folder: Path) -> None:
        calibrated(_build(items, folder, views, progress), progress)

    return open_index(stored_folder(CACHE, key, fill))


def other_corpus(other: str | None, reference: str, index: CorpusIndex) -> dict[str, Any] | None:
    """The curve of up to :data:`OTHER_PIECES` pieces of another corpus: of ``other``, or of the
    chorales that come with music21 where the reference is something else.

    Raises:
        UsageError: nothing at ``other``, or nothing there can be read.
    """
    if other is None and reference == DEFAULT_OTHER:
        return None
    name = other or DEFAULT_OTHER
    if name in CORPORA and not Path(name).exists():
        items = items_of({f.name: f for f in corpus_files(name, "held-out")})
    else:
        items = find_items(name)
    known = {p.sha256 for p in index.pieces}
    pieces = []
    for item in items[:: max(1, len(items) // OTHER_PIECES)][:OTHER_PIECES]:
        if item.sha256 is not None and item.sha256 not in known and item.kind == "symbolic":
            with suppress(LoadError):
                pieces.append(load(item.location, None, item.fragment).piece)
    if not pieces:
        if other is None:  # the reference holds all of them
            return None
        raise UsageError(f"{other}: none of its pieces can be read, or the reference holds them")
    return corpus_curve(name, pieces, index)


def reference_items(reference: str) -> list[Item]:
    """The items of a folder, file or glob, or of a corpus's reference split."""
    if reference in CORPORA and not Path(reference).exists():
        return items_of({f.name: f for f in corpus_files(reference, "reference")})
    return find_items(reference)


def _build(
    items: list[Item], folder: Path, views: Sequence[str], progress: Progress
) -> CorpusIndex:
    return build_index(progress.track(items, len(items), "indexing"), folder, views=views)


def calibrated(index: CorpusIndex, progress: Progress) -> CorpusIndex:
    """The index with its calibration, computed and stored where it has none."""
    if index.calibration:
        return index
    progress.say("calibrating: the corpus's pieces against each other")
    return store_calibration(index, calibrate(index, progress))
