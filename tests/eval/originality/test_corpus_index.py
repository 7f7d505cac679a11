"""The index on disk: what is written is what is found, and damage is noticed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from concours.eval.errors import UsageError
from concours.eval.items import find_items
from concours.eval.load import load
from concours.eval.originality.corpus_index import build_index, open_index
from concours.eval.originality.search import longest
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.tokens import tokenize

VIEWS = ("interval-ratio", "interval")


def lengths(index, piece, view="interval-ratio") -> list[int]:
    return longest(tokenize(piece, view=view), index.shards[view]).length.tolist()


@pytest.mark.parametrize("shard_notes", [10**8, 200, 1])
def test_shards_find_what_one_index_in_memory_finds(corpus, tmp_path, shard_notes):
    items = find_items(str(corpus))
    index = build_index(items[:10], tmp_path / "index", views=VIEWS, shard_notes=shard_notes)
    pieces = [load(i.location).piece for i in items]
    assert len(index.shards["interval"]) == {10**8: 1, 200: 5, 1: 10}[shard_notes]
    for view in VIEWS:
        whole = NgramIndex.build(
            [tokenize(p, view=view) for p in pieces[:10]], [i.path for i in items[:10]]
        )
        for piece in pieces[5:15]:
            want = whole.matches(tokenize(piece, view=view)).length.tolist()
            assert lengths(index, piece, view) == want


def test_pieces_are_added_once_by_content(corpus, tmp_path):
    items = find_items(str(corpus))
    folder = tmp_path / "index"
    build_index(items[:4], folder, views=VIEWS)
    before = {f: f.read_bytes() for f in folder.rglob("*.npy")}
    grown = build_index([*items[:6], items[0]], folder, views=VIEWS)
    assert [p.name for p in grown.pieces] == [i.path for i in items[:6]]
    assert [p.shard for p in grown.pieces] == [0, 0, 0, 0, 1, 1]
    assert all(f.read_bytes() == content for f, content in before.items())
    together = build_index(items[:6], tmp_path / "other", views=VIEWS)
    assert grown.corpus_hash == together.corpus_hash
    piece = load(items[5].location).piece
    assert lengths(grown, piece) == lengths(together, piece)


def test_what_cannot_be_read_is_listed_and_the_rest_indexed(corpus, tmp_path):
    folder = tmp_path / "music"
    folder.mkdir()
    shutil.copy(corpus / "00.mid", folder / "good.mid")
    (folder / "bad.mid").write_bytes(b"MThd nothing")
    index = build_index(find_items(str(folder)), tmp_path / "index", views=VIEWS)
    assert [p.name for p in index.pieces] == ["good.mid"]
    assert [name for name, _ in index.skipped] == ["bad.mid"]
    assert index.skipped[0][1]
    (folder / "good.mid").unlink()
    with pytest.raises(UsageError, match="none of the reference's files could be indexed"):
        build_index(find_items(str(folder)), tmp_path / "empty", views=VIEWS)


def damage_by_cutting(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def damage_by_changing(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_by_cutting, "bytes instead of"),
        (damage_by_changing, "has changed"),
        (Path.unlink, "is missing"),
    ],
)
def test_every_damaged_file_is_named(corpus, tmp_path, damage, message):
    folder = tmp_path / "index"
    build_index(find_items(str(corpus))[:3], folder, views=VIEWS)
    for file in sorted(folder.rglob("*.npy")):
        content = file.read_bytes()
        damage(file)
        with pytest.raises(UsageError, match=message) as error:
            open_index(folder)
        assert file.name in str(error.value)
        file.write_bytes(content)
    open_index(folder)


def test_a_damaged_table_of_contents_is_told(corpus, tmp_path):
    folder = tmp_path / "index"
    build_index(find_items(str(corpus))[:3], folder, views=VIEWS)
    contents = folder / "index.json"
    text = contents.read_text()
    contents.write_text(text[: len(text) // 2])
    with pytest.raises(UsageError, match="damaged"):
        open_index(folder)
    contents.write_text(json.dumps({**json.loads(text), "format": 999}))
    with pytest.raises(UsageError, match="another version"):
        open_index(folder)
    with pytest.raises(UsageError, match="no index there"):
        open_index(tmp_path)


def test_an_interrupted_build_leaves_the_index_as_it_was(corpus, tmp_path):
    items = find_items(str(corpus))
    folder = tmp_path / "index"
    build_index(items[:3], folder, views=VIEWS, shard_notes=100)
    before = (folder / "index.json").read_bytes()

    def interrupted():
        yield from items[:8]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(interrupted(), folder, views=VIEWS, shard_notes=100)
    assert (folder / "index.json").read_bytes() == before
    assert len(open_index(folder).pieces) == 3
    assert len(build_index(items[:8], folder, views=VIEWS, shard_notes=100).pieces) == 8


def test_folders_that_hold_something_else_are_refused(corpus, tmp_path):
    with pytest.raises(UsageError, match="not empty and no index"):
        build_index(find_items(str(corpus)), corpus, views=VIEWS)
    build_index(find_items(str(corpus))[:3], tmp_path / "index", views=VIEWS)
    with pytest.raises(UsageError, match="its views are interval-ratio, interval"):
        build_index(find_items(str(corpus))[:3], tmp_path / "index", views=("interval",))


def test_a_piece_comes_back_out_of_the_index(corpus, tmp_path):
    item = find_items(str(corpus))[7]
    index = build_index(find_items(str(corpus)), tmp_path / "index", views=VIEWS)
    for view in VIEWS:
        want = tokenize(load(item.location).piece, view=view)
        found = index.shards[view][0].piece(7)
        for name in ("code", "voice", "track", "onset", "pitch", "bar"):
            assert np.array_equal(getattr(found, name), getattr(want, name)), name
