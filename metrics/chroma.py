"""Pitch classes and outer voices over spans of time, from note columns and never from a roll.

Conventions
-----------
- Spans are given by ascending ``edges`` of shape (spans + 1,) in ticks.
- A note counts in a span with the ticks that it sounds there; two notes of one pitch class count
  twice. A note of no length counts nowhere.
- Time and memory are linear in notes plus spans, whatever the resolution.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.grid import started
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.sums import nearest

Segmentation = Literal["beat", "bar"]
SHORT = 16


class Sounding(NamedTuple):
    """What sounds of a piece, drums left out: the ticks of each pitch class in each beat and bar,
    shape (spans, 12), the lowest pitch there, -1 in silence, shape (spans,), and the ticks of each
    pitch class in the whole piece, shape (12,)."""

    beat_ticks: Ints
    beat_lowest: Ints
    bar_ticks: Ints
    bar_lowest: Ints
    class_ticks: Ints
    ticks: int


def sounding_of(piece: Piece) -> Sounding:
    """The :class:`Sounding` of a piece, computed once."""
    return piece.shared("sounding", lambda: _sounding(piece))


def _sounding(piece: Piece) -> Sounding:
    notes = piece.pitched
    return Sounding(
        *_by_beat_and_bar(notes.onset, notes.end, notes.pitch, piece.beat_edges, piece.bar_edges)
    )


def segment_edges(piece: Piece, segmentation: Segmentation) -> Ints:
    """The edges of the piece's beats or bars."""
    return piece.beat_edges if segmentation == "beat" else piece.bar_edges


def segment_chroma(piece: Piece, segmentation: Segmentation) -> Ints:
    """:func:`chroma_spans` of the piece's beats or bars, computed once a piece."""
    sounding = sounding_of(piece)
    return sounding.beat_ticks if segmentation == "beat" else sounding.bar_ticks


def chroma_spans(piece: Piece, edges: Ints) -> Ints:
    """Ticks that each pitch class sounds in each span: shape (spans, 12), drums left out.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0], end=[720], pitch=[62])
    >>> chroma_spans(piece, np.array([0, 480, 960]))[:, 2]
    array([480, 240])
    """
    return _of_pitched(piece, edges)[0]


def pitch_class_time(piece: Piece, width: float) -> Floats:
    """Seconds that each pitch class sounds in each frame of ``width`` seconds: shape (frames, 12).

    Frames cover the piece from tick 0 to the end of its last note, at a millionth of a second.

    >>> from concours.metrics.piece import make_piece
    >>> pitch_class_time(make_piece(onset=[0], end=[480], pitch=[60]), 0.25)[:, 0]
    array([0.25, 0.25])
    """
    notes = piece.pitched
    frames = max(1, math.ceil(piece.seconds / width - 1e-6))
    tempo = piece.tempo_tick, piece.tempo_qpm * piece.ticks_per_quarter
    seconds: Floats = _of_frames(notes.onset, notes.end, notes.pitch, *tempo, float(width), frames)
    return seconds


def lowest_pitch(piece: Piece, edges: Ints) -> Ints:
    """The lowest pitch that sounds in each span, -1 in silence: shape (spans,).

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 0], end=[480, 960], pitch=[48, 64])
    >>> lowest_pitch(piece, np.array([0, 480, 960, 1440]))
    array([48, 64, -1])
    """
    return _of_pitched(piece, edges)[1]


def _of_pitched(piece: Piece, edges: Ints) -> tuple[Ints, Ints]:
    notes = piece.pitched
    spans = np.ascontiguousarray(edges, np.int64)
    return _of_spans(notes.onset, notes.end, notes.pitch, spans)


@compiled
def _by_beat_and_bar(
    onset: Ints, end: Ints, pitch: Ints, beats: Ints, bars: Ints
) -> tuple[Ints, Ints, Ints, Ints, Ints, int]:
    """The fields of a :class:`Sounding`, from notes in the order of their onsets.

    Bars are summed from their beats; where a meter's beats miss a bar line, from the notes.
    """
    by_beat, beat_lowest = _of_spans(onset, end, pitch, beats)
    classes = np.zeros(12, np.int64)
    for k in range(len(onset)):
        classes[pitch[k] % 12] += end[k] - onset[k]
    ticks = 0
    for pc in range(12):
        ticks += classes[pc]
    n = max(0, len(bars) - 1)
    by_bar, bar_lowest = np.zeros((n, 12), np.int64), np.full(n, -1, np.int64)
    beat, spans = 0, len(by_beat)
    aligned = len(beats) > 0
    for bar in range(n):
        aligned = aligned and beats[beat] == bars[bar]
        while beat < spans and beats[beat] < bars[bar + 1]:
            for pc in range(12):
                by_bar[bar, pc] += by_beat[beat, pc]
            low = beat_lowest[beat]
            if low >= 0 and (bar_lowest[bar] < 0 or low < bar_lowest[bar]):
                bar_lowest[bar] = low
            beat += 1
    if n > 0 and not (aligned and beat == spans and beats[spans] == bars[n]):
        by_bar, bar_lowest = _of_spans(onset, end, pitch, bars)
    return by_beat, beat_lowest, by_bar, bar_lowest, classes, ticks


@compiled
def _of_spans(onset: Ints, end: Ints, pitch: Ints, edges: Ints) -> tuple[Ints, Ints]:
    """(ticks of each pitch class, lowest pitch or -1) of each span: shapes (spans, 12), (spans,).

    Notes in the order of their onsets. Those over more than ``SHORT`` spans are added last: their
    whole spans as differences, their pitches from the lowest up, so that each span is painted once.
    """
    spans = max(0, len(edges) - 1)
    ticks, lowest = np.zeros((spans, 12), np.int64), np.full(spans, 128, np.int64)
    if spans == 0:
        return ticks, lowest
    long = np.empty(len(onset), np.int64)
    start, stop = edges[0], edges[spans]
    first, n = 0, 0
    for k in range(len(onset)):
        a, b = max(onset[k], start), min(end[k], stop)
        if a >= b:
            continue
        while edges[first + 1] <= a:
            first += 1
        if first + SHORT < spans and edges[first + SHORT] < b:
            long[n] = k
            n += 1
            continue
        p, s = pitch[k], first
        pc = p % 12
        while edges[s + 1] < b:
            ticks[s, pc] += edges[s + 1] - a
            lowest[s] = min(lowest[s], p)
            s += 1
            a = edges[s]
        ticks[s, pc] += b - a
        lowest[s] = min(lowest[s], p)
    if n:
        _add_long(onset, end, pitch, edges, _by_pitch(pitch, long[:n]), ticks, lowest)
    for s in range(spans):
        if lowest[s] == 128:
            lowest[s] = -1
    return ticks, lowest


@compiled
def _of_frames(
    onset: Ints,
    end: Ints,
    pitch: Ints,
    tempo_tick: Ints,
    tempo: Floats,
    width: float,
    frames: int,
) -> Floats:
    """Seconds of each pitch class in each frame, summed in whole millionths; ``tempo``: ticks a
    minute from each ``tempo_tick`` on, shape (changes,)."""
    edges = np.empty(frames + 1, np.int64)
    for i in range(frames + 1):
        edges[i] = np.int64(nearest(1e6 * (width * i)))
    rate, reached = np.empty(len(tempo)), np.zeros(len(tempo))  # at each change: seconds a tick,
    for i in range(len(tempo)):  # and from tick 0
        rate[i] = 60.0 / tempo[i]
        if i > 0:
            reached[i] = reached[i - 1] + (tempo_tick[i] - tempo_tick[i - 1]) * rate[i - 1]
    starts, stops = np.empty_like(onset), np.empty_like(onset)
    now = 0
    for k in range(len(onset)):
        while now + 1 < len(rate) and tempo_tick[now + 1] <= onset[k]:
            now += 1
        then = now
        if now + 1 < len(rate) and tempo_tick[now + 1] <= end[k]:
            then = started(tempo_tick, end[k]) - 1
        starts[k] = int(nearest(1e6 * (reached[now] + (onset[k] - tempo_tick[now]) * rate[now])))
        stops[k] = int(nearest(1e6 * (reached[then] + (end[k] - tempo_tick[then]) * rate[then])))
    ticks = _of_spans(starts, stops, pitch, edges)[0]
    seconds = np.empty((frames, 12))
    for i in range(frames):
        for pc in range(12):
            seconds[i, pc] = ticks[i, pc] / 1e6
    return seconds


@compiled
def _add_long(
    onset: Ints, end: Ints, pitch: Ints, edges: Ints, order: Ints, ticks: Ints, lowest: Ints
) -> None:
    """Adds notes over at least two spans, from the lowest up, to what sounds in the spans."""
    spans = len(ticks)
    whole = np.zeros((spans + 1, 12), np.int64)  # how many more cover a span than the one before
    following = np.arange(spans + 1)  # the first unpainted span at or after each
    for k in order:
        a, b = max(onset[k], edges[0]), min(end[k], edges[spans])
        pc = pitch[k] % 12
        first, last = started(edges, a) - 1, started(edges, b - 1) - 1
        ticks[first, pc] += edges[first + 1] - a
        ticks[last, pc] += b - edges[last]
        whole[first + 1, pc] += 1
        whole[last, pc] -= 1
        s = first
        while True:
            root = s
            while following[root] != root:
                root = following[root]
            while following[s] != root:
                s, following[s] = following[s], root
            s = root
            if s > last:
                break
            lowest[s] = min(lowest[s], pitch[k])
            following[s] = s + 1
    for s in range(spans):
        width = edges[s + 1] - edges[s]
        for pc in range(12):
            if s > 0:
                whole[s, pc] += whole[s - 1, pc]
            ticks[s, pc] += whole[s, pc] * width


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
