"""Voices as sequences of tokens: what a passage is compared by.

Conventions
-----------
- A voice is a track without its drums. Where notes of one track start together, the highest is
  taken (the skyline), so a polyphonic track contributes its upper line only.
- Token ``i`` of a voice describes its notes ``i`` to ``i + width - 1``, so a run of ``k`` equal
  tokens is a passage of ``k + width - 1`` equal notes, and nothing outside the passage counts.
- Inter-onset intervals (IOI) are score time, in ticks; tempo changes do not show.
- A ratio of IOIs is rounded to a twelfth of an octave (about 6%), within eight octaves; an
  absolute IOI to 1/24 of a quarter note, up to 100 quarters.

========================  ======  ==============================================================
view                      width   a token holds
========================  ======  ==============================================================
``absolute``              2       both pitches, IOI
``interval-ioi``          2       interval in semitones, IOI
``interval-ratio``        3       two intervals in semitones, ratio of the two IOIs
``interval-class-ratio``  3       two intervals modulo 12, ratio of the two IOIs
``interval``              2       interval in semitones
========================  ======  ==============================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from concours.metrics.piece import Piece

Ints = NDArray[np.int64]

SEPARATOR = -1
RATIO_STEPS = 12
MAX_RATIO = 8 * RATIO_STEPS
IOI_STEPS = 24
MAX_IOI = 100 * IOI_STEPS


@dataclass(frozen=True, eq=False)
class Tokens:
    """The voices of one piece, one after the other; every array has shape (notes of all voices,).

    ``code``: the token that starts at a note, at least 0; ``SEPARATOR`` at the last ``width - 1``
    notes of each voice. ``note``: index of the note in the piece. ``voice``: number of the voice,
    from 0; ``track`` its index in the piece. ``onset`` in ticks, ``pitch`` 0-127, ``bar`` as
    :func:`bar_numbers` counts.
    """

    view: str
    width: int
    code: Ints
    note: Ints
    voice: Ints
    track: Ints
    onset: Ints
    pitch: Ints
    bar: Ints
    ticks_per_quarter: int

    def __len__(self) -> int:
        return len(self.code)


def tokenize(piece: Piece, *, view: str = "interval-ratio") -> Tokens:
    """The voices of a piece under a view; see the module for voices, widths and quantisation.

    Raises:
        ValueError: no such view.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 480, 960], end=[480, 960, 1440], pitch=[60, 62, 67])
    >>> tokenize(piece, view="interval").code.tolist()  # +2 and +5, counted from -127
    [129, 132, -1]
    """
    width, encode = _view(view)
    return piece.shared(("tokens", view), lambda: _tokenize(piece, view, width, encode))


def view_width(view: str) -> int:
    """How many notes one token of a view describes; the shortest passage it can compare.

    Raises:
        ValueError: no such view.
    """
    return _view(view)[0]


def bar_numbers(piece: Piece, ticks: Ints) -> Ints:
    """The bar each tick lies in, as a musician counts; shape of ``ticks``.

    The first full bar is 1. A first bar that is shorter than the second is an upbeat, bar 0.
    """
    lengths = np.diff(piece.bar_edges[:3])
    upbeat = len(lengths) == 2 and lengths[0] < lengths[1]
    return piece.bar_of(ticks) + (0 if upbeat else 1)


def voice_notes(piece: Piece) -> Ints:
    """Indices of the notes that voices consist of, by track, then time.

    Of the notes of a track that start together the highest is kept; of equal ones the longest.
    """
    candidates = np.flatnonzero(~piece.is_drum)
    keys = (piece.end[candidates], piece.pitch[candidates], piece.onset[candidates])
    candidates = candidates[np.lexsort((*keys, piece.track[candidates]))]
    track, onset = piece.track[candidates], piece.onset[candidates]
    last = np.ones(len(candidates), np.bool_)
    last[:-1] = (track[1:] != track[:-1]) | (onset[1:] != onset[:-1])
    return candidates[last].astype(np.int64)


Encode = Callable[[Ints, Ints, int], Ints]


def _tokenize(piece: Piece, view: str, width: int, encode: Encode) -> Tokens:
    note = voice_notes(piece)
    pitch, onset, track = piece.pitch[note], piece.onset[note], piece.track[note]
    new_voice = np.ones(len(note), np.int64)
    new_voice[1:] = track[1:] != track[:-1]
    voice = np.cumsum(new_voice) - 1
    code = np.full(len(note), SEPARATOR, np.int64)
    whole = max(0, len(note) - width + 1)
    if whole:
        inside = voice[:whole] == voice[width - 1 :]
        code[:whole] = np.where(inside, encode(pitch, onset, piece.ticks_per_quarter), SEPARATOR)
    return Tokens(
        view=view,
        width=width,
        code=code,
        note=note,
        voice=voice,
        track=track,
        onset=onset,
        pitch=pitch,
        bar=bar_numbers(piece, onset),
        ticks_per_quarter=piece.ticks_per_quarter,
    )


def _interval(pitch: Ints, _onset: Ints, _resolution: int) -> Ints:
    return np.diff(pitch) + 127


def _quantised_ioi(onset: Ints, resolution: int) -> Ints:
    steps = np.floor(np.diff(onset) * IOI_STEPS / resolution + 0.5)
    return np.clip(steps, 0, MAX_IOI).astype(np.int64)


def _quantised_ratio(onset: Ints) -> Ints:
    """Shape (notes - 2,): log2 of each IOI over the one before, in twelfths, from 0."""
    ioi = np.maximum(np.diff(onset), 1).astype(np.float64)
    octaves = np.log2(ioi[1:] / ioi[:-1])
    steps: Ints = np.rint(octaves * RATIO_STEPS).astype(np.int64)
    return np.clip(steps, -MAX_RATIO, MAX_RATIO) + MAX_RATIO


def _absolute(pitch: Ints, onset: Ints, resolution: int) -> Ints:
    pair: Ints = pitch[:-1] * 128 + pitch[1:]
    return pair * (MAX_IOI + 1) + _quantised_ioi(onset, resolution)


def _interval_ioi(pitch: Ints, onset: Ints, resolution: int) -> Ints:
    return _interval(pitch, onset, resolution) * (MAX_IOI + 1) + _quantised_ioi(onset, resolution)


def _interval_ratio(pitch: Ints, onset: Ints, resolution: int) -> Ints:
    step = _interval(pitch, onset, resolution)
    return (step[:-1] * 255 + step[1:]) * (2 * MAX_RATIO + 1) + _quantised_ratio(onset)


def _interval_class_ratio(pitch: Ints, onset: Ints, _resolution: int) -> Ints:
    step: Ints = np.diff(pitch) % 12
    return (step[:-1] * 12 + step[1:]) * (2 * MAX_RATIO + 1) + _quantised_ratio(onset)


VIEWS: dict[str, tuple[int, Encode]] = {
    "absolute": (2, _absolute),
    "interval-ioi": (2, _interval_ioi),
    "interval-ratio": (3, _interval_ratio),
    "interval-class-ratio": (3, _interval_class_ratio),
    "interval": (2, _interval),
}


def _view(view: str) -> tuple[int, Encode]:
    if view not in VIEWS:
        raise ValueError(f"no view is called {view!r}; there are {', '.join(VIEWS)}")
    return VIEWS[view]
