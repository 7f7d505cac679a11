"""Which bars hold the same notes: one number a bar, equal where the bars are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.ordering import sort_in_place
from concours.metrics.piece import Ints, Piece


class BarPatterns(NamedTuple):
    """``numbers``: (bars,), a number for each pattern from 0 on, in the order of their first bars;
    -1 for a bar without an onset. ``heard``: bars with one. ``kinds``: different patterns."""

    numbers: Ints
    heard: int
    kinds: int


def bar_patterns(piece: Piece, steps_per_quarter: int = 4) -> BarPatterns:
    """A number for each bar's set of (step of the bar, pitch), computed once a piece.

    Steps are counted from each bar line, an onset going to the nearest (a half rounds up; past
    the last step it stays in its bar). Drums and lengths are left out.

    >>> from concours.metrics.piece import make_piece
    >>> bar_patterns(make_piece(onset=[0, 3840], end=[1, 3841], pitch=[60, 60])).numbers
    array([ 0, -1,  0])
    """

    def compute() -> BarPatterns:
        notes, edges = piece.pitched, piece.bar_edges
        if not notes.n_notes:
            return BarPatterns(np.full(max(0, len(edges) - 1), -1, np.int64), 0, 0)
        rate = steps_per_quarter / piece.ticks_per_quarter
        return BarPatterns(*_numbered(notes.onset, notes.pitch, edges, rate))

    return piece.shared(("bar_patterns", steps_per_quarter), compute)


@compiled
def _numbered(onset: Ints, pitch: Ints, edges: Ints, rate: float) -> tuple[Ints, int, int]:
    """The fields of :class:`BarPatterns`, bars told apart by the hash of their sorted events."""
    bars = len(edges) - 1
    numbers = np.full(bars, -1, np.int64)
    room = 16
    while room < 2 * bars:
        room *= 2
    slots = np.full(room, -1, np.int64)  # an open-addressing table of the hashes
    codes = np.empty(bars, np.uint64)
    events = np.empty(len(onset), np.int64)
    heard, kinds, k = 0, 0, 0
    for bar in range(bars):
        n, ascending = 0, True
        while k < len(onset) and (bar == bars - 1 or onset[k] < edges[bar + 1]):
            step = int((onset[k] - edges[bar]) * rate + 0.5)
            events[n] = step * 128 + pitch[k]
            ascending = ascending and (n == 0 or events[n - 1] <= events[n])
            n += 1
            k += 1
        if n == 0:
            continue
        heard += 1
        if not ascending:  # onsets that share a step
            sort_in_place(events[:n])
        code = np.uint64(1469598103934665603)
        for i in range(n):
            if i > 0 and events[i] == events[i - 1]:
                continue
            code = (code ^ np.uint64(events[i])) * np.uint64(0x9E3779B97F4A7C15)
            code ^= code >> np.uint64(29)
        slot = np.int64(code & np.uint64(room - 1))
        while slots[slot] >= 0 and codes[slots[slot]] != code:
            slot = (slot + 1) & (room - 1)
        if slots[slot] < 0:
            slots[slot], codes[kinds] = kinds, code
            kinds += 1
        numbers[bar] = slots[slot]
    return numbers, heard, kinds
