"""Rhythm: where the notes lie on bars, beats and the grid within them.

Conventions: drums count; bars and beats are those of :mod:`concours.metrics.grid`, from tick 0 to
the end of the bar (or beat) in which the last note sounds; a note sounds until just before its
end, so one that stops on a bar line does not reach into the next bar.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from concours.metrics.beat_grid import Beats, distinct_onsets, on_beats
from concours.metrics.compiled import compiled
from concours.metrics.entropy import entropy_bits
from concours.metrics.ordering import sort_in_place
from concours.metrics.piece import Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Scored, Undefined
from concours.metrics.sweep import onsets_by_bar, together

NO_NOTES = Undefined("no notes")
LONG = 512  # steps; few notes last so long
TEXT = [str(steps) for steps in range(LONG)]


def _empty_rate(piece: Piece, beats: Beats, span: Literal["beats", "bars"]) -> float | Undefined:
    if piece.n_notes == 0:
        return NO_NOTES
    gridded = on_beats(piece, beats)
    if isinstance(gridded, Undefined):
        return gridded
    found = together(gridded)
    empty, spans = found.beats if span == "beats" else found.bars
    return 1.0 - (spans - empty) / spans if spans else Undefined("no note has a length")


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Dong et al. 2018 (MuseGAN), arXiv:1709.06298",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def empty_beat_rate(piece: Piece, *, beats: Beats = "check") -> float | Undefined:
    """Share of the beats in which nothing sounds.

    1 - occupied beats / beats, up to the beat in which the last note sounds. A beat is the
    denominator's note value, in compound meters three of them. Undefined without notes or
    a beat grid.

    >>> from concours.metrics.piece import make_piece
    >>> first_and_fourth = make_piece(onset=[0, 1440], end=[480, 1920], pitch=[60, 62])
    >>> empty_beat_rate(first_and_fourth)
    0.5
    """
    return _empty_rate(piece, beats, "beats")


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Dong et al. 2018 (MuseGAN), arXiv:1709.06298",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def empty_measure_rate(piece: Piece, *, beats: Beats = "check") -> float | Undefined:
    """Share of the bars in which nothing sounds.

    1 - occupied bars / bars, with bars under the piece's own meters and pickup. Undefined
    without notes or a beat grid.

    >>> from concours.metrics.piece import make_piece
    >>> empty_measure_rate(make_piece(onset=[0, 3840], end=[480, 4320], pitch=[60, 62]))
    0.33333333333333337
    """
    return _empty_rate(piece, beats, "bars")


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Wu & Yang 2020 (MusDr), arXiv:2008.01307; Dong et al. 2020 (MusPy), arXiv:2008.01951",
    invariant=("transposition", "tempo", "track-order", "note-order", "format"),
)
def groove_consistency(
    piece: Piece, *, steps_per_quarter: int = 4, beats: Beats = "check"
) -> float | Undefined:
    """Likeness of the onset patterns of neighbouring bars.

    1 - the mean, over neighbouring bars with the same number of steps, of the share of steps in
    which one bar has an onset and the other has none. Onsets are moved to the nearest of
    ``steps_per_quarter`` steps: at the file's own resolution nearly every step is empty in both
    bars, and real pieces all score above 0.96. Undefined with fewer than two such bars,
    or without a beat grid.

    >>> from concours.metrics.piece import make_piece
    >>> groove_consistency(make_piece(onset=[0, 480, 1920, 2400], end=[1, 481, 1921, 3840],
    ...                               pitch=[60, 60, 60, 60]))
    1.0
    """
    if piece.n_notes == 0:
        return NO_NOTES
    gridded = on_beats(piece, beats)
    if isinstance(gridded, Undefined):
        return gridded
    differing, pairs = onsets_by_bar(gridded, steps_per_quarter).of_neighbours
    if not pairs:
        return Undefined("fewer than two neighbouring bars of one length")
    return 1.0 - differing / pairs


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
    ticks = piece.end_tick - int(piece.onset[0])
    if per == "second":
        length = piece.tempo.end - piece.tempo.start
    elif per == "quarter":
        length = ticks / piece.ticks_per_quarter
    else:
        length = ticks / float(np.diff(piece.bar_edges).mean())
    return piece.n_notes / length if length > 0 else Undefined("the piece has no length")


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="Wu & Yang 2020 (MusDr), arXiv:2008.01307",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def grooving_similarity(
    piece: Piece, *, steps_per_quarter: int = 4, beats: Beats = "check"
) -> float | Undefined:
    """Likeness of the onset patterns of all pairs of bars (GS).

    1 - the mean, over all pairs of bars with the same number of steps, of the share of steps in
    which one bar has an onset and the other has none. Exact over every pair (MusDr draws 1,000
    without a seed); for k of n bars with an onset at a step, k (n - k) pairs differ there.
    Undefined with fewer than two bars of one length, or without a beat grid.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 1920, 3840, 4320], end=[1, 1921, 3841, 4321], pitch=[60] * 4)
    >>> round(1 - grooving_similarity(piece), 6)  # two of three pairs differ in 1 of 16 steps
    0.041667
    """
    if piece.n_notes == 0:
        return NO_NOTES
    gridded = on_beats(piece, beats)
    if isinstance(gridded, Undefined):
        return gridded
    differing, pairs = onsets_by_bar(gridded, steps_per_quarter).of_all
    return 1.0 - differing / pairs if pairs else Undefined("fewer than two bars of one length")


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="bit",
    range=(0, math.inf),
    citation="Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def ioi_entropy(piece: Piece, *, steps_per_quarter: int = 24) -> Scored | Undefined:
    """Shannon entropy of the times between neighbouring onsets.

    -sum p log2 p over inter-onset intervals in whole steps; notes that start together are one
    onset. The detail holds the histogram. Undefined with fewer than two onsets.

    >>> from concours.metrics.piece import make_piece
    >>> ioi_entropy(make_piece(onset=[0, 480, 720], end=[1, 481, 721], pitch=[60] * 3)).value
    1.0
    """
    gaps, _ = _histograms(piece, steps_per_quarter)
    return _scored(*gaps) or Undefined("fewer than two onsets")


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="bit",
    range=(0, math.inf),
    citation="Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def duration_entropy(piece: Piece, *, steps_per_quarter: int = 24) -> Scored | Undefined:
    """Shannon entropy of the notes' lengths.

    -sum p log2 p over lengths in whole steps, drums left out. The detail holds the histogram.
    Undefined without pitched notes.

    >>> from concours.metrics.piece import make_piece
    >>> duration_entropy(make_piece(onset=[0, 480], end=[480, 1440], pitch=[60] * 2)).value
    1.0
    """
    _, lengths = _histograms(piece, steps_per_quarter)
    return _scored(*lengths) or Undefined("no pitched notes")


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="weight per bar",
    range=(0, math.inf),
    citation="Longuet-Higgins & Lee 1984, doi:10.2307/40285271",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def syncopation(
    piece: Piece, *, steps_per_quarter: int = 4, beats: Beats = "check"
) -> float | Undefined:
    """Mean syncopation of a bar, after Longuet-Higgins & Lee.

    Each step has a weight: 0 on the bar line, -1 in the middle of a bar of an even number of
    beats, -2 on a beat, -3 on its half (in compound meters: third), -4 elsewhere. An onset after
    which a heavier step passes before the next onset adds the difference of the weights. The sum
    over the piece / bars with onsets. Drums count. Undefined without notes or a beat grid.

    >>> from concours.metrics.piece import make_piece
    >>> offbeat = make_piece(onset=[0, 240, 960], end=[240, 960, 1920], pitch=[60] * 3)
    >>> syncopation(offbeat)  # the second note, on half a beat, holds over the next beat
    1.0
    """
    if piece.n_notes == 0:
        return NO_NOTES
    gridded = on_beats(piece, beats)
    if isinstance(gridded, Undefined):
        return gridded
    total, bars = onsets_by_bar(gridded, steps_per_quarter).syncopation
    return total / bars if bars else Undefined("no onset within the bars")


_Histogram = tuple[Ints, float]  # (steps, and how often each: shape (2, k); the entropy)


def _histograms(piece: Piece, steps_per_quarter: int) -> tuple[_Histogram, _Histogram]:
    """Of the times from onset to onset, and of the lengths of the pitched notes."""

    def compute() -> tuple[_Histogram, _Histogram]:
        onset, notes = distinct_onsets(piece), piece.pitched
        return _steps(onset, notes.onset, notes.end, steps_per_quarter / piece.ticks_per_quarter)

    return piece.shared(("step_histograms", steps_per_quarter), compute)


def _scored(histogram: Ints, bits: float) -> Scored | None:
    steps, counts = histogram.tolist()
    if not steps:
        return None
    named = {TEXT[s] if s < LONG else str(s): n for s, n in zip(steps, counts, strict=True)}
    return Scored(bits, {"steps": named})


@compiled
def _steps(
    distinct: Ints, onset: Ints, end: Ints, rate: float
) -> tuple[tuple[Ints, float], tuple[Ints, float]]:
    """:func:`_counted` between neighbours of ``distinct``; from each ``onset`` to its ``end``."""
    return _counted(distinct[:-1], distinct[1:], rate), _counted(onset, end, rate)


@compiled
def _counted(start: Ints, stop: Ints, rate: float) -> tuple[Ints, float]:
    """Of ``stop - start`` in whole steps, a half rounded up: (each that occurs, ascending, and how
    often: shape (2, k); the entropy)."""
    counts = np.zeros(LONG, np.int64)
    rare = np.empty(len(start), np.int64)
    n = kinds = longest = 0
    for i in range(len(start)):
        step = int((stop[i] - start[i]) * rate + 0.5)
        if step < len(counts):
            kinds += counts[step] == 0
            counts[step] += 1
            longest = max(longest, step)
        else:
            rare[n] = step
            n += 1
    sort_in_place(rare[:n])
    for i in range(n):
        kinds += i == 0 or rare[i] != rare[i - 1]
    found, often = np.zeros((2, kinds), np.int64), np.empty(kinds)
    k = 0
    for step in range(longest + 1):
        if counts[step] > 0:
            found[0, k], found[1, k] = step, counts[step]
            k += 1
    for i in range(n):
        k += i > 0 and rare[i] != rare[i - 1]
        found[0, k] = rare[i]
        found[1, k] += 1
    for i in range(kinds):
        often[i] = found[1, i]
    return found, entropy_bits(often)
