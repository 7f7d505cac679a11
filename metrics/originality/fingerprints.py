"""Symbolic fingerprints: passages that both sides hold where performed timing hides them.

Played music is never exactly in time, so no two of its rhythms are equal. A fingerprint holds three
notes of one track: the two intervals between them and the ratio of the two spans of time, which
survives transposition and tempo, to within a third of an octave of ratio, which survives jitter.

Method
------
1. From each note go :data:`FIRST` x :data:`SECOND` triples: to the next notes that start later, and
   from each of those to its next (a fan-out without a cap grows with the cube of the density).
2. Each triple of the query is looked up with its ratio and the nearest one beside it; triples that
   the corpus holds over :data:`MOST_PLACES` times say nothing.
3. Every hit votes for a cell of (piece, transposition, tempo, window of the query, window of the
   source), windows of :data:`WINDOW` quarters that overlap by half.
4. In each of the :data:`MOST_CELLS` fullest cells the line is sought (query time over source time)
   on which most hits lie, to within :data:`OFF_LINE` quarters. The votes of a cell are the
   different onsets on it, of the side that has fewer: a chord has one vote, or repeated chords
   would outvote every tune.

Source: Arzt, Böck & Widmer 2012, Fast identification of piece and score position via symbolic
fingerprinting; Yin, Reuben, Stepney & Collins 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled
from concours.metrics.originality.notes import UNITS, Notes

Ints = NDArray[np.int64]

FIRST, SECOND = 3, 2
LARGEST_STEP = 24  # semitones
RATIO_STEPS = 3  # to the octave
MOST_RATIO = 3 * RATIO_STEPS
TOGETHER = UNITS // 16  # notes that start so close are one chord
LONGEST_SPAN = 8 * UNITS
MOST_PLACES = 100
MOST_CELLS = 60
OFF_LINE = 0.2  # quarters
PROPOSALS = 24
WINDOW = 12
TEMPO_STEPS = 2  # to the octave
MOST_TEMPO = 4 * TEMPO_STEPS


class Fingerprints(NamedTuple):
    """All triples of a corpus, sorted by ``key``; shape (triples,). ``note``: the first note's
    place in the corpus; ``third``: how many places further the last one's is."""

    key: NDArray[np.int32]
    note: NDArray[np.int32]
    third: NDArray[np.int16]


class Cell(NamedTuple):
    """One cell of the votes: ``votes`` different onsets on a line; ``piece`` of the corpus;
    ``notes`` and ``source_notes``, places of the notes that voted, ascending."""

    votes: int
    piece: int
    transposition: int
    tempo_factor: float
    notes: Ints
    source_notes: Ints


def fingerprints(notes: Notes, starts: Ints) -> Fingerprints:
    """The fingerprints of pieces that lie one after the other, each from ``starts[i]`` to
    ``starts[i + 1]``."""
    key, note, third, _ = _triples(*_columns(notes), np.asarray(starts, np.int64))
    order = np.argsort(key, kind="stable")
    return Fingerprints(key[order], note[order], third[order])


def cells(
    query: Notes,
    corpus: Notes,
    starts: Ints,
    known: Fingerprints,
    *,
    aside: Sequence[int] = (),
    most: int = 3,
) -> list[Cell]:
    """The cells with the most votes, best first; at most one for each piece.

    ``corpus``, ``starts`` and ``known`` as in :func:`fingerprints`; the pieces ``aside`` get no
    votes.
    """
    key, note, third, beside = _triples(*_columns(query), np.array([0, len(query.onset)], np.int64))
    first, place = _hits(np.stack([key, beside], axis=1), known.key)
    if not len(first):
        return []
    asked, source = note[first].astype(np.int64), known.note[place].astype(np.int64)
    piece = np.searchsorted(starts, source, side="right") - 1
    last, source_last = asked + third[first], source + known.third[place]
    span = query.onset[last].astype(np.float64) - query.onset[asked]
    source_span = corpus.onset[source_last].astype(np.float64) - corpus.onset[source]
    octaves = np.log2(source_span / span)  # how much faster the query goes
    tempo = np.rint(octaves * TEMPO_STEPS).astype(np.int64)
    shift = query.pitch[asked].astype(np.int64) - corpus.pitch[source].astype(np.int64)
    keep = (np.abs(tempo) <= MOST_TEMPO) & (np.abs(shift) < 64)
    if len(aside):
        keep &= ~np.isin(piece, aside)
    asked, source, piece, tempo, shift, octaves, last, source_last = (
        x[keep] for x in (asked, source, piece, tempo, shift, octaves, last, source_last)
    )
    half = WINDOW * UNITS // 2
    here = query.onset[asked].astype(np.int64) // half
    there = corpus.onset[source].astype(np.int64) // half
    base = ((piece << 7) + shift + 64 << 5) + tempo + MOST_TEMPO
    voted = [((base << 12) + here + a << 14) + there + b for a in (0, 1) for b in (0, 1)]
    cell = np.concatenate(voted)
    asked, source = np.tile(asked, 4), np.tile(source, 4)
    octaves, last, source_last = (np.tile(x, 4) for x in (octaves, last, source_last))
    order = np.lexsort((asked, cell))
    cell, asked, source, octaves, last, source_last = (
        x[order] for x in (cell, asked, source, octaves, last, source_last)
    )
    if not len(cell):
        return []
    edge = np.flatnonzero(np.diff(cell, prepend=-1))
    new = np.diff(asked, prepend=-1) != 0
    new[edge] = True
    count = np.add.reduceat(new.astype(np.int64), edge)
    rows: list[tuple[int, int, Ints, Ints, slice, NDArray[np.bool_]]] = []
    for c in np.argsort(-count, kind="stable")[:MOST_CELLS].tolist():
        part = slice(int(edge[c]), int(edge[c + 1]) if c + 1 < len(edge) else len(cell))
        if count[c] < 2:
            break
        on = _on_a_line(query.onset[asked[part]] / UNITS, corpus.onset[source[part]] / UNITS)
        own = np.union1d(asked[part][on], last[part][on])
        theirs = np.union1d(source[part][on], source_last[part][on])
        votes = min(_onsets(query.onset[own]), _onsets(corpus.onset[theirs]))
        rows.append((votes, int(cell[part.start]), own, theirs, part, on))
    rows.sort(key=lambda r: (-r[0], r[1]))
    chosen: list[Cell] = []
    for votes, name, own, theirs, part, on in rows:
        if votes and all(known_cell.piece != name >> 38 for known_cell in chosen):
            factor = round(float(2.0 ** np.median(octaves[part][on])), 3)
            chosen.append(Cell(votes, name >> 38, (name >> 31 & 127) - 64, factor, own, theirs))
        if len(chosen) == most:
            break
    return chosen


def _onsets(onset: NDArray[Any]) -> int:
    """How many different onsets there are; those of one chord count once."""
    gaps = np.diff(np.sort(onset.astype(np.int64)))
    return int((gaps >= TOGETHER).sum()) + bool(len(onset))


def _columns(notes: Notes) -> tuple[Ints, Ints, Ints]:
    return (
        notes.onset.astype(np.int64),
        notes.pitch.astype(np.int64),
        notes.track.astype(np.int64),
    )


@compiled
def _triples(
    onset: Ints, pitch: Ints, track: Ints, starts: Ints
) -> tuple[
    NDArray[np.int32], NDArray[np.int32], NDArray[np.int16], NDArray[np.int32]
]:  # pragma: no cover
    """Keys, first notes, distances to the last ones, keys with the ratio beside the nearest."""
    most = len(onset) * FIRST * SECOND
    key, beside = np.empty(most, np.int32), np.empty(most, np.int32)
    note, third = np.empty(most, np.int32), np.empty(most, np.int16)
    n = 0
    wide = 2 * LARGEST_STEP + 1
    for p in range(len(starts) - 1):
        for i in range(starts[p], starts[p + 1]):
            one = 0
            for j in range(i + 1, starts[p + 1]):
                if track[j] != track[i] or onset[j] - onset[i] > LONGEST_SPAN or one == FIRST:
                    break
                if onset[j] - onset[i] < TOGETHER:
                    continue
                one += 1
                two = 0
                for k in range(j + 1, starts[p + 1]):
                    if track[k] != track[j] or onset[k] - onset[i] > LONGEST_SPAN or two == SECOND:
                        break
                    if onset[k] - onset[j] < TOGETHER:
                        continue
                    two += 1
                    a, b = pitch[j] - pitch[i], pitch[k] - pitch[j]
                    if abs(a) > LARGEST_STEP or abs(b) > LARGEST_STEP:
                        continue
                    exact = RATIO_STEPS * np.log2((onset[k] - onset[j]) / (onset[j] - onset[i]))
                    near = int(np.rint(exact))
                    other = near + 1 if exact > near else near - 1
                    if abs(near) > MOST_RATIO:
                        continue
                    steps = ((a + LARGEST_STEP) * wide + b + LARGEST_STEP) * (2 * MOST_RATIO + 3)
                    key[n] = steps + near + MOST_RATIO + 1
                    beside[n] = steps + other + MOST_RATIO + 1
                    note[n], third[n] = i, min(k - i, 32767)
                    n += 1
    return key[:n], note[:n], third[:n], beside[:n]


@compiled
def _on_a_line(
    query: NDArray[np.float64], source: NDArray[np.float64]
) -> NDArray[np.bool_]:  # pragma: no cover
    """Which hits lie on the line that most lie on, of the lines through two of up to 24 hits."""
    n = len(query)
    best, slope_best, shift_best = 0, 1.0, 0.0
    step = max(1, n // PROPOSALS)
    for a in range(0, n, step):
        for b in range(a + step, n, step):
            across = source[b] - source[a]
            if abs(across) < 2.0:
                continue
            slope = (query[b] - query[a]) / across
            if slope < 0.2 or slope > 5.0:
                continue
            shift = query[a] - slope * source[a]
            lie = 0
            before = -1.0
            for k in range(n):
                if abs(slope * source[k] + shift - query[k]) <= OFF_LINE and query[k] != before:
                    lie += 1
                    before = query[k]
            if lie > best:
                best, slope_best, shift_best = lie, slope, shift
    on = np.zeros(n, np.bool_)
    if best:
        for k in range(n):
            on[k] = abs(slope_best * source[k] + shift_best - query[k]) <= OFF_LINE
    return on


def _hits(keys: NDArray[np.int32], known: NDArray[np.int32]) -> tuple[Ints, Ints]:
    """Pairs (triple of the query, place in the corpus's triples) of equal keys."""
    low = np.searchsorted(known, keys.ravel(), side="left")
    count = np.searchsorted(known, keys.ravel(), side="right") - low
    count[count > MOST_PLACES] = 0
    first = np.repeat(np.arange(keys.size), count)
    within = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    return first // keys.shape[1], np.repeat(low, count) + within
