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

from concours.metrics.chroma import Segmentation, sounding_of
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
REST = 24  # stands for a tone that a chord does not have

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


class Progression(NamedTuple):
    """The chords with equal neighbours joined and silence left out, shape (chords,)."""

    state: Ints
    start: Ints
    stop: Ints


class Chords(NamedTuple):
    """One chord a span: ``state`` is 12 × quality + root, -1 for none, shape (spans,); a quality
    indexes ``names``."""

    edges: Ints
    state: Ints
    names: tuple[str, ...]
    progression: Progression

    @property
    def root(self) -> Ints:
        """0-11, or -1 for none: shape (spans,)."""
        return np.where(self.state < 0, -1, self.state % 12)

    @property
    def quality(self) -> Ints:
        """The index of each quality in ``names``, 0 for none: shape (spans,)."""
        return np.maximum(self.state, 0) // 12

    def label(self, i: int) -> str:
        """The chord of span ``i`` as "C:maj"; "N" for none."""
        state = int(self.state[i])
        return "N" if state < 0 else state_labels(self.names)[state]

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
def state_labels(names: tuple[str, ...]) -> tuple[str, ...]:
    """The name of each state of a vocabulary, such as "C:maj"."""
    return tuple(f"{root}:{name}" for name in names for root in NAMES)


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
        lambda: _recognised(piece, segmentation, vocabulary),
    )


def _recognised(
    piece: Piece, segmentation: Segmentation, vocabulary: Vocabulary
) -> Chords | Undefined:
    found = sounding_of(piece)
    if not found.ticks:
        return Undefined("no pitched note has a length")
    names, tones = VOCABULARIES[vocabulary], _tone_lists(vocabulary)
    if segmentation == "beat":
        edges, ticks, bass = piece.beat_edges, found.beat_ticks, found.beat_lowest
    else:
        edges, ticks, bass = piece.bar_edges, found.bar_ticks, found.bar_lowest
    state, *joined = _likeliest(ticks, bass, edges, tones, WEIGHTS)
    return Chords(edges, state, names, Progression(*joined))


def progression_of(
    piece: Piece, segmentation: Segmentation = "beat", vocabulary: Vocabulary = "triads"
) -> Progression | Undefined:
    """The :class:`Progression` of :func:`chords_of`, computed once a piece."""
    chords = chords_of(piece, segmentation, vocabulary)
    return chords if isinstance(chords, Undefined) else chords.progression


@cache
def _tone_lists(vocabulary: Vocabulary) -> Ints:
    """The tones of each quality above its root, ``REST`` for the fourth of a triad: shape
    (qualities, 4)."""
    return np.array([(*TONES[name], REST)[:4] for name in VOCABULARIES[vocabulary]])


@compiled
def _likeliest(
    ticks: Ints, bass: Ints, edges: Ints, tones: Ints, weights: Floats
) -> tuple[Ints, Ints, Ints, Ints]:
    """The state of each span on the best path, -1 in silence, shape (spans,), and the states,
    starts and stops of its progression, shape (chords,)."""
    missing, size, low, change = weights
    spans, qualities = len(ticks), len(tones)
    lack = np.zeros((qualities, 5))  # what a chord loses by so many tones that never sound
    extra = np.zeros(qualities)
    above = tones.astype(np.uint64)  # unsigned: each index that may be negative costs a test
    for q in range(qualities):
        n = 3 + (tones[q, 3] != REST)
        extra[q] = size * (n - 3)
        for gone in range(5):
            lack[q, gone] = missing * gone / n
    stay = np.empty((spans, 12 * qualities), np.bool_)
    jump = np.zeros(spans, np.int16)  # -1 in silence
    score = np.zeros(12 * qualities)
    heard = np.zeros(REST + 12, np.int64)  # 8 × ticks + 1 where silent, twice over, then nothing
    best, top = 0, 0.0  # of equal states the earlier quality, then the root nearest above the bass
    for t in range(spans):
        total = 0
        for pc in range(12):
            time = ticks[t, pc]
            heard[pc] = heard[pc + 12] = 8 * time + (time == 0)
            total += time
        jump[t] = best if total > 0 else -1
        if total == 0:
            continue
        pivot, whole = bass[t] % 12, float(total)
        floor, top = top - change, -np.inf
        for q in range(qualities):
            a, b, c, d = above[q, 0], above[q, 1], above[q, 2], above[q, 3]
            bonus = low
            for step in range(12):
                root = pivot + step
                if root >= 12:
                    root -= 12
                at = np.uint64(root)
                k = np.uint64(12 * q) + at
                sums = heard[at + a] + heard[at + b] + heard[at + c] + heard[at + d]
                inside = float(2 * (sums >> 3) - total)
                fit = inside / whole - lack[q, np.uint64(sums & 7)] - extra[q]
                before = score[k]
                stay[np.uint64(t), k] = before >= floor
                now = (before if before >= floor else floor) + (fit + bonus)
                bonus = 0.0
                score[k] = now
                if now > top:
                    best, top = 12 * q + root, now
    state = np.full(spans, -1, np.int64)
    for t in range(spans - 1, -1, -1):
        if jump[t] >= 0:
            state[t] = best
            if not stay[t, best]:
                best = jump[t]
    return state, *_joined(state, edges)


@compiled
def _joined(state: Ints, edges: Ints) -> tuple[Ints, Ints, Ints]:
    """The fields of a :class:`Progression`."""
    n = 0
    joined, start, stop = np.empty_like(state), np.empty_like(state), np.empty_like(state)
    for t in range(len(state)):
        if state[t] < 0:
            continue
        if n == 0 or state[t] != joined[n - 1]:
            joined[n], start[n] = state[t], edges[t]
            n += 1
        stop[n - 1] = edges[t + 1]
    return joined[:n].copy(), start[:n].copy(), stop[:n].copy()
