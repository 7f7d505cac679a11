"""Copies that were altered: single notes changed, ornaments put in, notes left out.

An exact passage ends at the first altered note. Here a passage is a *placement* of a source voice
on the piece: a transposition, a tempo factor and a shift in time, under which many notes of the
source fall on notes of the piece.

Method
------
1. Seeds: passages of :data:`SEED` notes that both hold exactly (default view). Each seed proposes
   one placement. Seeds of one placement lie on one diagonal of transposition, tempo and shift,
   and are chained by counting them; seeds that the corpus holds over :data:`MOST_PLACES` times
   propose nothing.
2. Each placement with at least two seeds is scored over the source voice. A source note that falls
   on a note of the piece with the same pitch earns its surprise (the bits of its interval and its
   rhythm in the corpus); one that falls on another pitch, or on no note, costs bits; so does each
   note of the piece between two source notes. The best stretch of the voice counts (a local
   alignment with log-odds scores along the diagonal).
3. From the best stretch log2 of the number of notes of the piece is taken: a longer piece has more
   chances.

Time is elastic only as a whole: a copy whose tempo changes within the passage, or whose rhythm was
replaced, is not found here (the view ``interval`` finds the latter).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.suffix import places_of_all
from concours.metrics.originality.tokens import MAX_RATIO, Tokens, quantised_ratio

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

VIEW = "interval-ratio"
SEED = 5
MOST_PLACES = 4000
MOST_PLACEMENTS = 400
FEWEST_SEEDS = 2
TOLERANCE = 1 / 16  # quarter notes
GRID = 1 / 8
MOST_SURPRISE = 10.0
VOICES_AT_ONCE = 10_000
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Penalties(NamedTuple):
    """Bits that a source note costs where the piece has another pitch at its time, where it has no
    note there, and that each note of the piece between two source notes costs."""

    pitch: float = 6.0
    missing: float = 4.0
    extra: float = 1.0


PENALTIES = Penalties()


class Placement(NamedTuple):
    """The best stretch of one placement; positions are inclusive.

    ``score`` in bits, corrected for the length of the piece; ``matched`` notes fall on each other;
    ``first``/``last`` in the piece's tokens, ``source_first``/``source_last`` in the index.
    """

    score: float
    matched: int
    first: int
    last: int
    source: int
    source_first: int
    source_last: int
    transposition: int
    tempo_factor: float


class Surprise(NamedTuple):
    """Bits that a note tells, given those before: ``interval`` by the step to it, shape (255,),
    from -127 semitones; ``ratio`` by its rhythm, shape (2 * MAX_RATIO + 1,), see the tokens."""

    interval: Floats
    ratio: Floats

    def of(self, pitch: Ints, onset: Floats) -> Floats:
        """Bits of every note of one voice, shape (notes,); what no step leads to is worth the mean
        of the corpus."""
        bits = np.empty(len(pitch))
        bits[:1] = _mean_bits(self.interval)
        bits[1:] = self.interval[np.diff(pitch) + 127]
        bits[:2] += _mean_bits(self.ratio)
        bits[2:] += self.ratio[quantised_ratio(onset)]
        return np.minimum(bits, MOST_SURPRISE)


def surprise(shards: Sequence[NgramIndex]) -> Surprise:
    """How surprising each step is in the corpus: -log2 of its share of all steps, with half a
    count added to each kind so that a step never seen has a finite number."""
    interval = np.zeros(255)
    ratio = np.zeros(2 * MAX_RATIO + 1)
    for shard in shards:
        voices = shard.voices
        for k in range(0, len(voices) - 1, VOICES_AT_ONCE):
            edges = voices[k : k + VOICES_AT_ONCE + 1]
            part = slice(int(edges[0]), int(edges[-1]))
            line = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
            step = np.diff(shard.pitch[part].astype(np.int64)) + 127
            same = line[1:] == line[:-1]
            interval += np.bincount(step[same], minlength=255)
            if len(line) > 2:
                kind = quantised_ratio(shard.onset[part].astype(np.float64))
                ratio += np.bincount(kind[line[2:] == line[:-2]], minlength=len(ratio))
    return Surprise(*(-np.log2((c + 0.5) / (c.sum() + 0.5 * len(c))) for c in (interval, ratio)))


def _mean_bits(bits: Floats) -> float:
    return float((bits * 2.0**-bits).sum())


def placements(
    tokens: Tokens,
    index: NgramIndex,
    known: Surprise,
    *,
    penalties: Penalties = PENALTIES,
    most: int = 10,
) -> list[Placement]:
    """The best placements of the corpus on a piece, best first, at most one for a stretch of it.

    ``known`` is :func:`surprise` of the corpus; index and tokens are of the view
    ``interval-ratio``.
    """
    proposed = _proposals(tokens, index)
    if not len(proposed):
        return []
    time = tokens.onset / tokens.ticks_per_quarter
    voice = tokens.voice
    edges = np.searchsorted(voice, np.arange(voice.max() + 2))
    rows = []
    for line, source_voice, source, shift, factor, offset in proposed:
        a, b = int(edges[int(line)]), int(edges[int(line) + 1])
        c, d = int(index.voices[int(source_voice)]), int(index.voices[int(source_voice) + 1])
        resolution = int(index.ticks_per_quarter[int(source)])
        source_time = index.onset[c:d].astype(np.float64) / resolution
        source_pitch = index.pitch[c:d].astype(np.int64)
        score, first, last, source_first, source_last, matched = _best_stretch(
            time[a:b],
            tokens.pitch[a:b],
            source_time * factor + offset,
            source_pitch + int(shift),
            known.of(source_pitch, source_time),
            penalties.pitch,
            penalties.missing,
            penalties.extra,
        )
        if matched:
            rows.append(
                Placement(
                    score - float(np.log2(max(2, len(tokens)))),
                    matched,
                    a + first,
                    a + last,
                    int(source),
                    c + source_first,
                    c + source_last,
                    int(shift),
                    round(1 / float(factor), 4),
                )
            )
    rows.sort(key=lambda p: (-p.score, p.first, str(index.names[p.source]), p.source_first))
    taken = np.zeros(len(tokens), np.bool_)
    chosen: list[Placement] = []
    for placement in rows:
        stretch = taken[placement.first : placement.last + 1]
        if stretch.mean() < 0.5:
            stretch[:] = True
            chosen.append(placement)
        if len(chosen) == most:
            break
    return chosen


def _proposals(tokens: Tokens, index: NgramIndex) -> Floats:
    """Rows (line, source voice, source, transposition, factor, offset) with the most seeds first;
    source time in quarters times ``factor`` plus ``offset`` is the piece's time."""
    width = SEED - tokens.width + 1
    first, place = places_of_all(
        index.symbols(tokens), width, index.text, index.suffixes, MOST_PLACES
    )
    source = np.searchsorted(index.starts, place, side="right") - 1
    if index.excluded:
        keep = ~np.isin(source, sorted(index.excluded))
        first, place, source = first[keep], place[keep], source[keep]
    if not len(first):
        return np.empty((0, 6))
    resolution = index.ticks_per_quarter[source]
    begin = tokens.onset[first] / tokens.ticks_per_quarter
    span = tokens.onset[first + SEED - 1] / tokens.ticks_per_quarter - begin
    source_begin = index.onset[place].astype(np.float64) / resolution
    source_span = index.onset[place + SEED - 1].astype(np.float64) / resolution - source_begin
    factor = span / source_span
    offset = begin - factor * source_begin
    rows = np.stack(
        [
            tokens.voice[first].astype(np.float64),
            np.searchsorted(index.voices, place, side="right") - 1.0,
            source.astype(np.float64),
            tokens.pitch[first] - index.pitch[place].astype(np.float64),
            factor,
            offset,
        ],
        axis=1,
    )
    buckets = (*rows[:, [0, 1, 3]].T, 12 * np.log2(factor), offset / GRID)
    key = np.zeros(len(rows), np.uint64)
    for bucket in buckets:  # where two placements fall on one key, one of them is tried
        key = (key ^ np.rint(bucket).astype(np.int64).view(np.uint64)) * _MIX
        key ^= key >> np.uint64(29)
    _, where, count = np.unique(key, return_index=True, return_counts=True)
    order = np.argsort(-count, kind="stable")[:MOST_PLACEMENTS]
    order = order[count[order] >= FEWEST_SEEDS]
    return rows[where[order]]


@compiled
def _best_stretch(
    time: Floats,
    pitch: Ints,
    placed: Floats,
    source_pitch: Ints,
    bits: Floats,
    wrong: float,
    missing: float,
    extra: float,
) -> tuple[float, int, int, int, int, int]:  # pragma: no cover
    """(score, first, last, first and last of the source, matched notes) of the best stretch."""
    best, best_first, best_last, best_c, best_d, best_matched = 0.0, 0, 0, 0, 0, 0
    score, first, source_first, matched = 0.0, 0, 0, 0
    i, before = 0, -1
    for j in range(len(placed)):
        while i < len(time) and time[i] < placed[j] - TOLERANCE:
            i += 1
        here = i
        while (
            here < len(time)
            and time[here] <= placed[j] + TOLERANCE
            and pitch[here] != source_pitch[j]
        ):
            here += 1
        if here < len(time) and time[here] <= placed[j] + TOLERANCE:
            if score > 0 and before >= 0:
                score -= extra * max(0, here - before - 1)
            if score <= 0:
                score, first, source_first, matched = 0.0, here, j, 0
            score += bits[j]
            matched += 1
            before = here
            if score > best:
                best, best_first, best_last = score, first, here
                best_c, best_d, best_matched = source_first, j, matched
        elif i < len(time) and time[i] <= placed[j] + TOLERANCE:
            score -= wrong
            before = i
        else:
            score -= missing
    return best, best_first, best_last, best_c, best_d, best_matched
