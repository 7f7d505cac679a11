"""Pitch: which pitches a piece uses and how evenly.

Conventions: drums are left out. A weight of ``count`` counts every note once; ``duration`` weighs
it by its length in ticks. Entropies are in bits.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.entropy import entropy_bits
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Scored, Undefined

Weighting = Literal["count", "duration"]

LIGHT = 64  # windows of fewer notes take their entropies from a table
NO_PITCHED_NOTES = Undefined("no pitched notes")
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "natural-minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic-minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic-minor": (0, 2, 3, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "major-pentatonic": (0, 2, 4, 7, 9),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole-tone": (0, 2, 4, 6, 8, 10),
}


def pitch_histogram(piece: Piece, weighting: Weighting = "count") -> Floats:
    """Weight of each MIDI pitch, shape (128,); all zero without pitched notes."""
    return _usage(piece, weighting).pitches


def pitch_class_histogram(piece: Piece, weighting: Weighting = "count") -> Floats:
    """Weight of each pitch class from C on, shape (12,)."""
    return _usage(piece, weighting).classes


class _Usage(NamedTuple):
    """``pitches`` and ``classes``: the weights, shapes (128,), (12,). Then how many of each have
    any, the distance from the first to the last such pitch, and the two entropies. ``one_bar``,
    ``four_bars``: :func:`_window_entropies` of the notes that start within so many bars."""

    pitches: Floats
    classes: Floats
    n_pitches: int
    n_classes: int
    span: int
    pitch_bits: float
    class_bits: float
    one_bar: tuple[Floats, float, int]
    four_bars: tuple[Floats, float, int]


def _usage(piece: Piece, weighting: Weighting) -> _Usage:
    def compute() -> _Usage:
        p = piece.pitched
        by_length = weighting == "duration"
        return _Usage(*_weighed(p.onset, p.end, p.pitch, p.bar_edges, by_length, _terms()))

    return piece.shared(("pitch_usage", weighting), compute)


@compiled
def _weighed(
    onset: Ints, end: Ints, pitch: Ints, edges: Ints, by_length: bool, terms: Floats
) -> tuple[Any, ...]:
    """The fields of a :class:`_Usage`."""
    bars = max(1, len(edges) - 1)
    weights, by_bar = np.zeros(128, np.int64), np.zeros((bars, 12), np.int64)
    bar = 0
    for i in range(len(pitch)):
        while bar < bars - 1 and edges[bar + 1] <= onset[i]:
            bar += 1
        weight = end[i] - onset[i] if by_length else 1
        weights[pitch[i]] += weight
        by_bar[bar, pitch[i] % 12] += weight
    pitches, classes = np.empty(128), np.zeros(12)
    n_pitches, n_classes, lowest, highest = 0, 0, 127, 0
    for p in range(128):
        pitches[p] = weights[p]
        classes[p % 12] += pitches[p]
        if weights[p] > 0:
            lowest, highest = min(lowest, p), p
            n_pitches += 1
    for k in range(12):
        n_classes += classes[k] > 0
    bits = entropy_bits(pitches), entropy_bits(classes)
    one, four = _window_entropies(by_bar, 1, terms), _window_entropies(by_bar, min(4, bars), terms)
    span = highest - lowest
    return pitches, classes, n_pitches, n_classes, span, bits[0], bits[1], one, four


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="semitone",
    range=(0, 127),
    citation="Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def pitch_range(piece: Piece) -> float | Undefined:
    """Distance from the lowest to the highest pitch.

    max(pitch) - min(pitch) over the pitched notes; 0 for a single pitch. Undefined without
    pitched notes (muspy gives -127 for a drum track).

    >>> from concours.metrics.piece import make_piece
    >>> pitch_range(make_piece(onset=[0, 1, 2], end=[1, 2, 3], pitch=[60, 64, 72]))
    12.0
    """
    used = _usage(piece, "count")
    return float(used.span) if used.n_pitches else NO_PITCHED_NOTES


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="pitch",
    range=(0, 128),
    citation="Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def n_pitches_used(piece: Piece) -> float:
    """Number of distinct pitches; 0 without pitched notes.

    >>> from concours.metrics.piece import make_piece
    >>> n_pitches_used(make_piece(onset=[0, 1, 2], end=[1, 2, 3], pitch=[60, 60, 72]))
    2.0
    """
    return float(_usage(piece, "count").n_pitches)


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="pitch class",
    range=(0, 12),
    citation="Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def n_pitch_classes_used(piece: Piece) -> float:
    """Number of distinct pitch classes; 0 without pitched notes.

    >>> from concours.metrics.piece import make_piece
    >>> n_pitch_classes_used(make_piece(onset=[0, 1, 2], end=[1, 2, 3], pitch=[60, 64, 72]))
    2.0
    """
    return float(_usage(piece, "count").n_classes)


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="bit",
    range=(0, 7),
    citation="Dong et al. 2020 (MusPy), arXiv:2008.01951",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def pitch_entropy(piece: Piece, *, weighting: Weighting = "count") -> float | Undefined:
    """Shannon entropy of the pitch histogram.

    -sum p log2 p over the 128 MIDI pitches: 0 for one pitch, log2 k for k pitches used alike.
    Undefined without pitched notes (or, weighted by duration, where all have no length).

    >>> from concours.metrics.piece import make_piece
    >>> pitch_entropy(make_piece(onset=[0, 1, 2, 3], end=[1, 2, 3, 4], pitch=[60, 62, 64, 65]))
    2.0
    """
    used = _usage(piece, weighting)
    return used.pitch_bits if used.n_pitches else NO_PITCHED_NOTES


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="bit",
    range=(0, math.log2(12)),
    citation="Wu & Yang 2020 (MusDr), arXiv:2008.01307",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def pitch_class_entropy(piece: Piece, *, weighting: Weighting = "count") -> float | Undefined:
    """Shannon entropy of the pitch-class histogram of the whole piece.

    -sum p log2 p over the 12 pitch classes: 0 for one class, log2 12 = 3.585 for all alike.
    Undefined without pitched notes.

    >>> from concours.metrics.piece import make_piece
    >>> pitch_class_entropy(make_piece(onset=[0, 1, 2], end=[1, 2, 3], pitch=[60, 72, 84]))
    0.0
    """
    used = _usage(piece, weighting)
    return used.class_bits if used.n_pitches else NO_PITCHED_NOTES


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="share",
    range=(0, 1),
    version=2,
    citation="Mogren 2016 (C-RNN-GAN), arXiv:1611.09904",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def scale_consistency(
    piece: Piece,
    *,
    scales: str = "major+natural-minor+harmonic-minor+melodic-minor",
    weighting: Weighting = "count",
) -> float | Undefined:
    """Share of the notes that fit the best-fitting scale.

    The maximum, over the 12 roots and the scales named (joined by ``+``: major, natural-minor,
    harmonic-minor, melodic-minor, the church modes, major-pentatonic, blues, whole-tone), of
    notes in the scale / notes. The church modes and natural minor hold the notes of some major
    scale, so beside major they change nothing; without the other two minors
    (``scales=major+natural-minor``, as in MusPy) music in minor is penalised. A seven-note scale
    gives at least 7/12 whatever the music, so the floor is high. Undefined without pitched notes.

    Raises:
        ValueError: a scale that is none of those.

    >>> from concours.metrics.piece import make_piece
    >>> chromatic = make_piece(onset=range(12), end=range(1, 13), pitch=range(60, 72))
    >>> scale_consistency(chromatic) == 7 / 12
    True
    """
    within, total = _within(_scale_masks(scales), pitch_class_histogram(piece, weighting))
    return within / total if total > 0 else NO_PITCHED_NOTES


@compiled
def _within(masks: Floats, histogram: Floats) -> tuple[float, float]:
    """(the most weight that one of the masks lets through, all weight)."""
    total, best = 0.0, 0.0
    for weight in histogram:
        total += weight
    for mask in masks:
        inside = 0.0
        for k in range(12):
            inside += mask[k] * histogram[k]
        best = max(best, inside)
    return best, total


@cache
def _scale_masks(scales: str) -> Floats:
    """1 where a pitch class is in a scale on a root: shape (12 x scales, 12)."""
    unknown = [s for s in scales.split("+") if s not in SCALES]
    if unknown:
        raise ValueError(f"no scale is called {unknown[0]!r}; there are {', '.join(SCALES)}")
    rows = []
    for name in scales.split("+"):
        mask = np.zeros(12)
        mask[list(SCALES[name])] = 1
        rows += [np.roll(mask, root) for root in range(12)]
    return np.array(rows)


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="bit",
    range=(0, math.log2(12)),
    citation="Wu & Yang 2020 (MusDr), arXiv:2008.01307",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def pitch_class_entropy_1bar(piece: Piece, *, weighting: Weighting = "count") -> Scored | Undefined:
    """Mean Shannon entropy of the pitch classes of a bar (H1).

    The mean over all bars with a pitched onset of -sum p log2 p over the notes that start in the
    bar. The detail holds the curve (None for a bar without one). Undefined without pitched notes.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 480, 1920], end=[480, 960, 2400], pitch=[60, 62, 64])
    >>> pitch_class_entropy_1bar(piece).value
    0.5
    """
    return _windowed_entropy(piece, 1, weighting)


@metric(
    level="clip",
    inputs="symbolic",
    direction="reference",
    unit="bit",
    range=(0, math.log2(12)),
    citation="Wu & Yang 2020 (MusDr), arXiv:2008.01307",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
)
def pitch_class_entropy_4bar(piece: Piece, *, weighting: Weighting = "count") -> Scored | Undefined:
    """Mean Shannon entropy of the pitch classes of four bars (H4).

    As :func:`pitch_class_entropy_1bar`, over all windows of four bars, one bar apart; a shorter
    piece is one window.
    """
    return _windowed_entropy(piece, 4, weighting)


def _windowed_entropy(piece: Piece, bars: int, weighting: Weighting) -> Scored | Undefined:
    found = _usage(piece, weighting)
    entropies, total, filled = found.one_bar if bars == 1 else found.four_bars
    if not filled:
        return NO_PITCHED_NOTES
    curve: list[float | None] = entropies.tolist()
    at = -1
    for _ in range(len(curve) - filled):
        at = curve.index(-1.0, at + 1)
        curve[at] = None
    return Scored(total / filled, {"curve": curve})


@compiled
def _window_entropies(weights: Ints, width: int, terms: Floats) -> tuple[Floats, float, int]:
    """(entropy of every window of ``width`` rows, -1 for an empty one; their sum; how many).

    ``terms``: :func:`_terms`, for the windows that are light enough.
    """
    count = len(weights) - width + 1
    entropies = np.full(count, -1.0)
    window = np.zeros(12, np.int64)
    total, filled = 0.0, 0
    for i in range(len(weights)):
        heard = 0
        if i >= width:
            for k in range(12):
                window[k] -= weights[i - width, k]
        for k in range(12):
            window[k] += weights[i, k]
            heard += window[k]
        first = i - width + 1
        if first < 0 or heard == 0:
            continue
        bits = 0.0
        if heard < len(terms):
            for k in range(12):
                bits += terms[heard, window[k]]
        else:
            for k in range(12):
                if window[k] > 0:
                    p = window[k] / heard
                    bits -= p * np.log2(p)
        entropies[first] = max(0.0, bits)
        total += entropies[first]
        filled += 1
    return entropies, total, filled


@cache
def _terms() -> Floats:
    """-p log2 p of the share p = b / a, at [a, b]; shape (LIGHT, LIGHT), 0 for b = 0 and b > a."""
    terms = np.zeros((LIGHT, LIGHT))
    for a in range(1, LIGHT):
        terms[a, 1 : a + 1] = [-b / a * math.log2(b / a) for b in range(1, a + 1)]
    return terms
