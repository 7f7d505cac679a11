"""Reads the events of one Standard MIDI File track, safely on any bytes.

A compiled loop of our own, since the C++ parser at hand crashes the process on damaged files and
drops notes that are never switched off without a word. Notes pair first on, first off.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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


class TrackEvents(NamedTuple):
    """``notes``: (n, 6) = onset, end (-1: never off), channel, pitch, velocity, program;
    ``metas``: (m, 4) = tick, type, offset of the content, its length. A control change counts as
    a meta event of type 256 + its number, with its value for a length."""

    notes: NDArray[np.int64]
    metas: NDArray[np.int64]
    end_tick: int
    stray_offs: int
    fault: int
    fault_at: int


def read_track(data: NDArray[np.uint8], start: int, stop: int) -> TrackEvents:
    """The events of the track whose content is ``data[start:stop]``."""
    notes = np.empty(((stop - start) // 3 + 1, 6), np.int64)
    metas = np.empty(((stop - start) // 3 + 1, 4), np.int64)
    n, m, tick, stray, fault, at = _compiled()(data, start, stop, notes, metas)
    return TrackEvents(notes[:n], metas[:m], tick, stray, fault, at)


@cache
def _compiled() -> Callable[..., Any]:
    from numba import njit

    compiled: Callable[..., Any] = njit(cache=True)(_read)
    return compiled


def _read(  # noqa: PLR0915 - one loop over bytes; calls would hide the cursor
    data: Any, start: int, stop: int, notes: Any, metas: Any
) -> tuple[int, int, int, int, int, int]:
    first = np.full(2048, -1, np.int64)  # oldest sounding note of each channel and pitch
    last = np.full(2048, -1, np.int64)
    following = np.full(len(notes), -1, np.int64)
    program = np.zeros(16, np.int64)
    n = m = tick = stray = status = 0
    at = start
    while at < stop:
        delta = 0
        count = 0
        while True:
            if at >= stop:
                return n, m, tick, stray, 2, at
            byte = int(data[at])
            at += 1
            count += 1
            delta = (delta << 7) | (byte & 127)
            if byte < 128:
                break
            if count == 4:
                return n, m, tick, stray, 7, at
        tick += delta
        if tick > 1099511627776:
            return n, m, tick, stray, 6, at
        if at >= stop:
            return n, m, tick, stray, 2, at
        byte = int(data[at])
        if byte >= 240:
            at += 1
            kind = -1
            if byte == 255:
                if at >= stop:
                    return n, m, tick, stray, 2, at
                kind = int(data[at])
                at += 1
            if byte in (240, 247, 255):
                size = 0
                count = 0
                while True:
                    if at >= stop:
                        return n, m, tick, stray, 2, at
                    part = int(data[at])
                    at += 1
                    count += 1
                    size = (size << 7) | (part & 127)
                    if part < 128:
                        break
                    if count == 4:
                        return n, m, tick, stray, 7, at
                if at + size > stop:
                    return n, m, tick, stray, 2, at
                if kind >= 0:
                    metas[m, 0], metas[m, 1], metas[m, 2], metas[m, 3] = tick, kind, at, size
                    m += 1
                at += size
                if kind == 47:
                    return n, m, tick, stray, 0, at
            elif byte in (241, 243):
                at += 1
            elif byte == 242:
                at += 2
            elif byte in (244, 245, 249, 253):
                return n, m, tick, stray, 3, at - 1
            continue
        if byte >= 128:
            status = byte
            at += 1
        elif status == 0:
            return n, m, tick, stray, 4, at
        command = status >> 4
        channel = status & 15
        width = 1 if command in (12, 13) else 2
        if at + width > stop:
            return n, m, tick, stray, 2, at
        one = int(data[at])
        two = int(data[at + width - 1])
        if one > 127 or two > 127:
            return n, m, tick, stray, 5, at
        at += width
        if command == 12:
            program[channel] = one
        elif command == 11:
            metas[m, 0], metas[m, 1], metas[m, 2], metas[m, 3] = tick, 256 + one, at, two
            m += 1
        elif command == 9 and two > 0:
            slot = channel * 128 + one
            notes[n, 0], notes[n, 1], notes[n, 2] = tick, -1, channel
            notes[n, 3], notes[n, 4], notes[n, 5] = one, two, program[channel]
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
                notes[note, 1] = tick
                first[slot] = following[note]
    return n, m, tick, stray, 1, at
