"""mgeval (Yang & Lerch's toolbox), the features that it takes from pretty_midi.

Conventions
-----------
- Only the first instrument counts, drums or not, except for ``avg_ioi``: here the first track of
  the piece, which is pretty_midi's first instrument where each track has one channel and program.
- Pitches are read off a piano roll of 100 frames a second, so a note within one frame has none.
- Of several notes of one pitch that sound together, all end with the first one's end.
- The sustain pedal holds nothing, as in the versions of pretty_midi that mgeval was written for.
- Features by raw MIDI track number (``track_num``) are left out: a Piece keeps no empty tracks.
"""

from __future__ import annotations

import math

import numpy as np

from concours.metrics.compat.entry import UNBOUNDED, peer_metric
from concours.metrics.piece import Floats, Piece
from concours.metrics.spec import MetricSpec, Undefined

YANG = "Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7"
CATALOGUE: dict[str, MetricSpec] = {}
FRAMES = 100
SILENT = Undefined("the first instrument has no frame with a note: mgeval raises or gives NaN")


def roll_weights(piece: Piece) -> Floats:
    """Velocity summed over the frames of each pitch of the first instrument: shape (128,)."""
    weights = np.zeros(128)
    if not piece.n_notes:
        return weights
    first = piece.track == piece.track.min()
    onset, pitch = piece.onset[first], piece.pitch[first]
    # Every note-off ends all the notes of its pitch that have begun before it.
    span = int(piece.end.max()) + 1
    offs = np.sort(pitch * span + piece.end[first])
    at = np.searchsorted(offs, pitch * span + onset, side="right")
    end = np.append(offs, -1)[at] - pitch * span
    ended = (end > onset) & (end < span)
    start = np.floor(piece.to_seconds(onset[ended]) * FRAMES)
    stop = np.floor(piece.to_seconds(end[ended]) * FRAMES)
    np.add.at(weights, pitch[ended], piece.velocity[first][ended] * (stop - start))
    return weights


@peer_metric(CATALOGUE, "mgeval", YANG, unit="pitch", range=(0, 128))
def total_used_pitch(piece: Piece) -> float:
    """Number of different pitches of the first instrument; ours counts all pitched tracks."""
    return float(np.count_nonzero(roll_weights(piece)))


@peer_metric(CATALOGUE, "mgeval", YANG, unit="semitone", range=(0, 127))
def pitch_range(piece: Piece) -> float | Undefined:
    """Highest less lowest pitch of the first instrument; ours spans all pitched tracks."""
    used = np.flatnonzero(roll_weights(piece))
    return float(used[-1] - used[0]) if len(used) else SILENT


@peer_metric(CATALOGUE, "mgeval", YANG, unit="bit", range=(0, math.log2(12)))
def total_pitch_class_histogram_entropy(piece: Piece) -> float | Undefined:
    """Entropy of the first instrument's pitch classes, weighted by duration and velocity.

    mgeval gives the histogram alone; the entropy makes it one number. Ours weighs notes alike.
    """
    weights = np.append(roll_weights(piece), np.zeros(4)).reshape(11, 12).sum(axis=0)
    total = weights.sum()
    if total <= 0:
        return SILENT
    p = weights[weights > 0] / total
    return max(0.0, float(-(p * np.log2(p)).sum()))


@peer_metric(CATALOGUE, "mgeval", YANG, unit="second", range=UNBOUNDED)
def avg_ioi(piece: Piece) -> float | Undefined:
    """Mean time between neighbouring notes of all instruments; chord tones count as 0.

    Ours (``ioi_entropy``) takes notes that start together as one onset.
    """
    if piece.n_notes < 2:
        return Undefined("fewer than 2 notes: mgeval gives NaN")
    onsets = piece.to_seconds(piece.onset[[0, -1]])
    return float(onsets[1] - onsets[0]) / (piece.n_notes - 1)
