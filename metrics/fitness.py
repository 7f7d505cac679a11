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

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Floats

PENALTY = -2.0


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
    # On a grid of 2^-20 scores add up exactly, so that ties do not hang on rounding.
    return np.rint(best * 2**20) / 2**20


@compiled
def _best_products(unit: Floats, shifts: int) -> Floats:
    """The largest product of two rows over rotations of the second, which is symmetric."""
    n = len(unit)
    best = np.zeros((n, n))
    turned = np.empty((12, 12))
    for i in range(n):
        for up in range(12):
            for pc in range(12):
                turned[up, pc] = unit[i, (pc + up) % 12]
        for j in range(i + 1):
            top = 0.0
            for up in range(shifts):
                product = 0.0
                for pc in range(12):
                    product += turned[up, pc] * unit[j, pc]
                top = max(top, product)
            best[i, j] = top
            best[j, i] = top
    return best


def thresholded(similarity: Floats, keep: float = 0.15) -> Floats:
    """The SSM for :func:`fitness`: the highest share ``keep`` of the values scaled to 0..1.

    >>> thresholded(np.array([[1.0, 0.2], [0.2, 1.0]]), keep=0.5).tolist()
    [[1.0, -2.0], [-2.0, 1.0]]
    """
    cells = similarity.size
    at = min(cells - 1, max(0, round(cells * (1 - keep))))
    low, high = np.partition(similarity, at, axis=None)[at], similarity.max()
    width = high - low
    scaled = (similarity - low) / width if width > 0 else np.ones_like(similarity)
    matrix = np.where(similarity >= low, np.rint(scaled * 2**20) / 2**20, PENALTY)
    np.fill_diagonal(matrix, 1.0)
    return np.ascontiguousarray(matrix)


def best_fitness(matrix: Floats, shortest: int, longest: int) -> tuple[float, int, int]:
    """(fitness, first frame, length) of the fittest segment of ``shortest`` to ``longest`` frames.

    The first of several equal ones, by length and then by time; (0, 0, 0) if none repeats.
    """
    value, start, length = _fittest(matrix, max(1, shortest), min(longest, len(matrix)))
    return float(value), int(start), int(length)


def fitness(matrix: Floats, start: int, length: int) -> float:
    """Fitness of one segment, 0..1.

    With N frames, path family score σ, coverage γ and total path length L, and a segment of M
    frames: σ' = (σ − M) / L, γ' = (γ − M) / N, and 2σ'γ' / (σ' + γ'), or 0 where one is not
    positive: the segment alone repeats nothing.
    """
    return float(_segment(matrix, start, length, np.empty((len(matrix), length + 1))))


@compiled
def _accumulate(matrix: Floats, start: int, length: int, top: Floats) -> None:
    """Fills ``top``, (n, length + 1), with the best score of paths up to each cell.

    Column 0 stands for "in no path", column m for the segment's frame m.
    """
    n = len(matrix)
    top[0] = -np.inf
    top[0, 0] = 0.0
    top[0, 1] = matrix[0, start]
    for i in range(1, n):
        before = top[i - 1]
        row = top[i]
        cells = matrix[i, start : start + length]
        row[0] = max(before[0], before[length])
        row[1] = row[0] + cells[0]
        if i == 1:
            for m in range(2, length + 1):
                a, b = before[m - 1], before[m - 2] if m > 2 else -np.inf
                row[m] = cells[m - 1] + max(a, b)
            continue
        skipped = top[i - 2]
        if length >= 2:
            row[2] = cells[1] + max(before[1], skipped[1])
        # From here on no cell needs another of its row, so that the loop runs on vectors.
        into, add = row[3:], cells[2:]
        one, two, late = before[2:], before[1:], skipped[2:]
        for k in range(length - 2):
            x = one[k] if one[k] > two[k] else two[k]
            x = x if x > late[k] else late[k]
            into[k] = add[k] + x


@compiled
def _traced(top: Floats, n: int, length: int) -> float:
    """The fitness of the best path family, followed back from the last row."""
    total = max(top[n - 1, 0], top[n - 1, length])
    if total <= length:
        return 0.0
    covered, cells_used = 0, 0
    i, m = n - 1, length if top[n - 1, length] > top[n - 1, 0] else 0
    last = i
    while i >= 0:
        if m == 0:
            if i > 0 and top[i - 1, length] > top[i - 1, 0]:
                m = length
                last = i - 1
            i -= 1
            continue
        cells_used += 1
        if m == 1:
            covered += last - i + 1
            m = 0
            if i > 0 and top[i - 1, length] > top[i - 1, 0]:
                m = length
                last = i - 1
            i -= 1
            continue
        a = top[i - 1, m - 1]
        b = top[i - 1, m - 2] if m > 2 else -np.inf
        c = top[i - 2, m - 1] if i > 1 else -np.inf
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
def _segment(matrix: Floats, start: int, length: int, score: Floats) -> float:
    _accumulate(matrix, start, length, score)
    fit: float = _traced(score, len(matrix), length)
    return fit


@compiled
def _totals(matrix: Floats, length: int) -> Floats:
    """The score of the best path family of every segment of ``length`` frames, by start.

    The recurrence of :func:`_accumulate` for all of them at once, three rows at a time.
    """
    n = len(matrix)
    many = n - length + 1
    rows = np.full((3, length + 1, many), -np.inf)
    rows[0, 0] = 0.0
    rows[0, 1] = matrix[0, :many]
    for i in range(1, n):
        row, before, skipped = rows[i % 3], rows[(i - 1) % 3], rows[(i - 2) % 3]
        cells = matrix[i]
        for s in range(many):
            x = before[0, s] if before[0, s] > before[length, s] else before[length, s]
            row[0, s] = x
            row[1, s] = x + cells[s]
        for m in range(2, length + 1):
            into, one, late = row[m], before[m - 1], skipped[m - 1]
            two = before[m - 2] if m > 2 else late
            add = cells[m - 1 : m - 1 + many]
            for s in range(many):
                x = one[s] if one[s] > two[s] else two[s]
                x = x if x > late[s] else late[s]
                into[s] = x + add[s]
        if i == 1:
            rows[2] = -np.inf  # what stands for the row before the first was never filled
    last = rows[(n - 1) % 3]
    totals: Floats = np.maximum(last[0], last[length])
    return totals


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
    """Segments by falling ceiling, until no ceiling reaches the best fitness found."""
    n = len(matrix)
    size = 0
    for length in range(shortest, longest + 1):
        size += n - length + 1
    ceilings, starts, lengths = np.empty(size), np.empty(size, np.int64), np.empty(size, np.int64)
    k = 0
    for length in range(shortest, longest + 1):
        totals = _totals(matrix, length)
        for start in range(len(totals)):
            ceilings[k] = _ceiling(totals[start], length, n)
            starts[k], lengths[k] = start, length
            k += 1
    best, at, chosen = 0.0, 0, 0
    for k in np.argsort(-ceilings, kind="mergesort"):
        if ceilings[k] + 1e-12 < best or ceilings[k] == 0.0:
            break
        value = _segment(matrix, starts[k], lengths[k], np.empty((n, lengths[k] + 1)))
        earlier = lengths[k] < chosen or (lengths[k] == chosen and starts[k] < at)
        if value > best or (value == best and value > 0 and earlier):
            best, at, chosen = value, starts[k], lengths[k]
    return best, at, chosen
