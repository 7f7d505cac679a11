"""From a source in the config to the items of a system.

Baselines are music made from other music: their pieces are generated once, written to the cache as
MIDI files, and are items like any other from then on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

from concours.eval.baselines import GENERATOR_VERSION, generate, write_midi
from concours.eval.cache import digest, stored_folder
from concours.eval.config import Config, Source
from concours.eval.corpora import corpus_files
from concours.eval.embeddings.statistics import is_statistics
from concours.eval.errors import UsageError
from concours.eval.items import Item, find_items, items_of
from concours.eval.load import LOADER_VERSION, LoadError, load
from concours.eval.pairing.partners import with_ground_truth, with_prompts, with_targets
from concours.eval.songs import with_songs
from concours.metrics.piece import Piece

DEFAULT_COUNT = 50

Say = Callable[[str], None]


def resolve(config: Config, names: Iterable[str], folder: Path, say: Say) -> dict[str, list[Item]]:
    """The items of the named sources, each source resolved once.

    Raises:
        UsageError: a source without music, prompts that match nothing, training files that none
            can be read of.
    """
    found: dict[str, list[Item]] = {}

    def items(name: str) -> list[Item]:
        if name not in found:
            found[name] = _items(name, config.sources[name], folder, items, say)
        return found[name]

    for name in names:
        items(name)
    return found


def _items(
    name: str, source: Source, folder: Path, items: Callable[[str], list[Item]], say: Say
) -> list[Item]:
    if statistics_of(source, folder):
        return []
    if source.path is not None:
        return _sample(_paired(find_items(source.path, folder), source, folder), source)
    if source.corpus is not None:
        files = corpus_files(source.corpus, source.split, seed=source.seed, limit=source.count)
        found = items_of({f.name: f for f in files})
    else:
        assert source.train_on is not None
        found = _baseline(name, source, items(source.train_on), say)
    return _paired(found, source, folder)


def _paired(items: list[Item], source: Source, folder: Path) -> list[Item]:
    """The items with the prompts, ground truths, targets and songs that the source names."""
    if source.prompts:
        items = with_prompts(items, folder / source.prompts)
    if source.ground_truth:
        items = with_ground_truth(items, source.ground_truth, folder)
    if source.targets:
        items = with_targets(items, source.targets, folder)
    if source.groups:
        items = with_songs(items, folder / source.groups)
    return items


def statistics_of(source: Source, folder: Path) -> str:
    """The file of a source that is known by the statistics of its frames alone, "" for music."""
    if source.path is None:
        return ""
    at = (folder / Path(source.path).expanduser()).absolute()
    return str(at) if is_statistics(at) else ""


def _sample(items: list[Item], source: Source) -> list[Item]:
    if source.count is None or source.count >= len(items):
        return items
    chosen = random.Random(source.seed).sample(range(len(items)), source.count)
    return [items[i] for i in sorted(chosen)]


def _baseline(name: str, source: Source, training: list[Item], say: Say) -> list[Item]:
    kind, count = source.baseline, source.count or DEFAULT_COUNT
    assert kind is not None
    contents = [i.sha256 for i in training]
    key = digest(
        GENERATOR_VERSION, LOADER_VERSION, kind, source.order, count, source.seed, contents
    )

    def fill(place: Path) -> None:
        say(f"{name}: making {count} pieces ({kind}, from {source.train_on})")
        pieces = _readable(training)
        if not pieces:
            raise UsageError(f"systems.{name}: nothing in {source.train_on} can be learnt from")
        made = generate(kind, train=pieces, count=count, seed=source.seed, order=source.order or 1)
        for i, piece in enumerate(made):
            write_midi(piece, place / f"{i:03d}.mid")

    place = stored_folder("baselines", key, fill)
    return find_items(str(place))


def _readable(items: list[Item]) -> list[Piece]:
    """The pieces that can be read and hold notes; the others are reported where they are scored."""
    pieces = []
    for item in items:
        if item.kind != "symbolic" or item.sha256 is None:
            continue
        try:
            piece = load(item.location, None, item.fragment).piece
        except LoadError:
            continue
        if piece.n_notes:
            pieces.append(piece)
    return pieces
