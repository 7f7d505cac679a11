"""What the harmony metrics have in common, computed once a piece in two kernels: counts and steps
of the chords, and the melody held against them.

Conventions are those of :mod:`concours.metrics.harmony`.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from concours.metrics.chords import Chords, Vocabulary, chords_of, templates
from concours.metrics.chroma import Segmentation
from concours.metrics.compiled import compiled
from concours.metrics.entropy import entropy_bits
from concours.metrics.melody import MelodyRule, melody_of
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.spec import Undefined
from concours.metrics.sums import sum_of
from concours.metrics.tonal_space import BASIS, centroids

Counted = Literal["span", "change"]


class Facts(NamedTuple):
    """Of a piece's chords: how often each state occurs, (12 × qualities,), how many do, and their
    entropy in bits; of its progression: where each chord starts, (chords,), the distances of
    neighbours, (chords − 1,), and their mean, and how many n-grams are different ones."""

    start: Ints
    counts: Ints
    different: int
    entropy: float
    steps: Floats
    mean_step: float
    grams: int


def facts_of(
    piece: Piece,
    segmentation: Segmentation,
    vocabulary: Vocabulary,
    count: Counted = "span",
    n: int = 3,
) -> Facts | Undefined:
    """The :class:`Facts` of every span's chord, or of every chord of the progression."""
    return piece.shared(
        ("chord_facts", segmentation, vocabulary, count, n),
        lambda: _find_facts(chords_of(piece, segmentation, vocabulary), count == "change", n),
    )


def _find_facts(chords: Chords | Undefined, by_change: bool, n: int) -> Facts | Undefined:
    if isinstance(chords, Undefined):
        return chords
    states, start, _ = chords.progression
    counted = states if by_change else chords.state
    return Facts(start, *_measured(counted, states, _chord_distances(chords.names), n))


@compiled
def _measured(
    counted: Ints, states: Ints, distances: Floats, n: int
) -> tuple[Ints, int, float, Floats, float, int]:
    """The fields of :class:`Facts` after ``start``, from the states that are counted (-1: none)
    and those of the progression."""
    counts = np.zeros(len(distances), np.int64)
    for state in counted:
        if state >= 0:
            counts[state] += 1
    different = 0
    for state in range(len(counts)):
        if counts[state] > 0:
            different += 1
    steps = np.empty(max(0, len(states) - 1))
    for i in range(len(steps)):
        steps[i] = distances[states[i + 1], states[i]]
    mean = sum_of(steps) / max(1, len(steps))
    grams = _different(states, len(distances), n)
    return counts, different, entropy_bits(counts.astype(np.float64)), steps, mean, grams


@compiled
def _different(states: Ints, values: int, n: int) -> int:
    """How many n-grams of the states are different ones, each growing by a state at a time: its
    place in a table of those seen, with the next state, names the longer one."""
    room = 4
    while room < 2 * len(states):
        room *= 2
    place = np.zeros(len(states), np.int64)
    table = np.empty(room, np.int64)
    found = 0
    for length in range(1, min(n, len(states)) + 1):
        table[:] = -1
        found = 0
        for i in range(len(states) - length + 1):
            name = place[i] * values + states[i + length - 1]
            at = (name * 0x9E3779B1 >> 15) & (room - 1)
            while table[at] >= 0 and table[at] != name:
                at = (at + 1) & (room - 1)
            found += table[at] < 0
            table[at] = name
            place[i] = at
    return found


class OverChords(NamedTuple):
    """Share of the melody notes that fit the chord, and, by time, the mean consonance and tonal
    distance of the two."""

    fitting: float
    consonance: float
    distance: float


def over_chords(
    piece: Piece,
    segmentation: Segmentation,
    vocabulary: Vocabulary,
    rule: MelodyRule,
    resolve_within: int = 2,
) -> OverChords | Undefined:
    """The melody by ``rule`` over the chords; it resolves within so many semitones."""

    def compute() -> OverChords | Undefined:
        line = melody_of(piece, rule)
        if isinstance(line, Undefined):
            return line
        chords = chords_of(piece, segmentation, vocabulary)
        if isinstance(chords, Undefined):
            return chords
        return OverChords(
            *_compared(
                *(line.onset, line.end, line.pitch, chords.edges, chords.state),
                *_tables(chords.names),
                resolve_within,
            )
        )

    return piece.shared(("over_chords", segmentation, vocabulary, rule, resolve_within), compute)


@cache
def _tables(names: tuple[str, ...]) -> tuple[Ints, Floats, Floats]:
    return templates(names), _consonances(names), _melody_distances(names)


@compiled
def _compared(
    onset: Ints,
    end: Ints,
    pitch: Ints,
    edges: Ints,
    state: Ints,
    tones: Ints,
    consonances: Floats,
    distances: Floats,
    resolve_within: int,
) -> tuple[float, float, float]:
    """The fields of :class:`OverChords` from the melody, the chords and three tables by state and
    pitch class. A note fits as a chord tone where it starts, or where the next is near."""
    fitting, s = 0, 0
    consonance, distance, time = 0.0, 0.0, 0.0
    for k in range(len(onset)):
        while edges[s + 1] <= onset[k]:
            s += 1
        pc = pitch[k] % 12
        near = k + 1 < len(onset) and abs(pitch[k + 1] - pitch[k]) <= resolve_within
        fitting += near or tones[state[s], pc] == 1
        t = s
        while t < len(state) and edges[t] < end[k]:
            overlap = min(end[k], edges[t + 1]) - max(onset[k], edges[t])
            consonance += overlap * consonances[state[t], pc]
            distance += overlap * distances[state[t], pc]
            time += overlap
            t += 1
    return fitting / len(onset), consonance / time, distance / time


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
