"""Which bars hold the same notes: one number a bar, equal where the bars are."""

from __future__ import annotations

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Ints, Piece


def bar_patterns(piece: Piece, steps_per_quarter: int = 4) -> Ints:
    """A number for each bar's set of (step of the bar, pitch), -1 for no onset: shape (bars,).

    Steps are counted from each bar line, an onset going to the nearest (a half rounds up; past
    the last step it stays in its bar). Drums and lengths are left out.

    >>> from concours.metrics.piece import make_piece
    >>> bar_patterns(make_piece(onset=[0, 3840], end=[1, 3841], pitch=[60, 60])).tolist()
    [0, -1, 0]
    """
    return piece.shared(
        ("bar_patterns", steps_per_quarter), lambda: _patterns(piece, steps_per_quarter)
    )


def _patterns(piece: Piece, steps_per_quarter: int) -> Ints:
    notes = piece.pitched
    patterns = np.full(max(0, len(piece.bar_edges) - 1), -1, np.int64)
    if not notes.n_notes or not len(patterns):
        return patterns
    bar = piece.bar_of(notes.onset)
    into = (notes.onset - piece.bar_edges[bar]) * (steps_per_quarter / piece.ticks_per_quarter)
    events = np.floor(into + 0.5).astype(np.int64) * 128 + notes.pitch
    cells = np.unique(bar * (int(events.max()) + 1) + events)
    bar, events = np.divmod(cells, int(events.max()) + 1)
    codes = _codes(bar, events, len(patterns))
    kinds = np.unique(codes[codes >= 0], return_inverse=True)[1]
    patterns[codes >= 0] = kinds.reshape(-1)
    return patterns


@compiled
def _codes(bar: Ints, events: Ints, bars: int) -> Ints:
    """A 63-bit hash of each bar's events in order, -1 for none."""
    codes = np.full(bars, -1, np.int64)
    code = np.uint64(0)
    for i in range(len(bar)):
        if i == 0 or bar[i] != bar[i - 1]:
            code = np.uint64(1469598103934665603)
        code = (code ^ np.uint64(events[i])) * np.uint64(0x9E3779B97F4A7C15)
        code ^= code >> np.uint64(29)
        codes[bar[i]] = np.int64(code >> np.uint64(1))
    return codes
