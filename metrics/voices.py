"""The voices of a piece, and what each of them does while another moves.

Conventions
-----------
- A voice is a pitched track that sounds one note at a time (``MONOPHONIC`` of its notes at least;
  where a few sound together the highest counts). Voices go from high to low by mean pitch,
  whatever the order of the tracks.
- A sonority lasts until a note of any voice starts or stops. Two voices move together from one
  sonority to the next where both sound in both; a rest ends a motion.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.melody import skyline
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.spec import Undefined

MONOPHONIC = 0.9
MOST = 12


class Line(NamedTuple):
    """One voice's notes in time, shape (n,), none overlapping the next."""

    name: str
    onset: Ints
    end: Ints
    pitch: Ints


class Voices(NamedTuple):
    """``pitch``: (voices, sonorities), -1 for a rest; ``tick``: where each sonority starts;
    ``owner``: the voice of each note, voice by voice."""

    lines: tuple[Line, ...]
    tick: Ints
    pitch: Ints
    owner: Ints


def voices_of(piece: Piece) -> Voices | Undefined:
    """The voices from high to low, computed once a piece.

    >>> from concours.metrics.piece import make_piece
    >>> duet = make_piece(onset=[0, 0, 480], end=[480, 960, 960], pitch=[72, 60, 74],
    ...                   track=[0, 1, 0])
    >>> voices_of(duet).pitch.tolist()
    [[72, 74], [60, 60]]
    """
    return piece.shared("voices", lambda: _voices(piece))


def _voices(piece: Piece) -> Voices | Undefined:
    notes = piece.pitched
    tracks = np.unique(notes.track)
    if not 2 <= len(tracks) <= MOST:
        return Undefined(f"{len(tracks)} pitched tracks, and voices need 2 to {MOST}")
    lines = []
    for number in tracks.tolist():
        own = notes.track == number
        onset, end, pitch = skyline(notes.onset[own], notes.end[own], notes.pitch[own])
        if len(onset) < MONOPHONIC * np.count_nonzero(own):
            return Undefined("a track sounds several notes at once, so it is no single voice")
        name = piece.track_names[number] if number < len(piece.track_names) else ""
        lines.append(Line(name, onset, end, pitch))
    means = [float(v.pitch.mean()) for v in lines]
    ties = len(set(means)) < len(means)
    lines.sort(key=lambda v: (-v.pitch.mean(), v.onset.tolist() if ties else ()))
    named = tuple(v._replace(name=v.name or f"voice {i + 1}") for i, v in enumerate(lines))
    onset, end, pitch = (np.concatenate([v[k] for v in named]) for k in (1, 2, 3))
    line = np.repeat(np.arange(len(named)), [len(v.onset) for v in named])
    tick = np.unique(np.concatenate([onset, end]))[:-1]
    return Voices(named, tick, _sonorities(onset, end, pitch, line, tick, len(named)), line)


@compiled
def _sonorities(onset: Ints, end: Ints, pitch: Ints, line: Ints, tick: Ints, lines: int) -> Ints:
    """The pitch of each line's note at each tick, -1 for a rest; notes in time, line by line."""
    found = np.full((lines, len(tick)), -1, np.int64)
    s = 0
    for k in range(len(onset)):
        if k > 0 and line[k] != line[k - 1]:
            s = 0
        while s < len(tick) and tick[s] < onset[k]:
            s += 1
        while s < len(tick) and tick[s] < end[k]:
            found[line[k], s] = pitch[k]
            s += 1
    return found


def places(piece: Piece, ticks: Ints) -> list[dict[str, Any]]:
    """Bar and beat of each tick as musicians count them, from 1, the beat with its fraction.

    >>> from concours.metrics.piece import make_piece
    >>> places(make_piece(onset=[0], end=[9600], pitch=[60]), np.array([1920 + 720]))
    [{'bar': 2, 'beat': 2.5}]
    """
    bars, beats = _places(np.ascontiguousarray(ticks), piece.bar_edges, piece.beat_edges)
    pairs = zip(bars.tolist(), beats.tolist(), strict=True)
    return [{"bar": bar, "beat": round(beat, 3)} for bar, beat in pairs]


@compiled
def _started(edges: Ints, tick: int) -> int:
    """How many of the ascending edges lie at or before ``tick``."""
    low, high = 0, len(edges)
    while low < high:
        middle = (low + high) // 2
        if edges[middle] <= tick:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _places(ticks: Ints, bar_edges: Ints, beat_edges: Ints) -> tuple[Ints, Floats]:
    bars, beats = np.empty(len(ticks), np.int64), np.empty(len(ticks))
    for i in range(len(ticks)):
        bar = min(max(_started(bar_edges, ticks[i]) - 1, 0), max(0, len(bar_edges) - 2))
        first = _started(beat_edges, bar_edges[bar] - 1)
        beat = min(_started(beat_edges, ticks[i]) - 1, len(beat_edges) - 2)
        start, stop = beat_edges[beat], beat_edges[beat + 1]
        bars[i] = bar + 1
        beats[i] = beat - first + 1 + (ticks[i] - start) / (stop - start)
    return bars, beats
