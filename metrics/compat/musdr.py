"""MusDr (the Jazz Transformer's evaluation), on a piece or on its own event sequence.

Conventions
-----------
- MusDr reads sequences of event numbers: ``Bar``, 64 ``Position`` events a bar, ``Note-On``
  events, and chords as triples (tone, type, slash). :func:`event_bars` and :func:`event_chords`
  take such a sequence; the metrics of the catalogue make the same of a piece: positions are 64ths
  of the piece's own bars, chords those of our recogniser,
  one where it changes. ``EVENT_METRICS`` are the metrics of an event sequence itself.
- ``grooving_similarity`` is exact over all pairs of bars; MusDr itself draws 1,000 unseeded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from concours.metrics.chords import progression_of
from concours.metrics.compat.entry import peer_metric
from concours.metrics.entropy import entropy_of
from concours.metrics.piece import Ints, Piece
from concours.metrics.spec import MetricSpec, Undefined

WU = "Wu & Yang 2020 (MusDr), arXiv:2008.01307"
CATALOGUE: dict[str, MetricSpec] = {}
Events = Sequence[int]
EventMetric = Callable[[Events], "float | Undefined"]
BAR = 192
POSITIONS = 64
FIRST_POSITION = 193
CHORD_TONES, CHORD_SLASHES, CHORD_TYPES = range(322, 334), range(334, 346), range(346, 393)


class Bars(NamedTuple):
    """Notes in the order of the sequence: ``bar``, ``position`` in 0-63 and ``pitch``, (n,)."""

    bar: Ints
    position: Ints
    pitch: Ints
    n_bars: int


def event_bars(events: Sequence[int]) -> Bars:
    """The notes of an event sequence in the Jazz Transformer's vocabulary.

    What comes before the first bar is dropped, and so is a bar event at the very end. A note
    before any position of its bar falls on the last one, as in MusDr.

    >>> event_bars([192, 193, 60, 201, 62, 192]).position.tolist()
    [0, 8]
    """
    rows: list[tuple[int, int, int]] = []
    bar, position = -1, -1
    sequence = events[:-1] if len(events) and events[-1] == BAR else events
    for event in sequence:
        if event == BAR:
            bar, position = bar + 1, -1
        elif FIRST_POSITION <= event < FIRST_POSITION + POSITIONS:
            position = event - FIRST_POSITION
        elif 0 <= event < 128 and bar >= 0:
            rows.append((bar, position % POSITIONS, event))
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return Bars(columns[0], columns[1], columns[2], bar + 1)


def event_chords(events: Sequence[int]) -> list[tuple[int, int, int]]:
    """The chords of an event sequence: triples that end with a slash event.

    A slash counts as the third event only where MusDr's count of chord events, which a slash that
    comes too early does not set back, is at three.

    >>> event_chords([322, 346, 334, 192, 323, 347, 335])
    [(322, 346, 334), (323, 347, 335)]
    """
    parts = [e for e in events if e in CHORD_TONES or e in CHORD_SLASHES or e in CHORD_TYPES]
    chords, count = [], 0
    for i, event in enumerate(parts):
        count += 1
        if event in CHORD_SLASHES and count == 3:
            count = 0
            chords.append((parts[i - 2], parts[i - 1], event))
    return chords


def bars_of(piece: Piece) -> Bars:
    """The pitched notes of a piece on 64 positions a bar, the nearest below.

    A last bar without onsets is dropped, as a bar event at the end of a sequence is.
    """
    notes = piece.pitched
    if len(piece.bar_edges) < 2:
        empty = np.empty(0, np.int64)
        return Bars(empty, empty, empty, 0)
    bar = piece.bar_of(notes.onset)
    start, stop = piece.bar_edges[bar], piece.bar_edges[bar + 1]
    position = np.minimum(POSITIONS - 1, (notes.onset - start) * POSITIONS // (stop - start))
    bars = len(piece.bar_edges) - 1
    if bars > 1 and (not len(bar) or bar[-1] < bars - 1):
        bars -= 1
    return Bars(bar, position, notes.pitch, bars)


def window_entropy(bars: Bars, window: int) -> float | Undefined:
    """Mean pitch-class entropy of all windows of so many bars that hold a note."""
    if not len(bars.pitch):
        return Undefined("no notes: MusDr gives NaN")
    window = min(window, bars.n_bars)
    counts = np.zeros((bars.n_bars + 1, 12), np.int64)
    np.add.at(counts, (bars.bar + 1, bars.pitch % 12), 1)
    sums = np.cumsum(counts, axis=0)
    windows = sums[window:] - sums[:-window]
    return float(np.mean([entropy_of(row) for row in windows if row.any()]))


def onset_similarity(bars: Bars) -> float | Undefined:
    """1 less the mean share of the 64 positions in which two bars differ, over all pairs."""
    if bars.n_bars < 2:
        return Undefined("fewer than 2 bars: MusDr gives NaN")
    grid = np.zeros((bars.n_bars, POSITIONS), np.bool_)
    grid[bars.bar, bars.position] = True
    filled = grid.sum(axis=0, dtype=np.int64)
    pairs = bars.n_bars * (bars.n_bars - 1) / 2
    return float(1 - (filled * (bars.n_bars - filled)).sum() / POSITIONS / pairs)


def progression_irregularity(chords: Sequence[object], n: int = 3) -> float:
    """Different n-grams / (chords - n); the last n-gram is never looked at, and up to n chords
    give 1."""
    if len(chords) <= n:
        return 1.0
    grams = len(chords) - n
    return len({tuple(chords[i : i + n]) for i in range(grams)}) / grams


@peer_metric(CATALOGUE, "musdr", WU, unit="bit", range=(0, math.log2(12)))
def pitch_class_entropy_1bar(piece: Piece) -> float | Undefined:
    """Mean pitch-class entropy of a bar (H1), as ours."""
    return window_entropy(bars_of(piece), 1)


@peer_metric(CATALOGUE, "musdr", WU, unit="bit", range=(0, math.log2(12)))
def pitch_class_entropy_4bar(piece: Piece) -> float | Undefined:
    """Mean pitch-class entropy of four bars (H4), as ours."""
    return window_entropy(bars_of(piece), 4)


@peer_metric(CATALOGUE, "musdr", WU)
def grooving_similarity(piece: Piece) -> float | Undefined:
    """Likeness of the onsets of all pairs of bars on 64 positions (GS).

    Differs from ours: every bar has 64 positions whatever its meter, so all bars are compared, and
    drums do not count.
    """
    return onset_similarity(bars_of(piece))


@peer_metric(CATALOGUE, "musdr", WU)
def chord_progression_irregularity(piece: Piece) -> float | Undefined:
    """Share of different trigrams among the chords (CPI).

    Differs from ours: divides by one trigram too few, never looks at the last one, and gives 1 for
    up to three chords.
    """
    progression = progression_of(piece)
    if isinstance(progression, Undefined):
        return progression
    return progression_irregularity(progression.state.tolist())


def _events_entropy(window: int) -> EventMetric:
    return lambda events: window_entropy(event_bars(events), window)


EVENT_METRICS: dict[str, EventMetric] = {
    "pitch_class_entropy_1bar": _events_entropy(1),
    "pitch_class_entropy_4bar": _events_entropy(4),
    "grooving_similarity": lambda events: onset_similarity(event_bars(events)),
    "chord_progression_irregularity": lambda e: progression_irregularity(event_chords(e)),
}
