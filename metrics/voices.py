"""The voices of a piece, and what each of them does while another moves.

Conventions
-----------
- A voice is a pitched track that sounds one note at a time (``MONOPHONIC`` of its notes at least;
  where a few sound together the highest counts). Voices go from high to low by mean pitch,
  whatever the order of the tracks.
- A sonority lasts until a note of any voice starts or stops. Two voices move together from one
  sonority to the next where both sound in both; a rest ends a motion.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.grid import started
from concours.metrics.melody import skyline
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.spec import Undefined

MONOPHONIC = 0.9
MOST = 12
TRACKS = 256


class Notes(NamedTuple):
    """Notes of the voices, one voice after the other, in time, none of a voice overlapping its
    next: shape (n,). ``line`` indexes the voices."""

    onset: Ints
    pitch: Ints
    line: Ints


class Voices(NamedTuple):
    """``pitch``: (voices, sonorities), -1 for a rest; ``tick``: where each sonority starts."""

    names: tuple[str, ...]
    notes: Notes
    tick: Ints
    pitch: Ints


def voices_of(piece: Piece) -> Voices | Undefined:
    """The voices from high to low, computed once a piece.

    >>> from concours.metrics.piece import make_piece
    >>> duet = make_piece(onset=[0, 0, 480], end=[480, 960, 960], pitch=[72, 60, 74],
    ...                   track=[0, 1, 0])
    >>> voices_of(duet).pitch.tolist()
    [[72, 74], [60, 60]]
    """
    return piece.shared("voices", lambda: _voices(piece))


def _voices(piece: Piece) -> Voices | Undefined:
    notes = piece.pitched
    found, possible = _screened(notes.onset, notes.track, MONOPHONIC)
    if found < 0:
        known, track = np.unique(notes.track, return_inverse=True)
        found = len(known)
        possible = found <= MOST and _screened(notes.onset, track.astype(np.int64), MONOPHONIC)[1]
    if not 2 <= found <= MOST:
        return Undefined(f"{found} pitched tracks, and voices need 2 to {MOST}")
    if possible:
        columns = (notes.onset, notes.end, notes.pitch, notes.track)
        tracks, onset, pitch, line, tick, sonorities = _separated(*columns, found, MONOPHONIC)
        if len(tracks):
            names = tuple(_name(piece, t, i) for i, t in enumerate(tracks.tolist(), start=1))
            return Voices(names, Notes(onset, pitch, line), tick, sonorities)
    return Undefined("a track sounds several notes at once, so it is no single voice")


def _name(piece: Piece, track: int, number: int) -> str:
    name = piece.track_names[track] if track < len(piece.track_names) else ""
    return name or f"voice {number}"


@compiled
def _screened(onset: Ints, track: Ints, share: float) -> tuple[int, bool]:
    """(tracks, -1 where one is no number from 0 to ``TRACKS``; whether each may be a voice, since
    at least that share of its notes start at different times)."""
    last = np.full(TRACKS, -1, np.int64)
    notes, onsets = np.zeros(TRACKS, np.int64), np.zeros(TRACKS, np.int64)
    for k in range(len(onset)):
        own = track[k]
        if own < 0 or own >= TRACKS:
            return -1, False
        notes[own] += 1
        onsets[own] += last[own] != onset[k]
        last[own] = onset[k]
    found, possible = 0, True
    for i in range(TRACKS):
        if notes[i] > 0:
            found += 1
            possible = possible and onsets[i] >= share * notes[i]
    return found, possible


@compiled
def _separated(
    onset: Ints, end: Ints, pitch: Ints, track: Ints, found: int, share: float
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    """The track of each voice from high to low, (voices,), none where a track is no voice; onset,
    pitch and voice of the notes, voice by voice; and the sonorities as in :class:`Voices`."""
    n = len(onset)
    tracks, stop = np.empty(found, np.int64), np.zeros(found + 1, np.int64)
    lines, own = np.empty((3, n), np.int64), np.empty((3, n), np.int64)
    mean = np.empty(found)
    for i in range(found):
        first = True
        for k in range(n):  # the lowest track that is not yet taken
            if (i == 0 or track[k] > tracks[i - 1]) and (first or track[k] < tracks[i]):
                tracks[i] = track[k]
                first = False
        m = 0
        for k in range(n):
            own[0, m], own[1, m], own[2, m] = onset[k], end[k], pitch[k]
            m += track[k] == tracks[i]
        notes = skyline(own[0, :m], own[1, :m], own[2, :m])
        kept, at = len(notes[0]), stop[i]
        if kept < share * m:
            return tracks[:0], tracks[:0], tracks[:0], tracks[:0], tracks[:0], own[:, :0]
        total = 0
        for k in range(kept):
            lines[0, at + k], lines[1, at + k] = notes[0][k], notes[1][k]
            lines[2, at + k] = notes[2][k]
            total += notes[2][k]
        stop[i + 1] = at + kept
        mean[i] = total / kept
    order = np.arange(found)
    for i in range(1, found):
        j = i
        while j > 0 and _above(order[j], order[j - 1], mean, lines[0], stop):
            order[j], order[j - 1] = order[j - 1], order[j]
            j -= 1
    columns, line = np.empty((3, stop[found]), np.int64), np.empty(stop[found], np.int64)
    at = 0
    for voice in range(found):
        for k in range(stop[order[voice]], stop[order[voice] + 1]):
            columns[0, at], columns[1, at] = lines[0, k], lines[1, k]
            columns[2, at], line[at] = lines[2, k], voice
            at += 1
    tick, sonorities = _sonorities(columns[0], columns[1], columns[2], line, found)
    return tracks[order], columns[0], columns[2], line, tick, sonorities


@compiled
def _above(one: int, other: int, mean: Floats, starts: Ints, stop: Ints) -> bool:
    """Whether a voice's mean pitch is higher, or as high and its onsets come first in order."""
    if mean[one] != mean[other]:
        return bool(mean[one] > mean[other])
    a, b = starts[stop[one] : stop[one + 1]], starts[stop[other] : stop[other + 1]]
    for k in range(min(len(a), len(b))):
        if a[k] != b[k]:
            return bool(a[k] < b[k])
    return len(a) < len(b)


@compiled
def _sonorities(onset: Ints, end: Ints, pitch: Ints, line: Ints, voices: int) -> tuple[Ints, Ints]:
    """The ticks at which a note starts or stops, but for the last, and the pitch of each voice
    from there on, -1 for a rest; notes in time, voice by voice."""
    n = len(onset)
    at, stop = np.zeros(voices, np.int64), np.zeros(voices, np.int64)
    for k in range(n):
        stop[line[k]] = k + 1
    for voice in range(1, voices):
        at[voice] = stop[voice - 1]
    tick, sounding = np.empty(2 * n, np.int64), np.full((voices, 2 * n), -1, np.int64)
    now = onset[0]
    for voice in range(1, voices):
        now = min(now, onset[at[voice]])
    s = 0
    while True:
        following = -1
        for voice in range(voices):
            k = at[voice]
            if k < stop[voice] and end[k] <= now:
                k += 1
                at[voice] = k
            if k == stop[voice]:
                continue
            change = onset[k]
            if onset[k] <= now:
                sounding[voice, s] = pitch[k]
                change = end[k]
            if following < 0 or change < following:
                following = change
        if following < 0:
            return tick[:s].copy(), sounding[:, :s].copy()
        tick[s] = now
        now = following
        s += 1


def places(piece: Piece, ticks: Ints) -> list[tuple[int, float]]:
    """Bar and beat of each tick as musicians count them, from 1, the beat with its fraction.

    >>> from concours.metrics.piece import make_piece
    >>> places(make_piece(onset=[0], end=[9600], pitch=[60]), np.array([1920 + 720]))
    [(2, 2.5)]
    """
    bars, beats = _places(np.ascontiguousarray(ticks), piece.bar_edges, piece.beat_edges)
    counts = beats.tolist()
    rounded = {beat: round(beat, 3) for beat in set(counts)}
    return list(zip(bars.tolist(), [rounded[beat] for beat in counts], strict=True))


@compiled
def _places(ticks: Ints, bar_edges: Ints, beat_edges: Ints) -> tuple[Ints, Floats]:
    bars, beats = np.empty(len(ticks), np.int64), np.empty(len(ticks))
    for i in range(len(ticks)):
        bar = min(max(started(bar_edges, ticks[i]) - 1, 0), max(0, len(bar_edges) - 2))
        first = started(beat_edges, bar_edges[bar] - 1)
        beat = min(started(beat_edges, ticks[i]) - 1, len(beat_edges) - 2)
        start, stop = beat_edges[beat], beat_edges[beat + 1]
        bars[i] = bar + 1
        beats[i] = beat - first + 1 + (ticks[i] - start) / (stop - start)
    return bars, beats
