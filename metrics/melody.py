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
from concours.metrics.entropy import entropy_bits
from concours.metrics.piece import Ints, Piece
from concours.metrics.spec import Undefined

MelodyRule = Literal["skyline", "named"]
TRACK_WORDS = ("melody", "lead", "vocal", "voice")


class Movement(NamedTuple):
    """How a line moves. ``intervals``: (2, k), each signed interval that occurs, and how often;
    ``total``: all of them; ``transitions``: (12, 12), pitch classes before and after. Moves leave
    repeated notes out; a followed step has a move after it, an inert one a move in the same
    direction. ``transition_bits`` is the entropy of the next class, given the present one."""

    intervals: Ints
    transitions: Ints
    total: int
    distance: int
    moves: int
    steps: int
    followed_steps: int
    inert_steps: int
    turns: int
    interval_bits: float
    transition_bits: float


class Melody(NamedTuple):
    """Notes of shape (n,), each ending no later than the next one starts, in ticks."""

    onset: Ints
    end: Ints
    pitch: Ints
    movement: Movement


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
    line, movement = _line(notes.onset, notes.end, notes.pitch)
    if not line.shape[1]:
        return Undefined("no pitched note has a length")
    return Melody(line[0], line[1], line[2], Movement(*movement))


@compiled
def _line(
    onset: Ints, end: Ints, pitch: Ints
) -> tuple[Ints, tuple[Ints, Ints, int, int, int, int, int, int, int, float, float]]:
    """(the skyline of sorted notes, the fields of its :class:`Movement`)."""
    line = skyline(onset, end, pitch)
    return line, _movement(line[2])


@compiled
def skyline(onset: Ints, end: Ints, pitch: Ints) -> Ints:
    """The skyline of sorted notes: its onsets, ends and pitches, shape (3, n)."""
    n = len(onset)
    line = np.empty((3, n), np.int64)
    starts, stops, pitches = line[0], line[1], line[2]
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
    return line[:, :kept].copy()


@compiled
def _movement(
    pitch: Ints,
) -> tuple[Ints, Ints, int, int, int, int, int, int, int, float, float]:
    """The fields of a :class:`Movement`."""
    often = np.zeros(255)
    after = np.zeros((12, 12))
    distance = moves = steps = followed = inert = turns = before = 0
    for i in range(1, len(pitch)):
        move = pitch[i] - pitch[i - 1]
        often[move + 127] += 1
        after[pitch[i - 1] % 12, pitch[i] % 12] += 1
        distance += abs(move)
        follows = (move != 0) & (before != 0)
        onward = follows & ((before > 0) == (move > 0))
        after_step = follows & (abs(before) <= 2)
        followed += after_step
        inert += after_step & onward
        turns += follows & (not onward)
        steps += (move != 0) & (abs(move) <= 2)
        moves += move != 0
        before = move if move != 0 else before
    intervals = np.empty((2, 255), np.int64)
    kinds = 0
    for i in range(255):
        intervals[0, kinds], intervals[1, kinds] = i - 127, often[i]
        kinds += often[i] > 0
    transitions, present = np.empty((12, 12), np.int64), np.zeros(12)
    for a in range(12):
        for b in range(12):
            transitions[a, b] = after[a, b]
            present[a] += after[a, b]
    # H(present, next) - H(present)
    bits = max(0.0, entropy_bits(after.reshape(-1)) - entropy_bits(present))
    total, interval_bits = len(pitch) - 1, entropy_bits(often)
    return (
        *(intervals[:, :kinds].copy(), transitions, total, distance, moves, steps, followed, inert),
        *(turns, interval_bits, bits),
    )
