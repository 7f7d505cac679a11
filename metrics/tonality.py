"""Tonality: how clearly a piece is in a key, and how often it leaves it.

Conventions: keys are those of :mod:`concours.metrics.keys`, by the duration of pitch classes;
``profile`` is krumhansl-kessler, temperley, bellman-budge or aarden-essen. Drums are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from concours.metrics.keys import Profile, key_of
from concours.metrics.piece import Piece
from concours.metrics.pitch import pitch_class_histogram
from concours.metrics.registry import metric
from concours.metrics.spec import Scored, Undefined

KRUMHANSL = "Krumhansl 1990, Cognitive Foundations of Musical Pitch"
MODES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "natural": (0, 2, 3, 5, 7, 8, 10),
    "any": (0, 2, 3, 5, 7, 8, 9, 10, 11),
}

F = TypeVar("F", bound=Callable[..., Any])


def _metric(unit: str, low: float, high: float) -> Callable[[F], F]:
    return metric(
        level="clip",
        inputs="symbolic",
        direction="reference",
        unit=unit,
        range=(low, high),
        citation=KRUMHANSL,
        invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
    )


@_metric("correlation", -1, 1)
def key_correlation(piece: Piece, *, profile: Profile = "krumhansl-kessler") -> Scored | Undefined:
    """How well the piece's pitch classes fit its best key.

    The Pearson correlation with the best of 24 key profiles; the detail names the key. Undefined
    where no pitched note sounds, or all 12 pitch classes sound alike.

    >>> from concours.metrics.piece import make_piece
    >>> at = [480 * i for i in range(8)]
    >>> scale = [62, 64, 66, 67, 69, 71, 73, 74]
    >>> key_correlation(make_piece(onset=at, end=[t + 480 for t in at], pitch=scale)).detail
    {'key': 'D major'}
    """
    key = key_of(piece, profile)
    return key if isinstance(key, Undefined) else Scored(key.correlation, {"key": key.name})


@_metric("correlation", 0, 2)
def key_margin(piece: Piece, *, profile: Profile = "krumhansl-kessler") -> Scored | Undefined:
    """By how much the best key fits better than the second best.

    The difference of their correlations: small for music without a clear key. The detail names
    the key. Undefined as :func:`key_correlation`.
    """
    key = key_of(piece, profile)
    return key if isinstance(key, Undefined) else Scored(key.margin, {"key": key.name})


@_metric("share", 0, 1)
def out_of_key_rate(
    piece: Piece,
    *,
    profile: Profile = "krumhansl-kessler",
    weighting: Literal["count", "duration"] = "count",
    minor: Literal["any", "natural"] = "any",
) -> Scored | Undefined:
    """Share of the notes that lie outside the scale of the piece's key.

    A minor key's scale is the natural one with the raised sixth and seventh (``minor="natural"``
    without). The detail names the key. Undefined as :func:`key_correlation`.

    >>> from concours.metrics.piece import make_piece
    >>> at = [480 * i for i in range(10)]
    >>> notes = [60, 62, 64, 65, 67, 69, 71, 72, 61, 60]
    >>> out_of_key_rate(make_piece(onset=at, end=[t + 480 for t in at], pitch=notes)).value
    0.1
    """
    key = key_of(piece, profile)
    if isinstance(key, Undefined):
        return key
    weights = pitch_class_histogram(piece, weighting).tolist()
    scale = MODES[minor if key.minor else "major"]
    inside, total = 0.0, sum(weights)
    for step in scale:
        inside += weights[(key.tonic + step) % 12]
    return Scored((total - inside) / total, {"key": key.name})
