"""Sets of clips: the distance of a system's audio to the reference's, on an embedding.

Conventions: a set is the embedding frames of all its clips (:class:`FrameSet`); the first argument
is the evaluated system, the second the reference. ``embedding`` names the embedding: a number
belongs to it, to its checkpoint and to its preprocessing, and to nothing else; ``engine`` says
whose code runs it. The detail of every result states clips, songs, frames, dimensions, checkpoint,
preprocessing, the reference, and what the embedding cannot say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from concours.metrics.frame_set import Engine, FrameSet, frame_set  # noqa: F401 (examples)
from concours.metrics.frechet import (
    MIN_FRAMES,
    frechet_distance,
    frechet_distance_infinity,
    rank_warning,
)
from concours.metrics.kernel import kernel_audio_distance, median_bandwidth
from concours.metrics.manifold import (
    mauve_divergence,
    precision_recall_density_coverage,
    vendi_score,
)
from concours.metrics.registry import metric
from concours.metrics.spec import Scored, Undefined

DEFAULT = "spectral-stats-v1"


NO_FRAMES = Undefined(
    "the reference is known by its statistics alone, and this metric compares frames; "
    "give the recordings"
)


def described(x: FrameSet, y: FrameSet, embedding: str, engine: Engine) -> dict[str, Any]:
    """What every result says of the two sets and of the embedding that made their frames."""
    found: dict[str, Any] = {
        "embedding": embedding,
        "engine": "" if engine == "concours" else engine,
        "clips": x.facts.get("all_clips", x.clips),
        "songs": x.units,
        "frames": x.n,
        "dimensions": x.d,
        "reference_clips": y.facts.get("all_clips", y.clips),
        "reference_songs": y.units,
        "reference_frames": y.n,
        "clips_without_frames": x.left_out,
    }
    if y.is_statistics:
        del found["reference_clips"], found["reference_songs"]
        if not y.facts.get("frames_known", True):
            del found["reference_frames"]
    small = x.n if "reference_frames" not in found else min(x.n, y.n)
    found |= {k: v for k, v in x.facts.items() if k not in ("set", "all_clips")}
    found["reference_id"] = y.facts.get("set", "")
    found |= {"rank_warning": rank_warning(small, x.d), "note": x.note}
    return {k: v for k, v in found.items() if v != ""}


def _scored(
    x: FrameSet,
    y: FrameSet,
    embedding: str,
    engine: Engine,
    needed: int,
    compute: Callable[[], tuple[float, dict[str, Any]]],
    *,
    from_statistics: bool = False,
) -> Scored | Undefined:
    if y.is_statistics and not from_statistics:
        return NO_FRAMES
    for name, n in (("system", x.n), ("reference", y.n)):
        if n < needed:
            return Undefined(f"{n} frames in the {name}: at least {needed} are needed")
    value, more = compute()
    if x.blocks and not from_statistics:
        more = {**more, "compared_frames": len(x.frames)}
    return Scored(value, {**described(x, y, embedding, engine), **more})


@metric(
    level="set",
    inputs="embedding",
    direction="lower",
    unit="squared embedding unit",
    range=(0, math.inf),
    citation="Kilgour et al. 2019 (FAD), arXiv:1812.08466",
)
def fad(
    x: FrameSet, y: FrameSet, *, embedding: str = DEFAULT, engine: Engine = "concours"
) -> Scored | Undefined:
    """Fréchet audio distance: how far the system's frames lie from the reference's, as Gaussians.

    :func:`~concours.metrics.frechet.frechet_distance` of the frames, lower is closer. Inflated
    where frames are few: the detail warns below ten a dimension, and ``fad_infinity`` extrapolates.
    Undefined below 2 frames.

    >>> clips = [np.eye(3, dtype=np.float32), 2 * np.eye(3, dtype=np.float32)]
    >>> fad(frame_set(clips), frame_set(clips)).value < 1e-12
    True
    """

    def compute() -> tuple[float, dict[str, Any]]:
        return frechet_distance(x.gaussian, y.gaussian), {}

    return _scored(x, y, embedding, engine, 2, compute, from_statistics=True)


@metric(
    level="set",
    version=2,
    inputs="embedding",
    direction="lower",
    unit="squared embedding unit",
    citation="Gui et al. 2023, arXiv:2311.01616; Chong & Forsyth 2020, arXiv:1911.07023",
)
def fad_infinity(
    x: FrameSet,
    y: FrameSet,
    *,
    embedding: str = DEFAULT,
    engine: Engine = "concours",
    seed: int = 0,
) -> Scored | Undefined:
    """The Fréchet audio distance extrapolated to infinitely many frames of the system.

    The intercept of the distance against 1/n over 25 subsets, drawn without replacement in blocks
    with ``seed``; the detail holds the fit's R². Lower is closer; a value below 0 means a distance
    that these frames cannot tell from 0. Undefined below 20 frames.

    >>> x = frame_set([np.random.default_rng(0).normal(size=(99, 2)).astype(np.float32)])
    >>> 0 < fad_infinity(x, x).detail["r2"] <= 1
    True
    """

    def compute() -> tuple[float, dict[str, Any]]:
        fit = frechet_distance_infinity(x.frames, y.gaussian, seed)
        sampled = {"compared_frames": len(x.frames)} if x.blocks else {}
        return fit.value, {"r2": fit.r2, "slope": fit.slope, **sampled}

    return _scored(x, y, embedding, engine, MIN_FRAMES, compute, from_statistics=True)


@metric(
    level="set",
    inputs="embedding",
    direction="lower",
    unit="0.01 squared MMD",
    citation="Chung et al. 2025 (KAD), arXiv:2502.15602",
)
def kad(
    x: FrameSet,
    y: FrameSet,
    *,
    embedding: str = DEFAULT,
    engine: Engine = "concours",
    bandwidth: float = 0.0,
) -> Scored | Undefined:
    """Kernel audio distance: how well a Gaussian kernel tells system and reference apart.

    :func:`~concours.metrics.kernel.kernel_audio_distance` of the frames; ``bandwidth`` 0 takes the
    reference's median distance. Lower is closer. Unbiased at any number of frames, so slightly
    negative for sets that are alike. Undefined below 2 frames, or for a reference of equal frames.

    >>> x = frame_set([np.eye(4, dtype=np.float32)])
    >>> kad(x, x).value < 0
    True
    """

    def compute() -> tuple[float, dict[str, Any]]:
        width = bandwidth or median_bandwidth(y.frames)
        return kernel_audio_distance(x.frames, y.frames, width), {"bandwidth": width}

    if len(y.frames) > 1 and not bandwidth and not np.ptp(y.frames, axis=0).any():
        return Undefined("all frames of the reference are equal, so it has no bandwidth")
    return _scored(x, y, embedding, engine, 2, compute)


@metric(
    level="set",
    inputs="embedding",
    direction="lower",
    unit="nat",
    range=(0, math.inf),
    citation="Huang et al. 2025 (MAD), arXiv:2503.16669; Pillutla et al. 2021, arXiv:2102.01454",
)
def mad(
    x: FrameSet,
    y: FrameSet,
    *,
    embedding: str = DEFAULT,
    engine: Engine = "concours",
    seed: int = 0,
) -> Scored | Undefined:
    """MAUVE audio divergence: -ln MAUVE of the frames, quantised together.

    :func:`~concours.metrics.manifold.mauve_divergence`; lower is closer, 0 for equal shares of
    every cell. Depends on the number of frames: compare sets of one size. Undefined below 20
    frames.

    >>> x = frame_set([np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)])
    >>> round(mad(x, x).value, 9)
    0.0
    """

    def compute() -> tuple[float, dict[str, Any]]:
        found = mauve_divergence(x.frames, y.frames, seed=seed)
        return found.divergence, {"mauve": found.mauve, "clusters": found.clusters}

    return _scored(x, y, embedding, engine, 20, compute)


def _manifold(
    x: FrameSet, y: FrameSet, embedding: str, engine: Engine, k: int, which: str
) -> Scored | Undefined:
    def compute() -> tuple[float, dict[str, Any]]:
        found = precision_recall_density_coverage(x.frames, y.frames, k)
        return float(getattr(found, which)), {}

    return _scored(x, y, embedding, engine, k + 1, compute)


@metric(
    level="set", inputs="embedding", direction="higher", unit="share", range=(0, 1),
    citation="Kynkäänniemi et al. 2019, arXiv:1904.06991",
)  # fmt: skip
def audio_precision(
    x: FrameSet, y: FrameSet, *, embedding: str = DEFAULT, engine: Engine = "concours", k: int = 5
) -> Scored | Undefined:
    """Share of the system's frames that lie among the reference's: quality.

    Frames within the k-th neighbour's distance of any frame of the reference. Undefined with k
    frames or fewer in a set.

    >>> x = frame_set([np.eye(4, dtype=np.float32)])
    >>> audio_precision(x, x, k=1).value
    1.0
    """
    return _manifold(x, y, embedding, engine, k, "precision")


@metric(
    level="set", inputs="embedding", direction="higher", unit="share", range=(0, 1),
    citation="Kynkäänniemi et al. 2019, arXiv:1904.06991",
)  # fmt: skip
def audio_recall(
    x: FrameSet, y: FrameSet, *, embedding: str = DEFAULT, engine: Engine = "concours", k: int = 5
) -> Scored | Undefined:
    """Share of the reference's frames that lie among the system's: variety.

    Frames within the k-th neighbour's distance of any frame of the system. Undefined with k
    frames or fewer in a set.

    >>> x = frame_set([np.eye(4, dtype=np.float32)])
    >>> audio_recall(x, x, k=1).value
    1.0
    """
    return _manifold(x, y, embedding, engine, k, "recall")


@metric(
    level="set", inputs="embedding", direction="higher", unit="ratio", range=(0, math.inf),
    citation="Naeem et al. 2020, arXiv:2002.09797",
)  # fmt: skip
def audio_density(
    x: FrameSet, y: FrameSet, *, embedding: str = DEFAULT, engine: Engine = "concours", k: int = 5
) -> Scored | Undefined:
    """How densely the reference lies around the system's frames; about 1 where they are alike.

    Balls of the reference around a frame of the system, over k, averaged. Undefined with k frames
    or fewer in a set.

    >>> x = frame_set([np.arange(8, dtype=np.float32)[:, np.newaxis]])
    >>> audio_density(x, x, k=2).value
    1.5
    """
    return _manifold(x, y, embedding, engine, k, "density")


@metric(
    level="set", inputs="embedding", direction="higher", unit="share", range=(0, 1),
    citation="Naeem et al. 2020, arXiv:2002.09797",
)  # fmt: skip
def audio_coverage(
    x: FrameSet, y: FrameSet, *, embedding: str = DEFAULT, engine: Engine = "concours", k: int = 5
) -> Scored | Undefined:
    """Share of the reference's frames with a frame of the system nearby: variety, robustly.

    Balls of the reference that hold at least one frame of the system. Undefined with k frames or
    fewer in a set.

    >>> x = frame_set([np.eye(4, dtype=np.float32)])
    >>> audio_coverage(x, x, k=1).value
    1.0
    """
    return _manifold(x, y, embedding, engine, k, "coverage")


@metric(
    level="set",
    inputs="embedding",
    direction="none",
    unit="effective number",
    range=(1, math.inf),
    citation="Friedman & Dieng 2023, arXiv:2210.02410",
)
def audio_vendi(
    x: FrameSet, y: FrameSet, *, embedding: str = DEFAULT, engine: Engine = "concours"
) -> Scored | Undefined:
    """The effective number of different frames in the system; the reference's is in the detail.

    :func:`~concours.metrics.manifold.vendi_score` with cosine similarity. More is more varied, not
    better: noise is varied. Undefined below 2 frames.

    >>> round(audio_vendi(*[frame_set([np.eye(4, dtype=np.float32)])] * 2).value, 9)
    4.0
    """

    def compute() -> tuple[float, dict[str, Any]]:
        beside = {} if y.is_statistics else {"reference_value": vendi_score(y.frames)}
        return vendi_score(x.frames), beside

    return _scored(x, y, embedding, engine, 2, compute, from_statistics=True)
