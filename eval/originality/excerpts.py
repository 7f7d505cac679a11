"""The notes around a passage on both sides, for drawing and playing.

An index keeps onsets and pitches of the voices that it compares, no durations: here a note lasts
until the next of its voice, at most four quarters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.tokens import Tokens

CONTEXT = 6
LONGEST_NOTE = 4.0
TOLERANCE = 1 / 16
Row = list[float | int | bool]


def excerpts(
    tokens: Tokens,
    first: int,
    last: int,
    index: NgramIndex,
    source_first: int,
    source_last: int,
    *,
    altered: tuple[int, float] | None = None,
) -> dict[str, list[Row]]:
    """``piece`` and ``source``: rows (start in quarters from the excerpt's first note, duration,
    pitch, shared) of the passage with up to six notes of its voice on either side.

    ``altered`` is (transposition, tempo factor) where not every note of the stretch is shared:
    then those are that fall on each other.
    """
    a, b = _around(first, last, _span(tokens.voice, first))
    number = int(np.searchsorted(index.voices, source_first, side="right")) - 1
    voice = (int(index.voices[number]), int(index.voices[number + 1]))
    c, d = _around(source_first, source_last, voice)
    source = int(np.searchsorted(index.starts, source_first, side="right")) - 1
    time = tokens.onset[a:b] / tokens.ticks_per_quarter
    source_time = index.onset[c:d].astype(np.float64) / int(index.ticks_per_quarter[source])
    lit, source_lit = np.zeros(b - a, np.bool_), np.zeros(d - c, np.bool_)
    lit[first - a : last + 1 - a] = True
    source_lit[source_first - c : source_last + 1 - c] = True
    pitch, source_pitch = tokens.pitch[a:b], index.pitch[c:d].astype(np.int64)
    if altered is not None:
        shift, factor = altered
        begin = time[first - a] - source_time[source_first - c] / factor
        placed = source_time / factor + begin
        together = (np.abs(time[:, None] - placed[None, :]) <= TOLERANCE) & (
            pitch[:, None] == source_pitch[None, :] + shift
        )
        together &= lit[:, None] & source_lit[None, :]
        lit, source_lit = together.any(axis=1), together.any(axis=0)
    return {
        "piece": _rows(time, pitch, lit),
        "source": _rows(source_time, source_pitch, source_lit),
    }


def _span(voice: NDArray[np.int64], position: int) -> tuple[int, int]:
    own = np.flatnonzero(voice == voice[position])
    return int(own[0]), int(own[-1]) + 1


def _around(first: int, last: int, span: tuple[int, int]) -> tuple[int, int]:
    return max(span[0], first - CONTEXT), min(span[1], last + 1 + CONTEXT)


def _rows(time: NDArray[np.float64], pitch: NDArray[np.int64], lit: NDArray[np.bool_]) -> list[Row]:
    duration = np.minimum(np.diff(time, append=time[-1] + 1.0), LONGEST_NOTE)
    start = np.round(time - time[0], 4)
    return [
        [float(t), float(d), int(p), bool(on)]
        for t, d, p, on in zip(start, np.round(duration, 4), pitch, lit, strict=True)
    ]
