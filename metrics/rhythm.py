"""Rhythm: where the notes lie on bars, beats and the grid within them.

Conventions: drums count; bars and beats are those of :mod:`concours.metrics.grid`, from tick 0 to
the end of the bar (or beat) in which the last note sounds; a note sounds until just before its
end, so one that stops on a bar line does not reach into the next bar.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from concours.metrics.piece import Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Undefined
from concours.metrics.sweep import occupied_spans, onset_grid

NO_NOTES = Undefined("no notes")


def _empty_rate(piece: Piece, edges: Ints) -> float | Undefined:
    if piece.n_notes == 0:
        return NO_NOTES
    spans = edges[: int(np.searchsorted(edges, piece.end_tick, side="left")) + 1]
    occupied = occupied_spans(piece, spans)
    if len(occupied) == 0:
        return Undefined("no note has a length")
    return 1.0 - float(np.count_nonzero(occupied)) / len(occupied)


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Dong et al. 2018 (MuseGAN), arXiv:1709.06298",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def empty_beat_rate(piece: Piece) -> float | Undefined:
    """Share of the beats in which nothing sounds.

    1 - occupied beats / beats, up to the beat in which the last note sounds. A beat is the
    denominator's note value, in compound meters three of them. Undefined without notes.

    >>> from concours.metrics.piece import make_piece
    >>> first_and_fourth = make_piece(onset=[0, 1440], end=[480, 1920], pitch=[60, 62])
    >>> empty_beat_rate(first_and_fourth)
    0.5
    """
    return _empty_rate(piece, piece.beat_edges)


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Dong et al. 2018 (MuseGAN), arXiv:1709.06298",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def empty_measure_rate(piece: Piece) -> float | Undefined:
    """Share of the bars in which nothing sounds.

    1 - occupied bars / bars, with bars under the piece's own meters and pickup. Undefined
    without notes.

    >>> from concours.metrics.piece import make_piece
    >>> empty_measure_rate(make_piece(onset=[0, 3840], end=[480, 4320], pitch=[60, 62]))
    0.33333333333333337
    """
    return _empty_rate(piece, piece.bar_edges)


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Wu & Yang 2020 (MusDr), arXiv:2008.01307; Dong et al. 2020 (MusPy), arXiv:2008.01951",
    invariant=("transposition", "tempo", "track-order", "note-order", "format"),
)
def groove_consistency(piece: Piece, *, steps_per_quarter: int = 4) -> float | Undefined:
    """Likeness of the onset patterns of neighbouring bars.

    1 - the mean, over neighbouring bars with the same number of steps, of the share of steps in
    which one bar has an onset and the other has none. Onsets are moved to the nearest of
    ``steps_per_quarter`` steps: at the file's own resolution nearly every step is empty in both
    bars, and real pieces all score above 0.96. Undefined with fewer than two such bars.

    >>> from concours.metrics.piece import make_piece
    >>> groove_consistency(make_piece(onset=[0, 480, 1920, 2400], end=[1, 481, 1921, 3840],
    ...                               pitch=[60, 60, 60, 60]))
    1.0
    """
    if piece.n_notes == 0:
        return NO_NOTES
    grid, offset = onset_grid(piece, steps_per_quarter)
    steps = np.diff(offset)
    pairs = np.flatnonzero(steps[:-1] == steps[1:])
    if len(pairs) == 0:
        return Undefined("fewer than two neighbouring bars of one length")
    if (steps == steps[0]).all():
        bars = grid.reshape(len(steps), steps[0])
        return 1.0 - float((bars[1:] != bars[:-1]).mean())
    total = 0.0
    for i in pairs:
        a, b, c = offset[i : i + 3]
        total += float((grid[a:b] != grid[b:c]).mean())
    return 1.0 - total / len(pairs)


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="note per second",
    range=(0, math.inf),
    citation="Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7",
    invariant=("transposition", "track-order", "note-order", "resolution"),
)
def note_density(
    piece: Piece, *, per: Literal["second", "quarter", "bar"] = "second"
) -> float | Undefined:
    """Notes per second (or per quarter, or per bar), from the first onset to the last end.

    Per bar it is notes / (quarters / quarters of a mean bar), so a started bar counts by its
    share. Undefined without notes, or where all of them have no length and one onset.

    >>> from concours.metrics.piece import make_piece
    >>> note_density(make_piece(onset=[0, 480], end=[480, 960], pitch=[60, 62]))
    2.0
    """
    if piece.n_notes == 0:
        return NO_NOTES
    span = np.array([piece.onset[0], piece.end_tick])
    if per == "second":
        length = float(np.diff(piece.to_seconds(span))[0])
    elif per == "quarter":
        length = float(span[1] - span[0]) / piece.ticks_per_quarter
    else:
        length = float(span[1] - span[0]) / float(np.diff(piece.bar_edges).mean())
    return piece.n_notes / length if length > 0 else Undefined("the piece has no length")
