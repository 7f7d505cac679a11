"""Texture and dynamics: how much sounds at once, and how loudly it was struck."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Bools, Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Scored, Undefined
from concours.metrics.sweep import ticks_at_polyphony, together

INSTRUMENTS = [*map(str, range(128)), "drums"]
NO_NOTES = Undefined("no notes")
NO_DYNAMICS = Undefined("the file carries no dynamics")
NOTHING_SOUNDS = Undefined("no pitched note has a length")


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="pitch",
    range=(1, 128),
    citation="Dong et al. 2020 (MusPy), arXiv:2008.01951",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
)
def polyphony(piece: Piece) -> float | Undefined:
    """Mean number of distinct pitches sounding, over the time in which any sounds.

    sum k t_k / sum t_k for k >= 1, where t_k is the time (in ticks) with exactly k pitches; exact,
    whatever the resolution. Drums are left out. Undefined where no pitched note has a length.

    >>> from concours.metrics.piece import make_piece
    >>> polyphony(make_piece(onset=[0, 0], end=[480, 960], pitch=[60, 64]))
    1.5
    """
    found = together(piece)
    return found.pitches / found.one_pitch if found.one_pitch else NOTHING_SOUNDS


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Dong et al. 2018 (MuseGAN), arXiv:1709.06298",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
)
def polyphony_rate(piece: Piece, *, at_least: int = 2) -> float | Undefined:
    """Share of the time during which several pitches sound at once.

    Time with at least ``at_least`` distinct pitches / time from tick 0 to the last end, silence
    included. (muspy counts *more than* two: a pure dyad scores 0 there and 1 here.) Drums are
    left out. Undefined where no pitched note has a length.

    >>> from concours.metrics.piece import make_piece
    >>> polyphony_rate(make_piece(onset=[0, 0], end=[480, 960], pitch=[60, 64]))
    0.5
    """
    if at_least < 1:
        raise ValueError(f"at_least must be 1 or more, not {at_least}")
    found = together(piece)
    if not found.pitched:
        return NOTHING_SOUNDS
    if at_least == 2:
        return found.two_pitches / found.pitched
    several: int = ticks_at_polyphony(piece)[at_least:].sum()
    return float(several / found.pitched)


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="MIDI velocity",
    range=(0, 127),
    citation="Oore et al. 2018 (Performance RNN), arXiv:1808.03715",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
)
def mean_velocity(piece: Piece) -> float | Undefined:
    """Mean MIDI velocity of the notes, drums included.

    Undefined without notes, and where the file carries no dynamics (ABC, MusicXML without
    them), since a reader's default is no measurement.

    >>> from concours.metrics.piece import make_piece
    >>> mean_velocity(make_piece(onset=[0, 1], end=[1, 2], pitch=[60, 62], velocity=[60, 80]))
    70.0
    """
    if piece.n_notes == 0:
        return NO_NOTES
    return _columns(piece).velocity / piece.n_notes if piece.has_velocity else NO_DYNAMICS


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="MIDI velocity",
    range=(0, 63.5),
    citation="Oore et al. 2018 (Performance RNN), arXiv:1808.03715",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
)
def velocity_deviation(piece: Piece) -> Scored | Undefined:
    """Standard deviation of the notes' MIDI velocities, drums included.

    0 where every note is struck alike. The detail holds the softest and loudest. Undefined as
    :func:`mean_velocity`.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 1], end=[1, 2], pitch=[60, 62], velocity=[60, 80])
    >>> velocity_deviation(piece).value
    10.0
    """
    if piece.n_notes == 0:
        return NO_NOTES
    if not piece.has_velocity:
        return NO_DYNAMICS
    found, n = _columns(piece), piece.n_notes
    # whole numbers: no order matters
    variance = float(n * found.velocity_squared - found.velocity**2) / n**2
    return Scored(math.sqrt(variance), {"softest": found.softest, "loudest": found.loudest})


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="instrument",
    range=(0, 129),
    citation="Dong et al. 2018 (MuseGAN), arXiv:1709.06298",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
)
def n_instruments(piece: Piece) -> Scored:
    """Number of instruments that play: MIDI programs, and the drums as one.

    The detail holds each one's notes by its program, drums as "drums". 0 without notes.

    >>> from concours.metrics.piece import make_piece
    >>> n_instruments(make_piece(onset=[0, 0], end=[1, 1], pitch=[60, 40], program=[0, 32])).value
    2.0
    """
    notes = {INSTRUMENTS[k]: n for k, n in _columns(piece).instruments.tolist()}
    return Scored(float(len(notes)), {"notes": notes})


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Share of the sounding time in which several tracks sound",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
)
def track_overlap(piece: Piece) -> float | Undefined:
    """Share of the sounding time during which at least two tracks sound.

    Drums count as a track like any other. Undefined where no note has a length.

    >>> from concours.metrics.piece import make_piece
    >>> track_overlap(make_piece(onset=[0, 480], end=[960, 1440], pitch=[60, 64], track=[0, 1]))
    0.3333333333333333
    """
    found = together(piece)
    if not found.one_track:
        return Undefined("no note has a length")
    return found.two_tracks / found.one_track


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="semitone",
    range=(0, 127),
    citation="Compass of a part, averaged over the parts",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
)
def mean_track_range(piece: Piece) -> Scored | Undefined:
    """Mean, over the pitched tracks, of the distance from their lowest to their highest pitch.

    The detail holds each track's lowest, mean and highest pitch, from the highest track to the
    lowest. Undefined without pitched notes.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 1, 0], end=[1, 2, 2], pitch=[60, 67, 40], track=[0, 0, 1])
    >>> mean_track_range(piece).value
    3.5
    """
    registers = []
    for track, n, total, low, high in _columns(piece).registers.tolist():
        name = piece.track_names[track] if track < len(piece.track_names) else ""
        registers.append((total / n, low, high, name))
    if not registers:
        return Undefined("no pitched notes")
    registers.sort(key=lambda r: (-r[0], r[1], r[2], r[3]))
    listed = [{"track": n, "lowest": a, "mean": m, "highest": b} for m, a, b, n in registers]
    return Scored(sum(b - a for _, a, b, _ in registers) / len(registers), {"registers": listed})


class _Columns(NamedTuple):
    """What the notes say one by one: the sums of their velocities and of those squared, the lowest
    and the highest; ``instruments``: (k, 2), each program (drums as 128) and its notes;
    ``registers``: (tracks, 5), each pitched track, its notes, sum of pitches, lowest, highest."""

    velocity: int
    velocity_squared: int
    softest: int
    loudest: int
    instruments: Ints
    registers: Ints


def _columns(piece: Piece) -> _Columns:
    def compute() -> _Columns:
        return _Columns(
            *_totals(piece.velocity, piece.program, piece.is_drum, piece.track, piece.pitch)
        )

    return piece.shared("note_columns", compute)


@compiled
def _totals(
    velocity: Ints, program: Ints, is_drum: Bools, track: Ints, pitch: Ints
) -> tuple[int, int, int, int, Ints, Ints]:
    """The fields of :class:`_Columns`."""
    highest = 0
    for number in track:
        highest = max(highest, number)
    rows = np.zeros((highest + 1, 5), np.int64)
    rows[:, 3] = 127
    notes = np.zeros(129, np.int64)
    total, squared, softest, loudest = 0, 0, 127, 0
    for i in range(len(velocity)):
        v = velocity[i]
        total += v
        squared += v * v
        softest, loudest = min(softest, v), max(loudest, v)
        if is_drum[i]:
            notes[128] += 1
            continue
        notes[program[i]] += 1
        row = rows[track[i]]
        row[1] += 1
        row[2] += pitch[i]
        row[3] = min(row[3], pitch[i])
        row[4] = max(row[4], pitch[i])
    instruments = np.empty((129, 2), np.int64)
    kinds = n = 0
    for k in range(129):
        if notes[k] > 0:
            instruments[kinds, 0], instruments[kinds, 1] = k, notes[k]
            kinds += 1
    for number in range(len(rows)):
        if rows[number, 1] > 0:
            rows[n] = rows[number]
            rows[n, 0] = number
            n += 1
    return total, squared, softest, loudest, instruments[:kinds], rows[:n].copy()
