"""Scans over pairs of voices for motions and sonorities that part-writing avoids, compiled.

Each returns (found, chances): ``found`` of shape (m, 3) holds (sonority, upper voice, lower
voice), the sonority being the second of the motion; ``chances`` counts where it could have been.
"""

from __future__ import annotations

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Ints


@compiled
def parallels(pitch: Ints, interval: int, contrary: bool) -> tuple[Ints, int]:
    """Both voices move and stand ``interval`` (mod 12) apart before and after.

    Chances: motions in which both voices change pitch.
    """
    voices, n = pitch.shape
    found, chances = [], 0
    for s in range(1, n):
        for i in range(voices):
            for j in range(i + 1, voices):
                a, b, c, d = pitch[i, s - 1], pitch[i, s], pitch[j, s - 1], pitch[j, s]
                if min(a, b, c, d) < 0 or a == b or c == d:
                    continue
                chances += 1
                if abs(a - c) % 12 != interval or abs(b - d) % 12 != interval:
                    continue
                if contrary or (b > a) == (d > c):
                    found.append((s, i, j))
    return _rows(found), chances


@compiled
def hidden(pitch: Ints, interval: int, outer: bool, leap: bool) -> tuple[Ints, int]:
    """Both voices move one way into ``interval`` (mod 12) from another one.

    ``outer``: only between the highest and the lowest voice; ``leap``: only where the upper one
    moves by more than 2 semitones. Chances: motions in which both voices change pitch.
    """
    voices, n = pitch.shape
    found, chances = [], 0
    for s in range(1, n):
        for i in range(voices):
            for j in range(i + 1, voices):
                a, b, c, d = pitch[i, s - 1], pitch[i, s], pitch[j, s - 1], pitch[j, s]
                if min(a, b, c, d) < 0 or a == b or c == d:
                    continue
                if outer and (i > 0 or j < voices - 1):
                    continue
                chances += 1
                if abs(b - d) % 12 != interval or abs(a - c) % 12 == interval:
                    continue
                if (b > a) == (d > c) and not (leap and abs(b - a) <= 2):
                    found.append((s, i, j))
    return _rows(found), chances


@compiled
def overlaps(pitch: Ints) -> tuple[Ints, int]:
    """A voice passes where its neighbour has just been: chances are motions of neighbours."""
    voices, n = pitch.shape
    found, chances = [], 0
    for s in range(1, n):
        for i in range(voices - 1):
            a, b, c, d = pitch[i, s - 1], pitch[i, s], pitch[i + 1, s - 1], pitch[i + 1, s]
            if min(a, b, c, d) < 0 or (a == b and c == d):
                continue
            chances += 1
            if b < c or d > a:
                found.append((s, i, i + 1))
    return _rows(found), chances


@compiled
def gaps(pitch: Ints, inner: int, bass: int) -> tuple[Ints, int]:
    """Neighbours more than ``inner`` (the lowest two: ``bass``) semitones apart.

    Chances: sonorities of two neighbours that differ from the one before.
    """
    voices, n = pitch.shape
    found, chances = [], 0
    for s in range(n):
        for i in range(voices - 1):
            b, d = pitch[i, s], pitch[i + 1, s]
            if min(b, d) < 0 or (s > 0 and pitch[i, s - 1] == b and pitch[i + 1, s - 1] == d):
                continue
            chances += 1
            if b - d > (bass if i == voices - 2 else inner):
                found.append((s, i, i + 1))
    return _rows(found), chances


@compiled
def crossings(pitch: Ints) -> tuple[Ints, int]:
    """A voice sounds under a lower one; chances are sonorities of two voices that are new."""
    voices, n = pitch.shape
    found, chances = [], 0
    for s in range(n):
        for i in range(voices):
            for j in range(i + 1, voices):
                b, d = pitch[i, s], pitch[j, s]
                if min(b, d) < 0 or (s > 0 and pitch[i, s - 1] == b and pitch[j, s - 1] == d):
                    continue
                chances += 1
                if b < d:
                    found.append((s, i, j))
    return _rows(found), chances


@compiled
def _rows(found: list[tuple[int, int, int]]) -> Ints:
    rows = np.empty((len(found), 3), np.int64)
    for k in range(len(found)):
        rows[k, 0], rows[k, 1], rows[k, 2] = found[k]
    return rows
