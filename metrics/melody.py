"""The melody of a piece: one note at a time, by a stated rule.

Conventions
-----------
- ``skyline``: of the notes that start together the highest, unless a higher melody note still
  sounds; a note ends where the next one starts.
- ``named``: the same over the tracks whose name says melody, lead, vocal or voice.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Ints, Piece
from concours.metrics.spec import Undefined

MelodyRule = Literal["skyline", "named"]
TRACK_WORDS = ("melody", "lead", "vocal", "voice")


class Melody(NamedTuple):
    """Notes of shape (n,), each ending no later than the next one starts, in ticks."""

    onset: Ints
    end: Ints
    pitch: Ints


def melody_of(piece: Piece, rule: MelodyRule = "skyline") -> Melody | Undefined:
    """The melody by ``rule``, computed once a piece.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 0, 480], end=[960, 480, 960], pitch=[72, 60, 64])
    >>> melody_of(piece).pitch
    array([72])
    """
    return piece.shared(("melody", rule), lambda: _melody(piece, rule))


def _melody(piece: Piece, rule: MelodyRule) -> Melody | Undefined:
    notes = piece.pitched
    if rule == "named":
        chosen = [
            i
            for i, name in enumerate(piece.track_names)
            if any(word in name.lower() for word in TRACK_WORDS)
        ]
        if not chosen:
            return Undefined("no track is named as a melody")
        notes = notes.where(np.isin(notes.track, chosen))
    if not notes.n_notes:
        return Undefined("no pitched notes")
    melody = Melody(*skyline(notes.onset, notes.end, notes.pitch))
    return melody if len(melody.pitch) else Undefined("no pitched note has a length")


@compiled
def skyline(onset: Ints, end: Ints, pitch: Ints) -> tuple[Ints, Ints, Ints]:
    """(onset, end, pitch) of the skyline of sorted notes."""
    n = len(onset)
    starts = np.empty(n, np.int64)
    stops = np.empty(n, np.int64)
    pitches = np.empty(n, np.int64)
    kept, top = 0, -1
    for i in range(n):
        top = i if end[i] > onset[i] else top
        if (i + 1 < n and onset[i + 1] == onset[i]) or top < 0 or onset[top] != onset[i]:
            continue  # more notes start here, or none has a length
        if kept > 0:
            if stops[kept - 1] > onset[i] and pitches[kept - 1] > pitch[top]:
                continue
            stops[kept - 1] = min(stops[kept - 1], onset[i])
        starts[kept], stops[kept], pitches[kept] = onset[top], end[top], pitch[top]
        kept += 1
    return starts[:kept].copy(), stops[:kept].copy(), pitches[:kept].copy()
