"""Which bars hold the same notes: one number a bar, equal where the bars are."""

from __future__ import annotations

import numpy as np

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
    order = np.lexsort((events, bar))
    bar, events = bar[order], events[order]
    fresh = np.ones(len(bar), np.bool_)
    fresh[1:] = (bar[1:] != bar[:-1]) | (events[1:] != events[:-1])
    bar, events = bar[fresh], events[fresh]
    first = np.flatnonzero(np.concatenate([[True], bar[1:] != bar[:-1]]))
    known: dict[bytes, int] = {}
    stops = [*first[1:].tolist(), len(bar)]
    for start, stop in zip(first.tolist(), stops, strict=True):
        patterns[bar[start]] = known.setdefault(events[start:stop].tobytes(), len(known))
    return patterns
