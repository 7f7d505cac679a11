"""The cardinality score of a piece against an indexed corpus, under both sizes of window.

Of a corpus with more than :data:`MOST_POINTS` points, pieces are drawn (with a seed) until they
hold that many; ``pieces_searched`` says how many were.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.eval.originality.corpus_index import CorpusIndex
from concours.metrics.originality.cardinality import (
    FEWEST_POINTS,
    STEPS,
    WINDOWS,
    Packed,
    nearest,
    pack,
    windows,
)
from concours.metrics.originality.notes import UNITS, Notes

MOST_POINTS = 300_000
SEED = 0


class _Cut(NamedTuple):
    """The windows of one piece that have points enough, and where each begins and ends (24ths)."""

    name: str
    windows: list[NDArray[np.int64]]
    notes: Notes


class PointSearch:
    """The windows of a corpus, cut once."""

    def __init__(self, index: CorpusIndex) -> None:
        place = [(s, i) for s, part in enumerate(index.notes) for i in range(len(part.names))]
        order = np.random.default_rng(SEED).permutation(len(place)).tolist()
        self.pieces: list[tuple[str, Notes]] = []
        points = 0
        for k in order:
            shard, number = place[k]
            notes = index.notes[shard].piece(number)
            self.pieces.append((str(index.notes[shard].names[number]), notes))
            points += len(notes.onset)
            if points >= MOST_POINTS:
                break
        self.pieces.sort(key=lambda p: p[0])
        self.cuts = {w: [_Cut(n, _windows(p, *w), p) for n, p in self.pieces] for w in WINDOWS}
        self._packed: dict[tuple[int, int], Packed] = {}

    def scores(self, notes: Notes, aside: Collection[str] = ()) -> dict[str, Any]:
        """By window length in quarters: ``score``, the mean over the piece's windows of the highest
        cardinality score with a window of the corpus, ``originality`` (1 minus it), and ``best``,
        the two windows that have most in common. Without a window of more than three points a
        length is left out."""
        found: dict[str, Any] = {}
        for size in WINDOWS:
            own = _windows(notes, *size)
            cuts = [c for c in self.cuts[size] if c.name not in aside]
            if not own or not cuts:
                continue
            result = nearest(pack(own), self._windows_of(size, cuts, aside), size[0])
            best = int(result.score.argmax())
            score = float(result.score.mean())
            found[str(size[0])] = {
                "score": round(score, 6),
                "originality": round(1.0 - score, 6),
                "windows": len(own),
                "pieces_searched": len(cuts),
                "best": _best(notes, own[best], cuts, int(result.window[best]))
                | {"score": round(float(result.score[best]), 6)},
            }
        return found

    def _windows_of(
        self, size: tuple[int, int], cuts: list[_Cut], aside: Collection[str]
    ) -> Packed:
        if aside:
            return pack([w for c in cuts for w in c.windows])
        if size not in self._packed:
            self._packed[size] = pack([w for c in cuts for w in c.windows])
        return self._packed[size]


def _windows(notes: Notes, length: int, hop: int) -> list[NDArray[np.int64]]:
    time = np.floor(notes.onset.astype(np.float64) * STEPS / UNITS + 0.5).astype(np.int64)
    found = np.unique(np.stack([time, notes.letter.astype(np.int64)], axis=1), axis=0)
    return [w for w in windows(found, length, hop) if len(w) > FEWEST_POINTS]


def _best(notes: Notes, own: NDArray[np.int64], cuts: list[_Cut], window: int) -> dict[str, Any]:
    if window < 0:
        return {}
    for cut in cuts:
        if window < len(cut.windows):
            return {
                "source": cut.name,
                "bars": _bars(notes, own),
                "source_bars": _bars(cut.notes, cut.windows[window]),
            }
        window -= len(cut.windows)
    return {}


def _bars(notes: Notes, window: NDArray[np.int64]) -> list[int]:
    """The bars of the first and the last point of a window."""
    time = np.floor(notes.onset.astype(np.float64) * STEPS / UNITS + 0.5)
    inside = (time >= window[0, 0]) & (time <= window[-1, 0])
    bars = notes.bar[inside]
    return [int(bars.min()), int(bars.max())]
