"""Passages in performed timing that an indexed corpus holds, by symbolic fingerprints.

They are searched in corpora of at most :data:`MOST_NOTES` notes; the fingerprints take about 70
bytes a note and are made when a search begins.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.eval.originality.corpus_index import CorpusIndex, ShardNotes
from concours.metrics.originality.fingerprints import (
    OFF_LINE,
    Cell,
    Fingerprints,
    cells,
    fingerprints,
)
from concours.metrics.originality.notes import UNITS, Notes

KIND = "expressive timing"
VIEW = "fingerprints"
MOST_NOTES = 5_000_000
FEWEST_VOTES = 10
MOST_PASSAGES = 3
CONTEXT = 6
LONGEST_NOTE = 4.0
ON_LINE = 0.9

Passage = tuple[dict[str, Any], NDArray[np.int64]]


class ExpressiveSearch:
    """The fingerprints of a corpus; without any where the corpus is too large."""

    def __init__(self, index: CorpusIndex) -> None:
        self.shards: list[tuple[ShardNotes, Fingerprints]] = []
        if sum(len(part.notes.onset) for part in index.notes) <= MOST_NOTES:
            self.shards = [(part, fingerprints(part.notes, part.starts)) for part in index.notes]

    def best(self, notes: Notes, aside: Collection[str] = ()) -> list[tuple[ShardNotes, Cell]]:
        """The cells with most votes over all shards, best first."""
        found = []
        for part, known in self.shards:
            numbers = [i for i, name in enumerate(part.names.tolist()) if name in aside]
            of = cells(notes, part.notes, part.starts, known, aside=numbers, most=MOST_PASSAGES)
            found += [(part, c) for c in of]
        return sorted(found, key=lambda f: (-f[1].votes, str(f[0].names[f[1].piece])))

    def most_votes(self, notes: Notes, aside: Collection[str] = ()) -> int:
        best = self.best(notes, aside)
        return best[0][1].votes if best else 0

    def passages(self, notes: Notes, level: float) -> list[Passage]:
        """Cells above the level as passages, each with the onsets and pitches that voted, packed
        as ``onset * 128 + pitch``."""
        return [
            (_as_passage(notes, part, cell), _keys(notes, cell.notes))
            for part, cell in self.best(notes)
            if cell.votes > level
        ]


def on_a_line(time: NDArray[Any], source_time: NDArray[Any]) -> bool:
    """Whether the onsets of a passage follow those of its source at one tempo: nine of ten are
    within a fifth of a quarter of the straight line that fits them; both in quarters."""
    x, y = np.asarray(source_time, np.float64), np.asarray(time, np.float64)
    slope, shift = np.polyfit(x, y, 1)
    off = np.abs(slope * x + shift - y)
    return bool(slope > 0 and (off <= OFF_LINE).mean() >= ON_LINE)


def _keys(notes: Notes, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    packed: NDArray[np.int64] = notes.onset[chosen].astype(np.int64) * 128 + notes.pitch[chosen]
    return packed


def _as_passage(notes: Notes, part: ShardNotes, cell: Cell) -> dict[str, Any]:
    own, source = _in_time(notes, cell.notes), _in_time(part.notes, cell.source_notes)
    first, last, source_first, source_last = own[0], own[-1], source[0], source[-1]
    return {
        "source": str(part.names[cell.piece]),
        "track": int(notes.track[first]),
        "source_track": int(part.notes.track[source_first]),
        "bars": [int(notes.bar[first]), int(notes.bar[last])],
        "source_bars": [int(part.notes.bar[source_first]), int(part.notes.bar[source_last])],
        "beats": [float(notes.beat[first]), float(notes.beat[last])],
        "source_beats": [float(part.notes.beat[source_first]), float(part.notes.beat[source_last])],
        "transposition": cell.transposition,
        "tempo_factor": cell.tempo_factor,
        "length": cell.votes,
        "kind": KIND,
        "view": VIEW,
        "roll": {
            "piece": _roll(notes, own),
            "source": _roll(part.piece(cell.piece), source - part.starts[cell.piece]),
        },
    }


def _in_time(notes: Notes, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    return chosen[np.argsort(notes.onset[chosen], kind="stable")]


def _roll(notes: Notes, lit: NDArray[np.int64]) -> list[list[float | int | bool]]:
    """The notes of the tracks that hold lit notes, from a little before to a little after."""
    tracks = np.flatnonzero(np.isin(notes.track, np.unique(notes.track[lit])))
    tracks = tracks[np.argsort(notes.onset[tracks], kind="stable")]
    where = np.flatnonzero(np.isin(tracks, lit))
    shown = tracks[max(0, where[0] - CONTEXT) : where[-1] + 1 + CONTEXT]
    time = notes.onset[shown].astype(np.float64) / UNITS
    after = np.searchsorted(time, time + 1 / 16)
    following = np.append(time, time[-1] + 1.0)[np.minimum(after, len(time))]
    duration = np.clip(following - time, 0.05, LONGEST_NOTE)
    on = np.isin(shown, lit)
    return [
        [round(float(t - time[0]), 4), round(float(d), 4), int(p), bool(x)]
        for t, d, p, x in zip(time, duration, notes.pitch[shown], on, strict=True)
    ]
