"""Balanced orders and subsets of trials, drawn from a seed.

A design yields rows without end: row ``i`` is the list of trials of the rater who claims block
``i``, in order of presentation. Rows depend on the seed and their number only, so that a study
can be extended without changing what was drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

_SEARCH_STEPS = 200_000


class Balance(NamedTuple):
    """Over the rows: fewest and most times that a trial, and a pair of trials, occurs."""

    trial: tuple[int, int]
    pair: tuple[int, int]


def williams_square(n: int) -> list[list[int]]:
    """A Williams design for n conditions: n rows, or 2n where n is odd and above 1.

    Every condition stands once in every place of n rows, and follows every other equally often.

    >>> williams_square(4)
    [[0, 1, 3, 2], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]]
    """
    first = [0]
    for step in range(1, n):
        first.append((step + 1) // 2 if step % 2 else n - step // 2)
    rows = [[(c + shift) % n for c in first] for shift in range(n)]
    return rows if n % 2 == 0 or n == 1 else rows + [row[::-1] for row in rows]


def williams_rows(n: int, count: int, seed: int) -> list[list[int]]:
    """``count`` rows over n trials; each full square has its own relabelling and row order."""
    rows: list[list[int]] = []
    square = williams_square(n)
    while len(rows) < count:
        draw = np.random.default_rng([seed, len(rows)])
        names = draw.permutation(n)
        rows += [[int(names[c]) for c in square[i]] for i in draw.permutation(len(square))]
    return rows[:count]


def difference_family(v: int, k: int) -> list[int] | None:
    """A block of k residues mod v whose differences occur equally often; None where none is found.

    Its v shifts are a balanced incomplete block design with lambda = k (k - 1) / (v - 1).

    >>> difference_family(7, 3)
    [0, 1, 3]
    """
    if k < 2 or k >= v or (k * (k - 1)) % (v - 1):
        return None
    wanted = k * (k - 1) // (v - 1)
    steps = 0
    seen = [0] * v

    def extend(chosen: list[int]) -> list[int] | None:
        nonlocal steps
        if len(chosen) == k:
            return list(chosen)
        for new in range(chosen[-1] + 1, v):
            steps += 1
            if steps > _SEARCH_STEPS:
                return None
            differences = [d for c in chosen for d in ((new - c) % v, (c - new) % v)]
            for d in differences:
                seen[d] += 1
            if all(seen[d] <= wanted for d in differences):
                found = extend([*chosen, new])
                if found is not None:
                    return found
            for d in differences:
                seen[d] -= 1
        return None

    return extend([0])


def incomplete_rows(v: int, k: int, count: int, seed: int) -> list[list[int]]:
    """``count`` rows of k out of v trials, as balanced as they can be drawn.

    A cyclic balanced design where one exists; otherwise each row takes the least used trials, and
    among those the ones that have met least often, so that uses differ by at most 1.
    """
    draw = np.random.default_rng([seed, v, k])
    base = difference_family(v, k)
    if base is not None:
        rows: list[list[int]] = []
        while len(rows) < count:
            names = draw.permutation(v)
            for shift in draw.permutation(v):
                row = [int(names[(b + int(shift)) % v]) for b in base]
                rows.append([row[i] for i in draw.permutation(k)])
        return rows[:count]
    used = np.zeros(v, np.int64)
    met = np.zeros((v, v), np.int64)
    rows = []
    for _ in range(count):
        row = []
        free = np.ones(v, np.bool_)
        for _ in range(k):
            order = np.lexsort((draw.random(v), met[:, row].sum(axis=1), used))
            pick = int(next(i for i in order if free[i]))
            free[pick] = False
            used[pick] += 1
            row.append(pick)
        for a, b in combinations(row, 2):
            met[a, b] += 1
            met[b, a] += 1
        rows.append([row[i] for i in draw.permutation(k)])
    return rows


def balance(rows: Sequence[Sequence[int]], v: int) -> Balance:
    """How often trials and pairs occur, for the report of a design."""
    used = np.zeros(v, np.int64)
    met = np.zeros((v, v), np.int64)
    for row in rows:
        for a in row:
            used[a] += 1
        for a, b in combinations(row, 2):
            met[a, b] += 1
            met[b, a] += 1
    pairs = met[np.triu_indices(v, 1)] if v > 1 else np.zeros(1, np.int64)
    return Balance((int(used.min()), int(used.max())), (int(pairs.min()), int(pairs.max())))


def slot_order(n: int, times: int, seed: int) -> list[int]:
    """The order of n slots the ``times``-th time a trial is given.

    Every slot comes first equally often over n times; for two slots the order simply alternates.

    >>> sorted(slot_order(2, t, 5)[0] for t in range(4))
    [0, 0, 1, 1]
    """
    rows = williams_rows(n, times + 1, seed) if n > 1 else [[0]]
    return rows[-1]
