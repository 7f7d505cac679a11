"""A melody as a sequence of tokens, under one of several viewpoints (Conklin & Witten 1995).

Conventions
-----------
- ``pitch``: the MIDI pitch; ``interval``: semitones from the note before; ``contour``: its sign;
  ``duration``: the note's length, and ``ioi`` the time since the last onset, both in
  ``STEPS_PER_QUARTER``.
- Linked viewpoints hold two of them as one token: ``linked`` is interval and ioi, the others are
  named after their parts.
- Interval, contour and ioi, and what is linked with them, start with the second note.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from concours.metrics.melody import MelodyRule, melody_of
from concours.metrics.piece import Ints, Piece
from concours.metrics.spec import Undefined

Viewpoint = Literal[
    "pitch",
    "interval",
    "contour",
    "duration",
    "ioi",
    "linked",
    "pitch+duration",
    "interval+duration",
    "contour+ioi",
]
STEPS_PER_QUARTER = 24
LINKED = {"linked": "interval+ioi"}
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
    interval = np.diff(line.pitch)
    own = {"pitch": line.pitch, "duration": _steps(line.end - line.onset, rate)}
    moves = {
        "interval": interval,
        "contour": np.sign(interval),
        "ioi": _steps(np.diff(line.onset), rate),
    }
    parts = LINKED.get(viewpoint, viewpoint).split("+")
    if all(p in own for p in parts):
        return Events(_one_token([own[p] for p in parts]), line.onset)
    from_second = {**{k: v[1:] for k, v in own.items()}, **moves}
    return Events(_one_token([from_second[p] for p in parts]), line.onset[1:])


def _one_token(parts: list[Ints]) -> Ints:
    """One part as it is; a pitch part and a time part as one number."""
    if len(parts) == 1:
        return parts[0]
    pitch, time = parts
    return time * 2 * OCTAVES_UP + pitch + OCTAVES_UP


def _steps(ticks: Ints, rate: float) -> Ints:
    steps: Ints = np.floor(ticks * rate + 0.5).astype(np.int64)
    return steps
