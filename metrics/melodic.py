"""Melodic movement: the intervals of the melody, what follows what, and which way it goes.

Conventions: the melody is that of :mod:`concours.metrics.melody`, the skyline unless
``melody="named"``. An interval is later minus earlier pitch, over rests too. Drums are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from concours.metrics.entropy import entropy_of
from concours.metrics.melody import MelodyRule, melody_of
from concours.metrics.piece import Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Scored, Undefined

YANG = "Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7"
HURON = "Huron 2006, Sweet Anticipation; von Hippel & Huron 2000"
TOO_FEW = Undefined("fewer than 2 notes in the melody")

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
    steps = _intervals(piece, melody)
    if isinstance(steps, Undefined):
        return steps
    sizes, counts = np.unique(steps, return_counts=True)
    histogram = {str(s): c for s, c in zip(sizes.tolist(), counts.tolist(), strict=True)}
    return Scored(float(np.abs(steps).mean()), {"histogram": histogram})


@_metric("bit", 8, YANG)
def interval_entropy(piece: Piece, *, melody: MelodyRule = "skyline") -> float | Undefined:
    """Shannon entropy of the melody's signed intervals.

    -sum p log2 p over the different intervals. Undefined with fewer than 2 notes in the melody.

    >>> from concours.metrics.piece import make_piece
    >>> interval_entropy(make_piece(onset=[0, 1, 2], end=[1, 2, 3], pitch=[60, 64, 62]))
    1.0
    """
    steps = _intervals(piece, melody)
    if isinstance(steps, Undefined):
        return steps
    return entropy_of(np.unique(steps, return_counts=True)[1])


@_metric("share", 1, HURON)
def step_share(piece: Piece, *, melody: MelodyRule = "skyline") -> float | Undefined:
    """Share of the melody's moves that are steps of 1 or 2 semitones.

    Repeated notes are no moves. Undefined where the melody does not move.

    >>> from concours.metrics.piece import make_piece
    >>> step_share(make_piece(onset=[0, 1, 2], end=[1, 2, 3], pitch=[60, 64, 62]))
    0.5
    """
    moves = _moves(piece, melody)
    if isinstance(moves, Undefined):
        return moves
    return float(np.mean(np.abs(moves) <= 2))


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
    moves = _moves(piece, melody)
    if isinstance(moves, Undefined):
        return moves
    steps = np.abs(moves[:-1]) <= 2
    if not steps.any():
        return Undefined("no step that another move follows")
    return float(np.mean(np.sign(moves[:-1]) == np.sign(moves[1:]), where=steps))


@_metric("share", 1, HURON)
def contour_turn_rate(piece: Piece, *, melody: MelodyRule = "skyline") -> float | Undefined:
    """Share of the melody's moves after which it turns the other way.

    0 for a scale, 1 for a trill; repeated notes are left out. Undefined with fewer than 2 moves.

    >>> from concours.metrics.piece import make_piece
    >>> contour_turn_rate(make_piece(onset=range(4), end=range(1, 5), pitch=[60, 62, 64, 62]))
    0.5
    """
    moves = _moves(piece, melody)
    if isinstance(moves, Undefined):
        return moves
    if len(moves) < 2:
        return Undefined("fewer than 2 moves in the melody")
    return float(np.mean(np.sign(moves[:-1]) != np.sign(moves[1:])))


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
    line = melody_of(piece, melody)
    if isinstance(line, Undefined):
        return line
    if len(line.pitch) < 2:
        return TOO_FEW
    classes = line.pitch % 12
    counts = np.bincount(classes[:-1] * 12 + classes[1:], minlength=144).reshape(12, 12)
    rows = counts.sum(axis=1)
    value = entropy_of(counts.ravel()) - entropy_of(rows)  # H(present, next) - H(present)
    return Scored(max(0.0, value), {"counts": counts.tolist()})


def _intervals(piece: Piece, melody: MelodyRule) -> Ints | Undefined:
    line = melody_of(piece, melody)
    if isinstance(line, Undefined):
        return line
    return np.diff(line.pitch) if len(line.pitch) > 1 else TOO_FEW


def _moves(piece: Piece, melody: MelodyRule) -> Ints | Undefined:
    steps = _intervals(piece, melody)
    if isinstance(steps, Undefined):
        return steps
    moves = steps[steps != 0]
    return moves if len(moves) else Undefined("the melody does not move")
