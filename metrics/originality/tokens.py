"""Voices as sequences of tokens: what a passage is compared by.

Conventions
-----------
- What is compared is a line: the notes of one voice in time, of which no two start together.
  A view's name may begin with how lines are made: ``melody/interval-ratio``.
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

===========  ===================================================================================
lines        how they are made (drums never count)
===========  ===================================================================================
``track``    one for each track (the default). Where notes of a track start together the highest
             is taken (the skyline), so a polyphonic track contributes its upper line only
``melody``   one: the skyline of the tracks that are named as a melody (melody, vocal, voice, lead,
             soprano, cantus, tune), or of all tracks where none is
``chords``   one: everything that starts together is a chord, whose lowest note stands for it; a
             token also holds each chord's pitch classes above that note, and counts are of chords
===========  ===================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.piece import Piece

Ints = NDArray[np.int64]

SEPARATOR = -1
RATIO_STEPS = 12
MAX_RATIO = 8 * RATIO_STEPS
IOI_STEPS = 24
MAX_IOI = 100 * IOI_STEPS
SHAPES = 1 << 11
MELODY = re.compile(r"melod|vocal|voice|\blead|sopran|cantus|\btune", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Tokens:
    """The voices of one piece, one after the other; every array has shape (notes of all voices,).

    ``code``: the token that starts at a note, at least 0; ``SEPARATOR`` at the last ``width - 1``
    notes of each voice. ``note``: index of the note in the piece. ``voice``: number of the voice,
    from 0; ``track`` its index in the piece. ``onset`` in ticks, ``pitch`` 0-127, ``bar`` as
    :func:`bar_numbers` counts, ``beat`` in the bar from 1, with the fraction of a beat.
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
    beat: NDArray[np.float64]
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
    lines, width, encode = _view(view)
    return piece.shared(
        ("tokens", view), lambda: _tokenize(piece, view, lines(piece), width, encode)
    )


def view_width(view: str) -> int:
    """How many notes one token of a view describes; the shortest passage it can compare.

    Raises:
        ValueError: no such view.
    """
    return _view(view)[1]


def bar_numbers(piece: Piece, ticks: Ints) -> Ints:
    """The bar each tick lies in, as a musician counts; shape of ``ticks``.

    The first full bar is 1. A first bar that is shorter than the second is an upbeat, bar 0.
    """
    lengths = np.diff(piece.bar_edges[:3])
    upbeat = len(lengths) == 2 and lengths[0] < lengths[1]
    return piece.bar_of(ticks) + (0 if upbeat else 1)


def beat_numbers(piece: Piece, ticks: Ints) -> NDArray[np.float64]:
    """The beat in its bar at which each tick lies, 1 at the bar line; shape of ``ticks``."""
    edges = piece.beat_edges
    if len(edges) < 2 or not len(ticks):
        return np.ones(len(ticks))
    beat = np.clip(np.searchsorted(edges, ticks, side="right") - 1, 0, len(edges) - 2)
    first = np.searchsorted(edges, piece.bar_edges[piece.bar_of(ticks)], side="left")
    inside = (ticks - edges[beat]) / np.maximum(edges[beat + 1] - edges[beat], 1)
    count: NDArray[np.float64] = np.round(beat - first + 1 + inside, 4)
    return count


class _Lines(NamedTuple):
    """``note``: indices of the notes, by line, then time; ``line``: ascending numbers of lines;
    ``shape``: the pitch classes above the note as 11 bits, or None where notes stand alone."""

    note: Ints
    line: Ints
    shape: Ints | None = None


def _track_lines(piece: Piece) -> _Lines:
    note = _skyline(piece, piece.track)
    return _Lines(note, piece.track[note])


def _melody_line(piece: Piece) -> _Lines:
    named = [i for i, name in enumerate(piece.track_names) if MELODY.search(name)]
    chosen = np.isin(piece.track, named) if named else np.ones(piece.n_notes, np.bool_)
    if not (chosen & ~piece.is_drum).any():
        chosen = np.ones(piece.n_notes, np.bool_)
    note = _skyline(piece, np.where(chosen, 0, -1))
    note = note[chosen[note]]
    return _Lines(note, np.zeros(len(note), np.int64))


def _chord_line(piece: Piece) -> _Lines:
    pitched = np.flatnonzero(~piece.is_drum)
    order = pitched[np.lexsort((-piece.end[pitched], piece.pitch[pitched], piece.onset[pitched]))]
    onset, first = np.unique(piece.onset[order], return_index=True)
    chord = np.searchsorted(onset, piece.onset[order])
    lowest = order[first]
    above = (piece.pitch[order] - piece.pitch[lowest][chord]) % 12
    shape = np.zeros(len(onset), np.int64)
    np.bitwise_or.at(shape, chord, (1 << above) >> 1)
    return _Lines(lowest.astype(np.int64), np.zeros(len(onset), np.int64), shape)


def _skyline(piece: Piece, line: Ints) -> Ints:
    """The highest pitched note of each line and onset (of equal ones the longest), by line."""
    candidates = np.flatnonzero(~piece.is_drum)
    keys = (piece.end[candidates], piece.pitch[candidates], piece.onset[candidates])
    candidates = candidates[np.lexsort((*keys, line[candidates]))]
    group, onset = line[candidates], piece.onset[candidates]
    last = np.ones(len(candidates), np.bool_)
    last[:-1] = (group[1:] != group[:-1]) | (onset[1:] != onset[:-1])
    return candidates[last].astype(np.int64)


Encode = Callable[[Ints, Ints, int], Ints]


def _tokenize(piece: Piece, view: str, lines: _Lines, width: int, encode: Encode) -> Tokens:
    note = lines.note
    pitch, onset = piece.pitch[note], piece.onset[note]
    new_voice = np.ones(len(note), np.int64)
    new_voice[1:] = lines.line[1:] != lines.line[:-1]
    voice = np.cumsum(new_voice) - 1
    code = np.full(len(note), SEPARATOR, np.int64)
    whole = max(0, len(note) - width + 1)
    if whole:
        inside = voice[:whole] == voice[width - 1 :]
        found = encode(pitch, onset, piece.ticks_per_quarter)
        for i in range(width if lines.shape is not None else 0):
            found = found * SHAPES + lines.shape[i : i + whole]  # type: ignore[index]
        code[:whole] = np.where(inside, found, SEPARATOR)
    return Tokens(
        view=view,
        width=width,
        code=code,
        note=note,
        voice=voice,
        track=piece.track[note],
        onset=onset,
        pitch=pitch,
        bar=bar_numbers(piece, onset),
        beat=beat_numbers(piece, onset),
        ticks_per_quarter=piece.ticks_per_quarter,
    )


def _interval(pitch: Ints, _onset: Ints, _resolution: int) -> Ints:
    return np.diff(pitch) + 127


def _quantised_ioi(onset: Ints, resolution: int) -> Ints:
    steps = np.floor(np.diff(onset) * IOI_STEPS / resolution + 0.5)
    return np.clip(steps, 0, MAX_IOI).astype(np.int64)


def quantised_ratio(onset: NDArray[Any]) -> Ints:
    """log2 of each IOI over the one before, in twelfths of an octave, counted from 0 for eight
    octaves shorter; shape (notes - 2,). What spans two lines is for the caller to leave out."""
    ioi = np.diff(onset).astype(np.float64)
    ioi[ioi <= 0] = 1.0
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
    return (step[:-1] * 255 + step[1:]) * (2 * MAX_RATIO + 1) + quantised_ratio(onset)


def _interval_class_ratio(pitch: Ints, onset: Ints, _resolution: int) -> Ints:
    step: Ints = np.diff(pitch) % 12
    return (step[:-1] * 12 + step[1:]) * (2 * MAX_RATIO + 1) + quantised_ratio(onset)


VIEWS: dict[str, tuple[int, Encode]] = {
    "absolute": (2, _absolute),
    "interval-ioi": (2, _interval_ioi),
    "interval-ratio": (3, _interval_ratio),
    "interval-class-ratio": (3, _interval_class_ratio),
    "interval": (2, _interval),
}


LINES: dict[str, Callable[[Piece], _Lines]] = {
    "track": _track_lines,
    "melody": _melody_line,
    "chords": _chord_line,
}


def _view(name: str) -> tuple[Callable[[Piece], _Lines], int, Encode]:
    lines, slash, view = name.rpartition("/")
    if not slash:
        lines = "track"
    if view not in VIEWS or lines not in LINES:
        raise ValueError(
            f"no view is called {name!r}; there are {', '.join(VIEWS)}, each also with "
            "melody/ or chords/ before it"
        )
    width, encode = VIEWS[view]
    return LINES[lines], width, encode
