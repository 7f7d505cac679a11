"""Which items are cut from one recording, so that intervals draw recordings and not cuts.

A table (``groups``) says so. Without one, names do: ``X_00``, ``X_01`` … are cuts of X, where a
system holds at least four such X. Where it holds fewer (as in ``sample_00`` to ``sample_99``),
numbers only count, and every item stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from concours.eval.errors import UsageError
from concours.eval.items import Item
from concours.eval.pairing import items_named
from concours.eval.pairing_table import read_rows

COLUMNS = ("song", "group")
NUMBERED = re.compile(r"(.+)[_-]\d{2,}$")
FEWEST = 4


def songs(items: Sequence[Item]) -> list[str]:
    """The song of each item; an item that is cut from none has one of its own.

    >>> from pathlib import Path
    >>> names = [f"{song}_{cut:02d}.wav" for song in "abcd" for cut in (0, 1)]
    >>> cuts = [Item(name, Path(), "", "audio", name) for name in names]
    >>> songs(cuts)
    ['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd']
    >>> songs(cuts[:4])
    ['a_00.wav', 'a_01.wav', 'b_00.wav', 'b_01.wav']
    """
    if any(i.song for i in items):
        return [i.song or i.path for i in items]
    named = [_name(i.path) for i in items]
    enough = len({n for n in named if n}) >= FEWEST
    return [(n if enough else "") or i.path for n, i in zip(named, items, strict=True)]


def with_songs(items: list[Item], table: Path) -> list[Item]:
    """The items with the songs of a table that has the columns ``path`` and ``song`` (or
    ``group``).

    Raises:
        UsageError: the file is missing, lacks a column, or names a path that no item has.
    """
    found = list(items)
    rows = read_rows(table)
    if not rows:
        raise UsageError(f"{table}: a table of songs needs a row and the columns path, song")
    for row in rows:
        song = next((str(row.values[c]) for c in COLUMNS if row.values.get(c)), "")
        if not row.values.get("path") or not song:
            raise UsageError(f"{row.place}: a row needs a path and a song")
        for i in items_named(items, str(row.values["path"]), row.place):
            found[i] = replace(found[i], song=song)
    return found


def _name(path: str) -> str:
    found = NUMBERED.fullmatch(PurePosixPath(path).with_suffix("").as_posix())
    return found[1] if found else ""
