"""A piece as voices of events, and voices back into a piece.

Conventions
-----------
- A voice is a track, its drums a voice of their own. An *event* is everything that starts
  together in a voice: its notes (pitch, duration) from low to high, and the time to the next
  event (the last event's own longest duration stands in for it).
- Times are ticks at a stated resolution; pieces of another one are rescaled and rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.piece import Piece, make_piece

RESOLUTION = 480
FINEST = 32767  # what a MIDI header can hold

Ints = NDArray[np.int64]


class Event(NamedTuple):
    """``notes``: (pitch, duration) pairs; ``step``: ticks to the next event."""

    notes: tuple[tuple[int, int], ...]
    step: int


class Voice(NamedTuple):
    """One line of a piece: which track, what it sounds with, when it starts, what it plays."""

    track: int
    program: int
    is_drum: bool
    velocity: int
    start: int
    events: tuple[Event, ...]

    @property
    def role(self) -> tuple[bool, int]:
        """Voices of one role play the same part in different pieces: drums, or the track."""
        return (self.is_drum, 0 if self.is_drum else self.track)


def common_resolution(pieces: Sequence[Piece]) -> int:
    """The ticks a quarter that all pieces have, or :data:`RESOLUTION` where they differ."""
    found = {p.ticks_per_quarter for p in pieces}
    only = found.pop()
    return RESOLUTION if found or only > FINEST else only


def scaled(ticks: Ints, piece: Piece, resolution: int) -> Ints:
    """Ticks of a piece as ticks at another resolution."""
    return np.floor(ticks * resolution / piece.ticks_per_quarter + 0.5).astype(np.int64)


def voices(piece: Piece, resolution: int) -> list[Voice]:
    """The voices of a piece, by track, pitched before drums; a note lasts at least one tick."""
    onset = scaled(piece.onset, piece, resolution)
    duration = np.maximum(scaled(piece.end, piece, resolution) - onset, 1)
    found = []
    for drums in (False, True):
        for track in np.unique(piece.track[piece.is_drum == drums]).tolist():
            at = np.flatnonzero((piece.track == track) & (piece.is_drum == drums))
            found.append(_voice(piece, at, onset, duration))
    return found


def _voice(piece: Piece, at: Ints, onset: Ints, duration: Ints) -> Voice:
    starts = np.unique(onset[at])
    notes: list[dict[int, int]] = [{} for _ in starts]
    for i, slot in zip(at.tolist(), np.searchsorted(starts, onset[at]).tolist(), strict=True):
        pitch = int(piece.pitch[i])
        notes[slot][pitch] = max(notes[slot].get(pitch, 0), int(duration[i]))
    steps = [*np.diff(starts).tolist(), max(notes[-1].values())]
    return Voice(
        track=int(piece.track[at[0]]),
        program=int(piece.program[at[0]]),
        is_drum=bool(piece.is_drum[at[0]]),
        velocity=round(float(piece.velocity[at].mean())),
        start=int(starts[0]),
        events=tuple(Event(tuple(sorted(n.items())), s) for n, s in zip(notes, steps, strict=True)),
    )


def assemble(model: Piece, lines: Sequence[Voice], resolution: int) -> Piece:
    """Voices as a piece on the bars, meters, tempi and keys of ``model``.

    A note that would still sound when its pitch starts again in the same voice ends there, so
    that a MIDI file can hold the piece.
    """
    rows = [
        (*note, line.velocity, line.track, line.program, line.is_drum)
        for line in lines
        for note in _laid(line)
    ]
    onset, end, pitch, velocity, track, program, drums = np.array(rows, np.int64).reshape(-1, 7).T
    meters = zip(
        scaled(model.meter_tick, model, resolution).tolist(),
        model.meter_numerator.tolist(),
        model.meter_denominator.tolist(),
        strict=True,
    )
    keys = zip(
        scaled(model.key_tick, model, resolution).tolist(),
        model.key_fifths.tolist(),
        model.key_minor.tolist(),
        strict=True,
    )
    return make_piece(
        onset=onset,
        end=end,
        pitch=pitch,
        velocity=velocity,
        track=track,
        program=program,
        is_drum=drums.astype(np.bool_),
        ticks_per_quarter=resolution,
        tempos=list(
            zip(
                scaled(model.tempo_tick, model, resolution).tolist(),
                model.tempo_qpm.tolist(),
                strict=True,
            )
        ),
        meters=list(meters),
        keys=list(keys),
        bar_edges=scaled(model.bar_edges, model, resolution),
        track_names=model.track_names,
        has_velocity=model.has_velocity,
    )


def _laid(line: Voice) -> list[tuple[int, int, int]]:
    """(onset, end, pitch) of each note, cut where its pitch starts again."""
    rows: list[tuple[int, int, int]] = []
    sounding: dict[int, int] = {}
    time = line.start
    for event in line.events:
        for pitch, duration in event.notes:
            before = sounding.get(pitch)
            if before is not None and rows[before][1] > time:
                rows[before] = (rows[before][0], time, pitch)
            sounding[pitch] = len(rows)
            rows.append((time, time + duration, pitch))
        time += event.step
    return rows
