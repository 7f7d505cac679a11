"""The one order of a piece's notes, found fast.

Conventions: by onset, then pitched before drums, pitch, end, track, program and velocity, so that
neither the order of notes nor that of tracks in a file shows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from concours.metrics.compiled import compiled

LONGEST_TIE = 64
SAFE_TICK = 1 << 54


def note_order(
    onset: Any, drums: Any, pitch: Any, end: Any, track: Any, program: Any, velocity: Any
) -> Any:
    """The permutation that sorts note columns of shape (n,), int64 but for ``drums``.

    One stable sort by a packed key, then the few ties by the rest; the plain seven-key sort where
    a tick is too large to pack or many notes tie.

    >>> rows = [(5, 0, 60, 6, 0, 0, 9), (0, 1, 40, 1, 0, 0, 9), (0, 0, 70, 1, 0, 0, 9)]
    >>> order = note_order(*np.array(rows).T.copy())
    >>> order.tolist()
    [2, 1, 0]
    """
    if not len(onset) or int(onset.max()) < SAFE_TICK:
        key = (onset << 8) + (drums.astype(np.int64) << 7) + pitch
        order = np.argsort(key, kind="stable")
        if _untied(key, order, end, track, program, velocity, LONGEST_TIE):
            return order
    return np.lexsort((velocity, program, track, end, pitch, drums, onset))


@compiled
def in_order(notes: Any, drums: Any, order: Any) -> tuple[Any, Any, int, bool]:
    """Columns of shape (k, n), and ``drums`` of (n,), in that order of the notes; the largest value
    of the second column, the ends (0 without notes); whether any is a drum."""
    sorted_notes = np.empty_like(notes)
    for row in range(len(notes)):
        source, target = notes[row], sorted_notes[row]
        for i in range(len(order)):
            target[i] = source[order[i]]
    sorted_drums = np.empty(len(order), np.bool_)
    last, any_drum = 0, False
    for i in range(len(order)):
        sorted_drums[i] = drums[order[i]]
        any_drum |= sorted_drums[i]
        last = max(last, notes[1, i])
    return sorted_notes, sorted_drums, last, any_drum


@compiled
def _untied(
    key: Any, order: Any, end: Any, track: Any, program: Any, velocity: Any, longest: int
) -> bool:
    """Sorts each run of equal keys in place by insertion; False where a run is too long for it."""
    first = 0
    for i in range(1, len(order)):
        if key[order[i]] != key[order[i - 1]]:
            first = i
            continue
        if i - first >= longest:
            return False
        own = order[i]
        at = i
        while at > first:
            other = order[at - 1]
            before = end[own] - end[other]
            if before == 0:
                before = track[own] - track[other]
            if before == 0:
                before = program[own] - program[other]
            if before == 0:
                before = velocity[own] - velocity[other]
            if before >= 0:
                break
            order[at] = other
            at -= 1
        order[at] = own
    return True


@compiled
def sort_in_place(values: Any) -> None:
    """Sorts an array of shape (n,), a short one by insertion, which starts at once."""
    if len(values) > LONGEST_TIE:
        values.sort()
        return
    for i in range(1, len(values)):
        value, at = values[i], i
        while at > 0 and values[at - 1] > value:
            values[at] = values[at - 1]
            at -= 1
        values[at] = value
