"""The chord recogniser: the likeliest chord of every beat or bar, found over the whole piece.

Conventions
-----------
- A chord is a root (pitch class) and a quality; its template holds the quality's pitch classes.
- A span (beat or bar) fits a chord by the share of its sounding time that lies in the template,
  less the share outside, less ``MISSING`` for the share of template tones that never sound, less
  ``SIZE`` for each tone over three, plus ``BASS`` where the root is the lowest sounding pitch.
- The chords of a piece maximise the sum of the fits less ``CHANGE`` for each change of chord
  (Viterbi). A silent span fits every chord alike and is labelled "no chord".
- Ties go to the earlier quality of the vocabulary, then to the root nearest above the bass, so
  that a transposed piece gets the transposed chords.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from concours.metrics.chroma import (
    Segmentation,
    lowest_pitch,
    segment_chroma,
    segment_edges,
)
from concours.metrics.compiled import compiled
from concours.metrics.keys import NAMES
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.spec import Undefined

Vocabulary = Literal["triads", "sevenths", "all"]

MISSING = 0.6
SIZE = 0.3
BASS = 0.2
CHANGE = 0.2
WEIGHTS = np.array([MISSING, SIZE, BASS, CHANGE])

TONES = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "hdim7": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "sus4": (0, 5, 7),
}
VOCABULARIES: dict[Vocabulary, tuple[str, ...]] = {
    "triads": ("maj", "min", "dim", "aug"),
    "sevenths": ("maj", "min", "dim", "aug", "7", "maj7", "min7", "hdim7", "dim7"),
    "all": tuple(TONES),
}


class Chords(NamedTuple):
    """One chord a span: ``root`` 0-11 or -1 for none, ``quality`` indexes ``names``, ``state`` is
    12 × quality + root or -1; each of shape (spans,)."""

    edges: Ints
    root: Ints
    quality: Ints
    state: Ints
    names: tuple[str, ...]

    def label(self, i: int) -> str:
        """The chord of span ``i`` as "C:maj"; "N" for none."""
        if self.root[i] < 0:
            return "N"
        return f"{NAMES[self.root[i]]}:{self.names[self.quality[i]]}"

    @property
    def tones(self) -> Ints:
        """1 where a pitch class belongs to the state's chord: shape (12 × qualities, 12)."""
        return templates(self.names)


def reduced(label: str, vocabulary: Vocabulary) -> str:
    """A label such as "G:7" in a vocabulary: a seventh is its triad where only triads are.

    >>> reduced("G:7", "triads"), reduced("B:hdim7", "triads"), reduced("G:7", "sevenths")
    ('G:maj', 'B:dim', 'G:7')
    """
    root, _, quality = label.partition(":")
    if quality in VOCABULARIES[vocabulary] or quality not in TONES:
        return label
    triad = next((n for n in VOCABULARIES["triads"] if set(TONES[n]) < set(TONES[quality])), "maj")
    return f"{root}:{triad}"


@cache
def templates(names: tuple[str, ...]) -> Ints:
    """The chords of a vocabulary as rows of 12 zeros and ones, by quality, then root."""
    rows = np.zeros((12 * len(names), 12), np.int64)
    for q, name in enumerate(names):
        for root in range(12):
            rows[12 * q + root, (root + np.array(TONES[name])) % 12] = 1
    rows.setflags(write=False)
    return rows


def chords_of(
    piece: Piece, segmentation: Segmentation = "beat", vocabulary: Vocabulary = "triads"
) -> Chords | Undefined:
    """The chord of every beat or bar, computed once a piece.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 0, 0, 480, 480, 480], end=[480] * 3 + [960] * 3,
    ...                    pitch=[48, 64, 67, 43, 62, 71])
    >>> chords = chords_of(piece)
    >>> [chords.label(i) for i in range(4)]
    ['C:maj', 'G:maj', 'N', 'N']
    """
    return piece.shared(
        ("chords", segmentation, vocabulary),
        lambda: _recognised(piece, segmentation, VOCABULARIES[vocabulary]),
    )


def _recognised(
    piece: Piece, segmentation: Segmentation, names: tuple[str, ...]
) -> Chords | Undefined:
    edges = segment_edges(piece, segmentation)
    sounding = segment_chroma(piece, segmentation)
    if not sounding.any():
        return Undefined("no pitched note has a length")
    bass = piece.shared(("bass", segmentation), lambda: lowest_pitch(piece, edges))
    state = _viterbi(sounding, bass, _tone_lists(names), WEIGHTS)
    root, quality = np.where(state < 0, -1, state % 12), np.maximum(state, 0) // 12
    return Chords(edges, root, quality, state, names)


class Progression(NamedTuple):
    """The chords with equal neighbours joined and silence left out, shape (chords,)."""

    state: Ints
    start: Ints
    stop: Ints


def progression_of(
    piece: Piece, segmentation: Segmentation = "beat", vocabulary: Vocabulary = "triads"
) -> Progression | Undefined:
    """The :class:`Progression` of :func:`chords_of`, computed once a piece."""
    chords = chords_of(piece, segmentation, vocabulary)
    if isinstance(chords, Undefined):
        return chords
    return piece.shared(
        ("progression", segmentation, vocabulary),
        lambda: Progression(*_joined(chords.state, chords.edges)),
    )


@compiled
def _joined(state: Ints, edges: Ints) -> tuple[Ints, Ints, Ints]:
    n = 0
    kept, start, stop = np.empty_like(state), np.empty_like(state), np.empty_like(state)
    for s in range(len(state)):
        if state[s] < 0:
            continue
        if n == 0 or state[s] != kept[n - 1]:
            kept[n], start[n] = state[s], edges[s]
            n += 1
        stop[n - 1] = edges[s + 1]
    return kept[:n].copy(), start[:n].copy(), stop[:n].copy()


@cache
def _tone_lists(names: tuple[str, ...]) -> Ints:
    """The tones of each quality above its root, -1 where it has fewer than the largest."""
    lists = np.full((len(names), max(len(TONES[n]) for n in names)), -1, np.int64)
    for row, name in zip(lists, names, strict=True):
        row[: len(TONES[name])] = TONES[name]
    return lists


@compiled
def _viterbi(sounding: Ints, bass: Ints, tones: Ints, weights: Floats) -> Ints:
    """The state of each span on the best path, -1 in silence."""
    missing, size, low, change = weights
    spans, states = len(sounding), 12 * len(tones)
    widths = np.zeros(len(tones), np.int64)
    for q in range(len(tones)):
        for tone in tones[q]:
            widths[q] += tone >= 0
    stay = np.zeros((spans, states), np.bool_)
    jump = np.zeros(spans, np.int16)
    score = np.zeros(states)
    heard = np.zeros(24, np.int64)  # the span's pitch classes, twice over
    pivot = 0  # ties are broken from this pitch class upwards
    for t in range(spans):
        if t > 0:
            jump[t] = _first_best(score, pivot)
            floor = score[jump[t]] - change
            for k in range(states):
                stay[t, k] = score[k] >= floor
                score[k] = max(score[k], floor)
        total = 0
        for pc in range(12):
            heard[pc] = heard[pc + 12] = sounding[t, pc]
            total += sounding[t, pc]
        if total == 0:
            continue
        pivot = bass[t] % 12
        for q in range(len(tones)):
            n = widths[q]
            extra = size * (n - 3)
            for root in range(12):
                inside, absent = 0, 0
                for j in range(n):
                    ticks = heard[root + tones[q, j]]
                    inside += ticks
                    absent += ticks == 0
                fit = (2 * inside - total) / total - missing * absent / n - extra
                score[12 * q + root] += fit + low if root == pivot else fit
    path = np.full(spans, -1, np.int64)
    best = _first_best(score, pivot)
    for t in range(spans - 1, -1, -1):
        for pc in range(12):
            if sounding[t, pc] > 0:
                path[t] = best
        if t > 0 and not stay[t, best]:
            best = jump[t]
    return path


@compiled
def _first_best(score: Floats, pivot: int) -> int:
    """The best state; of equal ones the earlier quality, then the root nearest above the pivot."""
    top = score[0]
    for value in score:
        top = max(top, value)
    for first in range(0, len(score), 12):
        for step in range(12):
            state = first + (pivot + step) % 12
            if score[state] == top:
                return state
    return 0
