"""Which items of a system are independent of each other: the one place that decides it.

Items that answer one prompt, or are cut from one song, resemble each other. Together they are one
observation, for intervals and tests alike.
"""

from __future__ import annotations

import re


def cluster_of(system: str, path: str, prompt: str, songs: str = "") -> str:
    """The name of an item's cluster: its prompt, else its song, else the item by itself.

    Prompts are shared by systems, and tests pair on them. ``songs`` is a regular expression that
    finds the song in an item's path: its first group, or the whole match where it has none; a
    path that it doesn't match stands alone. Songs belong to their system.

    >>> cluster_of("a", "live/007_cut3.wav", "", r"(\\d+)_cut")
    'song a 007'
    >>> cluster_of("a", "x.mid", "a slow waltz"), cluster_of("a", "x.mid", "")
    ('prompt a slow waltz', 'item a x.mid')
    """
    if prompt:
        return f"prompt {prompt}"
    found = re.search(songs, path) if songs else None
    if found is not None:
        return f"song {system} {found[1] if found.re.groups else found[0]}"
    return f"item {system} {path}"
