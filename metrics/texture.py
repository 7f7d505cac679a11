"""Texture and dynamics: how much sounds at once, and how loudly it was struck."""

from __future__ import annotations

import numpy as np

from concours.metrics.piece import Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Undefined
from concours.metrics.sweep import ticks_at_polyphony

NOTHING_SOUNDS = Undefined("no pitched note has a length")


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="pitch",
    range=(1, 128),
    citation="Dong et al. 2020 (MusPy), arXiv:2008.01951",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
)
def polyphony(piece: Piece) -> float | Undefined:
    """Mean number of distinct pitches sounding, over the time in which any sounds.

    sum k t_k / sum t_k for k >= 1, where t_k is the time (in ticks) with exactly k pitches; exact,
    whatever the resolution. Drums are left out. Undefined where no pitched note has a length.

    >>> from concours.metrics.piece import make_piece
    >>> polyphony(make_piece(onset=[0, 0], end=[480, 960], pitch=[60, 64]))
    1.5
    """
    ticks = ticks_at_polyphony(piece)
    sounding = ticks[1:].sum()
    if sounding == 0:
        return NOTHING_SOUNDS
    return float((np.arange(1, len(ticks)) * ticks[1:]).sum() / sounding)


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Dong et al. 2018 (MuseGAN), arXiv:1709.06298",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
)
def polyphony_rate(piece: Piece, *, at_least: int = 2) -> float | Undefined:
    """Share of the time during which several pitches sound at once.

    Time with at least ``at_least`` distinct pitches / time from tick 0 to the last end, silence
    included. (muspy counts *more than* two: a pure dyad scores 0 there and 1 here.) Drums are
    left out. Undefined where no pitched note has a length.

    >>> from concours.metrics.piece import make_piece
    >>> polyphony_rate(make_piece(onset=[0, 0], end=[480, 960], pitch=[60, 64]))
    0.5
    """
    if at_least < 1:
        raise ValueError(f"at_least must be 1 or more, not {at_least}")
    ticks = ticks_at_polyphony(piece)
    total = ticks.sum()
    return float(ticks[at_least:].sum() / total) if total else NOTHING_SOUNDS


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="MIDI velocity",
    range=(0, 127),
    citation="Oore et al. 2018 (Performance RNN), arXiv:1808.03715",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
)
def mean_velocity(piece: Piece) -> float | Undefined:
    """Mean MIDI velocity of the notes, drums included.

    Undefined without notes, and where the file carries no dynamics (ABC, MusicXML without
    them), since a reader's default is no measurement.

    >>> from concours.metrics.piece import make_piece
    >>> mean_velocity(make_piece(onset=[0, 1], end=[1, 2], pitch=[60, 62], velocity=[60, 80]))
    70.0
    """
    if piece.n_notes == 0:
        return Undefined("no notes")
    if not piece.has_velocity:
        return Undefined("the file carries no dynamics")
    return float(piece.velocity.mean())
