"""Melodic movement: the intervals of the melody, what follows what, and which way it goes.

Conventions: the melody is that of :mod:`concours.metrics.melody`, the skyline unless
``melody="named"``. An interval is later minus earlier pitch, over rests too. Drums are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from concours.metrics.melody import MelodyRule, Movement, melody_of
from concours.metrics.piece import Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Scored, Undefined

YANG = "Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7"
HURON = "Huron 2006, Sweet Anticipation; von Hippel & Huron 2000"
TEXT = [str(interval) for interval in (*range(128), *range(-127, 0))]  # at [interval]
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
    used, counts = moved.intervals.tolist()
    histogram = {TEXT[i]: n for i, n in zip(used, counts, strict=True)}
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


def _movement_of(piece: Piece, melody: MelodyRule) -> Movement | Undefined:
    line = melody_of(piece, melody)
    if isinstance(line, Undefined):
        return line
    return line.movement if len(line.pitch) > 1 else TOO_FEW
