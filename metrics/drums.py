"""Drums: whether their onsets keep a duple or a triple division of the beat.

Conventions: the beat is the quarter note. An onset keeps a division where it lies within
``tolerance`` quarters of one of its steps, so that neither resolution nor a little human timing
decides (muspy has no tolerance: one file gives .51 at its own resolution and .71 at 24).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from concours.metrics.piece import Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Undefined

STEPS = {"duple": 4, "triple": 3}
NO_DRUMS = Undefined("no drums")


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Dong et al. 2018 (MuseGAN), arXiv:1709.06298",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def drum_in_pattern_rate(
    piece: Piece, *, division: Literal["duple", "triple"] = "duple", tolerance: float = 0.02
) -> float | Undefined:
    """Share of the drum notes on quarters (duple) or thirds (triple) of a beat.

    Undefined without drums.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 120, 160, 481], end=[1, 121, 161, 482], pitch=[36] * 4,
    ...                    is_drum=[True] * 4)
    >>> drum_in_pattern_rate(piece), drum_in_pattern_rate(piece, division="triple")
    (0.75, 0.75)
    """
    if piece.pitched is piece:
        return NO_DRUMS
    onset = piece.onset[piece.is_drum]
    steps = onset * STEPS[division] / piece.ticks_per_quarter
    away = np.abs(steps - np.rint(steps)) / STEPS[division]
    return float(np.mean(away <= tolerance + 1e-9))


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Dong et al. 2020 (MusPy), arXiv:2008.01951",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def drum_pattern_consistency(piece: Piece, *, tolerance: float = 0.02) -> float | Undefined:
    """The larger of the shares of drum notes on a duple and on a triple division.

    Undefined without drums.

    >>> from concours.metrics.piece import make_piece
    >>> drum_pattern_consistency(make_piece(onset=[0, 160, 320], end=[1, 161, 321],
    ...                                     pitch=[36] * 3, is_drum=[True] * 3))
    1.0
    """
    if piece.pitched is piece:
        return NO_DRUMS
    duple = drum_in_pattern_rate(piece, division="duple", tolerance=tolerance)
    triple = drum_in_pattern_rate(piece, division="triple", tolerance=tolerance)
    assert not isinstance(duple, Undefined)
    assert not isinstance(triple, Undefined)
    return max(duple, triple)
