"""What a piece was asked to be: a table of attributes, from a piece or written out.

Conventions
-----------
- Attributes that nobody asked for are None: a control metric that needs one is then undefined.
- Per-bar attributes (chords, meters) go by bar number; the number of bars is that of the target.
- :mod:`concours.metrics.target_table` reads targets from tables, :mod:`concours.metrics.prompt`
  from prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from concours.metrics.chords import Vocabulary, chords_of
from concours.metrics.instruments import DRUMS
from concours.metrics.keys import key_of
from concours.metrics.piece import Piece
from concours.metrics.spec import Undefined

Meter = tuple[int, int]


@dataclass(frozen=True)
class Target:
    """What was asked for; None where nobody asked.

    ``instruments``: MIDI programs, 128 for drums, or sets of programs of which any one will do;
    ``chords``: the set of labels ("C:maj") of each bar, over and over to the end of the piece where
    ``chords_repeat``; ``meters``: (numerator, denominator) of each bar, a single one without
    ``bars`` standing for all; ``tempo``: quarters a minute; ``key``: (tonic, minor);
    ``pitch_range``: (lowest, highest); ``density``: notes a bar.
    """

    instruments: frozenset[int | frozenset[int]] | None = None
    chords: tuple[frozenset[str], ...] | None = None
    meters: tuple[Meter, ...] | None = None
    tempo: float | None = None
    key: tuple[int, bool] | None = None
    bars: int | None = None
    pitch_range: tuple[int, int] | None = None
    density: float | None = None
    chords_repeat: bool = False

    @property
    def states_nothing(self) -> bool:
        """Whether nothing was asked for."""
        return self == Target()


def target_of(piece: Piece) -> Target:
    """The attributes of a piece, computed once: what was got, or what was asked for by example.

    >>> from concours.metrics.piece import make_piece
    >>> target_of(make_piece(onset=[0], end=[1920], pitch=[60])).bars
    1
    """
    return piece.shared("target", lambda: _attributes(piece))


def target_of_prefix(prefix: Piece) -> Target:
    """What a piece asks of its continuation: all but its length and its chords.

    >>> from concours.metrics.piece import make_piece
    >>> target_of_prefix(make_piece(onset=[0], end=[1920], pitch=[60])).bars is None
    True
    """
    own = target_of(prefix)
    meters = own.meters[-1:] if own.meters and len(set(own.meters)) == 1 else None
    return replace(own, bars=None, chords=None, meters=meters)


def target_from(table: Mapping[str, Any]) -> Target:
    """A target from plain values; see :func:`concours.metrics.target_table.target_from`.

    >>> target_from({"key": "Bb minor", "bars": 8}).key
    (10, True)
    """
    from concours.metrics.target_table import target_from as read

    return read(table)


def _attributes(piece: Piece) -> Target:
    bars = len(piece.bar_edges) - 1
    pitch = piece.pitched.pitch
    key = key_of(piece)
    seconds = piece.seconds
    quarters = piece.end_tick / piece.ticks_per_quarter
    return Target(
        instruments=frozenset(programs_of(piece)),
        chords=bar_chords(piece, "triads"),
        meters=_bar_meters(piece),
        tempo=60 * quarters / seconds if seconds > 0 else None,
        key=None if isinstance(key, Undefined) else (key.tonic, key.minor),
        bars=bars,
        pitch_range=(int(pitch.min()), int(pitch.max())) if len(pitch) else None,
        density=piece.n_notes / bars if bars else None,
    )


def programs_of(piece: Piece) -> frozenset[int]:
    """The MIDI programs that play, 128 for drums."""
    return frozenset(np.where(piece.is_drum, DRUMS, piece.program).tolist())


def _bar_meters(piece: Piece) -> tuple[Meter, ...]:
    starts = np.concatenate([[0], piece.meter_tick])
    tops = np.concatenate([[4], piece.meter_numerator]).tolist()
    bottoms = np.concatenate([[4], piece.meter_denominator]).tolist()
    at = np.searchsorted(starts, piece.bar_edges[:-1], side="right") - 1
    return tuple((tops[i], bottoms[i]) for i in at.tolist())


def bar_chords(piece: Piece, vocabulary: Vocabulary) -> tuple[frozenset[str], ...]:
    """The labels of the chords that begin in or run through each bar, one set a bar."""
    bars = len(piece.bar_edges) - 1
    found: list[set[str]] = [set() for _ in range(bars)]
    chords = chords_of(piece, "beat", vocabulary)
    if not isinstance(chords, Undefined):
        at = piece.bar_of(chords.edges[:-1])
        for span in np.flatnonzero(chords.root >= 0).tolist():
            found[at[span]].add(chords.label(span))
    return tuple(frozenset(labels) for labels in found)
