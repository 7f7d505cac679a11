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

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.suffix import places_of_all
from concours.metrics.originality.tokens import MAX_RATIO, RATIO_STEPS, Tokens, quantised_ratio

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


class Candidates:
    """What a corpus proposes for one piece, scored when it is asked for; so that the same piece
    can be held against the corpus without some of its pieces, again and again, at little cost.

    ``known`` is :func:`surprise` of the corpus; index and tokens are of the view
    ``interval-ratio``.
    """

    def __init__(
        self,
        tokens: Tokens,
        index: NgramIndex,
        known: Surprise,
        *,
        penalties: Penalties = PENALTIES,
    ) -> None:
        self._rows = _proposals(tokens, index)
        self._source = self._rows[:, 2].astype(np.int64)
        self._index = index
        self._tokens = tokens
        self._known = known
        self._penalties = penalties
        self._found: dict[int, Placement | None] = {}

    def best(self, *, aside: Collection[int] = (), most: int = 10) -> list[Placement]:
        """The best placements, best first, at most one for a stretch of the piece; none of the
        sources ``aside``."""
        keep = np.flatnonzero(~np.isin(self._source, list(aside)))[:MOST_PLACEMENTS]
        self._score([int(k) for k in keep if int(k) not in self._found])
        found = [self._found[int(k)] for k in keep]
        rows = [p for p in found if p is not None]
        names = self._index.names
        rows.sort(key=lambda p: (-p.score, p.first, str(names[p.source]), p.source_first))
        taken = np.zeros(len(self._tokens), np.bool_)
        chosen: list[Placement] = []
        for placement in rows:
            stretch = taken[placement.first : placement.last + 1]
            if stretch.mean() < 0.5:
                stretch[:] = True
                chosen.append(placement)
            if len(chosen) == most:
                break
        return chosen

    def _score(self, wanted: list[int]) -> None:
        if not wanted:
            return
        tokens, index = self._tokens, self._index
        rows = self._rows[wanted]
        lines = rows[:, 0].astype(np.int64)
        edges = np.searchsorted(tokens.voice, np.arange(tokens.voice.max() + 2))
        voices, which = np.unique(rows[:, 1].astype(np.int64), return_inverse=True)
        first, last = index.voices[voices], index.voices[voices + 1]
        parts = [slice(int(a), int(b)) for a, b in zip(first, last, strict=True)]
        source_edges = np.concatenate([[0], np.cumsum(last - first)]).astype(np.int64)
        owner = np.searchsorted(index.starts, first, side="right") - 1
        resolution = index.ticks_per_quarter[owner].tolist()
        source_time = np.concatenate(
            [index.onset[p].astype(np.float64) / r for p, r in zip(parts, resolution, strict=True)]
        )
        source_pitch = np.concatenate([index.pitch[p].astype(np.int64) for p in parts])
        score = np.zeros(len(rows))
        stretch = np.zeros((len(rows), 5), np.int64)
        _best_stretches(
            tokens.onset / tokens.ticks_per_quarter,
            np.ascontiguousarray(tokens.pitch),
            edges[np.stack([lines, lines + 1], axis=1)],
            source_time,
            source_pitch,
            np.stack([source_edges[which], source_edges[which + 1]], axis=1),
            rows[:, 3].astype(np.int64),
            np.ascontiguousarray(rows[:, 4:6]),
            self._known.interval,
            self._known.ratio,
            np.array([_mean_bits(self._known.interval), _mean_bits(self._known.ratio)]),
            np.array(self._penalties, np.float64),
            score,
            stretch,
        )
        chances = float(np.log2(max(2, len(tokens))))
        for i, k in enumerate(wanted):
            matched, begin, end, source_begin, source_end = stretch[i].tolist()
            place = int(first[which[i]] - source_edges[which[i]])
            self._found[k] = (
                Placement(
                    float(score[i]) - chances,
                    matched,
                    begin,
                    end,
                    int(self._source[k]),
                    place + source_begin,
                    place + source_end,
                    int(rows[i, 3]),
                    round(1 / float(rows[i, 4]), 4),
                )
                if matched
                else None
            )


def placements(
    tokens: Tokens,
    index: NgramIndex,
    known: Surprise,
    *,
    penalties: Penalties = PENALTIES,
    most: int = 10,
) -> list[Placement]:
    """:meth:`Candidates.best` of a piece that is asked for once."""
    return Candidates(tokens, index, known, penalties=penalties).best(most=most)


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
    order = np.argsort(-count, kind="stable")
    order = order[count[order] >= FEWEST_SEEDS]
    return rows[where[order]]


@compiled
def _best_stretches(
    times: Floats,
    pitches: Ints,
    lines: Ints,
    source_times: Floats,
    source_pitches: Ints,
    source_lines: Ints,
    shifts: Ints,
    tempos: Floats,
    interval_bits: Floats,
    ratio_bits: Floats,
    mean_bits: Floats,
    penalties: Floats,
    scores: Floats,
    stretches: Ints,
) -> None:  # pragma: no cover
    """The best stretch of each placement: its score, and (matched notes, first, last, first and
    last of the source), as places of the columns given."""
    for r in range(len(scores)):
        end, source_begin = lines[r, 1], source_lines[r, 0]
        factor, offset = tempos[r, 0], tempos[r, 1]
        score, first, source_first, matched = 0.0, 0, 0, 0
        i, before = lines[r, 0], -1
        for j in range(source_begin, source_lines[r, 1]):
            placed = source_times[j] * factor + offset
            pitch = source_pitches[j] + shifts[r]
            while i < end and times[i] < placed - TOLERANCE:
                i += 1
            here = i
            while here < end and times[here] <= placed + TOLERANCE and pitches[here] != pitch:
                here += 1
            if here < end and times[here] <= placed + TOLERANCE:
                if score > 0 and before >= 0:
                    score -= penalties[2] * max(0, here - before - 1)
                if score <= 0:
                    score, first, source_first, matched = 0.0, here, j, 0
                # the note's surprise; what no step leads to is worth the mean of the corpus
                if j == source_begin:
                    bits = mean_bits[0] + mean_bits[1]
                else:
                    bits = interval_bits[source_pitches[j] - source_pitches[j - 1] + 127]
                    if j == source_begin + 1:
                        bits += mean_bits[1]
                    else:
                        late = source_times[j] - source_times[j - 1]
                        early = source_times[j - 1] - source_times[j - 2]
                        octaves = 0.0
                        if late > 0 and early > 0:
                            octaves = np.log2(late / early)
                        step = np.rint(octaves * RATIO_STEPS) + MAX_RATIO
                        bits += ratio_bits[int(min(max(step, 0), 2 * MAX_RATIO))]
                score += min(bits, MOST_SURPRISE)
                matched += 1
                before = here
                if score > scores[r]:
                    scores[r] = score
                    stretches[r] = (matched, first, here, source_first, j)
            elif i < end and times[i] <= placed + TOLERANCE:
                score -= penalties[0]
                before = i
            else:
                score -= penalties[1]
