"""Which clips make a Fréchet distance, and how sure it is.

Frames of one clip, and clips of one song, are not independent: intervals here resample whole
clusters. ``clips`` is one label a frame: the clip (or song) that the frame comes from.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from concours.metrics.frames import Integers, as_frames
from concours.metrics.frechet_parts import distances_of_subsets
from concours.metrics.gaussians import GaussianStats

BLOCKS = 50
MIN_CLUSTERS = 5


class Interval(NamedTuple):
    """``low`` to ``high`` around the plug-in distance, from ``clusters`` in ``blocks``."""

    low: float
    high: float
    standard_error: float
    clusters: int
    blocks: int


def clip_distances(
    x: ArrayLike, y: ArrayLike | GaussianStats, clips: Sequence[Hashable]
) -> dict[Hashable, float]:
    """The Fréchet distance of each clip's frames to ``y``: which clips lie far from the reference.

    A clip of one frame has no covariance; its distance is |x - μ|² + tr Σ. Clips of different
    length are not comparable, since fewer frames give larger distances.

    Raises:
        ValueError: as :func:`~concours.metrics.frechet.frechet_distance`, or other than one label
            a frame.

    >>> clip_distances([[0.0], [2.0], [5.0]], [[0.0], [2.0]], ["a", "a", "b"])
    {'a': 0.0, 'b': 18.0}
    """
    rows = _rows_of(as_frames(x), clips)
    return dict(zip(rows, distances_of_subsets(x, y, list(rows.values())), strict=True))


def clip_influence(
    x: ArrayLike, y: ArrayLike | GaussianStats, clips: Sequence[Hashable]
) -> dict[Hashable, float]:
    """How much each clip adds to the distance: the whole set's minus that without the clip.

    Positive where the clip moves the set away from the reference.

    Raises:
        ValueError: fewer than two clips, or as :func:`clip_distances`.

    >>> influence = clip_influence([[0.0], [2.0], [9.0]], [[0.0], [2.0]], ["a", "b", "c"])
    >>> max(influence, key=influence.get)
    'c'
    """
    frames = as_frames(x)
    rows = _rows_of(frames, clips)
    if len(rows) < 2:
        raise ValueError("the influence of a clip needs at least two clips")
    everything = np.arange(len(frames))
    without = [np.setdiff1d(everything, r, assume_unique=True) for r in rows.values()]
    whole, *rest = distances_of_subsets(frames, y, [everything, *without])
    return {clip: whole - left for clip, left in zip(rows, rest, strict=True)}


def frechet_interval(
    x: ArrayLike,
    y: ArrayLike | GaussianStats,
    clips: Sequence[Hashable],
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval | None:
    """Jackknife interval of the plug-in distance over clips (or songs) of ``x``.

    The clusters are dealt at random into at most 50 blocks; each block is left out once, and the
    spread of those distances gives the standard error: √((g - 1)/g · Σ(dᵢ - d̄)²). The
    reference counts as fixed. The interval is around the plug-in distance, whose bias towards
    larger values it does not remove. The bootstrap is not used: drawing a clip twice lowers the
    rank and inflates every replicate. None with fewer than five clusters.

    Raises:
        ValueError: as :func:`clip_distances`.

    Source: Shao & Tu 1995, The Jackknife and Bootstrap, section 2.3 (delete-a-group).
    """
    frames = as_frames(x)
    rows = _rows_of(frames, clips)
    if len(rows) < MIN_CLUSTERS:
        return None
    labels = sorted(rows, key=repr)
    dealt = np.random.default_rng(seed).permutation(len(labels))
    blocks = min(BLOCKS, len(labels))
    everything = np.arange(len(frames))
    parts = [everything]
    for b in range(blocks):
        out = np.concatenate([rows[labels[i]] for i in dealt[b::blocks]])
        parts.append(np.setdiff1d(everything, out, assume_unique=True))
    whole, *rest = distances_of_subsets(frames, y, parts)
    left = np.array(rest)
    error = float(np.sqrt((blocks - 1) / blocks * np.square(left - left.mean()).sum()))
    half = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Interval(max(0.0, whole - half), whole + half, error, len(labels), blocks)


def _rows_of(frames: ArrayLike, clips: Sequence[Hashable]) -> dict[Hashable, Integers]:
    n = len(np.asarray(frames))
    if len(clips) != n:
        raise ValueError(f"{len(clips)} clip labels for {n} frames: there must be one a frame")
    rows: dict[Hashable, list[int]] = {}
    for i, clip in enumerate(clips):
        rows.setdefault(clip, []).append(i)
    return {clip: np.array(at, dtype=np.int64) for clip, at in rows.items()}
