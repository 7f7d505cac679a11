"""Structure: what returns in a piece, after how long, and in what sections.

Conventions
-----------
- Structureness works on frames of ``frame`` seconds of pitch-class time (drums left out), averaged
  over ``smoothing`` seconds (at least three frames) and compared in all 12 transpositions, as Wu &
  Yang do with chroma of rendered audio. A piece of more than ``max_frames`` frames gets longer
  ones: the default, chosen for speed, still tells songs that return from songs that do not.
- Bars are compared by their onsets: pairs of (step of the bar, pitch), on ``steps_per_quarter``
  steps. Bars without an onset are compared with nothing. Drums are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from concours.metrics.bar_patterns import bar_patterns
from concours.metrics.chroma import pitch_class_time, segment_chroma, sounding_of
from concours.metrics.compiled import compiled
from concours.metrics.factors import chained_factors, n_factors_of_any
from concours.metrics.fitness import best_fitness
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.similarity import similar
from concours.metrics.spec import Invariance, Scored, Undefined
from concours.metrics.sums import sum_of

WU = "Wu & Yang 2020 (MusDr), arXiv:2008.01307; Müller et al. 2013, doi:10.1109/TASL.2012.2227732"
FRAME_RANGE = {"short": (3.0, 8.0), "mid": (8.0, 15.0), "long": (15.0, math.inf)}

F = TypeVar("F", bound=Callable[..., Any])


def _metric(
    unit: str, range: tuple[float, float], citation: str, *also: Invariance, version: int = 1
) -> Callable[[F], F]:
    return metric(
        level="clip",
        version=version,
        inputs="symbolic",
        direction="reference",
        unit=unit,
        range=range,
        citation=citation,
        invariant=("transposition", "track-order", "note-order", "resolution", *also),
    )


@_metric("1", (0, 1), WU, version=2)
def structureness_short(
    piece: Piece,
    *,
    frame: float = 0.5,
    smoothing: float = 2.0,
    keep: float = 0.15,
    max_frames: int = 96,
) -> Scored | Undefined:
    """How well the best segment of 3 to 8 seconds is repeated over the piece.

    The largest fitness (:mod:`concours.metrics.fitness`) of all segments of that length in the
    self-similarity matrix, whose highest share ``keep`` of values counts as similar: 0 where
    nothing returns. The detail names the segment in seconds. Undefined without a sounding
    pitched note, or where the piece is shorter than two such segments.

    Source: Wu & Yang 2020 (SI), there from rendered audio at 2 frames a second.

    >>> from concours.metrics.piece import make_piece
    >>> tune = [60, 62, 64, 65, 67, 71, 61, 66, 72, 70, 68, 60] * 4
    >>> at = [480 * i for i in range(48)]
    >>> piece = make_piece(onset=at, end=[t + 480 for t in at], pitch=tune)
    >>> structureness_short(piece).value > 0.5
    True
    """
    return _structureness(piece, "short", frame, smoothing, keep, max_frames)


@_metric("1", (0, 1), WU, version=2)
def structureness_mid(
    piece: Piece,
    *,
    frame: float = 0.5,
    smoothing: float = 2.0,
    keep: float = 0.15,
    max_frames: int = 96,
) -> Scored | Undefined:
    """How well the best segment of 8 to 15 seconds is repeated over the piece.

    See :func:`structureness_short`.
    """
    return _structureness(piece, "mid", frame, smoothing, keep, max_frames)


@_metric("1", (0, 1), WU, version=2)
def structureness_long(
    piece: Piece,
    *,
    frame: float = 0.5,
    smoothing: float = 2.0,
    keep: float = 0.15,
    max_frames: int = 48,
) -> Scored | Undefined:
    """How well the best segment of 15 seconds or more is repeated over the piece.

    See :func:`structureness_short`. The work grows with the fourth power of the frames, so there
    are at most ``max_frames`` of them here.
    """
    return _structureness(piece, "long", frame, smoothing, keep, max_frames)


@_metric(
    "share", (0, 1), "Bars repeated exactly; Conklin & Anagnostopoulou 2001", "tempo", "format"
)
def self_repetition(piece: Piece, *, steps_per_quarter: int = 4) -> float | Undefined:
    """Share of the bars whose notes have been heard before in the same form.

    Bars with onsets whose set of (step, pitch) equals that of an earlier bar / bars with onsets.
    Undefined with fewer than 2 such bars.

    >>> from concours.metrics.piece import make_piece
    >>> again = make_piece(onset=[0, 1920, 3840], end=[480, 2400, 4320], pitch=[60, 62, 60])
    >>> round(self_repetition(again), 3)
    0.333
    """
    patterns = bar_patterns(piece, steps_per_quarter)
    if patterns.heard < 2:
        return Undefined("fewer than 2 bars with onsets")
    return 1.0 - patterns.kinds / patterns.heard


@_metric("share", (0, 1), "Exact repetition by lag, after Foote 1999", "tempo", "format")
def lag_repetition(
    piece: Piece, *, steps_per_quarter: int = 4, max_lag: int = 16
) -> Scored | Undefined:
    """Largest share of bars that repeat the bar a fixed number of bars before.

    For each lag of 1 to ``max_lag`` bars the share of the bar pairs at that distance, both with
    onsets, that are equal; the value is the largest, the detail the whole curve (None where no
    pair exists). Undefined with no pair at any lag.

    >>> from concours.metrics.piece import make_piece
    >>> at = [1920 * i for i in range(6)]
    >>> piece = make_piece(onset=at, end=[t + 480 for t in at], pitch=[60, 62] * 3)
    >>> lag_repetition(piece).detail["curve"][:3]
    [0.0, 1.0, 0.0]
    """
    shares, best, known = _lagged(bar_patterns(piece, steps_per_quarter).numbers, max_lag)
    if best < 0:
        return Undefined("no two bars with onsets within the largest lag")
    curve: list[float | None] = shares.tolist()
    if known < len(curve):
        curve = [None if share is None or share < 0 else share for share in curve]
    return Scored(float(shares[best]), {"lag": best + 1, "curve": curve})


@compiled
def _lagged(patterns: Ints, max_lag: int) -> tuple[Floats, int, int]:
    """(share of equal pairs among the pairs of bars with onsets at each lag from 1 on, -1 without
    a pair: shape (max_lag,); the place of the first largest share, -1 for none; lags with one)."""
    shares = np.full(max_lag, -1.0)
    best, known = -1, 0
    for lag in range(1, min(max_lag, len(patterns) - 1) + 1):
        equal, pairs = 0, 0
        for bar in range(lag, len(patterns)):
            both = patterns[bar] >= 0 and patterns[bar - lag] >= 0
            pairs += both
            equal += both and patterns[bar] == patterns[bar - lag]
        if pairs > 0:
            shares[lag - 1] = equal / pairs
            known += 1
            if best < 0 or shares[lag - 1] > shares[best]:
                best = lag - 1
    return shares, best, known


@_metric(
    "note per factor", (1, math.inf), "Lempel & Ziv 1976, doi:10.1109/TIT.1976.1055501", "tempo"
)
def compression_ratio(piece: Piece, *, steps_per_quarter: int = 4) -> float | Undefined:
    """Notes for each Lempel-Ziv factor of the note sequence.

    Every note after the first is the token (interval from the note before, steps since it began,
    steps that it lasts); a factor is the longest copy of something earlier, or a new token. 1
    where nothing ever returns. It grows with length: compare pieces of like length. Undefined
    with fewer than 2 pitched notes.

    >>> from concours.metrics.piece import make_piece
    >>> at = [480 * i for i in range(9)]
    >>> scale = make_piece(onset=at, end=[t + 480 for t in at], pitch=range(60, 69))
    >>> compression_ratio(scale)  # 8 equal tokens: the first, then a copy
    4.0
    """
    notes = piece.pitched
    if notes.n_notes < 2:
        return Undefined("fewer than 2 pitched notes")
    rate = steps_per_quarter / piece.ticks_per_quarter
    tokens, factors = _factored(notes.onset, notes.end, notes.pitch, rate)
    return len(tokens) / (factors if factors >= 0 else n_factors_of_any(tokens))


@compiled
def _factored(onset: Ints, end: Ints, pitch: Ints, rate: float) -> tuple[Ints, int]:
    """(the token of every note after the first, their Lempel-Ziv factors as
    :func:`chained_factors`), a half step rounded up."""
    n = len(onset) - 1
    tokens, length = np.empty(n, np.int64), np.empty(n, np.int64)
    longest = 0
    before = int(onset[0] * rate + 0.5)
    for i in range(n):
        length[i] = int((end[i + 1] - onset[i + 1]) * rate + 0.5)
        longest = max(longest, length[i])
        at = int(onset[i + 1] * rate + 0.5)
        tokens[i] = at - before
        before = at
    for i in range(n):
        up = pitch[i + 1] - pitch[i] + 127
        tokens[i] = (tokens[i] * (longest + 1) + length[i]) * 256 + up
    return tokens, chained_factors(tokens)


@_metric("bar", (1, math.inf), "Foote 2000, doi:10.1109/ICME.2000.869637", "tempo", "format")
def mean_section_length(
    piece: Piece, *, half_width: int = 4, threshold: float = 1.0
) -> Scored | Undefined:
    """Mean number of bars between the boundaries at which the harmony changes character.

    The novelty of a bar line is the mean similarity (cosine of pitch-class time) of the bars
    within each side of it less that across it, over ``half_width`` bars on each side. A boundary
    is a local maximum above the mean plus ``threshold`` standard deviations. The value is
    bars / (boundaries + 1); the detail holds the boundaries (bars from 1) and the curve.
    Undefined with fewer than 2 × half_width bars, or where no pitched note sounds.

    >>> from concours.metrics.piece import make_piece
    >>> at = [1920 * i for i in range(16)]
    >>> piece = make_piece(onset=at, end=[t + 1920 for t in at], pitch=[60] * 8 + [66] * 8)
    >>> mean_section_length(piece).detail["boundaries"]
    [9]
    """
    sounding = sounding_of(piece)
    bars = len(sounding.bar_ticks)
    if half_width < 1 or bars < 2 * half_width:
        return Undefined(f"fewer than {2 * max(1, half_width)} bars")
    if not sounding.ticks:
        return Undefined("no pitched note has a length")
    novelty, boundaries = _novelty(sounding.bar_ticks, half_width, float(threshold))
    found = boundaries.tolist()
    return Scored(bars / (len(found) + 1), {"boundaries": found, "curve": novelty.tolist()})


@compiled
def _novelty(chroma: Ints, half: int, threshold: float) -> tuple[Floats, Ints]:
    """Novelty of the bar lines ``half`` to ``bars − half``, shape (bars − 2 half + 1,), and the
    bars, from 1, that start at its high peaks.

    Sums of unit vectors give the sums of their cosines, so that no matrix of bars is built.
    """
    bars = len(chroma)
    sums = np.zeros((bars + 1, 12))
    row = np.empty(12)
    for bar in range(bars):
        for pc in range(12):
            time = float(chroma[bar, pc])
            row[pc] = time * time
        norm = np.sqrt(sum_of(row))
        for pc in range(12):
            unit = chroma[bar, pc] / norm if norm > 0 else 0.0
            sums[bar + 1, pc] = sums[bar, pc] + unit
    blocks, within = np.empty((bars + 1 - half, 12)), np.empty(bars + 1 - half)
    for bar in range(len(blocks)):
        for pc in range(12):
            blocks[bar, pc] = sums[bar + half, pc] - sums[bar, pc]
            row[pc] = blocks[bar, pc] * blocks[bar, pc]
        within[bar] = sum_of(row)
    novelty = np.empty(len(blocks) - half)
    for i in range(len(novelty)):
        for pc in range(12):
            row[pc] = blocks[i, pc] * blocks[i + half, pc]
        novelty[i] = ((within[i] + within[i + half]) / 2 - sum_of(row)) / half**2
    mean = sum_of(novelty) / len(novelty)
    squares = np.empty(len(novelty))
    for i in range(len(novelty)):
        squares[i] = (novelty[i] - mean) ** 2
    limit = mean + threshold * np.sqrt(sum_of(squares) / len(novelty)) + 1e-9
    peaks = np.empty(len(novelty), np.int64)
    n = 0
    for i in range(1, len(novelty) - 1):
        rises = novelty[i] > novelty[i - 1] and novelty[i] >= novelty[i + 1]
        if rises and novelty[i] > limit:
            peaks[n] = i + half + 1
            n += 1
    return novelty, peaks[:n].copy()


def _structureness(
    piece: Piece, span: str, frame: float, smoothing: float, keep: float, max_frames: int
) -> Scored | Undefined:
    low, high = FRAME_RANGE[span]
    if not segment_chroma(piece, "bar").any():
        return Undefined("no pitched note has a length")
    if piece.seconds < 2 * low:
        return Undefined(f"shorter than two segments of {low:g} seconds")
    width = max(frame, piece.seconds / max_frames)
    shortest = math.ceil(low / width - 1e-9)
    longest = max_frames if math.isinf(high) else math.ceil(high / width - 1e-9) - 1
    if longest < shortest:
        return Undefined(f"too long: of {max_frames} frames none is under {high:g} seconds")
    matrix = piece.shared(
        ("similar", width, smoothing, keep),
        # neighbours bridge a shift by half a frame
        lambda: similar(
            pitch_class_time(piece, width), max(1, round(smoothing / width) // 2), keep
        ),
    )
    value, start, length = best_fitness(matrix, shortest, longest)
    return Scored(value, {"start": start * width, "end": (start + length) * width, "frame": width})
