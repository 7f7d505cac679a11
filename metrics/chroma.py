"""Pitch classes and outer voices over spans of time, from note columns and never from a roll.

Conventions
-----------
- Spans are given by ascending ``edges`` of shape (spans + 1,) in ticks.
- A note counts in a span with the ticks that it sounds there; two notes of one pitch class count
  twice. A note of no length counts nowhere.
- Time and memory are linear in notes plus spans, whatever the resolution.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Floats, Ints, Piece

Segmentation = Literal["beat", "bar"]
SHORT = 16


def segment_edges(piece: Piece, segmentation: Segmentation) -> Ints:
    """The edges of the piece's beats or bars."""
    return piece.beat_edges if segmentation == "beat" else piece.bar_edges


def segment_chroma(piece: Piece, segmentation: Segmentation) -> Ints:
    """:func:`chroma_spans` of the piece's beats or bars, computed once a piece."""
    return piece.shared(
        ("chroma", segmentation), lambda: chroma_spans(piece, segment_edges(piece, segmentation))
    )


def chroma_spans(piece: Piece, edges: Ints) -> Ints:
    """Ticks that each pitch class sounds in each span: shape (spans, 12), drums left out.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0], end=[720], pitch=[62])
    >>> chroma_spans(piece, np.array([0, 480, 960]))[:, 2]
    array([480, 240])
    """
    notes = piece.pitched
    return _chroma(notes.onset, notes.end, notes.pitch, np.ascontiguousarray(edges, np.int64))


def pitch_class_time(piece: Piece, width: float) -> Floats:
    """Seconds that each pitch class sounds in each frame of ``width`` seconds: shape (frames, 12).

    Frames cover the piece from tick 0 to the end of its last note, at a millionth of a second.

    >>> from concours.metrics.piece import make_piece
    >>> pitch_class_time(make_piece(onset=[0], end=[480], pitch=[60]), 0.25)[:, 0]
    array([0.25, 0.25])
    """
    notes = piece.pitched
    frames = max(1, int(np.ceil(piece.seconds / width - 1e-6)))
    onset, end = piece.shared(
        "microseconds",
        lambda: tuple(
            np.rint(1e6 * piece.to_seconds(t)).astype(np.int64) for t in (notes.onset, notes.end)
        ),
    )
    edges = np.rint(1e6 * (width * np.arange(frames + 1))).astype(np.int64)
    seconds: Floats = _chroma(onset, end, notes.pitch, edges) / 1e6
    return seconds


def lowest_pitch(piece: Piece, edges: Ints) -> Ints:
    """The lowest pitch that sounds in each span, -1 in silence: shape (spans,).

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 0], end=[480, 960], pitch=[48, 64])
    >>> lowest_pitch(piece, np.array([0, 480, 960, 1440]))
    array([48, 64, -1])
    """
    notes = piece.pitched
    return _lowest(notes.onset, notes.end, notes.pitch, np.ascontiguousarray(edges, np.int64))


@compiled
def _before(edges: Ints, tick: int) -> int:
    """The span that holds what comes just before ``tick``."""
    low, high = 0, len(edges)
    while low < high:
        middle = (low + high) // 2
        if edges[middle] < tick:
            low = middle + 1
        else:
            high = middle
    return low - 1


@compiled
def _chroma(onset: Ints, end: Ints, pitch: Ints, edges: Ints) -> Ints:
    """Notes in the order of their onsets; a long one costs no more than a short one."""
    spans = max(0, len(edges) - 1)
    sounding = np.zeros((spans, 12), np.int64)
    if spans == 0:
        return sounding
    whole = np.zeros((spans + 1, 12), np.int64)
    first, stop = 0, edges[spans]
    for k in range(len(onset)):
        a = max(onset[k], edges[0])
        b = min(end[k], stop)
        if a >= b:
            continue
        pc = pitch[k] % 12
        while edges[first + 1] <= a:
            first += 1
        if b <= edges[first + 1]:
            sounding[first, pc] += b - a
            continue
        last = first + 1
        while last < spans - 1 and last < first + 4 and edges[last + 1] < b:
            last += 1
        if edges[last + 1] < b:
            last = _before(edges, b)
        sounding[first, pc] += edges[first + 1] - a
        sounding[last, pc] += b - edges[last]
        whole[first + 1, pc] += 1
        whole[last, pc] -= 1
    for s in range(spans):
        width = edges[s + 1] - edges[s]
        for pc in range(12):
            if s > 0:
                whole[s, pc] += whole[s - 1, pc]
            sounding[s, pc] += whole[s, pc] * width
    return sounding


@compiled
def _lowest(onset: Ints, end: Ints, pitch: Ints, edges: Ints) -> Ints:
    """The lowest pitch in each span, from notes in the order of their onsets.

    Notes over more than ``SHORT`` spans are painted from the lowest up, each span once.
    """
    spans = max(0, len(edges) - 1)
    lowest = np.full(spans, 128, np.int64)
    if spans == 0:
        return lowest
    long = np.empty(len(onset), np.int64)
    first, n = 0, 0
    for k in range(len(onset)):
        a = max(onset[k], edges[0])
        b = min(end[k], edges[spans])
        if a >= b:
            continue
        while edges[first + 1] <= a:
            first += 1
        if first + SHORT < spans and edges[first + SHORT] < b:
            long[n] = k
            n += 1
            continue
        s = first
        while s < spans and edges[s] < b:
            lowest[s] = min(lowest[s], pitch[k])
            s += 1
    if n:
        paint = _painted(onset, end, pitch, edges, _by_pitch(pitch, long[:n]))
        for s in range(spans):
            if paint[s] >= 0:
                lowest[s] = min(lowest[s], paint[s])
    for s in range(spans):
        if lowest[s] == 128:
            lowest[s] = -1
    return lowest


@compiled
def _by_pitch(pitch: Ints, notes: Ints) -> Ints:
    """The notes from the lowest up, those of one pitch in the order given."""
    first = np.zeros(129, np.int64)
    for k in notes:
        first[pitch[k] + 1] += 1
    for p in range(128):
        first[p + 1] += first[p]
    ordered = np.empty(len(notes), np.int64)
    for k in notes:
        ordered[first[pitch[k]]] = k
        first[pitch[k]] += 1
    return ordered


@compiled
def _painted(onset: Ints, end: Ints, pitch: Ints, edges: Ints, order: Ints) -> Ints:
    """Each span gets the pitch of the first note in that order that sounds in it."""
    spans = max(0, len(edges) - 1)
    paint = np.full(spans, -1, np.int64)
    if spans == 0:
        return paint
    following = np.arange(spans + 1)  # the first unpainted span at or after each
    for k in order:
        a = max(onset[k], edges[0])
        b = min(end[k], edges[spans])
        if a >= b:
            continue
        s = _before(edges, a + 1)
        while True:
            root = s
            while following[root] != root:
                root = following[root]
            while following[s] != root:
                s, following[s] = following[s], root
            s = root
            if s >= spans or edges[s] >= b:
                break
            paint[s] = pitch[k]
            following[s] = s + 1
    return paint
