"""Which items of a system are independent of each other: the one place that decides it.

Items that answer one prompt, or are cut from one song, resemble each other. Together they are one
observation, for intervals and tests alike.
"""

from __future__ import annotations


def cluster_of(system: str, path: str, prompt: str, song: str = "") -> str:
    """The name of an item's cluster: its prompt, else its song, else the item by itself.

    Prompts are shared by systems, and tests pair on them. Songs belong to their system;
    :mod:`concours.eval.songs` says where they come from.

    >>> cluster_of("a", "live/007_cut3.wav", "", "007")
    'song a 007'
    >>> cluster_of("a", "x.mid", "a slow waltz"), cluster_of("a", "x.mid", "")
    ('prompt a slow waltz', 'item a x.mid')
    """
    if prompt:
        return f"prompt {prompt}"
    return f"song {system} {song}" if song else f"item {system} {path}"
