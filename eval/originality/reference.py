"""From what a user calls the reference to an open, calibrated index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from concours.eval.cache import digest, stored_folder
from concours.eval.corpora import CORPORA, corpus_files
from concours.eval.items import Item, find_items, items_of
from concours.eval.load import LOADER_VERSION
from concours.eval.originality.calibration import CALIBRATION_VERSION, calibrate
from concours.eval.originality.corpus_index import (
    CONTENTS,
    LAYOUT,
    CorpusIndex,
    build_index,
    open_index,
    store_calibration,
)
from concours.eval.progress import Progress
from concours.metrics.originality.index import FORMAT

CACHE = "originality"


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
    return store_calibration(index, calibrate(index))
