"""Bar by bar: how much of what is in a bar of the true piece is in that bar of the output.

Conventions
-----------
- The first piece is the one that is scored, the second the ground truth. A note counts in the bar
  in which it starts.
- Bars are compared with the bar of the same number, and the longer piece decides how many there
  are: a bar in which just one piece has notes scores 0, so stopping early costs, and so does going
  on. A bar that is empty on both sides is left out. The detail holds the curve over the bars, None
  for those.
- Undefined where neither piece has a note that counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from concours.metrics.instruments import DRUMS
from concours.metrics.piece import Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Scored, Undefined

FIGARO = "von Rütte et al. 2023 (FIGARO), arXiv:2201.10936"
NOTHING = Undefined("neither piece has notes that count")
LONGEST = 1 << 20  # steps; a longer note counts as this long

F = TypeVar("F", bound=Callable[..., Any])


def _metric(function: F) -> F:
    return metric(
        level="pair",
        inputs="symbolic",
        direction="higher",
        unit="1",
        range=(0, 1),
        citation=FIGARO,
        invariant=(
            "transposition",
            "tempo",
            "track-order",
            "note-order",
            "resolution",
        ),
    )(function)


@_metric
def bar_pitch_overlap(piece: Piece, truth: Piece) -> Scored | Undefined:
    """Mean over the bars of the overlap of the pitches that start in a bar.

    The overlap of two bars is the sum over the 128 pitches of the smaller of the two shares of
    notes. Drums are left out.

    >>> from concours.metrics.piece import make_piece
    >>> truth = make_piece(onset=[0, 960, 1920], end=[960, 1920, 3840], pitch=[60, 62, 64])
    >>> bar_pitch_overlap(make_piece(onset=[0], end=[960], pitch=[60]), truth).detail["curve"]
    [0.5, 0.0]
    """
    return _overlap([(p.pitched, p.pitched.pitch) for p in (piece, truth)])


@_metric
def bar_duration_overlap(
    piece: Piece, truth: Piece, *, steps_per_quarter: int = 12
) -> Scored | Undefined:
    """Mean over the bars of the overlap of the lengths of the notes that start in a bar.

    Lengths in whole steps. As :func:`bar_pitch_overlap`.
    """
    return _overlap([(p.pitched, _steps(p.pitched, steps_per_quarter)) for p in (piece, truth)])


@_metric
def bar_velocity_overlap(piece: Piece, truth: Piece, *, bins: int = 32) -> Scored | Undefined:
    """Mean over the bars of the overlap of the velocities of the notes that start in a bar.

    Velocities in ``bins`` equal classes, as FIGARO's 32. Drums count. Undefined also where a piece
    comes from a source without dynamics. As :func:`bar_pitch_overlap`.
    """
    if not 1 <= bins <= 128:
        raise ValueError(f"bins must be 1 to 128, not {bins}")
    if not (piece.has_velocity and truth.has_velocity):
        return Undefined("a source without dynamics")
    return _overlap([(p, p.velocity * bins // 128) for p in (piece, truth)])


@_metric
def bar_instrument_f1(piece: Piece, truth: Piece) -> Scored | Undefined:
    """Mean over the bars of the F1 of the instruments that start a note in a bar.

    MIDI programs, the drums being one more. The detail holds mean precision and recall. As
    :func:`bar_pitch_overlap`.
    """
    tables = [
        _table(p, np.where(p.is_drum, DRUMS, p.program), DRUMS + 1) > 0 for p in (piece, truth)
    ]
    a, b = _equal_length(tables)
    either = a.any(axis=1) | b.any(axis=1)
    if not either.any():
        return NOTHING
    hits, got, asked = (t.sum(axis=1)[either] for t in (a & b, a, b))
    f1 = 2 * hits / (got + asked)
    detail = {
        "precision": float((hits / np.maximum(got, 1)).mean()),
        "recall": float((hits / np.maximum(asked, 1)).mean()),
        "curve": _curve(f1, either),
    }
    return Scored(float(f1.mean()), detail)


def _steps(piece: Piece, steps_per_quarter: int) -> Ints:
    rate = steps_per_quarter / piece.ticks_per_quarter
    steps = np.floor((piece.end - piece.onset) * rate + 0.5)
    whole: Ints = np.minimum(steps, LONGEST).astype(np.int64)
    return whole


def _overlap(sides: list[tuple[Piece, Ints]]) -> Scored | Undefined:
    # only values that occur get a column, so that one long note does not make a wide table
    known = np.unique(np.concatenate([v for _, v in sides]))
    tables = [_table(p, np.searchsorted(known, v), len(known)) for p, v in sides]
    a, b = _equal_length(tables)
    totals = [t.sum(axis=1, keepdims=True) for t in (a, b)]
    either = (totals[0] + totals[1])[:, 0] > 0
    if not either.any():
        return NOTHING
    shares = [t / np.maximum(n, 1) for t, n in zip((a, b), totals, strict=True)]
    common = np.minimum(1.0, np.minimum(*shares).sum(axis=1))[either]
    return Scored(float(common.mean()), {"curve": _curve(common, either)})


def _table(piece: Piece, values: Ints, size: int) -> Ints:
    """Notes of each value that start in each bar: shape (bars, size)."""
    bars = len(piece.bar_edges) - 1
    cells = piece.bar_of(piece.onset) * size + values
    counts: Ints = np.bincount(cells, minlength=bars * size)[: bars * size].astype(np.int64)
    table: Ints = counts.reshape(bars, size)
    return table


def _equal_length(tables: list[Any]) -> list[Any]:
    n = max(len(t) for t in tables)
    return [np.pad(t, ((0, n - len(t)), (0, 0))) for t in tables]


def _curve(values: Any, where: Any) -> list[float | None]:
    curve: list[float | None] = [None] * len(where)
    for i, v in zip(np.flatnonzero(where).tolist(), values.tolist(), strict=True):
        curve[i] = v
    return curve
