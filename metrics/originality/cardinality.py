"""The cardinality score (Yin, Reuben, Stepney & Collins 2021, 2022): how many points two excerpts
have in common under the best shift in time and pitch.

Conventions
-----------
- A note is a point (round(24 times its onset in quarters), morphetic pitch); equal points count
  once. Morphetic pitch counts letter names (C4 = 60, D4 = 61, ...); it comes from a spelling of
  the MIDI pitch in the piece's key, since MIDI states none.
- Windows are cut in quarters: 16 long every 8, or 8 long every 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled
from concours.metrics.piece import Piece

Points = NDArray[np.int64]

STEPS = 24
WINDOWS = ((16, 8), (8, 4))


class Overlap(NamedTuple):
    """``score`` 0-1, and the shift (time, morphetic pitch) from the first set to the second that
    gives it; the smallest of equals."""

    score: float
    shift: tuple[int, int]


def cardinality(p: Points, q: Points) -> Overlap:
    """The largest share of points that coincide when one set is shifted onto the other.

    ``max over v of |{(a, b) : b - a = v}| / max(|P|, |Q|)`` for points of shape (n, 2), duplicates
    removed. 1 for equal or shifted sets; 0 for an empty one.

    >>> cardinality(np.array([[0, 60], [24, 62], [48, 64]]), np.array([[6, 61], [30, 63]]))
    Overlap(score=0.6666666666666666, shift=(-18, -1))
    """
    p, q = np.unique(p, axis=0), np.unique(q, axis=0)
    if not len(p) or not len(q):
        return Overlap(0.0, (0, 0))
    shifts = (q[None, :, :] - p[:, None, :]).reshape(-1, 2)
    kinds, count = np.unique(shifts, axis=0, return_counts=True)
    best = int(count.argmax())
    score = float(count[best] / max(len(p), len(q)))
    return Overlap(score, (int(kinds[best, 0]), int(kinds[best, 1])))


def points(piece: Piece) -> Points:
    """The notes of a piece, drums left out, as points of shape (n, 2), in time order."""
    notes = piece.pitched
    time = np.floor(notes.onset * STEPS / notes.ticks_per_quarter + 0.5).astype(np.int64)
    found = np.unique(np.stack([time, morphetic(notes)], axis=1), axis=0)
    return found.astype(np.int64)


def morphetic(piece: Piece) -> NDArray[np.int64]:
    """Morphetic pitch of each note: MIDI pitch spelt by the key signature in force.

    The twelve pitch classes get the letter names of the twelve spellings nearest the key on the
    line of fifths (in C major from A flat to C sharp).

    >>> from concours.metrics.piece import make_piece
    >>> morphetic(make_piece(onset=[0, 1, 2, 3], end=[1, 2, 3, 4], pitch=[60, 61, 62, 70])).tolist()
    [60, 60, 61, 66]
    """
    fifths = np.zeros(piece.n_notes, np.int64)
    if len(piece.key_tick):
        at = np.searchsorted(piece.key_tick, piece.onset, side="right") - 1
        fifths = np.where(at >= 0, piece.key_fifths[np.maximum(at, 0)], 0)
    # place of the pitch class on the line of fifths (C = 0, G = 1), within -4..7 of the key's tonic
    line = piece.pitch * 7 % 12
    line = (line - fifths + 4) % 12 - 4 + fifths
    letter = line * 4 % 7
    alteration = (line - ((line + 1) % 7 - 1)) // 7
    natural = piece.pitch - alteration
    return 60 + (natural // 12 - 5) * 7 + letter


def windows(found: Points, length: int, hop: int) -> list[Points]:
    """Excerpts of ``length`` quarters every ``hop`` quarters; those without points left out."""
    if not len(found):
        return []
    last = int(found[-1, 0])
    starts = range(0, last + 1, hop * STEPS)
    cut = [found[(found[:, 0] >= s) & (found[:, 0] < s + length * STEPS)] for s in starts]
    return [w for w in cut if len(w)]


def originality(
    piece: Piece, corpus: Sequence[Piece], *, length: int = 16, hop: int = 8
) -> list[float]:
    """1 minus the highest cardinality score of each excerpt of a piece over the corpus's excerpts.

    One value for each excerpt in time order, 0-1, higher is more original. Excerpts of one to
    three points, which anything matches, are left out.

    >>> from concours.metrics.piece import make_piece
    >>> tune = make_piece(onset=range(5), end=range(1, 6), pitch=[60, 62, 64, 65, 67])
    >>> originality(tune, [tune])
    [0.0]
    """
    known = [_sorted(w) for p in corpus for w in windows(points(p), length, hop)]
    found = []
    for window in windows(points(piece), length, hop):
        if len(window) > 3:
            most = max(
                (_most_shared(_sorted(window), k) / max(len(window), len(k)) for k in known),
                default=0.0,
            )
            found.append(1.0 - most)
    return found


def _sorted(window: Points) -> NDArray[np.int64]:
    """Points as single numbers whose differences are those of the points, ascending."""
    packed: NDArray[np.int64] = np.sort(window[:, 0] * 1024 + window[:, 1])
    return packed


@compiled
def _most_shared(p: NDArray[np.int64], q: NDArray[np.int64]) -> int:  # pragma: no cover
    shifts = np.empty(len(p) * len(q), np.int64)
    k = 0
    for a in p:
        for b in q:
            shifts[k] = b - a
            k += 1
    shifts.sort()
    best = run = 1
    for i in range(1, k):
        run = run + 1 if shifts[i] == shifts[i - 1] else 1
        best = max(best, run)
    return best
