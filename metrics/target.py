"""What a piece was asked to be: a table of attributes, from a piece or written out.

Conventions
-----------
- Attributes that nobody asked for are None: a control metric that needs one is then undefined.
- Per-bar attributes (chords, meters) go by bar number; the number of bars is that of the target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from concours.metrics.chords import chords_of
from concours.metrics.keys import NAMES, key_of
from concours.metrics.piece import Piece
from concours.metrics.spec import Undefined

FLATS = {"Db": 1, "D#": 3, "Gb": 6, "G#": 8, "A#": 10, "Cb": 11, "B#": 0, "E#": 5, "Fb": 4}
FIELDS = ("instruments", "chords", "meters", "tempo", "key", "bars", "pitch_range", "density")


@dataclass(frozen=True)
class Target:
    """``instruments``: MIDI programs, 128 for drums; ``chords``: the set of labels ("C:maj") of
    each bar; ``meters``: (numerator, denominator) of each bar; ``tempo``: quarters a minute;
    ``key``: (tonic, minor); ``pitch_range``: (lowest, highest); ``density``: notes a bar."""

    instruments: frozenset[int] | None = None
    chords: tuple[frozenset[str], ...] | None = None
    meters: tuple[tuple[int, int], ...] | None = None
    tempo: float | None = None
    key: tuple[int, bool] | None = None
    bars: int | None = None
    pitch_range: tuple[int, int] | None = None
    density: float | None = None


def target_of(piece: Piece) -> Target:
    """The attributes of a piece, computed once: what was got, or what was asked for by example.

    >>> from concours.metrics.piece import make_piece
    >>> target_of(make_piece(onset=[0], end=[1920], pitch=[60])).bars
    1
    """
    return piece.shared("target", lambda: _attributes(piece))


def target_from(table: Mapping[str, Any]) -> Target:
    """A target from plain values, as a prompt file states them.

    ``instruments``: programs or "drums"; ``chords``: a label or a list of labels for each bar;
    ``meters``: "3/4" for all bars, or one for each; ``key``: "A minor"; ``pitch_range``: [low,
    high]; ``tempo``, ``bars`` and ``density``: numbers.

    Raises:
        ValueError: an attribute that there is not, or a value that can't be read.

    >>> target_from({"key": "Bb minor", "bars": 8}).key
    (10, True)
    """
    unknown = sorted(set(table) - set(FIELDS))
    if unknown:
        raise ValueError(f"no attribute {unknown[0]!r}; there are {', '.join(FIELDS)}")
    bars = None if table.get("bars") is None else int(table["bars"])
    given = {k: v for k, v in table.items() if v is not None}
    low_high = given.get("pitch_range")
    return Target(
        instruments=_instruments(given["instruments"]) if "instruments" in given else None,
        chords=tuple(_labels(c) for c in given["chords"]) if "chords" in given else None,
        meters=_meters(given["meters"], bars) if "meters" in given else None,
        tempo=float(given["tempo"]) if "tempo" in given else None,
        key=_key(str(given["key"])) if "key" in given else None,
        bars=bars,
        pitch_range=None if low_high is None else (int(low_high[0]), int(low_high[1])),
        density=float(given["density"]) if "density" in given else None,
    )


def _instruments(names: Sequence[int | str]) -> frozenset[int]:
    return frozenset(128 if str(n).lower() == "drums" else int(n) for n in names)


def _labels(chord: str | Sequence[str]) -> frozenset[str]:
    return frozenset([chord] if isinstance(chord, str) else chord)


def _meters(meters: str | Sequence[str], bars: int | None) -> tuple[tuple[int, int], ...]:
    each = [meters] * (bars or 1) if isinstance(meters, str) else list(meters)
    found = []
    for text in each:
        top, slash, bottom = text.partition("/")
        if not (slash and top.isdigit() and bottom.isdigit()):
            raise ValueError(f"a meter is written as 3/4, and {text!r} is not")
        found.append((int(top), int(bottom)))
    return tuple(found)


def _key(text: str) -> tuple[int, bool]:
    tonic, _, mode = text.strip().partition(" ")
    tonics = {name: i for i, name in enumerate(NAMES)} | FLATS
    if tonic not in tonics or mode not in ("", "major", "minor"):
        raise ValueError(f"a key is written as 'A minor' or 'Eb major', and {text!r} is not")
    return tonics[tonic], mode == "minor"


def _attributes(piece: Piece) -> Target:
    bars = len(piece.bar_edges) - 1
    pitch = piece.pitched.pitch
    key = key_of(piece)
    seconds = piece.seconds
    quarters = piece.end_tick / piece.ticks_per_quarter
    return Target(
        instruments=frozenset(np.where(piece.is_drum, 128, piece.program).tolist()),
        chords=_bar_chords(piece),
        meters=_bar_meters(piece),
        tempo=60 * quarters / seconds if seconds > 0 else None,
        key=None if isinstance(key, Undefined) else (key.tonic, key.minor),
        bars=bars,
        pitch_range=(int(pitch.min()), int(pitch.max())) if len(pitch) else None,
        density=piece.n_notes / bars if bars else None,
    )


def _bar_meters(piece: Piece) -> tuple[tuple[int, int], ...]:
    starts = np.concatenate([[0], piece.meter_tick])
    tops = np.concatenate([[4], piece.meter_numerator]).tolist()
    bottoms = np.concatenate([[4], piece.meter_denominator]).tolist()
    at = np.searchsorted(starts, piece.bar_edges[:-1], side="right") - 1
    return tuple((tops[i], bottoms[i]) for i in at.tolist())


def _bar_chords(piece: Piece) -> tuple[frozenset[str], ...]:
    bars = len(piece.bar_edges) - 1
    found: list[set[str]] = [set() for _ in range(bars)]
    chords = chords_of(piece)
    if not isinstance(chords, Undefined):
        at = piece.bar_of(chords.edges[:-1])
        for span in np.flatnonzero(chords.root >= 0).tolist():
            found[at[span]].add(chords.label(span))
    return tuple(frozenset(labels) for labels in found)
