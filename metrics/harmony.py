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
from functools import cache
from typing import Any, Literal, TypeVar

import numpy as np

from concours.metrics.chords import (
    VOCABULARIES,
    Chords,
    Vocabulary,
    chords_of,
    progression_of,
    templates,
)
from concours.metrics.chroma import Segmentation
from concours.metrics.compiled import compiled
from concours.metrics.entropy import entropy_of
from concours.metrics.keys import NAMES
from concours.metrics.melody import Melody, MelodyRule, melody_of
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Invariance, Scored, Undefined
from concours.metrics.tonal_space import BASIS, RADII, centroids

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
    count: Literal["span", "change"] = "span",
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
    chords = chords_of(piece, segmentation, vocabulary)
    if isinstance(chords, Undefined):
        return chords
    states = chords.state[chords.state >= 0]
    if count == "change":
        progression = progression_of(piece, segmentation, vocabulary)
        assert not isinstance(progression, Undefined)
        states = progression.state
    counts = np.bincount(states)
    used = np.flatnonzero(counts)
    labels = [_label(chords, s) for s in used.tolist()]
    histogram = dict(zip(labels, counts[used].tolist(), strict=True))
    return Scored(entropy_of(counts), {"histogram": histogram})


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
    progression = progression_of(piece, segmentation, vocabulary)
    if isinstance(progression, Undefined):
        return progression
    return len(set(progression.state.tolist()))


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
    progression = progression_of(piece, segmentation, vocabulary)
    if isinstance(progression, Undefined):
        return progression
    states, start, _ = progression
    if len(states) < 2:
        return Undefined("fewer than 2 chords in the progression")
    steps = _chord_distances(VOCABULARIES[vocabulary])[states[1:], states[:-1]]
    return Scored(float(steps.mean()), {"tick": start[1:].tolist(), "curve": steps.tolist()})


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
    progression = progression_of(piece, segmentation, vocabulary)
    if isinstance(progression, Undefined):
        return progression
    states = progression.state.tolist()
    if n < 1 or len(states) < n:
        return Undefined(f"fewer than {max(1, n)} chords in the progression")
    grams = set(zip(*(states[i:] for i in range(n)), strict=False))
    return len(grams) / (len(states) - n + 1)


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
    found = _melody_and_chords(piece, segmentation, vocabulary, melody)
    if isinstance(found, Undefined):
        return found
    line, chords = found
    fitting = _fitting(
        line.onset, line.pitch, chords.edges, chords.state, chords.tones, resolve_within
    )
    return float(fitting) / len(line.onset)


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
    found = _melody_and_chords(piece, segmentation, vocabulary, melody)
    if isinstance(found, Undefined):
        return found
    line, chords = found
    return _mean_over_time(line, chords, _consonances(chords.names))


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
    found = _melody_and_chords(piece, segmentation, vocabulary, melody)
    if isinstance(found, Undefined):
        return found
    line, chords = found
    return _mean_over_time(line, chords, _melody_distances(chords.names))


@cache
def _consonances(names: tuple[str, ...]) -> Floats:
    """Mean consonance of each melody pitch class over each chord: (12 × qualities, 12)."""
    above = np.array([1, -1, -1, 1, 1, 0, -1, 1, 1, 1, -1, -1])
    interval = (np.arange(12)[:, None] - np.arange(12)[None, :]) % 12  # melody, chord tone
    tones = templates(names)
    scores: Floats = tones @ above[interval].T / tones.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(scores)


@cache
def _chord_points(names: tuple[str, ...]) -> Floats:
    return centroids(templates(names))


@cache
def _chord_distances(names: tuple[str, ...]) -> Floats:
    """Distance of each chord from each other one: (12 × qualities, 12 × qualities)."""
    points = _chord_points(names)
    gaps = points[:, None, :] - points[None, :, :]
    distances: Floats = np.sqrt(np.square(gaps).sum(axis=2))
    return distances


@cache
def _melody_distances(names: tuple[str, ...]) -> Floats:
    """Distance of each melody pitch class from each chord: (12 × qualities, 12)."""
    gaps = _chord_points(names)[:, None, :] - BASIS[None, :, :]
    return np.ascontiguousarray(np.sqrt(np.square(gaps).sum(axis=2)))


def _melody_and_chords(
    piece: Piece, segmentation: Segmentation, vocabulary: Vocabulary, melody: MelodyRule
) -> tuple[Melody, Chords] | Undefined:
    line = melody_of(piece, melody)
    if isinstance(line, Undefined):
        return line
    chords = chords_of(piece, segmentation, vocabulary)
    return chords if isinstance(chords, Undefined) else (line, chords)


def _mean_over_time(line: Melody, chords: Chords, table: Floats) -> float:
    """Mean of ``table[chord, melody pitch class]`` over the time that both sound."""
    total, time = _weighed(line.onset, line.end, line.pitch, chords.edges, chords.state, table)
    return float(total / time)


@compiled
def _fitting(
    onset: Ints, pitch: Ints, edges: Ints, state: Ints, tones: Ints, resolve_within: int
) -> int:
    """Melody notes that are chord tones where they start, or from which the next is near."""
    fitting, s = 0, 0
    for k in range(len(onset)):
        while edges[s + 1] <= onset[k]:
            s += 1
        near = k + 1 < len(onset) and abs(pitch[k + 1] - pitch[k]) <= resolve_within
        fitting += near or tones[state[s], pitch[k] % 12] == 1
    return fitting


@compiled
def _weighed(
    onset: Ints, end: Ints, pitch: Ints, edges: Ints, state: Ints, table: Floats
) -> tuple[float, float]:
    total, time = 0.0, 0.0
    s = 0
    for k in range(len(onset)):
        while edges[s + 1] <= onset[k]:
            s += 1
        t = s
        while t < len(state) and edges[t] < end[k]:
            overlap = min(end[k], edges[t + 1]) - max(onset[k], edges[t])
            total += overlap * table[state[t], pitch[k] % 12]
            time += overlap
            t += 1
    return total, time


def _label(chords: Chords, state: int) -> str:
    return f"{NAMES[state % 12]}:{chords.names[state // 12]}"
