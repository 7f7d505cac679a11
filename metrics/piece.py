"""A piece of music as arrays: the one input of every symbolic metric.

Conventions
-----------
- Times are integer ticks from the start of the file; a note sounds in ``onset <= t < end``.
- Notes are sorted by onset, then pitch, then end, then track, so that neither the order of notes
  nor that of tracks in the file shows in a number (drums come after pitched notes of one onset).
- Pitches are MIDI numbers (60 = middle C). For drums they name instruments, so pitch metrics
  leave drums out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from concours.metrics.grid import Grid, bar_grid
from concours.metrics.ordering import note_order

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Piece:
    """One piece; build it with :func:`make_piece`, which sorts, checks and lays the bars.

    Notes, shape (n,): ``onset`` and ``end`` in ticks, ``pitch`` and ``velocity`` in 0-127,
    ``track`` (index into ``track_names``), ``program`` in 0-127, ``is_drum``.

    Maps, ascending in time: ``tempo_tick``/``tempo_qpm`` (quarters a minute, from tick 0 on),
    ``meter_tick``/``meter_numerator``/``meter_denominator`` as the file states them,
    ``key_tick``/``key_fifths`` (-7..7 sharps)/``key_minor``.

    ``bar_edges``: (bars + 1,), ``beat_edges``: (beats + 1,) in ticks; see
    :mod:`concours.metrics.grid`. ``has_velocity`` is false where the source carries no dynamics.
    ``events_end``: the tick of the last note end or controller, which some other tools take for
    the length of a piece; no metric of ours reads it.
    """

    onset: Ints
    end: Ints
    pitch: Ints
    velocity: Ints
    track: Ints
    program: Ints
    is_drum: Bools
    ticks_per_quarter: int
    tempo_tick: Ints
    tempo_qpm: Floats
    meter_tick: Ints
    meter_numerator: Ints
    meter_denominator: Ints
    key_tick: Ints
    key_fifths: Ints
    key_minor: Bools
    bar_edges: Ints
    beat_edges: Ints
    track_names: tuple[str, ...]
    has_velocity: bool
    events_end: int = 0
    _shared: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @property
    def n_notes(self) -> int:
        return len(self.onset)

    @property
    def end_tick(self) -> int:
        """The tick at which the last note ends; 0 without notes."""
        return int(self.end.max()) if len(self.end) else 0

    @property
    def seconds(self) -> float:
        """Time from tick 0 to the end of the last note."""
        return float(self.to_seconds(np.array([self.end_tick]))[0])

    @property
    def pitched(self) -> Piece:
        """The same piece without its drums (itself where there are none)."""
        return self.shared(
            "pitched", lambda: self.where(~self.is_drum) if self.is_drum.any() else self
        )

    def where(self, keep: Bools) -> Piece:
        """The notes selected by a mask of shape (n,), on the same bars and maps."""
        notes = {
            name: getattr(self, name)[keep]
            for name in ("onset", "end", "pitch", "velocity", "track", "program", "is_drum")
        }
        return Piece(**{**self._maps(), **notes})

    def _maps(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_shared"}

    def shared(self, key: Hashable, compute: Callable[[], T]) -> T:
        """An intermediate result that several metrics use, computed once a piece."""
        if key not in self._shared:
            self._shared[key] = compute()
        return cast(T, self._shared[key])

    def to_seconds(self, ticks: ArrayLike) -> Floats:
        """Seconds from tick 0 under the tempo map; same shape as ``ticks``."""
        at = np.asarray(ticks, dtype=np.float64)
        rate = 60.0 / (self.tempo_qpm * self.ticks_per_quarter)
        if len(rate) == 1:
            return cast(Floats, at * rate[0])
        start = np.concatenate([[0.0], np.cumsum(np.diff(self.tempo_tick) * rate[:-1])])
        i = np.clip(np.searchsorted(self.tempo_tick, at, side="right") - 1, 0, None)
        return cast(Floats, start[i] + (at - self.tempo_tick[i]) * rate[i])

    def bar_of(self, ticks: ArrayLike) -> Ints:
        """Index of the bar, from 0, that each tick lies in; the last bar past the end."""
        i = np.searchsorted(self.bar_edges, np.asarray(ticks), side="right") - 1
        return np.clip(i, 0, max(0, len(self.bar_edges) - 2)).astype(np.int64)


def make_piece(
    *,
    onset: ArrayLike,
    end: ArrayLike,
    pitch: ArrayLike,
    velocity: ArrayLike | None = None,
    track: ArrayLike | None = None,
    program: ArrayLike | None = None,
    is_drum: ArrayLike | None = None,
    ticks_per_quarter: int = 480,
    tempos: Sequence[tuple[int, float]] = (),
    meters: Sequence[tuple[int, int, int]] = (),
    keys: Sequence[tuple[int, int, bool]] = (),
    bar_edges: ArrayLike | None = None,
    track_names: Sequence[str] = (),
    has_velocity: bool | None = None,
    events_end: int = 0,
) -> Piece:
    """A checked, sorted :class:`Piece` from note columns of shape (n,).

    ``tempos`` are (tick, quarters a minute), 120 before the first; ``meters`` are
    (tick, numerator, denominator), 4/4 before the first; ``keys`` are (tick, sharps, minor);
    of several at one tick the last holds. ``bar_edges`` overrides the bars that the meters give.

    Raises:
        ValueError: columns of different lengths, a note that ends before it starts or starts
            before 0, a pitch or velocity outside 0-127, no positive ticks_per_quarter, a tempo
            or meter that is not positive.

    >>> piece = make_piece(onset=[0, 480], end=[480, 960], pitch=[60, 64])
    >>> piece.n_notes, piece.seconds, piece.bar_edges.tolist()
    (2, 1.0, [0, 1920])
    """
    columns: dict[str, Any] = {"onset": _ints(onset), "end": _ints(end), "pitch": _ints(pitch)}
    n = len(columns["onset"])
    columns["velocity"] = np.full(n, 64) if velocity is None else _ints(velocity)
    columns["track"] = np.zeros(n, np.int64) if track is None else _ints(track)
    columns["program"] = np.zeros(n, np.int64) if program is None else _ints(program)
    drums = np.zeros(n, np.bool_) if is_drum is None else np.asarray(is_drum, dtype=np.bool_)
    _check_notes(columns, drums, ticks_per_quarter)
    order = note_order(
        columns["onset"],
        drums,
        *(columns[name] for name in ("pitch", "end", "track", "program", "velocity")),
    )
    columns = {k: v[order] for k, v in columns.items()}
    tempo = _last_at_each_tick([(0, 120.0), *tempos])
    meter = _last_at_each_tick(list(meters))
    key = _last_at_each_tick(list(keys))
    if any(q <= 0 for _, q in tempo) or any(a <= 0 or b <= 0 for _, a, b in meter):
        raise ValueError("a tempo or a time signature is not positive")
    meter_tick, numerator, denominator = (_ints(c) for c in _columns(meter, 3))
    # a note of no length at the very end still lies in a bar
    length = max(int(columns["end"].max()), int(columns["onset"].max()) + 1) if n else 0
    stated = None if bar_edges is None else _ints(bar_edges)
    grid: Grid = bar_grid(meter_tick, numerator, denominator, length, ticks_per_quarter, stated)
    key_columns = _columns(key, 3)
    names = tuple(track_names) or tuple(
        "" for _ in range(int(columns["track"].max(initial=-1)) + 1)
    )
    return Piece(
        **columns,
        is_drum=drums[order],
        ticks_per_quarter=int(ticks_per_quarter),
        tempo_tick=_ints(_columns(tempo, 2)[0]),
        tempo_qpm=np.array(_columns(tempo, 2)[1], dtype=np.float64),
        meter_tick=meter_tick,
        meter_numerator=numerator,
        meter_denominator=denominator,
        key_tick=_ints(key_columns[0]),
        key_fifths=_ints(key_columns[1]),
        key_minor=np.array(key_columns[2], dtype=np.bool_),
        bar_edges=grid.bar_edges,
        beat_edges=grid.beat_edges,
        track_names=names,
        has_velocity=velocity is not None if has_velocity is None else has_velocity,
        events_end=max(int(columns["end"].max(initial=0)), int(events_end)),
    )


def _ints(values: ArrayLike) -> Ints:
    return np.ascontiguousarray(values, dtype=np.int64).reshape(-1)


def _check_notes(columns: dict[str, Any], drums: Bools, ticks_per_quarter: int) -> None:
    lengths = {len(c) for c in columns.values()} | {len(drums)}
    if len(lengths) > 1:
        raise ValueError(f"note columns differ in length: {sorted(lengths)}")
    if ticks_per_quarter <= 0:
        raise ValueError(f"ticks_per_quarter must be positive, not {ticks_per_quarter}")
    onset, end = columns["onset"], columns["end"]
    if len(onset) == 0:
        return
    if onset.min() < 0 or (end < onset).any():
        raise ValueError("a note starts before 0 or ends before it starts")
    for name in ("pitch", "velocity", "program"):
        if columns[name].min() < 0 or columns[name].max() > 127:
            raise ValueError(f"a {name} lies outside 0-127")


def _last_at_each_tick(changes: list[Any]) -> list[Any]:
    return [change for _, change in sorted({int(c[0]): c for c in changes}.items())]


def _columns(rows: list[Any], width: int) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True)) if rows else [()] * width
