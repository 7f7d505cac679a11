"""A piece as a Standard MIDI File, the same bytes every time."""

from __future__ import annotations

from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import symusic
from numpy.typing import NDArray

from concours.metrics.grid import unit_ticks
from concours.metrics.piece import Piece


def write_midi(piece: Piece, path: Path) -> None:
    """Writes a type-1 file: one track for each track of the piece, its drums in one of their own.

    Kept: ticks, notes, velocities (at least 1), the first program of each track, track names,
    tempi, keys, and the bars as far as time signatures can say them: a bar that is shorter or
    longer than its meter (an upbeat) gets a signature of its own. A note lasts at least one tick,
    and ends where its pitch starts again in the same track.
    """
    make: Any = symusic  # its stubs return unions of three time units
    score = make.Score(piece.ticks_per_quarter)
    for tick, numerator, denominator in signatures(piece):
        score.time_signatures.append(make.TimeSignature(tick, numerator, denominator))
    for tick, fifths, minor in zip(piece.key_tick, piece.key_fifths, piece.key_minor, strict=True):
        score.key_signatures.append(make.KeySignature(int(tick), int(fifths), int(minor)))
    for tick, qpm in zip(piece.tempo_tick, piece.tempo_qpm, strict=True):
        score.tempos.append(make.Tempo(int(tick), qpm=float(qpm)))
    for track, drums in sorted(set(zip(piece.track.tolist(), piece.is_drum.tolist(), strict=True))):
        at = np.flatnonzero((piece.track == track) & (piece.is_drum == drums))
        name = piece.track_names[track] if track < len(piece.track_names) else ""
        written = make.Track(name=name, program=int(piece.program[at[0]]), is_drum=drums)
        for onset, duration, pitch, velocity in _notes(piece, at):
            written.notes.append(make.Note(onset, duration, pitch, velocity))
        score.tracks.append(written)
    path.write_bytes(score.dumps_midi())


def signatures(piece: Piece) -> list[tuple[int, int, int]]:
    """Time signatures (tick, numerator, denominator) that give a reader the piece's bars.

    A bar whose length is no whole number of 64th notes keeps the meter in force.

    >>> from concours.metrics.piece import make_piece
    >>> notes = {"onset": [0, 480], "end": [480, 960], "pitch": [60, 62]}
    >>> signatures(make_piece(**notes, bar_edges=[0, 480, 2400]))
    [(0, 1, 4), (480, 4, 4)]
    """
    meters = [(0, 4, 4)] + [
        (int(t), int(n), int(d))
        for t, n, d in zip(
            piece.meter_tick, piece.meter_numerator, piece.meter_denominator, strict=True
        )
    ]
    found: list[tuple[int, int, int]] = []
    for start, stop in pairwise(piece.bar_edges.tolist()):
        _, numerator, denominator = [m for m in meters if m[0] <= start][-1]
        meter = _meter(stop - start, numerator, denominator, piece.ticks_per_quarter)
        found.append((start, *meter))
    if not found:
        return [m for m in meters if m[0] == 0][-1:]
    return [next(run) for _, run in groupby(found, key=lambda m: m[1:])]


def _meter(length: int, numerator: int, denominator: int, resolution: int) -> tuple[int, int]:
    if abs(unit_ticks(numerator, denominator, resolution)[0] - length) < 1:
        return numerator, denominator
    for finer in (d for d in (1, 2, 4, 8, 16, 32, 64) if d >= denominator):
        count = length * finer / (resolution * 4)
        if count == int(count) and 1 <= count <= 255:
            return int(count), finer
    return numerator, denominator


def _notes(piece: Piece, at: NDArray[np.int64]) -> list[tuple[int, int, int, int]]:
    """(onset, duration, pitch, velocity) in time order; equal starts of a pitch are one note."""
    rows = []
    following: dict[int, int] = {}
    for i in reversed(at.tolist()):
        onset, pitch = int(piece.onset[i]), int(piece.pitch[i])
        end = min(max(onset + 1, int(piece.end[i])), following.get(pitch, 1 << 62))
        if end > onset:
            following[pitch] = onset
            rows.append((onset, end - onset, pitch, max(1, int(piece.velocity[i]))))
    return rows[::-1]
