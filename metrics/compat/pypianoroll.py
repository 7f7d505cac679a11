"""pypianoroll 1.0.4, on the piano roll of all pitched notes.

Conventions
-----------
- The roll is binary, at the file's own resolution, and reaches to the end of the last pitched
  note, rounded up to a whole quarter, since ``empty_beat_rate`` takes nothing else. It is never
  built: every number follows from the notes.
- Left out: ``tonal_distance``, which always raises, and ``drum_in_pattern_rate``, which raises
  for every roll that is not one beat long.
"""

from __future__ import annotations

import numpy as np

from concours.metrics.compat.entry import peer_metric
from concours.metrics.piece import Ints, Piece
from concours.metrics.pitch import pitch_histogram
from concours.metrics.spec import MetricSpec, Undefined
from concours.metrics.sweep import ticks_at_polyphony

DONG = "Dong, Hsiao & Yang 2018 (Pypianoroll), ISMIR late-breaking"
CATALOGUE: dict[str, MetricSpec] = {}
EMPTY = Undefined("an empty roll: pypianoroll gives NaN")


def _sounding(piece: Piece) -> Piece:
    notes = piece.pitched
    return notes.where(notes.end > notes.onset)


def _beats(piece: Piece) -> int:
    return -(-_sounding(piece).end_tick // piece.ticks_per_quarter)


@peer_metric(CATALOGUE, "pypianoroll", DONG)
def empty_beat_rate(piece: Piece) -> float | Undefined:
    """Share of the quarters WITH a note: the opposite of its name, and of ours."""
    beats = _beats(piece)
    if not beats:
        return EMPTY
    notes = _sounding(piece)
    starts = np.bincount(notes.onset // piece.ticks_per_quarter, minlength=beats + 1)
    stops = np.bincount(-(-notes.end // piece.ticks_per_quarter), minlength=beats + 1)
    return float(np.count_nonzero(np.cumsum(starts - stops))) / beats


@peer_metric(CATALOGUE, "pypianoroll", DONG, unit="pitch", range=(0, 128))
def n_pitches_used(piece: Piece) -> float:
    """Number of different pitches, as ours (notes of no length aside)."""
    return float(np.count_nonzero(pitch_histogram(_sounding(piece))))


@peer_metric(CATALOGUE, "pypianoroll", DONG, unit="pitch class", range=(0, 12))
def n_pitch_classes_used(piece: Piece) -> float:
    """Number of different "chroma" of ten neighbouring pitches each.

    Differs from ours: the roll is cut into 12 blocks of 10 pitches instead of 10 of 12, so a C
    major triad in three octaves has 4; and a pitch of 120 or more counts for all 12.
    """
    return float(np.count_nonzero(_blocks(_sounding(piece).pitch)))


@peer_metric(CATALOGUE, "pypianoroll", DONG, unit="semitone", range=(0, 127))
def pitch_range(piece: Piece) -> float | Undefined:
    """Highest less lowest pitch, as ours (notes of no length aside)."""
    pitch = _sounding(piece).pitch
    return float(pitch.max() - pitch.min()) if len(pitch) else EMPTY


@peer_metric(CATALOGUE, "pypianoroll", DONG)
def polyphonic_rate(piece: Piece, *, threshold: int = 2) -> float | Undefined:
    """Share of the ticks of the roll with more than ``threshold`` pitches; a dyad is not one."""
    length = _beats(piece) * piece.ticks_per_quarter
    if not length:
        return EMPTY
    return float(ticks_at_polyphony(piece)[threshold + 1 :].sum()) / length


@peer_metric(CATALOGUE, "pypianoroll", DONG)
def qualified_note_rate(piece: Piece) -> float | Undefined:
    """Share of the notes that last two ticks at least: always 1.

    pypianoroll measures lengths in the flattened roll, where one tick is 128 cells, so every note
    qualifies.
    """
    return 1.0 if _sounding(piece).n_notes else EMPTY


def _blocks(pitch: Ints) -> Ints:
    counts = np.bincount(pitch[pitch < 120] // 10, minlength=12)
    return counts + 1 if (pitch >= 120).any() else counts
