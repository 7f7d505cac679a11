"""Reads the events of Standard MIDI File tracks, safely on any bytes.

A compiled loop of our own, since the C++ parser at hand crashes the process on damaged files and
drops notes that are never switched off without a word. Notes pair first on, first off.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled

MAX_TICK = 1 << 40

FAULTS = {
    1: "a track has no end-of-track event",
    2: "the data ends inside an event",
    3: "an undefined status byte",
    4: "a data byte where a status byte must stand",
    5: "a data byte over 127 inside a message",
    6: "times beyond 2^40 ticks",
    7: "a time or length longer than four bytes",
}


class Events(NamedTuple):
    """The events of several tracks, one track after the other.

    ``notes``: (7, n) = onset, end, pitch, velocity, part, program, channel. A part is one channel
    of one track; parts are numbered by track, then channel. ``parts``: (parts, 2) = track, channel.
    ``metas``: (m, 5) = tick, type, offset of the content, its length, track: names, meters and
    keys, and as type 256 + its number the control change asked for, with its value for a length.
    ``tempos``: (k, 2) = tick, microseconds a quarter, 0 where there are no three bytes.
    ``tracks``: (tracks, 6) = end tick, note-offs without a note, notes never switched off
    (they end with their track), tick of the last control change (-1 without one), fault, where.
    """

    notes: NDArray[np.int64]
    parts: NDArray[np.int64]
    metas: NDArray[np.int64]
    tempos: NDArray[np.int64]
    tracks: NDArray[np.int64]


def read_tracks(data: NDArray[np.uint8], spans: NDArray[np.int64], control: int = -1) -> Events:
    """The events of the tracks whose contents are ``data[start:stop]`` for each row of ``spans``.

    Reading stops at the first track with a fault over 1.
    """
    return Events(*_read_all(data, spans, control))


@compiled
def _read_all(data: Any, spans: Any, control: int) -> tuple[Any, Any, Any, Any, Any]:
    room = 1
    for t in range(len(spans)):
        room += (spans[t, 1] - spans[t, 0]) // 3 + 1
    notes = np.empty((7, room), np.int64)
    metas = np.empty((room, 5), np.int64)
    tracks = np.zeros((len(spans), 6), np.int64)
    used = np.zeros((len(spans), 16), np.bool_)
    following = np.empty(room, np.int64)
    first, last = np.empty(2048, np.int64), np.empty(2048, np.int64)
    n = m = 0
    for t in range(len(spans)):
        start = n
        n, m, tick, stray, fault, at, controlled = _read(
            *(data, spans[t, 0], spans[t, 1], notes, metas, n, m, t, control),
            *(first, last, following),
        )
        endless = 0
        for k in range(start, n):
            used[t, notes[6, k]] = True
            notes[4, k] = t
            if notes[1, k] < 0:
                notes[1, k] = max(tick, notes[0, k])
                endless += 1
        row = tracks[t]
        row[0], row[1], row[2], row[3], row[4], row[5] = tick, stray, endless, controlled, fault, at
        if fault > 1:
            break
    number = np.zeros((len(spans), 16), np.int64)
    parts = np.empty((min(16 * len(spans), n), 2), np.int64)
    count = 0
    for t in range(len(spans)):
        for channel in range(16):
            if used[t, channel]:
                number[t, channel] = count
                parts[count, 0], parts[count, 1] = t, channel
                count += 1
    for k in range(n):
        notes[4, k] = number[notes[4, k], notes[6, k]]
    tempos = np.empty((m, 2), np.int64)
    others = np.empty((m, 5), np.int64)
    n_tempos = n_others = 0
    for k in range(m):
        if metas[k, 1] == 0x51:
            at, micros = metas[k, 2], 0
            if metas[k, 3] >= 3:
                micros = (int(data[at]) << 16) + (int(data[at + 1]) << 8) + int(data[at + 2])
            tempos[n_tempos, 0], tempos[n_tempos, 1] = metas[k, 0], micros
            n_tempos += 1
        else:
            for column in range(5):
                others[n_others, column] = metas[k, column]
            n_others += 1
    kept = np.empty((7, n), np.int64)
    for row in range(7):
        for k in range(n):
            kept[row, k] = notes[row, k]
    return kept, parts[:count], others[:n_others], tempos[:n_tempos], tracks


@compiled
def _read(  # noqa: PLR0915 - one loop over bytes; calls would hide the cursor
    data: Any,
    start: int,
    stop: int,
    notes: Any,
    metas: Any,
    n: int,
    m: int,
    track: int,
    control: int,
    first: Any,
    last: Any,
    following: Any,
) -> tuple[int, int, int, int, int, int, int]:
    """(notes, metas, tick, stray note-offs, fault, where, last control) after one track."""
    for slot in range(len(first)):  # oldest sounding note of each channel and pitch
        first[slot] = -1
    program = np.zeros(16, np.int64)
    tick = stray = status = 0
    controlled = -1
    at = start
    while at < stop:
        delta = 0
        count = 0
        while True:
            if at >= stop:
                return n, m, tick, stray, 2, at, controlled
            byte = int(data[at])
            at += 1
            count += 1
            delta = (delta << 7) | (byte & 127)
            if byte < 128:
                break
            if count == 4:
                return n, m, tick, stray, 7, at, controlled
        tick += delta
        if tick > 1099511627776:
            return n, m, tick, stray, 6, at, controlled
        if at >= stop:
            return n, m, tick, stray, 2, at, controlled
        byte = int(data[at])
        if byte >= 240:
            at += 1
            kind = -1
            if byte == 255:
                if at >= stop:
                    return n, m, tick, stray, 2, at, controlled
                kind = int(data[at])
                at += 1
            if byte in (240, 247, 255):
                size = 0
                count = 0
                while True:
                    if at >= stop:
                        return n, m, tick, stray, 2, at, controlled
                    part = int(data[at])
                    at += 1
                    count += 1
                    size = (size << 7) | (part & 127)
                    if part < 128:
                        break
                    if count == 4:
                        return n, m, tick, stray, 7, at, controlled
                if at + size > stop:
                    return n, m, tick, stray, 2, at, controlled
                if kind in (3, 0x51, 0x58, 0x59):
                    metas[m, 0], metas[m, 1], metas[m, 2] = tick, kind, at
                    metas[m, 3], metas[m, 4] = size, track
                    m += 1
                at += size
                if kind == 47:
                    return n, m, tick, stray, 0, at, controlled
            elif byte in (241, 243):
                at += 1
            elif byte == 242:
                at += 2
            elif byte in (244, 245, 249, 253):
                return n, m, tick, stray, 3, at - 1, controlled
            continue
        if byte >= 128:
            status = byte
            at += 1
        elif status == 0:
            return n, m, tick, stray, 4, at, controlled
        command = status >> 4
        channel = status & 15
        width = 1 if command in (12, 13) else 2
        if at + width > stop:
            return n, m, tick, stray, 2, at, controlled
        one = int(data[at])
        two = int(data[at + width - 1])
        if one > 127 or two > 127:
            return n, m, tick, stray, 5, at, controlled
        at += width
        if command == 12:
            program[channel] = one
        elif command == 11:
            controlled = tick
            if one == control:
                metas[m, 0], metas[m, 1], metas[m, 2] = tick, 256 + one, at
                metas[m, 3], metas[m, 4] = two, track
                m += 1
        elif command == 9 and two > 0:
            slot = channel * 128 + one
            notes[0, n], notes[1, n], notes[2, n] = tick, -1, one
            notes[3, n], notes[5, n], notes[6, n] = two, program[channel], channel
            following[n] = -1
            if first[slot] < 0:
                first[slot] = n
            else:
                following[last[slot]] = n
            last[slot] = n
            n += 1
        elif command in (8, 9):
            slot = channel * 128 + one
            note = first[slot]
            if note < 0:
                stray += 1
            else:
                notes[1, note] = tick
                first[slot] = following[note]
    return n, m, tick, stray, 1, at, controlled
