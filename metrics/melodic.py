"""Melodic movement: the intervals of the melody, what follows what, and which way it goes.

Conventions: the melody is that of :mod:`concours.metrics.melody`, the skyline unless
``melody="named"``. An interval is later minus earlier pitch, over rests too. Drums are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.entropy import entropy_bits
from concours.metrics.melody import MelodyRule, melody_of
from concours.metrics.piece import Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Scored, Undefined

YANG = "Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7"
HURON = "Huron 2006, Sweet Anticipation; von Hippel & Huron 2000"
NAMES = [str(interval) for interval in range(-127, 128)]
TOO_FEW = Undefined("fewer than 2 notes in the melody")
NO_MOVES = Undefined("the melody does not move")

F = TypeVar("F", bound=Callable[..., Any])


def _metric(unit: str, high: float, citation: str) -> Callable[[F], F]:
    return metric(
        level="clip",
        inputs="symbolic",
        direction="reference",
        unit=unit,
        range=(0, high),
        citation=citation,
        invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
    )


@_metric("semitone", 127, YANG)
def mean_interval(piece: Piece, *, melody: MelodyRule = "skyline") -> Scored | Undefined:
    """Mean size of the melody's intervals.

    mean |pitch(i+1) - pitch(i)|; the detail holds the histogram of signed intervals. Undefined
    with fewer than 2 notes in the melody.

    >>> from concours.metrics.piece import make_piece
    >>> mean_interval(make_piece(onset=[0, 1, 2], end=[1, 2, 3], pitch=[60, 64, 62])).value
    3.0
    """
    moved = _movement_of(piece, melody)
    if isinstance(moved, Undefined):
        return moved
    used = moved.intervals.tolist()
    histogram = {NAMES[i]: n for i, n in zip(used, moved.counts.tolist(), strict=True)}
    return Scored(moved.distance / moved.total, {"histogram": histogram})


@_metric("bit", 8, YANG)
def interval_entropy(piece: Piece, *, melody: MelodyRule = "skyline") -> float | Undefined:
    """Shannon entropy of the melody's signed intervals.

    -sum p log2 p over the different intervals. Undefined with fewer than 2 notes in the melody.

    >>> from concours.metrics.piece import make_piece
    >>> interval_entropy(make_piece(onset=[0, 1, 2], end=[1, 2, 3], pitch=[60, 64, 62]))
    1.0
    """
    moved = _movement_of(piece, melody)
    return moved if isinstance(moved, Undefined) else moved.interval_bits


@_metric("share", 1, HURON)
def step_share(piece: Piece, *, melody: MelodyRule = "skyline") -> float | Undefined:
    """Share of the melody's moves that are steps of 1 or 2 semitones.

    Repeated notes are no moves. Undefined where the melody does not move.

    >>> from concours.metrics.piece import make_piece
    >>> step_share(make_piece(onset=[0, 1, 2], end=[1, 2, 3], pitch=[60, 64, 62]))
    0.5
    """
    moved = _movement_of(piece, melody)
    if isinstance(moved, Undefined):
        return moved
    return moved.steps / moved.moves if moved.moves else NO_MOVES


@_metric("share", 1, HURON)
def step_inertia(piece: Piece, *, melody: MelodyRule = "skyline") -> float | Undefined:
    """Share of the melody's steps after which it moves on in the same direction.

    Steps are moves of 1 or 2 semitones that another move follows; repeated notes are left out.
    Undefined without such a step.

    >>> from concours.metrics.piece import make_piece
    >>> rise_and_fall = [60, 62, 64, 62]
    >>> step_inertia(make_piece(onset=range(4), end=range(1, 5), pitch=rise_and_fall))
    0.5
    """
    moved = _movement_of(piece, melody)
    if isinstance(moved, Undefined):
        return moved
    if not moved.moves:
        return NO_MOVES
    if not moved.followed_steps:
        return Undefined("no step that another move follows")
    return moved.inert_steps / moved.followed_steps


@_metric("share", 1, HURON)
def contour_turn_rate(piece: Piece, *, melody: MelodyRule = "skyline") -> float | Undefined:
    """Share of the melody's moves after which it turns the other way.

    0 for a scale, 1 for a trill; repeated notes are left out. Undefined with fewer than 2 moves.

    >>> from concours.metrics.piece import make_piece
    >>> contour_turn_rate(make_piece(onset=range(4), end=range(1, 5), pitch=[60, 62, 64, 62]))
    0.5
    """
    moved = _movement_of(piece, melody)
    if isinstance(moved, Undefined):
        return moved
    if not moved.moves:
        return NO_MOVES
    if moved.moves < 2:
        return Undefined("fewer than 2 moves in the melody")
    return moved.turns / (moved.moves - 1)


@_metric("bit", math.log2(12), YANG)
def pitch_class_transition_entropy(
    piece: Piece, *, melody: MelodyRule = "skyline"
) -> Scored | Undefined:
    """Mean uncertainty of the melody's next pitch class, once the present one is known.

    H(next | present) = -sum p(a, b) log2 p(b | a) over the 12 x 12 transitions, which the detail
    holds as counts. Undefined with fewer than 2 notes in the melody.

    >>> from concours.metrics.piece import make_piece
    >>> tune = make_piece(onset=range(5), end=range(1, 6), pitch=[60, 62, 60, 64, 60])
    >>> pitch_class_transition_entropy(tune).value  # after C, D or E: 1 bit, half of the time
    0.5
    """
    moved = _movement_of(piece, melody)
    if isinstance(moved, Undefined):
        return moved
    return Scored(moved.transition_bits, {"counts": moved.transitions.tolist()})


class _Movement(NamedTuple):
    """``intervals``: (k,), each signed interval that occurs, from -127 as 0 on, and ``counts``, how
    often; ``total`` is their sum. ``transitions``: (12, 12), pitch classes before and after. Moves
    leave repeated notes out; a followed step has a move after it, an inert one a move in the same
    direction. ``transition_bits`` is the entropy of the next class, given the present one."""

    intervals: Ints
    counts: Ints
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


def _movement_of(piece: Piece, melody: MelodyRule) -> _Movement | Undefined:
    def compute() -> _Movement | Undefined:
        line = melody_of(piece, melody)
        if isinstance(line, Undefined):
            return line
        return TOO_FEW if len(line.pitch) < 2 else _Movement(*_movement(line.pitch))

    return piece.shared(("movement", melody), compute)


@compiled
def _movement(
    pitch: Ints,
) -> tuple[Ints, Ints, Ints, int, int, int, int, int, int, int, float, float]:
    """The fields of a :class:`_Movement` of a line of at least 2 notes."""
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
    intervals, counts = np.empty(255, np.int64), np.empty(255, np.int64)
    kinds = 0
    for i in range(255):
        intervals[kinds], counts[kinds] = i, often[i]
        kinds += often[i] > 0
    transitions, present = np.empty((12, 12), np.int64), np.zeros(12)
    for a in range(12):
        for b in range(12):
            transitions[a, b] = after[a, b]
            present[a] += after[a, b]
    # H(present, next) - H(present)
    bits = max(0.0, entropy_bits(after.reshape(-1)) - entropy_bits(present))
    return (
        *(intervals[:kinds], counts[:kinds], transitions, len(pitch) - 1, distance, moves, steps),
        *(followed, inert, turns, entropy_bits(often), bits),
    )
