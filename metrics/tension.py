"""Tonal tension on Chew's spiral array: how wide, how restless and how far from the key.

Conventions
-----------
- A pitch k fifths up the line of fifths stands at (sin kπ/2, cos kπ/2, rise × k). ``rise`` is 0.4
  as in the published tension code; Chew's calibration is √(2/15) = 0.365.
- Pitch classes are spelled in the piece's key (:mod:`concours.metrics.keys`), from five fifths
  below the tonic to six above: C major has C♯ = D♭ as D♭ and F♯ as F♯.
- Windows are beats (``segmentation="bar"``: bars); silent ones are left out. A window's centre
  weighs each pitch class with its time.
- Each metric is the mean of a curve, which the detail holds with its ticks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

import numpy as np

from concours.metrics.chroma import Segmentation, segment_chroma, segment_edges, sounding_of
from concours.metrics.compiled import compiled
from concours.metrics.keys import key_of
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Scored, Undefined
from concours.metrics.sums import sum_of

HERREMANS = (
    "Herremans & Chew 2016, Tension ribbons, TENOR; Chew 2014, Mathematical Modeling of Tonality"
)
WEIGHTS = (0.536, 0.274, 0.19)  # tonic, dominant, subdominant; root, fifth, third
MIXED = 0.75  # the usual mode's share in the dominant and subdominant of a minor key

F = TypeVar("F", bound=Callable[..., Any])


class Clouds(NamedTuple):
    """Curves over the sounding windows, ``momentum`` over the steps from one to the next, and
    their means."""

    tick: list[int]
    diameter: list[float]
    strain: list[float]
    momentum: list[float]
    mean_diameter: float
    mean_strain: float
    mean_momentum: float


def _metric(function: F) -> F:
    return metric(
        level="clip",
        inputs="symbolic",
        direction="reference",
        unit="1",
        range=(0, math.inf),
        citation=HERREMANS,
        invariant=("transposition", "tempo", "track-order", "note-order", "resolution", "format"),
    )(function)


@_metric
def cloud_diameter(
    piece: Piece, *, segmentation: Segmentation = "beat", rise: float = 0.4
) -> Scored | Undefined:
    """Mean width of the cloud of pitches that sound in a window.

    The largest distance between two of the window's pitch classes; 0 for a single one. Undefined
    without a sounding pitched note, or where no key stands out.

    Source: Herremans & Chew 2016.

    >>> from concours.metrics.piece import make_piece
    >>> triad = make_piece(onset=[0] * 3, end=[480] * 3, pitch=[60, 64, 67])
    >>> round(cloud_diameter(triad).value, 4)  # G to E: three fifths
    1.8547
    """
    clouds = _clouds(piece, segmentation, rise)
    if isinstance(clouds, Undefined):
        return clouds
    return Scored(clouds.mean_diameter, {"tick": clouds.tick[:], "curve": clouds.diameter[:]})


@_metric
def cloud_momentum(
    piece: Piece, *, segmentation: Segmentation = "beat", rise: float = 0.4
) -> Scored | Undefined:
    """Mean distance between the centres of neighbouring windows.

    ‖c(i+1) − c(i)‖ over the windows with sound. Undefined with fewer than 2 of them, or where no
    key stands out.

    Source: Herremans & Chew 2016.

    >>> from concours.metrics.piece import make_piece
    >>> fifth = make_piece(onset=[0, 480], end=[480, 960], pitch=[60, 67])
    >>> round(cloud_momentum(fifth).value, 4)  # √(1 + 1 + 0.4²)
    1.4697
    """
    clouds = _clouds(piece, segmentation, rise)
    if isinstance(clouds, Undefined):
        return clouds
    if len(clouds.tick) < 2:
        return Undefined("fewer than 2 windows with sound")
    return Scored(clouds.mean_momentum, {"tick": clouds.tick[1:], "curve": clouds.momentum[:]})


@_metric
def tensile_strain(
    piece: Piece, *, segmentation: Segmentation = "beat", rise: float = 0.4
) -> Scored | Undefined:
    """Mean distance of the windows' centres from the centre of the key.

    The key's centre is the weighted mean (0.536, 0.274, 0.19) of those of its tonic, dominant
    and subdominant triads, and theirs of root, fifth and third alike; a minor key takes three
    quarters of its dominant in major and of its subdominant in minor. Undefined without a
    sounding pitched note, or where no key stands out.

    Source: Herremans & Chew 2016.

    >>> from concours.metrics.piece import make_piece
    >>> triad = make_piece(onset=[0] * 3, end=[480] * 3, pitch=[60, 64, 67])
    >>> 0 < tensile_strain(triad).value < 1
    True
    """
    clouds = _clouds(piece, segmentation, rise)
    if isinstance(clouds, Undefined):
        return clouds
    return Scored(clouds.mean_strain, {"tick": clouds.tick[:], "curve": clouds.strain[:]})


def spiral(fifths: Ints, rise: float) -> Floats:
    """Points on the spiral, shape (n, 3)."""
    return np.stack([np.sin(fifths * np.pi / 2), np.cos(fifths * np.pi / 2), rise * fifths], axis=1)


def key_centre(minor: bool, rise: float) -> Floats:
    """The centre of the key whose tonic is 0 on the line of fifths: shape (3,)."""

    def triad(root: int, is_minor: bool) -> Floats:
        tones = np.array([root, root + 1, root - 3 if is_minor else root + 4])
        centre: Floats = np.array(WEIGHTS) @ spiral(tones, rise)
        return centre

    if minor:
        dominant = MIXED * triad(1, False) + (1 - MIXED) * triad(1, True)
        subdominant = MIXED * triad(-1, True) + (1 - MIXED) * triad(-1, False)
    else:
        dominant, subdominant = triad(1, False), triad(-1, False)
    tonic, fifth, fourth = WEIGHTS
    return tonic * triad(0, minor) + fifth * dominant + fourth * subdominant


def _clouds(piece: Piece, segmentation: Segmentation, rise: float) -> Clouds | Undefined:
    return piece.shared(("clouds", segmentation, rise), lambda: _find(piece, segmentation, rise))


def _find(piece: Piece, segmentation: Segmentation, rise: float) -> Clouds | Undefined:
    if not sounding_of(piece).ticks:
        return Undefined("no pitched note has a length")
    key = key_of(piece)
    if isinstance(key, Undefined):
        return key
    ticks, edges = segment_chroma(piece, segmentation), segment_edges(piece, segmentation)
    found = _measured(ticks, edges, 12 - key.tonic, *_places(key.minor, rise))
    tick, diameter, strain, momentum, *means = found
    return Clouds(tick.tolist(), diameter.tolist(), strain.tolist(), momentum.tolist(), *means)


@cache
def _places(minor: bool, rise: float) -> tuple[Floats, Floats]:
    """(points of the pitch classes by their fifths from -5 to 6, the key's centre)."""
    return spiral(np.arange(-5, 7), rise), key_centre(minor, rise)


@compiled
def _measured(
    ticks: Ints, edges: Ints, up: int, points: Floats, home: Floats
) -> tuple[Ints, Floats, Floats, Floats, float, float, float]:
    """The fields of :class:`Clouds`; ``up`` semitones lead from the key's tonic to C."""
    n = len(ticks)
    tick, diameter, strain, momentum = np.empty(n, np.int64), np.empty(n), np.empty(n), np.empty(n)
    apart = np.zeros((12, 12))
    for i in range(12):
        for j in range(i):
            for axis in range(3):
                apart[i, j] += (points[i, axis] - points[j, axis]) ** 2
            apart[i, j] = np.sqrt(apart[i, j])
    order = np.empty(12, np.int64)  # the pitch classes by the line of fifths
    for pc in range(12):
        order[(7 * ((pc + up) % 12) + 5) % 12] = pc
    used = np.empty(13, np.int64)
    x = y = z = 0.0
    w = 0
    for s in range(n):
        total, wide, sounding = 0, 0.0, 0
        a = b = c = 0.0
        for i in range(12):
            time = ticks[s, order[i]]
            total += time
            a += time * points[i, 0]
            b += time * points[i, 1]
            c += time * points[i, 2]
            used[sounding] = i
            sounding += time > 0
        if total == 0:
            continue
        for i in range(1, sounding):
            for k in range(i):
                wide = max(wide, apart[used[i], used[k]])
        a, b, c = a / total, b / total, c / total
        if w > 0:
            momentum[w - 1] = np.sqrt((a - x) ** 2 + (b - y) ** 2 + (c - z) ** 2)
        x, y, z = a, b, c
        tick[w], diameter[w] = edges[s], wide
        strain[w] = np.sqrt((a - home[0]) ** 2 + (b - home[1]) ** 2 + (c - home[2]) ** 2)
        w += 1
    diameter, strain, momentum = (
        diameter[:w].copy(),
        strain[:w].copy(),
        momentum[: max(0, w - 1)].copy(),
    )
    means = (
        sum_of(diameter) / max(1, w),
        sum_of(strain) / max(1, w),
        sum_of(momentum) / max(1, w - 1),
    )
    return tick[:w].copy(), diameter, strain, momentum, *means
