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
from concours.metrics.ordering import in_order, note_order
from concours.metrics.tempo import Tempo, tempo_over

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FROM_0, AT_120 = np.zeros(1, np.int64), np.full(1, 120.0)

ABSENT: Any = object()

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
    _shared: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def n_notes(self) -> int:
        return len(self.onset)

    @property
    def end_tick(self) -> int:
        """The tick at which the last note ends; 0 without notes."""
        return self.shared("end_tick", lambda: int(self.end.max()) if len(self.end) else 0)

    @property
    def seconds(self) -> float:
        """Time from tick 0 to the end of the last note."""
        return self.tempo.end

    @property
    def tempo(self) -> Tempo:
        """The tempo up to the end of the last note."""

        def compute() -> Tempo:
            ticks = int(self.onset[0]) if len(self.onset) else 0, self.end_tick
            changes = self.tempo_tick, self.tempo_qpm
            return Tempo(*tempo_over(*changes, self.ticks_per_quarter, *ticks))

        return self.shared("tempo", compute)

    @property
    def pitched(self) -> Piece:
        """The same piece without its drums (itself where there are none)."""
        # None for the piece itself: a piece that held itself would wait for the garbage collector
        found = self.shared(
            "pitched", lambda: self.where(~self.is_drum) if self.is_drum.any() else None
        )
        return self if found is None else found

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
        found: T = self._shared.get(key, ABSENT)
        if found is ABSENT:
            found = self._shared[key] = compute()
        return found

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
    given = [onset, end, pitch, velocity, track, program]
    filled = (None, None, None, 64, 0, 0)
    first = _ints(onset)
    columns = [
        np.full(len(first), fill) if column is None else _ints(column)
        for column, fill in zip(given, filled, strict=True)
    ]
    drums = np.zeros(len(first), np.bool_) if is_drum is None else np.asarray(is_drum, np.bool_)
    _check_notes(columns, drums, ticks_per_quarter)
    return lay_out(
        np.array(columns),
        drums,
        ticks_per_quarter=ticks_per_quarter,
        tempos=(
            np.array([t for t, _ in tempos], np.int64),
            np.array([q for _, q in tempos], np.float64),
        ),
        meters=meters,
        keys=keys,
        bar_edges=bar_edges,
        track_names=track_names,
        has_velocity=velocity is not None if has_velocity is None else has_velocity,
        events_end=events_end,
    )


def lay_out(
    notes: Ints,
    is_drum: Bools,
    *,
    ticks_per_quarter: int,
    tempos: tuple[Ints, Floats],
    meters: Sequence[tuple[int, int, int]],
    keys: Sequence[tuple[int, int, bool]],
    bar_edges: ArrayLike | None = None,
    track_names: Sequence[str] = (),
    has_velocity: bool,
    events_end: int,
) -> Piece:
    """What :func:`make_piece` does with columns that a reader has checked itself.

    ``notes``: (6, n) = onset, end, pitch, velocity, track, program; ``is_drum``: (n,);
    ``tempos``: ticks and quarters a minute, in any order.
    """
    onset, end, pitch, velocity, track, program = notes
    order = note_order(onset, is_drum, pitch, end, track, program, velocity)
    (onset, end, pitch, velocity, track, program), drums, last, drummed = in_order(
        notes, is_drum, order
    )
    n = len(onset)
    tempo_tick, tempo_qpm = _tempo_map(*tempos)
    meter = _last_at_each_tick(meters)
    key = _last_at_each_tick(keys)
    if (tempo_qpm <= 0).any() or any(a <= 0 or b <= 0 for _, a, b in meter):
        raise ValueError("a tempo or a time signature is not positive")
    # a note of no length at the very end still lies in a bar
    length = max(last, int(onset[-1]) + 1) if n else 0
    meter_tick, numerator, denominator = _columns(meter, 3)
    stated = None if bar_edges is None else _ints(bar_edges)
    grid: Grid = bar_grid(meter_tick, numerator, denominator, length, ticks_per_quarter, stated)
    key_tick, key_fifths, key_minor = _columns(key, 3)
    names = tuple(track_names) or ("",) * (int(track.max()) + 1 if n else 0)
    piece = Piece(
        onset=onset,
        end=end,
        pitch=pitch,
        velocity=velocity,
        track=track,
        program=program,
        is_drum=drums,
        ticks_per_quarter=int(ticks_per_quarter),
        tempo_tick=tempo_tick,
        tempo_qpm=tempo_qpm,
        meter_tick=meter_tick,
        meter_numerator=numerator,
        meter_denominator=denominator,
        key_tick=key_tick,
        key_fifths=key_fifths,
        key_minor=key_minor.astype(np.bool_),
        bar_edges=grid.bar_edges,
        beat_edges=grid.beat_edges,
        track_names=names,
        has_velocity=has_velocity,
        events_end=max(last, int(events_end)),
    )
    piece.shared("end_tick", lambda: last)
    if not drummed:
        piece.shared("pitched", lambda: None)
    return piece


def _ints(values: ArrayLike) -> Ints:
    return np.ascontiguousarray(values, dtype=np.int64).reshape(-1)


def _check_notes(columns: list[Ints], drums: Bools, ticks_per_quarter: int) -> None:
    lengths = {len(c) for c in columns} | {len(drums)}
    if len(lengths) > 1:
        raise ValueError(f"note columns differ in length: {sorted(lengths)}")
    if ticks_per_quarter <= 0:
        raise ValueError(f"ticks_per_quarter must be positive, not {ticks_per_quarter}")
    onset, end, pitch, velocity, _, program = columns
    if len(onset) == 0:
        return
    if onset.min() < 0 or (end < onset).any():
        raise ValueError("a note starts before 0 or ends before it starts")
    for name, column in (("pitch", pitch), ("velocity", velocity), ("program", program)):
        if column.min() < 0 or column.max() > 127:
            raise ValueError(f"a {name} lies outside 0-127")


def _tempo_map(tick: Ints, qpm: Floats) -> tuple[Ints, Floats]:
    """In ascending order from tick 0 on, where 120 holds unless stated; the last of each tick."""
    if len(tick) == 1 and tick[0] == 0:
        return tick, qpm
    tick, qpm = np.concatenate([FROM_0, tick]), np.concatenate([AT_120, qpm])
    order = np.argsort(tick, kind="stable")
    tick = tick[order]
    last = np.append(tick[1:] != tick[:-1], True)
    return tick[last], qpm[order][last]


def _last_at_each_tick(changes: Sequence[Any]) -> list[Any]:
    if len(changes) < 2:
        return list(changes)
    return [change for _, change in sorted({int(c[0]): c for c in changes}.items())]


def _columns(rows: list[Any], width: int) -> Ints:
    """Rows of whole numbers as columns: shape (width, rows)."""
    return np.array(rows, np.int64).reshape(-1, width).T.copy()
