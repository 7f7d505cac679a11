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
GRID = 2.0**20
NEVER = -(1 << 30)  # no path: whatever is added stays below every score, and within 32 bits


def self_similarity(features: Floats, shifts: bool = True) -> Floats:
    """Cosine similarity of every two frames: shape (n, n), from features of shape (n, 12).

    With ``shifts`` the best over the 12 transpositions of the second frame. Frames of silence are
    like nothing, not even each other.

    >>> self_similarity(np.eye(12)[:2], shifts=True).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    norm = np.sqrt(np.square(features).sum(axis=1, keepdims=True))
    unit = features / np.where(norm > 0, norm, 1.0)
    best: Floats = _best_products(np.ascontiguousarray(unit), 12 if shifts else 1)
    return best


@compiled
def _best_products(unit: Floats, shifts: int) -> Floats:
    """The largest product of two rows over rotations of the second, which is symmetric.

    Rounded to a grid of 2^-20, on which scores add up exactly, so that ties do not hang on
    rounding. Loops run over the second row, so that they run on vectors.
    """
    n = len(unit)
    best = np.zeros((n, n))
    by_class = np.empty((12, n))
    for i in range(n):
        for pc in range(12):
            by_class[pc, i] = unit[i, pc]
    product = np.empty(n)
    for i in range(n):
        row = best[i]
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
            row[j] = np.rint(row[j] * GRID) / GRID
            best[j, i] = row[j]
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
                matrix[i, j] = np.rint(scaled * GRID) / GRID
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
    matrix is one of :func:`thresholded`, with values in steps of 2^-20.
    """
    value, start, length = _fittest(matrix, max(1, shortest), min(longest, len(matrix)))
    return float(value), int(start), int(length)


def fitness(matrix: Floats, start: int, length: int) -> float:
    """Fitness of one segment, 0..1.

    With N frames, path family score σ, coverage γ and total path length L, and a segment of M
    frames: σ' = (σ − M) / L, γ' = (γ − M) / N, and 2σ'γ' / (σ' + γ'), or 0 where one is not
    positive: the segment alone repeats nothing. The matrix is one of :func:`thresholded`.
    """
    return float(_segment(matrix, start, length))


@compiled
def _accumulate(cells: Any, start: int, many: int, length: int, top: Any) -> None:
    """Fills ``top`` with the best scores of paths over ``many`` segments, one frame apart.

    ``top[i + 1, m, s]`` is the best up to frame ``i`` of the piece and frame ``m`` of the segment
    that starts at ``start + s``; m = 0 stands for "in no path", and the row before frame 0 for
    paths that cannot be. Scores are whole numbers of 32 bits in steps of ``1 / GRID``, and the
    loops run over the segments, so that vectors hold many.
    """
    for m in range(length + 1):
        for s in range(many):
            top[0, m, s] = NEVER
            top[1, m, s] = NEVER
    for s in range(many):
        top[1, 0, s] = 0
        top[1, 1, s] = cells[0, start + s]
    for i in range(1, len(cells)):
        row, before, skipped = top[i + 1], top[i], top[i - 1]
        free, first, rested, ended = row[0], row[1], before[0], before[length]
        add = cells[i, start : start + many]
        for s in range(many):
            x = rested[s] if rested[s] > ended[s] else ended[s]
            free[s] = x
            first[s] = x + add[s]
        for m in range(2, length + 1):
            into, one, late = row[m], before[m - 1], skipped[m - 1]
            two = before[m - 2] if m > 2 else late
            add = cells[i, start + m - 1 : start + m - 1 + many]
            for s in range(many):
                x = one[s] if one[s] > two[s] else two[s]
                x = x if x > late[s] else late[s]
                into[s] = x + add[s]


@compiled
def _traced(top: Any, n: int, length: int, s: int) -> float:
    """The fitness of the best path family of segment ``s``, followed back from the last row."""
    total = max(top[n, 0, s], top[n, length, s]) / GRID
    if total <= length:
        return 0.0
    covered, cells_used = 0, 0
    i, m = n, length if top[n, length, s] > top[n, 0, s] else 0
    last = i
    while i >= 1:
        if m <= 1:
            if m == 1:
                cells_used += 1
                covered += last - i + 1
                m = 0
            if i > 1 and top[i - 1, length, s] > top[i - 1, 0, s]:
                m = length
                last = i - 1
            i -= 1
            continue
        cells_used += 1
        a, c = top[i - 1, m - 1, s], top[i - 2, m - 1, s]
        b = top[i - 1, m - 2, s] if m > 2 else NEVER
        if a >= b and a >= c:
            i, m = i - 1, m - 1
        elif c >= b:
            i, m = i - 2, m - 1
        else:
            i, m = i - 1, m - 2
    scored = (total - length) / cells_used
    spread = (covered - length) / n
    if scored <= 0 or spread <= 0:
        return 0.0
    mean: float = 2 * scored * spread / (scored + spread)
    return mean


@compiled
def _on_grid(matrix: Floats) -> Any:
    """The matrix as whole numbers of 32 bits, in steps of ``1 / GRID``."""
    n = len(matrix)
    cells = np.empty((n, n), np.int32)
    for i in range(n):
        for j in range(n):
            cells[i, j] = int(np.rint(matrix[i, j] * GRID))
    return cells


@compiled
def _segment(matrix: Floats, start: int, length: int) -> float:
    n = len(matrix)
    top = np.empty((n + 1, length + 1, 1), np.int32)
    _accumulate(_on_grid(matrix), start, 1, length, top)
    fit: float = _traced(top, n, length, 0)
    return fit


@compiled
def _ceiling(total: float, length: int, n: int) -> float:
    """The most that the fitness can be with that score, whatever the paths.

    A cell scores at most 1 and covers at most two frames, so L cells have L >= total and cover at
    most 2L: the bound is the largest harmonic mean of (total - M) / L and (2L - M) / n.
    """
    gain = total - length
    if gain <= 0:
        return 0.0
    cells = min(max((length + np.sqrt(2 * n * gain)) / 2, total), max(total, n / 2))
    spread = (min(float(n), 2 * cells) - length) / n
    return 2 / (cells / gain + 1 / spread) if spread > 0 else 0.0


@compiled
def _fittest(matrix: Floats, shortest: int, longest: int) -> tuple[float, int, int]:
    """Of each length the segment of the highest ceiling first, then all whose ceiling reaches the
    best fitness found; lengths end where nothing longer can be fitter."""
    n = len(matrix)
    cells = _on_grid(matrix)
    room = 0
    for length in range(shortest, longest + 1):
        room = max(room, (n + 1) * (length + 1) * (n - length + 1))
    space = np.empty(room, np.int32)
    ceilings = np.empty(n)
    best, at, chosen = 0.0, 0, 0
    for length in range(shortest, longest + 1):
        if (n - length) / n + 1e-12 < best:  # of n frames the segment itself takes its length
            break
        many = n - length + 1
        top = space[: (n + 1) * (length + 1) * many].reshape(n + 1, length + 1, many)
        _accumulate(cells, 0, many, length, top)
        highest = 0
        for s in range(many):
            total = max(top[n, 0, s], top[n, length, s]) / GRID
            ceilings[s] = _ceiling(total, length, n)
            if ceilings[s] > ceilings[highest]:
                highest = s
        for k in range(-1, many):
            s = highest if k < 0 else k
            if k == highest or ceilings[s] == 0.0 or ceilings[s] + 1e-12 < best:
                continue
            value = _traced(top, n, length, s)
            earlier = length == chosen and s < at
            if value > best or (value == best and value > 0 and earlier):
                best, at, chosen = value, s, length
    return best, at, chosen
