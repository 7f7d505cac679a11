"""Pieces changed in ways that a metric may be blind to, and pieces that are hardly pieces."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from concours.metrics.piece import Piece, make_piece
from concours.metrics.spec import MetricResult, MetricSpec, Scored, Undefined

TOLERANCE = 1e-9


def columns(piece: Piece) -> dict[str, Any]:
    """The arguments of ``make_piece`` that give this piece again."""
    return {
        **{
            name: getattr(piece, name)
            for name in (
                *("onset", "end", "pitch", "velocity", "track", "program", "is_drum"),
                *("ticks_per_quarter", "bar_edges", "track_names", "has_velocity"),
            )
        },
        "tempos": list(zip(piece.tempo_tick, piece.tempo_qpm, strict=True)),
        "meters": list(
            zip(piece.meter_tick, piece.meter_numerator, piece.meter_denominator, strict=True)
        ),
        "keys": list(zip(piece.key_tick, piece.key_fifths, piece.key_minor, strict=True)),
    }


def transposed(piece: Piece) -> list[Piece]:
    own = columns(piece)
    sounding = piece.pitch[~piece.is_drum]
    fits = [u for u in (-5, 1, 4, 7) if sounding.min() + u >= 0 and sounding.max() + u < 128]
    assert fits
    return [
        make_piece(**{**own, "pitch": np.where(piece.is_drum, piece.pitch, piece.pitch + u)})
        for u in fits
    ]


def retimed(piece: Piece) -> list[Piece]:
    own = columns(piece)
    return [
        make_piece(**{**own, "tempos": [(t, q * factor) for t, q in own["tempos"]]})
        for factor in (0.5, 1.3)
    ]


def relabelled(piece: Piece) -> list[Piece]:
    own = columns(piece)
    n = max(len(piece.track_names), int(piece.track.max()) + 1)
    names = [*piece.track_names, *[""] * (n - len(piece.track_names))]
    moved = np.arange(n)[::-1]
    turned = {"track": moved[piece.track], "track_names": [names[i] for i in moved]}
    return [make_piece(**{**own, **turned})]


def shuffled(piece: Piece) -> list[Piece]:
    own = columns(piece)
    order = np.random.default_rng(0).permutation(piece.n_notes)
    per_note = ("onset", "end", "pitch", "velocity", "track", "program", "is_drum")
    return [make_piece(**{**own, **{name: own[name][order] for name in per_note}})]


def refined(piece: Piece) -> list[Piece]:
    own = columns(piece)
    many = []
    for factor in (3, 21):
        scaled = {k: own[k] * factor for k in ("onset", "end", "ticks_per_quarter", "bar_edges")}
        for key in ("tempos", "meters", "keys"):
            scaled[key] = [(tick * factor, *rest) for tick, *rest in own[key]]
        many.append(make_piece(**{**own, **scaled}))
    return many


CHANGES: dict[str, Callable[[Piece], list[Piece]]] = {
    "transposition": transposed,
    "tempo": retimed,
    "track-order": relabelled,
    "note-order": shuffled,
    "resolution": refined,
}


def value_of(result: MetricResult) -> float | Undefined:
    return result.value if isinstance(result, Scored) else result


def broken_promises(spec: MetricSpec, piece: Piece, changed: dict[str, list[Piece]]) -> list[str]:
    """The declared invariances that do not hold on a piece."""
    home = value_of(spec.function(piece))
    broken = []
    for name in spec.invariant & set(changed):
        for other in changed[name]:
            away = value_of(spec.function(other))
            same = (
                home == away
                if isinstance(home, Undefined) or isinstance(away, Undefined)
                else math.isclose(home, away, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
            )
            if not same:
                broken.append(f"{spec.name} under {name}: {home} became {away}")
    return broken


def with_changes(piece: Piece) -> dict[str, list[Piece]]:
    return {name: change(piece) for name, change in CHANGES.items()}


HOUR = 3600 * 2 * 480  # ticks at 120 quarters a minute


def extremes() -> dict[str, Piece]:
    """Pieces at the edge of being pieces; the last two are long and large."""
    chance = np.random.default_rng(0)
    large = np.sort(chance.integers(0, 2_000_000, 200_000))
    return {
        "empty": make_piece(onset=[], end=[], pitch=[]),
        "one note": make_piece(onset=[480], end=[960], pitch=[60]),
        "one instant": make_piece(onset=[0], end=[0], pitch=[60]),
        "instants": make_piece(onset=[0, 480, 960], end=[0, 480, 960], pitch=[60, 62, 64]),
        "one chord": make_piece(onset=[0] * 3, end=[480] * 3, pitch=[60, 64, 67]),
        "one pitch": make_piece(
            onset=range(0, 9600, 480), end=range(480, 10080, 480), pitch=[0] * 20
        ),
        "drums only": make_piece(onset=[0, 480], end=[10, 490], pitch=[36, 38], is_drum=[True] * 2),
        "late": make_piece(onset=[480_000], end=[480_480], pitch=[127]),
        "one tick a quarter": make_piece(
            onset=[0, 1, 2], end=[1, 2, 4], pitch=[60, 62, 64], ticks_per_quarter=1
        ),
        "two parts, one silent": make_piece(
            onset=[0, 480], end=[480, 480], pitch=[60, 62], track=[0, 1]
        ),
        "ten hours": make_piece(
            onset=np.linspace(0, 10 * HOUR - 480, 500).astype(int),
            end=np.linspace(480, 10 * HOUR, 500).astype(int),
            pitch=chance.integers(40, 80, 500),
        ),
        "one note of ten hours": make_piece(onset=[0], end=[10 * HOUR], pitch=[60]),
        "200,000 notes": make_piece(
            onset=large,
            end=large + chance.integers(1, 960, 200_000),
            pitch=chance.integers(0, 128, 200_000),
            track=np.arange(200_000) % 5,
        ),
    }


EXTREMES = extremes()


def mannered(spec: MetricSpec, result: MetricResult) -> None:
    """A plain finite number in the declared range with JSON-ready detail, or a reason."""
    value = value_of(result)
    if isinstance(value, Undefined):
        assert value.reason
        return
    assert isinstance(value, float | int)
    assert not isinstance(value, np.generic), "a plain number"
    low, high = spec.range
    assert math.isfinite(value)
    assert low - TOLERANCE <= value <= high + TOLERANCE
    if isinstance(result, Scored):
        json_ready(result.detail)


def json_ready(detail: Any) -> None:
    """Only what JSON holds, and no NaN among it."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            assert isinstance(key, str)
            json_ready(value)
    elif isinstance(detail, list | tuple):
        for value in detail:
            json_ready(value)
    else:
        assert detail is None or isinstance(detail, str | int | float)
        assert not isinstance(detail, np.generic)
        assert not isinstance(detail, float) or math.isfinite(detail)


def broken_pair_promises(spec: MetricSpec, piece: Piece, other: Piece) -> list[str]:
    """The declared invariances of a pair metric that do not hold where both pieces change alike."""
    home = value_of(spec.function(piece, other))
    broken = []
    for name in spec.invariant & set(CHANGES):
        for a, b in zip(CHANGES[name](piece), CHANGES[name](other), strict=True):
            away = value_of(spec.function(a, b))
            same = (
                home == away
                if isinstance(home, Undefined) or isinstance(away, Undefined)
                else math.isclose(home, away, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
            )
            if not same:
                broken.append(f"{spec.name} under {name}: {home} became {away}")
    return broken
