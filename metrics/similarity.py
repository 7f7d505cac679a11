"""What in a piece sounds like what: the self-similarity matrix (SSM) of its frames.

Conventions
-----------
- A frame is a vector of 12 pitch classes; the likeness of two is their cosine, in whole steps of
  1 / ``GRID``, so that equal and transposed frames come to exactly 1.
- For :mod:`concours.metrics.fitness` the highest values are scaled to 0..``STEPS``, the others
  are ``PENALTY`` (Müller, Jiang & Grosche 2013), and the diagonal is ``STEPS``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.lanes import LANES, aligned, larger, load, plus, spread, store, times
from concours.metrics.piece import Floats, Ints
from concours.metrics.sums import nearest

UNIT = 2.0**11  # frames are unit vectors in whole steps of 1 / UNIT
GRID, BUCKET = 2**20, 10  # steps of a likeness, and bits of a step that share a bucket when ranked
STEPS = 2**10
PENALTY = -2 * STEPS


def self_similarity(frames: Floats, shifts: bool = True) -> Floats:
    """Cosine similarity of every two frames: shape (n, n), from frames of shape (n, 12).

    With ``shifts`` the best over the 12 transpositions of the second frame. Frames of silence are
    like nothing, not even each other.

    >>> self_similarity(np.eye(12)[:2]).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    below = np.tril(_cosines(_units(frames, 0), 12 if shifts else 1)) / GRID
    cosines: Floats = np.maximum(below, below.T)
    return cosines


def similar(frames: Floats, around: int, keep: float) -> Ints:
    """The SSM for :func:`concours.metrics.fitness.best_fitness`: whole numbers, shape (n, n).

    ``frames``: (n, 12), each taken together with ``around`` neighbours on either side and compared
    in all 12 transpositions; the highest share ``keep`` of the values counts as similar.

    >>> frames = np.eye(12)[:3]
    >>> frames[1, 4] = 1  # two notes between single ones
    >>> (similar(frames, 0, keep=0.5) / STEPS).tolist()
    [[1.0, -2.0, 1.0], [-2.0, 1.0, -2.0], [1.0, -2.0, 1.0]]
    """
    found: Ints = _similar(frames, around, _threshold_rank(len(frames), keep))
    return found


def thresholded(similarity: Floats, keep: float) -> Ints:
    """What :func:`similar` makes of the values of a symmetric matrix, shape (n, n), of 0..1.

    >>> (thresholded(np.array([[1.0, 0.25], [0.25, 1.0]]), keep=0.5) / STEPS).tolist()
    [[1.0, -2.0], [-2.0, 1.0]]
    """
    cosines = np.rint(similarity * GRID).astype(np.int32)
    scaled: Ints = _scaled(cosines, _threshold_rank(len(similarity), keep))
    return scaled


def _threshold_rank(n: int, keep: float) -> int:
    """The place of the least value that is kept, of all n² in ascending order."""
    return min(n * n - 1, max(0, round(n * n * (1 - keep))))


@compiled
def _similar(frames: Floats, around: int, rank: int) -> Any:
    return _scaled(_cosines(_units(frames, around), 12), rank)


@compiled
def _units(frames: Floats, around: int) -> Any:
    """Sums of 2 · ``around`` + 1 frames as unit vectors in whole steps: float32, shape (n, 12).

    The products of such numbers add up exactly in 32 bits, in any order: ties do not hang on
    rounding.
    """
    n = len(frames)
    sums = np.zeros((n + 1, 12))
    for i in range(n):
        for pc in range(12):
            sums[i + 1, pc] = sums[i, pc] + frames[i, pc]
    units = np.empty((n, 12), np.float32)
    for i in range(n):
        first, last = sums[max(i - around, 0)], sums[min(i + around + 1, n)]
        length = 0.0
        for pc in range(12):
            length += (last[pc] - first[pc]) ** 2
        length = np.sqrt(length) if length > 0 else 1.0
        for pc in range(12):
            units[i, pc] = nearest((last[pc] - first[pc]) / length * UNIT)
    return units


@compiled
def _cosines(units: Any, shifts: int) -> Any:
    """The largest cosine of two rows over rotations of the second, in steps: int32, (n, n), of
    which only the diagonal and what is below it is filled."""
    n = len(units)
    width = (n + LANES - 1) // LANES * LANES
    by_class = aligned(np.zeros(12 * width + LANES, np.float32))
    twice = np.empty(24 * n, np.float32)  # each row and again, so that a rotation is a stretch
    length = np.zeros(n)  # of rows in whole steps: close to UNIT, or 0
    for i in range(n):
        for pc in range(12):
            by_class[pc * width + i] = twice[24 * i + pc] = twice[24 * i + 12 + pc] = units[i, pc]
            length[i] += np.float64(units[i, pc]) ** 2
        length[i] = np.sqrt(length[i])
    cosines, row = np.empty((n, n), np.int32), np.empty(width, np.float32)
    for i in range(n):
        for j in range(0, i + 1, LANES):
            best = spread(np.float32(0))
            for rotated in range(24 * i, 24 * i + shifts):
                product = spread(np.float32(0))
                for pc in range(12):
                    one = times(spread(twice[rotated + pc]), load(by_class, pc * width + j))
                    product = plus(product, one)
                best = larger(best, product)
            store(row, j, best)
        for j in range(i + 1):
            cosine = np.true_divide(row[j], length[i] * length[j]) if row[j] > 0 else 0.0
            cosines[i, j] = np.int32(nearest(cosine * GRID))
    return cosines


@compiled
def _scaled(cosines: Any, rank: int) -> Any:
    """The values from the one at that rank up as 0..``STEPS``, others ``PENALTY``: int32.

    ``cosines``: symmetric, (n, n); nothing above its diagonal is read."""
    n = len(cosines)
    low, high = _ranked(cosines, rank), np.int32(0)
    for i in range(n):
        for j in range(i + 1):
            high = max(high, cosines[i, j])
    if low == high:
        low -= 1  # so that values which are all equal are all similar
    width = np.float64(high - low)
    scaled, steps = np.empty((n, n), np.int32), np.empty(n, np.int32)
    for i in range(n):
        for j in range(i):
            step = np.int32(nearest(np.true_divide(cosines[i, j] - low, width) * STEPS))
            steps[j] = step if cosines[i, j] >= low else PENALTY
        for j in range(i):
            scaled[i, j] = scaled[j, i] = steps[j]
        scaled[i, i] = STEPS
    return scaled


@compiled
def _ranked(cosines: Any, rank: int) -> Any:
    """The value at that place of all in ascending order: only its like are sorted."""
    n = len(cosines)
    counts = np.zeros((GRID >> BUCKET) + 1, np.int64)
    for i in range(n):
        for j in range(i):
            counts[cosines[i, j] >> BUCKET] += 2
        counts[cosines[i, i] >> BUCKET] += 1
    bucket, below = 0, 0
    while below + counts[bucket] <= rank:
        below += counts[bucket]
        bucket += 1
    alike = np.empty(counts[bucket], np.int32)
    k = 0
    for i in range(n):
        for j in range(i + 1):
            if cosines[i, j] >> BUCKET == bucket:
                for _ in range(2 if j < i else 1):
                    alike[k] = cosines[i, j]
                    k += 1
    return np.sort(alike)[rank - below]
