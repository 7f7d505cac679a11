"""Which items are cut from one recording, so that intervals draw recordings and not cuts.

A table (``groups``) says so, or a regular expression (``songs``). Without them, names do:
``X_00``, ``X_01`` … are cuts of X, where a system holds at least four such X. Where it holds fewer
(as in ``sample_00`` to ``sample_99``), numbers only count, and every item stands for itself. All
three end in :attr:`Item.song`, which is stored with a run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from concours.eval.errors import UsageError
from concours.eval.items import Item
from concours.eval.pairing.partners import items_named
from concours.eval.pairing.tables import read_rows

COLUMNS = ("song", "group")
NUMBERED = r"^(.+)[_-]\d{2,}\.[^./]+$"
FEWEST = 4


def song_pattern(items: Sequence[Item]) -> str:
    """The pattern that finds songs in these items' paths, "" where their numbers only count.

    >>> from pathlib import Path
    >>> names = [f"{song}_{cut:02d}.wav" for song in "abcd" for cut in (0, 1)]
    >>> cuts = [Item(name, Path(), "", "audio", name) for name in names]
    >>> re.search(song_pattern(cuts), "a_01.wav")[1], song_pattern(cuts[:4])
    ('a', '')
    """
    found = {m[1] for i in items if (m := re.search(NUMBERED, i.path))}
    return NUMBERED if len(found) >= FEWEST else ""


def song_of(path: str, pattern: str) -> str:
    """The song that a regular expression finds in a path: its first group, or the whole match
    where it has none; "" where it doesn't match.

    >>> song_of("live/007_cut3.wav", r"(\\d+)_cut"), song_of("intro.wav", r"(\\d+)_cut")
    ('007', '')
    """
    found = re.search(pattern, path) if pattern else None
    if found is None:
        return ""
    return str((found[1] if found.re.groups else found[0]) or "")


def named_songs(items: Sequence[Item], pattern: str) -> list[Item]:
    """The items with the songs that their paths name, where no table has said it."""
    if not pattern:
        return list(items)
    return [i if i.song else replace(i, song=song_of(i.path, pattern)) for i in items]


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
