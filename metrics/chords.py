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
    """One chord a span: ``root`` 0-11 or -1 for none, ``quality`` indexes ``names``."""

    edges: Ints
    root: Ints
    quality: Ints
    names: tuple[str, ...]

    def label(self, i: int) -> str:
        """The chord of span ``i`` as "C:maj"; "N" for none."""
        if self.root[i] < 0:
            return "N"
        return f"{NAMES[self.root[i]]}:{self.names[self.quality[i]]}"

    @property
    def state(self) -> Ints:
        """12 × quality + root, -1 for no chord: shape (spans,)."""
        return np.where(self.root < 0, -1, 12 * self.quality + self.root)

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
    weights = np.array([MISSING, SIZE, BASS, CHANGE])
    root, quality = _viterbi(sounding, bass, _tone_lists(names), weights)
    return Chords(edges, root, quality, names)


def changes(chords: Chords) -> tuple[Ints, Ints, Ints]:
    """(state, start, stop) of the chords with equal neighbours joined and silence left out."""
    state = chords.state
    at = np.flatnonzero(state >= 0)
    if not len(at):
        return at, at, at
    new = np.concatenate([[True], state[at][1:] != state[at][:-1]])
    first = np.flatnonzero(new)
    last = np.concatenate([first[1:], [len(at)]]) - 1
    return state[at][first], chords.edges[at[first]], chords.edges[at[last] + 1]


@cache
def _tone_lists(names: tuple[str, ...]) -> Ints:
    """The tones of each quality above its root, -1 where it has fewer than the largest."""
    lists = np.full((len(names), max(len(TONES[n]) for n in names)), -1, np.int64)
    for row, name in zip(lists, names, strict=True):
        row[: len(TONES[name])] = TONES[name]
    return lists


@compiled
def _viterbi(sounding: Ints, bass: Ints, tones: Ints, weights: Floats) -> tuple[Ints, Ints]:
    missing, size, low, change = weights
    spans, states = len(sounding), 12 * len(tones)
    stay = np.zeros((spans, states), np.bool_)
    jump = np.zeros(spans, np.int16)
    score = np.zeros(states)
    pivot = 0  # ties are broken from this pitch class upwards
    for t in range(spans):
        if t > 0:
            top = -np.inf
            for k in range(states):
                state = k - k % 12 + (pivot + k) % 12
                if score[state] > top:
                    top, jump[t] = score[state], state
            for k in range(states):
                if score[k] >= top - change:
                    stay[t, k] = True
                else:
                    score[k] = top - change
        total = sounding[t].sum()
        if total == 0:
            continue
        pivot = bass[t] % 12
        for k in range(states):
            inside, absent, n = 0, 0, 0
            for tone in tones[k // 12]:
                if tone >= 0:
                    heard = sounding[t, (k + tone) % 12]
                    inside += heard
                    absent += heard == 0
                    n += 1
            fit = (2 * inside - total) / total - missing * absent / n - size * (n - 3)
            score[k] += fit + low if k % 12 == pivot else fit
    root = np.full(spans, -1, np.int64)
    quality = np.zeros(spans, np.int64)
    best, top = 0, -np.inf
    for k in range(states):
        state = k - k % 12 + (pivot + k) % 12
        if score[state] > top:
            top, best = score[state], state
    for t in range(spans - 1, -1, -1):
        if sounding[t].any():
            root[t], quality[t] = best % 12, best // 12
        if t > 0 and not stay[t, best]:
            best = jump[t]
    return root, quality
