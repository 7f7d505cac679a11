"""Harmony: how varied and how smooth the chords are, and how the melody sits on them.

Conventions
-----------
- Chords are those of :mod:`concours.metrics.chords`: one a beat (``segmentation="bar"``: one a
  bar) out of major, minor, diminished and augmented triads (``vocabulary="sevenths"`` adds five
  sevenths, ``"all"`` also suspended fourths). Spans without sound have no chord and are left out.
- A progression is the sequence of chords with equal neighbours joined.
- The melody is that of :mod:`concours.metrics.melody`, the skyline unless ``melody="named"``.
- Chords are recognised from all pitched notes, the melody among them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from concours.metrics.chord_facts import Counted, facts_of, over_chords
from concours.metrics.chords import VOCABULARIES, Vocabulary, state_labels
from concours.metrics.chroma import Segmentation
from concours.metrics.melody import MelodyRule
from concours.metrics.piece import Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Invariance, Scored, Undefined
from concours.metrics.tonal_space import RADII

YEH = "Yeh et al. 2021, Automatic melody harmonization with triad chords, JNMR 50(1)"
WU = "Wu & Yang 2020, The Jazz Transformer on the front line, ISMIR"
DIAMETER = 2 * math.sqrt(sum(r * r for r in RADII))
F = TypeVar("F", bound=Callable[..., Any])
ALWAYS: tuple[Invariance, ...] = (
    "transposition",
    "tempo",
    "track-order",
    "note-order",
    "resolution",
)


def _metric(unit: str, range: tuple[float, float], citation: str) -> Callable[[F], F]:
    return metric(
        level="clip",
        inputs="symbolic",
        direction="reference",
        unit=unit,
        range=range,
        citation=citation,
        invariant=ALWAYS,
    )


@_metric("bit", (0, math.inf), YEH)
def chord_histogram_entropy(
    piece: Piece,
    *,
    segmentation: Segmentation = "beat",
    vocabulary: Vocabulary = "triads",
    count: Counted = "span",
) -> Scored | Undefined:
    """Entropy of the histogram of chord labels, in bits.

    −Σ p log₂ p over the chords of the piece. ``count="span"`` counts every beat (bar),
    ``"change"`` every chord of the progression once. 0 where one chord rules; the detail holds
    the histogram. Undefined without a sounding pitched note. Published values often use the
    natural logarithm: multiply by ln 2.

    Source: Yeh et al. 2021 (CHE), over the chords of our own recogniser.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 0, 0, 480, 480, 480], end=[480] * 3 + [960] * 3,
    ...                    pitch=[48, 64, 67, 43, 62, 71])
    >>> chord_histogram_entropy(piece).value
    1.0
    """
    facts = facts_of(piece, segmentation, vocabulary, count)
    if isinstance(facts, Undefined):
        return facts
    labels = state_labels(VOCABULARIES[vocabulary])
    counts = zip(labels, facts.counts.tolist(), strict=True)
    return Scored(facts.entropy, {"histogram": {label: n for label, n in counts if n}})


@_metric("chords", (1, math.inf), YEH)
def chord_coverage(
    piece: Piece, *, segmentation: Segmentation = "beat", vocabulary: Vocabulary = "triads"
) -> int | Undefined:
    """Number of different chords.

    Undefined without a sounding pitched note. Source: Yeh et al. 2021 (CC).

    >>> from concours.metrics.piece import make_piece
    >>> chord_coverage(make_piece(onset=[0, 0, 0], end=[480] * 3, pitch=[48, 64, 67]))
    1
    """
    facts = facts_of(piece, segmentation, vocabulary)
    return facts if isinstance(facts, Undefined) else facts.different


@_metric("1", (0, DIAMETER), YEH + "; Harte, Sandler & Gasser 2006")
def chord_tonal_distance(
    piece: Piece, *, segmentation: Segmentation = "beat", vocabulary: Vocabulary = "triads"
) -> Scored | Undefined:
    """Mean distance in tonal space between neighbouring chords of the progression.

    Mean of ‖c(i+1) − c(i)‖ over the 6-dimensional centroids c of the chords' pitch classes, each
    weighing the same. Smaller is smoother; the detail holds the curve. Undefined with fewer
    than 2 chords in the progression.

    Source: Yeh et al. 2021 (CTD), in the space of Harte et al. 2006 (radii 1, 1, 0.5).

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 0, 0, 480, 480, 480], end=[480] * 3 + [960] * 3,
    ...                    pitch=[48, 64, 67, 43, 62, 71])
    >>> round(chord_tonal_distance(piece).value, 4)
    1.2134
    """
    facts = facts_of(piece, segmentation, vocabulary)
    if isinstance(facts, Undefined):
        return facts
    curve = facts.steps.tolist()
    if not curve:
        return Undefined("fewer than 2 chords in the progression")
    return Scored(facts.mean_step, {"tick": facts.start.tolist()[1:], "curve": curve})


@_metric("1", (0, 1), WU)
def chord_progression_irregularity(
    piece: Piece,
    *,
    segmentation: Segmentation = "beat",
    vocabulary: Vocabulary = "triads",
    n: int = 3,
) -> float | Undefined:
    """Share of the n-grams of the chord progression that are different ones.

    unique n-grams / (chords − n + 1), over the progression with repeated chords joined; 1 where
    no n chords recur. Undefined with fewer than n chords in the progression, or n below 1.

    Source: Wu & Yang 2020 (CPI, trigrams), whose code divides by chords − 3 although there are
    chords − 2 trigrams, and takes the chords from a symbolic annotation.

    >>> from concours.metrics.piece import make_piece
    >>> bass = [48, 43, 41, 48, 43, 41, 48]
    >>> notes = [(480 * i, b + up) for i, b in enumerate(bass) for up in (0, 16, 19)]
    >>> piece = make_piece(onset=[t for t, _ in notes], end=[t + 480 for t, _ in notes],
    ...                    pitch=[p for _, p in notes])
    >>> chord_progression_irregularity(piece)  # 5 trigrams, 3 of them different
    0.6
    """
    facts = facts_of(piece, segmentation, vocabulary, n=n)
    if isinstance(facts, Undefined):
        return facts
    if n < 1 or len(facts.start) < n:
        return Undefined(f"fewer than {max(1, n)} chords in the progression")
    return facts.grams / (len(facts.start) - n + 1)


@_metric("1", (0, 1), YEH)
def chord_tone_ratio(
    piece: Piece,
    *,
    segmentation: Segmentation = "beat",
    vocabulary: Vocabulary = "triads",
    melody: MelodyRule = "skyline",
    resolve_within: int = 2,
) -> float | Undefined:
    """Share of melody notes that are chord tones or properly resolved non-chord tones.

    (chord tones + proper non-chord tones) / melody notes. A note is judged by the chord of the
    span in which it starts; a non-chord tone is proper where the next melody note lies at most
    ``resolve_within`` semitones away. Undefined without a sounding melody note.

    Source: Yeh et al. 2021 (CTnCTR).

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 0, 0, 0, 240], end=[480] * 3 + [240, 480],
    ...                    pitch=[48, 55, 64, 74, 72])
    >>> chord_tone_ratio(piece)
    1.0
    """
    found = over_chords(piece, segmentation, vocabulary, melody, resolve_within)
    return found if isinstance(found, Undefined) else found.fitting


@_metric("1", (-1, 1), YEH)
def pitch_consonance_score(
    piece: Piece,
    *,
    segmentation: Segmentation = "beat",
    vocabulary: Vocabulary = "triads",
    melody: MelodyRule = "skyline",
) -> float | Undefined:
    """Mean consonance of the melody with the chord tones below it, by duration.

    Each melody note scores, against each chord tone below it, +1 for a unison, third, perfect
    fifth or sixth, 0 for a perfect fourth and −1 otherwise; the mean weighs each note with the
    time that it sounds over each chord. Intervals are taken upwards from the chord tone, so a
    fourth and a fifth differ. Undefined without a sounding melody note.

    Source: Yeh et al. 2021 (PCS); public ports take |difference|, which confuses the two.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0] * 4, end=[480] * 4, pitch=[48, 52, 55, 72])
    >>> round(pitch_consonance_score(piece), 4)  # C over C, E, G: unison, minor sixth, fourth
    0.6667
    """
    found = over_chords(piece, segmentation, vocabulary, melody)
    return found if isinstance(found, Undefined) else found.consonance


@_metric("1", (0, DIAMETER), YEH + "; Harte, Sandler & Gasser 2006")
def melody_chord_tonal_distance(
    piece: Piece,
    *,
    segmentation: Segmentation = "beat",
    vocabulary: Vocabulary = "triads",
    melody: MelodyRule = "skyline",
) -> float | Undefined:
    """Mean distance in tonal space between the melody and the chord under it, by duration.

    Each melody note's centroid against that of the chord's pitch classes, weighted with the
    time that the note sounds over the chord. Undefined without a sounding melody note.

    Source: Yeh et al. 2021 (MCTD).

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0] * 4, end=[480] * 4, pitch=[48, 52, 55, 72])
    >>> round(melody_chord_tonal_distance(piece), 4)
    1.0293
    """
    found = over_chords(piece, segmentation, vocabulary, melody)
    return found if isinstance(found, Undefined) else found.distance
