"""Chroma cross-similarity and the Qmax alignment: the same harmony and tune in other hands.

Conventions
-----------
- *Profiles* of a clip: its chroma (see :mod:`concours.metrics.spectra`) as amplitude, averaged
  over 8 frames (0.19 s), each profile centred on its mean and scaled to length 1, so that the
  product of two is their correlation. A silent profile is 0.
- Two clips are held against each other under each of the 12 transpositions. Positions stand for
  ``SPAN`` profiles from there on (the delay embedding); their similarity is the mean correlation.
- Two positions *recur* where each is among the nearest 9.5% of the other (kappa) and they
  correlate by at least 0.5.
- Qmax: recurrences are joined along paths of slope 1/2 to 2 in time; a gap costs 5 where it opens
  and 0.5 for each further step. The *score* is the best path's value over the binary logarithm of
  the number of pairs of positions, by which the best path of unrelated clips grows.

Source: Serrà, Serra & Andrzejak 2009, Cross recurrence quantification for cover song
identification, New Journal of Physics 11 (with kappa and both penalties). Ours are the floor of the
correlation, the search of all transpositions instead of the likeliest (their optimal transposition
index), and the divisor: theirs, the root of the reference's length, suits whole songs, while here
an excerpt may be all that is shared (the logarithm is that of Karlin & Altschul 1990 for the best
local alignment).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clip import Clip
from concours.metrics.compiled import compiled
from concours.metrics.spectra import HOP, SAMPLE_RATE, spectra

VERSION = 1
POOLED = 8
SECONDS_A_PROFILE = POOLED * HOP / SAMPLE_RATE
SPAN = 9
KAPPA = 0.095
FLOOR = 0.5
GAP_OPENS, GAP_GOES_ON = 5.0, 0.5
LEVELS = 256

Profiles = NDArray[np.float32]


class Alignment(NamedTuple):
    """The best path between a query and a clip: profiles ``start`` to ``end`` (exclusive) of the
    query on ``source_start`` to ``source_end`` of the clip, the score, and the semitones from the
    clip to the query (-5 to 6)."""

    score: float
    start: int
    end: int
    source_start: int
    source_end: int
    transposition: int


NOTHING = Alignment(0.0, 0, 0, 0, 0, 0)


def profiles(clip: Clip) -> Profiles:
    """The chroma profiles of a clip, (n, 12), C first.

    >>> from concours.metrics.clip import make_clip
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> profiles(make_clip(tone, 22050)).argmax(axis=1).tolist()
    [9, 9, 9, 9, 9]
    """

    def compute() -> Profiles:
        amplitude = np.sqrt(spectra(clip).chroma_power.T)
        n = len(amplitude) // POOLED
        found = amplitude[: n * POOLED].reshape(n, POOLED, 12).mean(axis=1)
        found -= found.mean(axis=1, keepdims=True)
        length = np.sqrt(np.square(found).sum(axis=1, keepdims=True))
        audible = length > 1e-6
        whole: Profiles = np.where(audible, found / np.where(audible, length, 1.0), 0.0)
        return whole.astype(np.float32)

    return clip.shared("chroma profiles", compute)


def align(query: Profiles, source: Profiles) -> Alignment:
    """The best alignment under any of the 12 transpositions; score 0 where nothing recurs or
    either is shorter than the span (1.7 s).

    >>> random = np.random.default_rng(0).normal(size=(60, 12)).astype(np.float32)
    >>> random -= random.mean(axis=1, keepdims=True)
    >>> random /= np.sqrt(np.square(random).sum(axis=1, keepdims=True))
    >>> found = align(np.roll(random, 3, axis=1)[10:50], random)
    >>> found.transposition, found.start, found.source_start, found.source_end
    (3, 0, 10, 50)
    """
    if min(len(query), len(source)) < SPAN:
        return NOTHING
    rows = np.ascontiguousarray(query, np.float32)
    best = NOTHING
    columns = np.asarray(source, np.float32)
    pairs = (len(query) - SPAN + 1) * (len(source) - SPAN + 1)
    scale = float(np.log2(pairs + 1))
    for shift in range(12):
        moved = np.ascontiguousarray(np.roll(columns, shift, axis=1).T)
        value, i0, j0, i1, j1 = _qmax(
            _recurrence(rows @ moved, SPAN, KAPPA, FLOOR), GAP_OPENS, GAP_GOES_ON
        )
        if value / scale > best.score:
            up = shift if shift <= 6 else shift - 12
            best = Alignment(float(value / scale), i0, i1 + SPAN, j0, j1 + SPAN, up)
    return best


def recurrences(query: Profiles, source: Profiles, transposition: int) -> NDArray[np.bool_]:
    """Which positions recur, (query, source) positions, under one transposition; for drawing."""
    rows = np.ascontiguousarray(query, np.float32)
    moved = np.ascontiguousarray(np.roll(source, transposition, axis=1).T, np.float32)
    found: NDArray[np.bool_] = _recurrence(rows @ moved, SPAN, KAPPA, FLOOR)
    return found


@compiled
def _recurrence(
    product: NDArray[np.float32], span: int, kappa: float, floor: float
) -> NDArray[np.bool_]:
    """Mutual neighbours among the positions of a (rows, columns) product of profiles.

    Similarities at or above the floor are counted in ``LEVELS`` classes, so that the nearest of a
    row and of a column are known without sorting; those of the last class that fits count in.
    """
    n, m = product.shape[0] - span + 1, product.shape[1] - span + 1
    level = np.zeros((n, m), np.uint8)  # 0: below the floor
    in_row, in_column = np.zeros((n, LEVELS), np.int32), np.zeros((m, LEVELS), np.int32)
    steps = (LEVELS - 1) / (1.0 - floor)
    for d in range(1 - n, m):  # along each diagonal a running sum
        i, j = max(0, -d), max(0, d)
        total = 0.0
        for k in range(span):
            total += product[i + k, j + k]
        while True:
            mean = total / span
            if mean >= floor:
                at = max(1, min(LEVELS - 1, 1 + int((mean - floor) * steps)))
                level[i, j] = at
                in_row[i, at] += 1
                in_column[j, at] += 1
            if i + 1 >= n or j + 1 >= m:
                break
            total += product[i + span, j + span] - product[i, j]
            i += 1
            j += 1
    row, column = _nearest(in_row, kappa * m), _nearest(in_column, kappa * n)
    found = np.empty((n, m), np.bool_)
    for i in range(n):
        for j in range(m):
            found[i, j] = level[i, j] >= row[i] and level[i, j] >= column[j]
    return found


@compiled
def _nearest(count: NDArray[np.int32], most: float) -> NDArray[np.int32]:
    """For each line the lowest class at which no more than ``most`` (at least 1) are near."""
    lowest = np.empty(len(count), np.int32)
    for i in range(len(count)):
        at, taken = LEVELS, 0
        while at > 1 and (taken == 0 or taken + count[i, at - 1] <= most):
            at -= 1
            taken += count[i, at]
        lowest[i] = at
    return lowest


@compiled
def _qmax(
    recurs: NDArray[np.bool_], opens: float, goes_on: float
) -> tuple[float, int, int, int, int]:
    """The value of the best path and its first and last position on both sides."""
    n, m = recurs.shape
    value = np.zeros((3, m + 2), np.float32)  # two columns of zeros on the left
    first = np.zeros((3, m + 2), np.int64)  # i * m + j of the path's first position
    before = np.zeros((3, m + 2), np.bool_)
    best, begin, end = np.float32(0.0), 0, 0
    for i in range(n):
        now, one, two = i % 3, (i + 2) % 3, (i + 1) % 3
        for j in range(m):
            top, start = value[one, j + 1], first[one, j + 1]
            if recurs[i, j]:
                if value[two, j + 1] > top:
                    top, start = value[two, j + 1], first[two, j + 1]
                if value[one, j] > top:
                    top, start = value[one, j], first[one, j]
                if top <= 0:
                    start = i * m + j
                top += 1
                if top > best:
                    best, begin, end = top, start, i * m + j
            else:
                top -= opens if before[one, j + 1] else goes_on
                other = value[two, j + 1] - (opens if before[two, j + 1] else goes_on)
                if other > top:
                    top, start = other, first[two, j + 1]
                other = value[one, j] - (opens if before[one, j] else goes_on)
                if other > top:
                    top, start = other, first[one, j]
                if top < 0:
                    top = np.float32(0.0)
            value[now, j + 2] = top
            first[now, j + 2] = start
            before[now, j + 2] = recurs[i, j]
    return float(best), begin // m, begin % m, end // m, end % m
