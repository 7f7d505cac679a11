"""Which items are cut from one recording, so that intervals draw recordings and not cuts.

A table (``groups``) says so. Without one, names do: ``X_00``, ``X_01`` … are cuts of X, where a
system holds at least four such X. Where it holds fewer (as in ``sample_00`` to ``sample_99``),
numbers only count, and every item stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from concours.eval.items import Item

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


def _name(path: str) -> str:
    found = NUMBERED.fullmatch(PurePosixPath(path).with_suffix("").as_posix())
    return found[1] if found else ""
