"""muspy 0.5.0, on a file at its own resolution.

Conventions
-----------
- muspy's length of a piece is the time of its last event in any track, controllers included
  (``Piece.events_end``), and its note ends are inclusive.
- What muspy leaves to the caller is set as in MMT's evaluation: a measure is four quarters, and
  ``pitch_in_scale_rate`` takes C major unless told otherwise.
- Where muspy gives NaN or raises, the value is undefined.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from concours.metrics.compat.entry import UNBOUNDED, peer_metric
from concours.metrics.entropy import entropy_of
from concours.metrics.piece import Ints, Piece
from concours.metrics.pitch import pitch_class_histogram, pitch_histogram
from concours.metrics.spec import MetricSpec, Undefined
from concours.metrics.sweep import ticks_at_polyphony

DONG = "Dong et al. 2020 (MusPy), arXiv:2008.01951"
CATALOGUE: dict[str, MetricSpec] = {}
NAN = Undefined("muspy gives NaN: nothing to count")
MODES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
SCALES = [(np.array(steps) + root) % 12 for steps in MODES.values() for root in range(12)]


@peer_metric(CATALOGUE, "muspy", DONG, unit="semitone", range=(-127, 127))
def pitch_range(piece: Piece) -> float:
    """Highest less lowest pitch.

    Differs from ours where there is no pitched note: drums alone give -127, nothing gives 0.
    """
    if not piece.n_notes:
        return 0.0
    used = np.flatnonzero(pitch_histogram(piece))
    return float(used[-1] - used[0]) if len(used) else -127.0


@peer_metric(CATALOGUE, "muspy", DONG, unit="pitch", range=(0, 128))
def n_pitches_used(piece: Piece) -> float:
    """Number of different pitches, as ours."""
    return float(np.count_nonzero(pitch_histogram(piece)))


@peer_metric(CATALOGUE, "muspy", DONG, unit="pitch class", range=(0, 12))
def n_pitch_classes_used(piece: Piece) -> float:
    """Number of different pitch classes, as ours."""
    return float(np.count_nonzero(pitch_class_histogram(piece)))


@peer_metric(CATALOGUE, "muspy", DONG, unit="pitch", range=(1, 128))
def polyphony(piece: Piece) -> float | Undefined:
    """Mean number of pitches over the sounding ticks, as ours."""
    ticks = ticks_at_polyphony(piece)
    sounding = int(ticks[1:].sum())
    return float((np.arange(129) * ticks).sum() / sounding) if sounding else NAN


@peer_metric(CATALOGUE, "muspy", DONG)
def polyphony_rate(piece: Piece, *, threshold: int = 2) -> float | Undefined:
    """Share of the ticks with more than ``threshold`` pitches.

    Differs from ours: a dyad is no polyphony, and time counts up to the last controller.
    """
    if piece.events_end < 1:
        return NAN
    return float(ticks_at_polyphony(piece)[threshold + 1 :].sum() / piece.events_end)


@peer_metric(CATALOGUE, "muspy", DONG)
def pitch_in_scale_rate(
    piece: Piece, *, root: int = 0, mode: Literal["major", "minor"] = "major"
) -> float | Undefined:
    """Share of the notes in a given scale, C major unless told otherwise.

    Ours is ``out_of_key_rate``, which finds the key.
    """
    counts = pitch_class_histogram(piece)
    total = counts.sum()
    if total < 1:
        return NAN
    return float(counts[(np.array(MODES[mode]) + root) % 12].sum() / total)


@peer_metric(CATALOGUE, "muspy", DONG)
def scale_consistency(piece: Piece) -> float | Undefined:
    """Largest share of the notes in one of 24 major and natural minor scales.

    Differs from ours: without the harmonic and the melodic minor, music in minor scores lower.
    """
    counts = pitch_class_histogram(piece)
    total = counts.sum()
    return float(max(counts[degrees].sum() for degrees in SCALES) / total) if total else NAN


@peer_metric(CATALOGUE, "muspy", DONG, unit="bit", range=(0, 7))
def pitch_entropy(piece: Piece) -> float | Undefined:
    """Entropy of the pitches by count, as ours."""
    counts = pitch_histogram(piece)
    return entropy_of(counts) if counts.any() else NAN


@peer_metric(CATALOGUE, "muspy", DONG, unit="bit", range=(0, 3.6))
def pitch_class_entropy(piece: Piece) -> float | Undefined:
    """Entropy of the pitch classes by count, as ours."""
    counts = pitch_class_histogram(piece)
    return entropy_of(counts) if counts.any() else NAN


@peer_metric(CATALOGUE, "muspy", DONG)
def empty_beat_rate(piece: Piece) -> float | Undefined:
    """Share of the quarters without a note.

    Differs from ours: a note that ends on a beat occupies it, a piece that ends on one has one
    more, and a beat is a quarter in every meter.
    """
    return _empty_rate(piece, piece.ticks_per_quarter)


@peer_metric(CATALOGUE, "muspy", DONG)
def empty_measure_rate(piece: Piece) -> float | Undefined:
    """Share of the measures of four quarters without a note; differs from ours as the beats do."""
    return _empty_rate(piece, 4 * piece.ticks_per_quarter)


@peer_metric(CATALOGUE, "muspy", DONG)
def drum_in_pattern_rate(
    piece: Piece, *, meter: Literal["duple", "triple"] = "duple"
) -> float | Undefined:
    """Share of the drum notes exactly on a quarter or a third of a beat.

    Differs from ours: no tolerance, and a resolution that 4 (or 3) does not divide has fewer steps.
    """
    onset = piece.onset[piece.is_drum]
    if not len(onset):
        return NAN
    resolution = piece.ticks_per_quarter
    parts = [n for n in ((4, 2) if meter == "duple" else (3,)) if resolution % n == 0]
    step = resolution // max([1, *parts])
    return float(np.mean(onset % resolution % step == 0))


@peer_metric(CATALOGUE, "muspy", DONG)
def drum_pattern_consistency(piece: Piece) -> float | Undefined:
    """The larger of the shares of drum notes on a duple and on a triple grid, without tolerance."""
    duple = drum_in_pattern_rate(piece, meter="duple")
    triple = drum_in_pattern_rate(piece, meter="triple")
    if isinstance(duple, Undefined) or isinstance(triple, Undefined):
        return NAN
    return max(duple, triple)


@peer_metric(CATALOGUE, "muspy", DONG, range=UNBOUNDED)
def groove_consistency(piece: Piece) -> float | Undefined:
    """Likeness of neighbouring measures of four quarters, tick for tick.

    Differs from ours: at the file's own resolution nearly all ticks are empty in both, so real
    pieces score .96 and more; and a piece that ends on a bar line has an empty measure more.
    """
    measure = 4 * piece.ticks_per_quarter
    measures = piece.events_end // measure + 1
    if measures < 2:
        return NAN
    onset = np.unique(piece.onset)
    again = np.isin(onset + measure, onset, assume_unique=True)
    ends = np.count_nonzero(onset < measure) + np.count_nonzero(onset // measure == measures - 1)
    different = 2 * len(onset) - ends - 2 * int(np.count_nonzero(again))
    return 1 - different / (measure * (measures - 1))


def _empty_rate(piece: Piece, span: int) -> float | Undefined:
    if piece.events_end < 1:
        return NAN
    count = piece.events_end // span + 1
    return 1 - _touched(piece.onset // span, piece.end // span, count) / count


def _touched(first: Ints, last: Ints, count: int) -> int:
    """How many of ``count`` spans lie in at least one of the ranges, both ends included."""
    steps = np.bincount(first, minlength=count + 1) - np.bincount(last + 1, minlength=count + 1)
    return int(np.count_nonzero(np.cumsum(steps)[:count]))
