"""The two sides of a passage drawn one above the other, so that what is shared stands in line.

Both sides have the same scale: the shared notes of each begin at one place and end at another, and
the source is raised or lowered by its transposition. What lies further than half the passage's
length before or after it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from concours.eval.originality.excerpts import Row
from concours.metrics.keys import NAMES

WIDTH, HEIGHT = 640, 110
MOST_AROUND = 0.5
TALLEST = 9.0


class Roll(NamedTuple):
    """``notes`` are rectangles (x, y, width, height, shared) in a box of :data:`WIDTH` by
    :data:`HEIGHT`; ``edges`` the x of the first and the last shared onset; ``pitches`` the names of
    the highest and the lowest shared note with the y of their middle."""

    notes: tuple[tuple[float, float, float, float, bool], ...]
    edges: tuple[float, float]
    pitches: tuple[tuple[str, float], ...]


def rolls(passage: Mapping[str, Any]) -> tuple[Roll, Roll]:
    """The piece's side and the source's, of a passage with its ``roll`` and ``transposition``."""
    sides = [passage["roll"]["piece"], passage["roll"]["source"]]
    shifts = [0, int(passage["transposition"])]
    placed = [_relative(rows) for rows in sides]
    before = min(MOST_AROUND, max(-start for times in placed for start, _ in times))
    after = min(MOST_AROUND, max(end - 1 for times in placed for _, end in times))
    kept = [
        [
            (max(start, -before), min(end, 1 + after), int(row[2]) + shift, bool(row[3]))
            for (start, end), row in zip(times, rows, strict=True)
            if end > -before and start < 1 + after
        ]
        for times, rows, shift in zip(placed, sides, shifts, strict=True)
    ]
    low = min(note[2] for side in kept for note in side) - 1
    high = max(note[2] for side in kept for note in side) + 1
    tall = HEIGHT / (high - low + 1)
    scale = WIDTH / (before + 1 + after)
    first, second = (
        _drawn(side, shift, (before, scale), (high, tall))
        for side, shift in zip(kept, shifts, strict=True)
    )
    return first, second


def _relative(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Start and end of each note; the first shared onset is at 0, the last one at 1."""
    shared = [float(t) for t, _, _, lit in rows if lit]
    span = max(shared[-1] - shared[0], 1e-3)
    return [
        ((float(t) - shared[0]) / span, (float(t) + float(d) - shared[0]) / span)
        for t, d, _, _ in rows
    ]


def _drawn(
    notes: Sequence[tuple[float, float, int, bool]],
    shift: int,
    time: tuple[float, float],
    height: tuple[int, float],
) -> Roll:
    before, scale = time
    high, tall = height

    def top(pitch: int) -> float:
        return round((high - pitch) * tall, 1)

    rectangles = tuple(
        (
            round((start + before) * scale, 1),
            top(pitch),
            max(2.0, round((end - start) * scale - 1, 1)),
            round(min(tall, TALLEST), 1),
            lit,
        )
        for start, end, pitch, lit in notes
    )
    shared = sorted({pitch for _, _, pitch, lit in notes if lit}, reverse=True)
    named = dict.fromkeys([shared[0], shared[-1]]) if shared else {}
    return Roll(
        rectangles,
        (round(before * scale, 1), round((before + 1) * scale, 1)),
        tuple(
            (_name(pitch - shift), round(top(pitch) + min(tall, TALLEST) / 2, 1)) for pitch in named
        ),
    )


def _name(pitch: int) -> str:
    """60 is C4."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"
