"""The histograms and curves of a piece: what its single numbers are made from, as plain data.

Conventions
-----------
- Everything is JSON-ready: lists, numbers, and mappings with text keys. A part that has no meaning
  on the piece is ``{"undefined": reason}``.
- Drums are left out but for ``instruments`` and ``notes_per_bar``. Durations are in quarters.
- Rhythm is counted in steps of a twelfth of a quarter; the melody is the skyline
  (:mod:`concours.metrics.melody`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from concours.metrics.chords import chords_of, progression_of
from concours.metrics.chroma import segment_chroma
from concours.metrics.melody import melody_of
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.pitch import pitch_class_histogram, pitch_histogram
from concours.metrics.spec import Scored, Undefined
from concours.metrics.structure import lag_repetition
from concours.metrics.target import programs_of
from concours.metrics.tension import cloud_diameter, cloud_momentum, tensile_strain

STEPS_PER_QUARTER = 12
MOST_FRAMES = 128
DECIMALS = 6

Data = dict[str, Any]


def profile_of(piece: Piece) -> Data:
    """Every part of the profile by name.

    >>> from concours.metrics.piece import make_piece
    >>> tune = make_piece(onset=[0, 480], end=[480, 1440], pitch=[60, 64])
    >>> profile_of(tune)["interval_histogram"], profile_of(tune)["duration_histogram"]
    ({'4': 1}, {'12': 1, '24': 1})
    """
    return {name: part(piece) for name, part in PARTS.items()}


def pitch_histograms(piece: Piece) -> Data:
    """Notes, and quarters sounding, of each of the 128 MIDI pitches."""
    return _weighted(piece, pitch_histogram)


def pitch_class_histograms(piece: Piece) -> Data:
    """Notes, and quarters sounding, of each pitch class from C on."""
    return _weighted(piece, pitch_class_histogram)


def _weighted(piece: Piece, histogram: Callable[..., Floats]) -> Data:
    ticks = histogram(piece, "duration")
    return {
        "count": histogram(piece, "count").astype(int).tolist(),
        "duration": _rounded(ticks / piece.ticks_per_quarter),
    }


def interval_histogram(piece: Piece) -> Data:
    """Signed intervals of the melody in semitones, and how often each occurs."""
    line = melody_of(piece)
    return _why(line) if isinstance(line, Undefined) else _counted(np.diff(line.pitch))


def pitch_class_transitions(piece: Piece) -> Data:
    """How often each pitch class of the melody (row) is followed by each (column): 12 by 12."""
    line = melody_of(piece)
    if isinstance(line, Undefined):
        return _why(line)
    cells = line.pitch[:-1] % 12 * 12 + line.pitch[1:] % 12
    return {"counts": np.bincount(cells, minlength=144).reshape(12, 12).tolist()}


def ioi_histogram(piece: Piece) -> Data:
    """Steps from one onset to the next (notes that start together being one), and their counts."""
    onsets: Ints = np.unique(piece.pitched.onset)
    return _counted(_steps(piece, onsets[1:] - onsets[:-1]))


def duration_histogram(piece: Piece) -> Data:
    """Lengths of the notes in steps, and their counts."""
    return _counted(_steps(piece, piece.pitched.end - piece.pitched.onset))


def tension(piece: Piece) -> Data:
    """The three curves of :mod:`concours.metrics.tension`, each with its ticks."""
    curves = {"cloud_diameter": cloud_diameter, "cloud_momentum": cloud_momentum}
    found: Data = {}
    for name, metric in {**curves, "tensile_strain": tensile_strain}.items():
        result = metric(piece)
        found[name] = dict(result.detail) if isinstance(result, Scored) else _why(result)
    return found


def self_similarity(piece: Piece) -> Data:
    """Cosines of the pitch-class times of any two bars: a symmetric matrix.

    A piece of more than ``MOST_FRAMES`` bars is taken in frames of ``bars_per_frame`` bars. A
    silent frame is like nothing, itself included.
    """
    chroma = segment_chroma(piece, "bar").astype(np.float64)
    if not chroma.any():
        return {"undefined": "no pitched note has a length"}
    width = -(-len(chroma) // MOST_FRAMES)
    frames = -(-len(chroma) // width)
    padded = np.pad(chroma, ((0, frames * width - len(chroma)), (0, 0)))
    rows = padded.reshape(frames, width, 12).sum(axis=1)
    lengths = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    unit = rows / np.where(lengths > 0, lengths, 1.0)
    matrix = np.minimum(1.0, unit @ unit.T)
    return {"bars_per_frame": width, "matrix": [_rounded(row, 4) for row in matrix]}


def repetition_by_lag(piece: Piece) -> Data:
    """Share of the bars that equal the bar so many bars before, from lag 1 on."""
    result = lag_repetition(piece, max_lag=max(16, min(64, len(piece.bar_edges) - 2)))
    if isinstance(result, Undefined):
        return _why(result)
    return {"curve": [None if v is None else round(v, DECIMALS) for v in result.detail["curve"]]}


def registers(piece: Piece) -> Data:
    """Lowest, mean and highest pitch of each pitched track, the highest track first."""
    notes = piece.pitched
    found = []
    for track in np.unique(notes.track).tolist():
        own = notes.pitch[notes.track == track]
        name = piece.track_names[track] if track < len(piece.track_names) else ""
        found.append(
            {
                "track": name,
                "lowest": int(own.min()),
                "mean": round(float(own.mean()), DECIMALS),
                "highest": int(own.max()),
                "notes": len(own),
            }
        )
    found.sort(key=lambda r: (-float(str(r["mean"])), str(r["track"])))
    return {"voices": found}


def instruments(piece: Piece) -> Data:
    """Notes of each MIDI program, drums as "drums"."""
    programs = np.where(piece.is_drum, 128, piece.program)
    return {
        "drums" if p == 128 else str(p): int(np.count_nonzero(programs == p))
        for p in sorted(programs_of(piece))
    }


def notes_per_bar(piece: Piece) -> Data:
    """How many notes start in each bar."""
    bars = len(piece.bar_edges) - 1
    counts = np.bincount(piece.bar_of(piece.onset), minlength=bars)
    return {"curve": counts[:bars].tolist()}


def chords(piece: Piece) -> Data:
    """The chords that the recogniser hears by the beat, equal neighbours joined, with their bars
    (from 1) and ticks."""
    found, progression = chords_of(piece), progression_of(piece)
    if isinstance(found, Undefined):
        return _why(found)
    assert not isinstance(progression, Undefined)  # it is what found is, joined
    _, start, stop = progression
    at = np.searchsorted(found.edges, start)
    return {
        "labels": [found.label(i) for i in at.tolist()],
        "bars": (piece.bar_of(start) + 1).tolist(),
        "start": start.tolist(),
        "stop": stop.tolist(),
    }


PARTS: dict[str, Callable[[Piece], Data]] = {
    "pitch_histogram": pitch_histograms,
    "pitch_class_histogram": pitch_class_histograms,
    "interval_histogram": interval_histogram,
    "pitch_class_transitions": pitch_class_transitions,
    "ioi_histogram": ioi_histogram,
    "duration_histogram": duration_histogram,
    "notes_per_bar": notes_per_bar,
    "chords": chords,
    "tension": tension,
    "self_similarity": self_similarity,
    "repetition_by_lag": repetition_by_lag,
    "registers": registers,
    "instruments": instruments,
}


def _steps(piece: Piece, ticks: Ints) -> Ints:
    rate = STEPS_PER_QUARTER / piece.ticks_per_quarter
    steps: Ints = np.floor(ticks * rate + 0.5).astype(np.int64)
    return steps


def _counted(values: Ints) -> Data:
    kinds, counts = np.unique(values, return_counts=True)
    return {str(k): c for k, c in zip(kinds.tolist(), counts.tolist(), strict=True)}


def _rounded(values: Floats, decimals: int = DECIMALS) -> list[float]:
    return [round(v, decimals) for v in values.tolist()]


def _why(undefined: Undefined) -> Data:
    return {"undefined": undefined.reason}
