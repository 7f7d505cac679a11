"""The notes of a piece as columns that an index can keep: what points and fingerprints are made of.

Times are in 960ths of a quarter, whatever the file's resolution, so that pieces can be compared.
Drums are left out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.originality.cardinality import morphetic
from concours.metrics.originality.tokens import bar_numbers, beat_numbers
from concours.metrics.piece import Piece

UNITS = 960  # of time in a quarter


class Notes(NamedTuple):
    """Columns of shape (notes,), by track, then time, then pitch: ``onset`` in 960ths of a
    quarter, ``pitch`` 0-127, ``letter`` its morphetic pitch, ``track``, ``bar`` and ``beat`` as
    musicians count."""

    onset: NDArray[Any]
    pitch: NDArray[Any]
    letter: NDArray[Any]
    track: NDArray[Any]
    bar: NDArray[Any]
    beat: NDArray[Any]

    def part(self, first: int, last: int) -> Notes:
        """The notes from ``first`` to before ``last``."""
        return Notes(*(column[first:last] for column in self))


def notes_of(piece: Piece) -> Notes:
    """The pitched notes of a piece."""
    notes = piece.pitched
    order = np.lexsort((notes.pitch, notes.onset, notes.track))
    onset = notes.onset[order]
    return Notes(
        np.floor(onset * UNITS / notes.ticks_per_quarter + 0.5).astype(np.uint32),
        notes.pitch[order].astype(np.uint8),
        morphetic(notes)[order].astype(np.int16),
        notes.track[order].astype(np.uint16),
        bar_numbers(notes, onset).astype(np.int32),
        beat_numbers(notes, onset).astype(np.float32),
    )
