"""Fitness of a segment: how well, and how much of, the rest of a piece repeats it.

Müller, Jiang & Grosche 2013: a path family over a segment is a set of alignment paths that do not
overlap in time; the best one's normalised score and coverage have the fitness as harmonic mean.
The map of all segments' fitness is the scape plot.

Conventions
-----------
- A self-similarity matrix (SSM) has a diagonal of 1, the chosen share of its highest values
  scaled to 0..1, and ``PENALTY`` elsewhere.
- Steps are (1, 1), (2, 1) and (1, 2) in (time, segment), each cell of a path counting once. A
  path starts on the segment's first frame; MusDr's code also scores starts on the second, which
  its own way back then misses, so its values differ by up to about 0.1 on some segments.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Floats

PENALTY = -2.0
UNIT = 2.0**11  # frames are unit vectors in whole steps of 1 / UNIT
GRID = 2.0**20  # of similarities: equal and transposed frames come to exactly 1
STEPS = 2.0**10
LANES = 16
SMALL, SMALL_BITS, LARGE_BITS = 96, 7, 15


def self_similarity(features: Floats, shifts: bool = True) -> Floats:
    """Cosine similarity of every two frames: shape (n, n), from features of shape (n, 12).

    With ``shifts`` the best over the 12 transpositions of the second frame. Frames of silence are
    like nothing, not even each other.

    >>> self_similarity(np.eye(12)[:2], shifts=True).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    norm = np.sqrt(np.square(features).sum(axis=1, keepdims=True))
    unit = np.rint(features / np.where(norm > 0, norm, 1.0) * UNIT).astype(np.float32)
    best: Floats = _best_products(unit, 12 if shifts else 1)
    return best


@compiled
def _best_products(unit: Any, shifts: int) -> Floats:
    """The largest cosine of two rows over rotations of the second, which is symmetric.

    Rows are whole numbers, and so small that their products add up exactly in 32 bits, in any
    order: ties do not hang on rounding. Loops run over the second row, so that they run on vectors.
    """
    n = len(unit)
    best = np.zeros((n, n))
    by_class = np.empty((12, n), np.float32)
    for i in range(n):
        for pc in range(12):
            by_class[pc, i] = unit[i, pc]
    length = np.zeros(n)  # of rows in whole numbers: close to UNIT, or 0
    for i in range(n):
        for pc in range(12):
            length[i] += np.float64(unit[i, pc]) ** 2
        length[i] = np.sqrt(length[i])
    product, row = np.empty(n, np.float32), np.empty(n, np.float32)
    for i in range(n):
        row[: i + 1] = 0.0
        for up in range(shifts):
            product[: i + 1] = 0.0
            for pc in range(0, 12, 4):
                w, x = unit[i, (pc + up) % 12], unit[i, (pc + 1 + up) % 12]
                y, z = unit[i, (pc + 2 + up) % 12], unit[i, (pc + 3 + up) % 12]
                a, b, c, d = by_class[pc], by_class[pc + 1], by_class[pc + 2], by_class[pc + 3]
                for j in range(i + 1):
                    product[j] = product[j] + w * a[j] + x * b[j] + y * c[j] + z * d[j]
            for j in range(i + 1):
                row[j] = product[j] if product[j] > row[j] else row[j]
        for j in range(i + 1):
            cosine = row[j] / (length[i] * length[j]) if row[j] > 0 else 0.0
            best[i, j] = best[j, i] = np.rint(cosine * GRID) / GRID
    return best


def thresholded(similarity: Floats, keep: float = 0.15) -> Floats:
    """The SSM for :func:`fitness`: the highest share ``keep`` of the values scaled to 0..1.

    ``similarity``: (n, n), values of 0..1.

    >>> thresholded(np.array([[1.0, 0.2], [0.2, 1.0]]), keep=0.5).tolist()
    [[1.0, -2.0], [-2.0, 1.0]]
    """
    cells = similarity.size
    at = min(cells - 1, max(0, round(cells * (1 - keep))))
    return _scaled(similarity, at)


@compiled
def _scaled(similarity: Floats, at: int) -> Floats:
    """The matrix over the threshold that is value number ``at`` of all in ascending order."""
    n = len(similarity)
    low, high = _ranked(similarity, at), 0.0
    for i in range(n):
        for j in range(n):
            high = max(high, similarity[i, j])
    width = high - low
    matrix = np.full((n, n), PENALTY)
    for i in range(n):
        for j in range(n):
            if similarity[i, j] >= low:
                scaled = (similarity[i, j] - low) / width if width > 0 else 1.0
                matrix[i, j] = np.rint(scaled * STEPS) / STEPS
        matrix[i, i] = 1.0
    return matrix


@compiled
def _ranked(values: Floats, at: int) -> float:
    """Value number ``at`` in ascending order, of values of 0..1: only its like are sorted."""
    flat = values.ravel()
    counts = np.zeros(4097, np.int64)
    for value in flat:
        counts[min(4096, int(value * 4096))] += 1
    bucket, below = 0, 0
    while below + counts[bucket] <= at:
        below += counts[bucket]
        bucket += 1
    alike = np.empty(counts[bucket])
    k = 0
    for value in flat:
        if min(4096, int(value * 4096)) == bucket:
            alike[k] = value
            k += 1
    ranked: float = np.sort(alike)[at - below]
    return ranked


def best_fitness(matrix: Floats, shortest: int, longest: int) -> tuple[float, int, int]:
    """(fitness, first frame, length) of the fittest segment of ``shortest`` to ``longest`` frames.

    The first of several equal ones, by length and then by time; (0, 0, 0) if none repeats. The
    matrix is one of :func:`thresholded`, (n, n), n below 32,768.
    """
    cells, bits = _packed(matrix)
    value, start, length = _fittest(cells, bits, max(1, shortest), min(longest, len(matrix)))
    return float(value), int(start), int(length)


def fitness(matrix: Floats, start: int, length: int) -> float:
    """Fitness of one segment, 0..1.

    With N frames, path family score σ, coverage γ and total path length L, and a segment of M
    frames: σ' = (σ − M) / L, γ' = (γ − M) / N, and 2σ'γ' / (σ' + γ'), or 0 where one is not
    positive: the segment alone repeats nothing. Of families of one score, that with the fewest
    cells counts, then the one that covers most. The matrix is one of :func:`thresholded`.
    """
    cells, bits = _packed(matrix)
    rows, best = np.empty((3, length + 1, 1), cells.dtype), np.empty(1, cells.dtype)
    _accumulate(cells, start, length, bits, rows, best)
    return float(_value(best[0], bits, length, len(matrix)))


def _packed(matrix: Floats) -> tuple[Any, int]:
    """What a path gains by each cell, with room on the right, and the bits of a count in it.

    A path family is one whole number: its score in steps of 1 / ``STEPS``, then what its cells
    lack to none, then the frames that they cover, ``bits`` for each of the last two; the largest
    is the best. 32 bits hold families over up to ``SMALL`` frames.
    """
    n = len(matrix)
    if n >= 1 << LARGE_BITS:
        raise ValueError(f"{n} frames: a fitness takes fewer than {1 << LARGE_BITS}")
    bits, kind = (SMALL_BITS, np.int32) if n <= SMALL else (LARGE_BITS, np.int64)
    cells = np.empty((n, n + LANES), kind)
    _pack(matrix, bits, cells)
    return cells, bits


@compiled
def _pack(matrix: Floats, bits: int, cells: Any) -> None:
    n = len(matrix)
    one_cell = (1 << bits) - 1  # a count of cells, less the frame that a cell covers
    for i in range(n):
        for j in range(n):
            cells[i, j] = (np.int64(np.rint(matrix[i, j] * STEPS)) << 2 * bits) - one_cell
        cells[i, n:] = (np.int64(PENALTY * STEPS) << 2 * bits) - one_cell


@compiled
def _accumulate(cells: Any, start: int, length: int, bits: int, rows: Any, best: Any) -> None:
    """The best family of each of ``len(best)`` segments, one frame apart from ``start`` on.

    ``rows``: (3, length + 1, segments), three frames of the piece in turn. ``row[m]`` holds the
    best up to this frame of the piece and frame ``m`` of the segment; m = 0 stands for "in no
    path". Loops run over the segments, on vectors. What no path reaches stays so low that nothing
    added brings it up to 0, and within the number's bits.
    """
    many = len(best)
    never = -(1 << 31) + (1 << 26) if bits == SMALL_BITS else -(1 << 60)
    kind = cells.dtype.type  # sums of 32 bits are cut to 32 at once, or vectors hold half as many
    never = kind(never)
    rows[:2] = never
    rows[1, 0] = 0
    rows[1, 1] = cells[0, start : start + many]
    for i in range(1, len(cells)):
        row, before, skipped = rows[(i + 1) % 3], rows[i % 3], rows[(i - 1) % 3]
        free, first, rested, ended = row[0], row[1], before[0], before[length]
        add = cells[i, start : start + many]
        for s in range(many):
            x = rested[s] if rested[s] > ended[s] else ended[s]
            free[s] = x
            first[s] = x + add[s]
        for m in range(2, length + 1):
            into, one, late = row[m], before[m - 1], skipped[m - 1]
            add = cells[i, start + m - 1 : start + m - 1 + many]
            if m > 2:
                two = before[m - 2]
                for s in range(many):
                    x = one[s] if one[s] > two[s] else two[s]
                    y = kind(late[s] + 1)  # it covers the frame that it skips
                    x = kind((x if x > y else y) + add[s])
                    into[s] = x if x > never else never
            else:
                for s in range(many):
                    y = kind(late[s] + 1)
                    x = kind((one[s] if one[s] > y else y) + add[s])
                    into[s] = x if x > never else never
    last = rows[len(cells) % 3]
    for s in range(many):
        best[s] = max(last[0, s], last[length, s])


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
    scored, spread = gain / cells, (covered - length) / n
    mean: float = 2 * scored * spread / (scored + spread)
    return mean


@compiled
def _fittest(cells: Any, bits: int, shortest: int, longest: int) -> tuple[float, int, int]:
    """All segments of each length at once; lengths end where nothing longer can be fitter."""
    n = len(cells)
    best, at, chosen = 0.0, 0, 0
    space = np.empty(3 * (longest + 1) * (n + LANES), cells.dtype)
    families = np.empty(n + LANES, cells.dtype)
    for length in range(shortest, longest + 1):
        if (n - length) / n + 1e-12 < best:  # of n frames the segment itself takes its length
            break
        many = n - length + 1
        lanes = (many + LANES - 1) // LANES * LANES  # vectors come out even
        rows = space[: 3 * (length + 1) * lanes].reshape(3, length + 1, lanes)
        _accumulate(cells, 0, length, bits, rows, families[:lanes])
        for s in range(many):
            value = _value(families[s], bits, length, n)
            if value > best:
                best, at, chosen = value, s, length
    return best, at, chosen
