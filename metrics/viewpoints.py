"""A melody as a sequence of tokens, under one of several viewpoints (Conklin & Witten 1995).

Conventions
-----------
- ``pitch``: the MIDI pitch; ``interval``: semitones from the note before; ``contour``: its sign;
  ``duration``: the note's length, and ``ioi`` the time since the last onset, both in
  ``STEPS_PER_QUARTER``; ``linked``: interval and ioi as one token.
- Interval, contour, ioi and linked start with the second note.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from concours.metrics.melody import MelodyRule, melody_of
from concours.metrics.piece import Ints, Piece
from concours.metrics.spec import Undefined

Viewpoint = Literal["pitch", "interval", "contour", "duration", "ioi", "linked"]
STEPS_PER_QUARTER = 24
OCTAVES_UP = 128  # makes an interval positive inside a linked token


class Events(NamedTuple):
    """``token`` and the ``tick`` of the note that it describes: shape (n,)."""

    token: Ints
    tick: Ints


def events_of(
    piece: Piece, viewpoint: Viewpoint = "interval", melody: MelodyRule = "skyline"
) -> Events | Undefined:
    """The melody's tokens.

    >>> from concours.metrics.piece import make_piece
    >>> tune = make_piece(onset=[0, 480, 960], end=[480, 960, 1920], pitch=[60, 64, 62])
    >>> events_of(tune, "interval").token, events_of(tune, "duration").token
    (array([ 4, -2]), array([24, 24, 48]))
    """
    line = melody_of(piece, melody)
    if isinstance(line, Undefined):
        return line
    rate = STEPS_PER_QUARTER / piece.ticks_per_quarter
    interval, ioi = np.diff(line.pitch), _steps(np.diff(line.onset), rate)
    if viewpoint == "pitch":
        return Events(line.pitch, line.onset)
    if viewpoint == "duration":
        return Events(_steps(line.end - line.onset, rate), line.onset)
    tokens = {
        "interval": interval,
        "contour": np.sign(interval),
        "ioi": ioi,
        "linked": ioi * 2 * OCTAVES_UP + interval + OCTAVES_UP,
    }
    return Events(tokens[viewpoint], line.onset[1:])


def _steps(ticks: Ints, rate: float) -> Ints:
    steps: Ints = np.floor(ticks * rate + 0.5).astype(np.int64)
    return steps
