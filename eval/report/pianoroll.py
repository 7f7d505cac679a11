"""A piano roll as drawing instructions: notes as one SVG path a track, bar lines, labels.

The drawing spans the same seconds as the sound of the item. Pitched notes fill the box from its
lowest to its highest pitch; drums get a lane of their own below it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from concours.eval.render import excerpt_span
from concours.eval.report.wording import counted
from concours.metrics.piece import Piece

WIDTH, HEIGHT = 1000, 300
DRUM_LANE = 40
MOST_NOTES = 4000
COLOURS = 8
_FEWEST_SEMITONES = 24
_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Voice:
    """One track: ``colour`` from 0 to 7, ``path`` for an SVG of 1000 by 300 units."""

    name: str
    colour: int
    path: str


@dataclass(frozen=True)
class Mark:
    """A label at a percentage of the width (bars) or height (pitches)."""

    at: float
    text: str


@dataclass(frozen=True)
class Roll:
    """``start`` and ``seconds`` are the span that is drawn; ``length`` is that of the piece."""

    voices: tuple[Voice, ...]
    bar_lines: str
    bars: tuple[Mark, ...]
    pitches: tuple[Mark, ...]
    description: str
    start: float
    seconds: float
    length: float


def pitch_name(pitch: int) -> str:
    """Scientific pitch notation.

    >>> pitch_name(60), pitch_name(70)
    ('C4', 'B♭4')
    """
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def roll(piece: Piece, longest: float = 20.0) -> Roll | None:
    """The first ``longest`` seconds of a piece, from its first note; None without notes."""
    start, seconds = excerpt_span(piece, longest)
    if seconds <= 0:
        return None
    onset = piece.to_seconds(piece.onset) - start
    end = np.minimum(piece.to_seconds(piece.end) - start, seconds)
    seen = np.flatnonzero(onset < seconds)
    drawn = seen[:MOST_NOTES]
    low, high = _compass(piece.pitch[drawn][~piece.is_drum[drawn]])
    drums = bool(piece.is_drum[drawn].any())
    floor = HEIGHT - DRUM_LANE if drums else HEIGHT
    left = np.rint(onset[drawn] / seconds * WIDTH).astype(int)
    right = np.maximum(np.rint(end[drawn] / seconds * WIDTH).astype(int), left + 3)
    rows = _rows(piece, drawn, low, high, floor)
    voices = _voices(piece, drawn, left, right, rows, max(3, floor // (high - low + 1)))
    lines, bars, first, last = _bars(piece, start, seconds)
    return Roll(
        voices=voices,
        bar_lines="".join(f"M{x} 0V{HEIGHT}" for x in lines),
        bars=bars,
        pitches=_pitch_marks(low, high, floor),
        description=_described(piece, seen, len(drawn), seconds, first, last),
        start=start,
        seconds=seconds,
        length=piece.seconds,
    )


def _compass(pitch: NDArray[np.int64]) -> tuple[int, int]:
    """Lowest and highest pitch to draw: at least two octaves, so that near unisons look near."""
    low, high = (int(pitch.min()), int(pitch.max())) if len(pitch) else (60, 60)
    more = max(0, _FEWEST_SEMITONES - (high - low))
    low = max(0, low - more // 2 - 1)
    high = min(127, high + (more + 1) // 2 + 1)
    return low, high


def _rows(
    piece: Piece, drawn: NDArray[np.int64], low: int, high: int, floor: int
) -> NDArray[np.int64]:
    """The top of each note, from 0 (high) to 300 (low)."""
    pitch, drum = piece.pitch[drawn], piece.is_drum[drawn]
    top = np.rint((high - pitch) * floor / (high - low + 1)).astype(np.int64)
    kinds = np.unique(pitch[drum])
    if len(kinds):
        lane = np.searchsorted(kinds, pitch) * (DRUM_LANE - 8) // len(kinds)
        top = np.where(drum, HEIGHT - 6 - lane, top)
    return top


def _voices(
    piece: Piece,
    drawn: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    rows: NDArray[np.int64],
    thick: int,
) -> tuple[Voice, ...]:
    voices = []
    for i, track in enumerate(np.unique(piece.track[drawn]).tolist()):
        mine = piece.track[drawn] == track
        heights = np.where(piece.is_drum[drawn], 4, thick)
        notes = zip(left[mine], rows[mine], right[mine], heights[mine], strict=True)
        path = "".join(f"M{x} {y}H{r}v{h}H{x}Z" for x, y, r, h in notes)
        name = piece.track_names[track] if track < len(piece.track_names) else ""
        only_drums = bool(piece.is_drum[drawn][mine].all())
        shown = name or ("drums" if only_drums else f"track {track + 1}")
        voices.append(Voice(shown, i % COLOURS, path))
    return tuple(voices)


def _bars(
    piece: Piece, start: float, seconds: float
) -> tuple[list[int], tuple[Mark, ...], int, int]:
    """Positions of bar lines, labels of some of them, first and last bar (counted from 1)."""
    at = piece.to_seconds(piece.bar_edges) - start
    shown = np.flatnonzero((at >= -1e-6) & (at < seconds - 1e-6))
    first = max(1, int(np.searchsorted(at, 1e-6, side="right")))
    last = max(first, int(np.searchsorted(at, seconds - 1e-6, side="left")))
    if len(shown) > WIDTH // 4:
        return [], (), first, last
    every = next(n for n in (1, 2, 4, 8, 16, 32, 64) if len(shown) / n <= 10)
    labels = [i for i in shown.tolist() if i % every == 0 and at[i] < 0.97 * seconds]
    marks = tuple(Mark(round(100 * float(at[i]) / seconds, 2), str(i + 1)) for i in labels)
    return [round(float(at[i]) / seconds * WIDTH) for i in shown.tolist()], marks, first, last


def _pitch_marks(low: int, high: int, floor: int) -> tuple[Mark, ...]:
    share = 100 * floor / HEIGHT / (high - low + 1)
    return tuple(
        Mark(round((high - p + 0.5) * share, 2), pitch_name(p))
        for p in range(low, high + 1)
        if p % 12 == 0
    )


def _described(
    piece: Piece, seen: NDArray[np.int64], drawn: int, seconds: float, first: int, last: int
) -> str:
    pitch = piece.pitch[seen][~piece.is_drum[seen]]
    compass = ""
    if len(pitch):
        low, high = pitch_name(int(pitch.min())), pitch_name(int(pitch.max()))
        compass = f", from {low} to {high}" if low != high else f", all on {low}"
    tracks = counted(len(np.unique(piece.track[seen])), "track")
    bars = f"bars {first} to {last}" if last > first else f"bar {first}"
    rest = f"; only the first {drawn} are drawn" if drawn < len(seen) else ""
    return (
        f"Piano roll of {seconds:.1f} seconds, {bars}: {counted(len(seen), 'note')} in "
        f"{tracks}{compass}{rest}."
    )
