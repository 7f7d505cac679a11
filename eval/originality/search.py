"""The passages of one piece that an indexed corpus holds, over all shards of the index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.originality.index import Hit, NgramIndex
from concours.metrics.originality.tokens import Tokens


class Longest(NamedTuple):
    """For each position of a query: the longest match in tokens, and the shard that holds it."""

    length: NDArray[np.int32]
    shard: NDArray[np.int32]


class Run(NamedTuple):
    """A passage of a query: ``first`` position in its tokens, ``length`` in notes, a place that
    holds it, and how many places of that shard do."""

    first: int
    length: int
    shard: int
    hit: Hit
    n_places: int


def longest(tokens: Tokens, shards: Sequence[NgramIndex]) -> Longest:
    """The longest match of every position; of equal ones the first shard's."""
    length = np.zeros(len(tokens), np.int32)
    shard = np.zeros(len(tokens), np.int32)
    for i, part in enumerate(shards):
        found = part.matches(tokens).length
        shard[found > length] = i
        length = np.maximum(length, found)
    return Longest(length, shard)


def runs(
    tokens: Tokens, shards: Sequence[NgramIndex], found: Longest, *, at_least: int, most: int
) -> list[Run]:
    """The longest shared passages that don't overlap, longest first; ties by time, high to low.

    ``at_least`` is the fewest notes of a passage, ``most`` the number of passages.
    """
    width = tokens.width
    notes = np.where(found.length > 0, found.length + width - 1, 0)
    order = np.lexsort((-tokens.pitch, tokens.onset, -notes))
    taken = np.zeros(len(tokens), np.bool_)
    chosen: list[Run] = []
    for first in order.tolist():
        n = int(notes[first])
        if n < max(at_least, width) or len(chosen) == most:
            break
        if taken[first : first + n].any():
            continue
        taken[first : first + n] = True
        shard = int(found.shard[first])
        hits = shards[shard].hits(tokens, first, n)
        chosen.append(Run(first, n, shard, hits[0], len(hits)))
    return chosen


def longest_passage(tokens: Tokens, length: NDArray[np.int32]) -> int:
    """Notes of the longest match, 0 where nothing matches."""
    most = int(length.max(initial=0))
    return most + tokens.width - 1 if most else 0
