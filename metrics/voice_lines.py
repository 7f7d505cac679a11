"""Scans along single voices for steps that part-writing avoids, compiled.

Notes lie one voice after the other, each voice in time; ``line`` names the voice. Each scan
returns (found, chances): the notes at which a breach begins, and how many could have been.
"""

from __future__ import annotations

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Ints


@compiled
def awkward_leaps(pitch: Ints, line: Ints) -> tuple[Ints, int]:
    """Steps of a tritone, a seventh or more than an octave; chances are all steps."""
    found = np.empty(len(pitch), np.int64)
    n = chances = 0
    for k in range(len(pitch) - 1):
        if line[k] != line[k + 1]:
            continue
        chances += 1
        size = abs(pitch[k + 1] - pitch[k])
        if size in (6, 10, 11) or size > 12:
            found[n] = k
            n += 1
    return found[:n].copy(), chances


@compiled
def leaps_without_return(pitch: Ints, line: Ints, leap: int) -> tuple[Ints, int]:
    """Leaps that no move by 1 or 2 semitones the other way follows; chances are leaps that a
    move follows."""
    found = np.empty(len(pitch), np.int64)
    n = chances = 0
    for k in range(len(pitch) - 2):
        if line[k] != line[k + 2]:
            continue
        first, then = pitch[k + 1] - pitch[k], pitch[k + 2] - pitch[k + 1]
        if abs(first) < leap:
            continue
        chances += 1
        if abs(then) > 2 or np.sign(then) != -np.sign(first):
            found[n] = k
            n += 1
    return found[:n].copy(), chances


@compiled
def stranded_leading_tones(
    onset: Ints, pitch: Ints, line: Ints, edges: Ints, root: Ints, tonic: int
) -> tuple[Ints, int]:
    """Leading tones over a dominant that move, but not up a semitone, while the chord goes to the
    tonic or its deputy; chances are those that move there. ``root``: of the chord of each span
    between ``edges``, -1 for none."""
    degree = np.full(len(pitch), -1, np.int64)
    span = 0
    for k in range(len(pitch)):
        if k == 0 or line[k] != line[k - 1]:
            span = 0
        while span < len(edges) - 2 and edges[span + 1] <= onset[k]:
            span += 1
        over = root[span]
        if over >= 0:
            degree[k] = (over - tonic) % 12
    found = np.empty(len(pitch), np.int64)
    n = chances = 0
    for k in range(len(pitch) - 1):
        move = pitch[k + 1] - pitch[k]
        if line[k] != line[k + 1] or move == 0 or (pitch[k] - tonic) % 12 != 11:
            continue
        if degree[k] not in (7, 11) or degree[k + 1] not in (0, 8, 9):
            continue
        chances += 1
        if move != 1:
            found[n] = k
            n += 1
    return found[:n].copy(), chances
