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

from concours.metrics.melody import skyline
from concours.metrics.piece import Ints, Piece
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
    """``pitch``: (voices, sonorities), -1 for a rest; ``tick``: where each sonority starts."""

    lines: tuple[Line, ...]
    tick: Ints
    pitch: Ints


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
    lines.sort(key=lambda v: (-v.pitch.mean(), v.onset.tolist()))
    named = tuple(v._replace(name=v.name or f"voice {i + 1}") for i, v in enumerate(lines))
    tick = np.unique(np.concatenate([edge for v in named for edge in (v.onset, v.end)]))[:-1]
    pitch = np.empty((len(named), len(tick)), np.int64)
    for row, line in zip(pitch, named, strict=True):
        at = np.searchsorted(line.onset, tick, side="right") - 1
        row[:] = np.where((at >= 0) & (line.end[at] > tick), line.pitch[at], -1)
    return Voices(named, tick, pitch)


def place(piece: Piece, tick: int) -> dict[str, Any]:
    """Bar and beat of a tick as musicians count them, from 1, the beat with its fraction.

    >>> from concours.metrics.piece import make_piece
    >>> place(make_piece(onset=[0], end=[9600], pitch=[60]), 1920 + 720)
    {'bar': 2, 'beat': 2.5}
    """
    bar = int(piece.bar_of(tick))
    first = int(np.searchsorted(piece.beat_edges, piece.bar_edges[bar]))
    beat = int(np.searchsorted(piece.beat_edges, tick, side="right")) - 1
    beat = min(beat, len(piece.beat_edges) - 2)
    start, stop = piece.beat_edges[beat : beat + 2].tolist()
    fraction = (tick - start) / (stop - start)
    return {"bar": bar + 1, "beat": round(beat - first + 1 + fraction, 3)}
