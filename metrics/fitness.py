"""Fitness of a segment: how well, and how much of, the rest of a piece repeats it.

Müller, Jiang & Grosche 2013: a path family over a segment is a set of alignment paths that do not
overlap in time; the best one's normalised score and coverage have the fitness as harmonic mean.
The map of all segments' fitness is the scape plot.

Conventions
-----------
- The self-similarity matrix is one of :mod:`concours.metrics.similarity`, in whole ``STEPS``.
- Steps are (1, 1), (2, 1) and (1, 2) in (time, segment), each cell of a path counting once. A
  path starts on the segment's first frame; MusDr's code also scores starts on the second, which
  its own way back then misses, so its values differ by up to about 0.1 on some segments.
- A path family is one whole number: its score in steps, then what its cells lack to none, then the
  frames that they cover, ``bits`` for each of the last two; the largest is the best.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.lanes import LANES, aligned, larger, load, plus, spread, store
from concours.metrics.piece import Ints
from concours.metrics.similarity import PENALTY, STEPS

MOST_FRAMES = 2**15


def best_fitness(matrix: Ints, shortest: int, longest: int) -> tuple[float, int, int]:
    """(fitness, first frame, length) of the fittest segment of ``shortest`` to ``longest`` frames.

    The first of several equal ones, by length and then by time; (0, 0, 0) if none repeats. The
    matrix has shape (n, n), n below 32,768.
    """
    shortest, longest = max(1, shortest), min(longest, len(matrix))
    value, start, length = _fittest(matrix, *_room(len(matrix), longest), shortest, longest)
    return float(value), int(start), int(length)


def fitness(matrix: Ints, start: int, length: int) -> float:
    """Fitness of one segment, 0..1.

    With N frames, path family score σ, coverage γ and total path length L, and a segment of M
    frames: σ' = (σ − M) / L, γ' = (γ − M) / N, and 2σ'γ' / (σ' + γ'), or 0 where one is not
    positive: the segment alone repeats nothing. Of families of one score, that with the fewest
    cells counts, then the one that covers most. The matrix has shape (n, n), n below 32,768.
    """
    return float(_alone(matrix, *_room(len(matrix), length), start, length))


def _room(n: int, longest: int) -> tuple[Any, int]:
    """Space for what a path gains by each cell, and the bits of a count.

    32 bits hold the families of ``n`` frames where the best that can be, and three times what a
    segment can gain below nothing (see :func:`_families`), stay within them.
    """
    if n >= MOST_FRAMES:
        raise ValueError(f"{n} frames: a fitness takes fewer than {MOST_FRAMES}")
    bits = n.bit_length()
    needed = max(n + 1, 3 * longest + 2) * STEPS << 2 * bits
    return np.empty(n * (n + LANES), np.int32 if needed < 2**31 else np.int64), bits


@compiled
def _fittest(
    matrix: Ints, cells: Any, bits: int, shortest: int, longest: int
) -> tuple[float, int, int]:
    """All segments, a length at a time; lengths end where nothing longer can be fitter."""
    n = len(matrix)
    _pack(matrix, bits, cells)
    best, at, chosen = 0.0, 0, 0
    rows = aligned(np.empty((3 * (longest + 1) + 1) * LANES, cells.dtype))
    families = np.empty(LANES, cells.dtype)
    for length in range(shortest, longest + 1):
        if (n - length) / n + 1e-12 < best:  # of n frames the segment itself takes its length
            break
        for start in range(0, n - length + 1, LANES):
            _families(cells, n, bits, start, length, rows, families)
            for s in range(min(LANES, n - length + 1 - start)):
                value = _value(families[s], bits, length, n)
                if value > best:
                    best, at, chosen = value, start + s, length
    return best, at, chosen


@compiled
def _alone(matrix: Ints, cells: Any, bits: int, start: int, length: int) -> float:
    _pack(matrix, bits, cells)
    rows = np.empty(3 * (length + 1) * LANES, cells.dtype)
    families = np.empty(LANES, cells.dtype)
    _families(cells, len(matrix), bits, start, length, rows, families)
    value: float = _value(families[0], bits, length, len(matrix))
    return value


@compiled
def _pack(matrix: Ints, bits: int, cells: Any) -> None:
    """What a path gains by each cell, rows of n + ``LANES``: the frame that a cell covers counts
    when its path ends."""
    n = len(matrix)
    one_cell = 1 << bits
    for i in range(n):
        row = cells[i * (n + LANES) : (i + 1) * (n + LANES)]
        for j in range(n):
            row[j] = (np.int64(matrix[i, j]) << 2 * bits) - one_cell
        row[n:] = (PENALTY << 2 * bits) - one_cell


@compiled
def _families(
    cells: Any, n: int, bits: int, start: int, length: int, rows: Any, families: Any
) -> None:
    """The best families of ``LANES`` segments of one length, one frame apart from ``start`` on.

    ``rows`` holds three frames of the piece in turn, each with lanes for every frame ``m`` of the
    segment from 1 on: the best family up to there, whose last path is open. That path owes the
    frames before its start, and covers all frames up to its end when it is closed, so that its
    steps need not count them. What no path reaches is so low that no segment brings it up to 0,
    and stays within the number's bits.
    """
    kind = cells.dtype.type
    size = (length + 1) * LANES
    skipped, before, row = 0, size, 2 * size
    never, none = spread(kind(-(length + 1) * (STEPS << 2 * bits))), spread(kind(0))
    for m in range(1, length + 1):
        store(rows, skipped + m * LANES, never)
        store(rows, before + m * LANES, never)
    store(rows, before + LANES, load(cells, start))
    closed = none
    for i in range(1, n):
        ended = load(rows, before + length * LANES)
        closed = larger(closed, plus(ended, spread(kind(i))))
        cell = i * (n + LANES) + start
        opened = plus(plus(closed, spread(kind(-i))), load(cells, cell))
        store(rows, row + LANES, opened)
        two = never
        for m in range(1, length):
            one, late = load(rows, before + m * LANES), load(rows, skipped + m * LANES)
            step = plus(larger(larger(one, two), late), load(cells, cell + m))
            store(rows, row + (m + 1) * LANES, step)
            two = one
        row, before, skipped = skipped, row, before
    ended = load(rows, before + length * LANES)
    store(families, 0, larger(closed, plus(ended, spread(kind(n)))))


@compiled
def _value(family: int, bits: int, length: int, n: int) -> float:
    """The fitness of a segment whose best family that is."""
    low = (1 << 2 * bits) - (1 << bits)
    score = (np.int64(family) + low) >> 2 * bits
    counts = np.int64(family) - (score << 2 * bits)
    cells = -(counts >> bits)
    covered = counts + (cells << bits)
    gain = score / STEPS - length
    if gain <= 0 or covered <= length:
        return 0.0
    scored, spread_ = gain / cells, (covered - length) / n
    mean: float = 2 * scored * spread_ / (scored + spread_)
    return mean
