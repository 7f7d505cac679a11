"""Which clips of a set make its Fréchet distance: each clip's own, and what the set is without it.

Conventions: those of :mod:`concours.metrics.audio_sets`. Each function takes the whole set and
returns one result a clip, in the set's order.
"""

from __future__ import annotations

import math

import numpy as np

from concours.metrics.audio_sets import DEFAULT
from concours.metrics.frame_set import Engine, FrameSet
from concours.metrics.frechet_parts import distances_of_subsets
from concours.metrics.registry import metric
from concours.metrics.spec import MetricResult, Scored, Undefined

FEW = 2


@metric(
    level="corpus",
    inputs="embedding",
    direction="lower",
    unit="squared embedding unit",
    range=(0, math.inf),
    citation="per-song FAD: Gui et al. 2023, arXiv:2311.01616",
)
def clip_fad(
    x: FrameSet, y: FrameSet, *, embedding: str = DEFAULT, engine: Engine = "concours"
) -> list[MetricResult]:
    """Fréchet distance of one clip's frames to the whole reference: how odd this clip is.

    A clip of few frames has a thin covariance, so distances of clips of different length are not
    comparable, and none is comparable with the set's. Undefined below 2 frames in the reference.

    >>> from concours.metrics.frame_set import frame_set
    >>> near, far = np.float32([[0], [2]]), np.float32([[9], [9]])
    >>> [r.value for r in clip_fad(frame_set([near, far]), frame_set([near]))]
    [0.0, 66.0]
    """
    if y.n < FEW:
        return [Undefined(f"{y.n} frames in the reference: at least {FEW} are needed")] * x.clips
    rows = [np.flatnonzero(x.clip == i) for i in range(x.clips)]
    found = distances_of_subsets(x.frames, y.gaussian, rows)
    said = _said(x, y, embedding, engine)
    return [Scored(v, {"frames": len(r), **said}) for v, r in zip(found, rows, strict=True)]


@metric(
    level="corpus",
    inputs="embedding",
    direction="lower",
    unit="squared embedding unit",
    citation="a leave-one-out difference; a definition of Concours",
)
def fad_influence(
    x: FrameSet, y: FrameSet, *, embedding: str = DEFAULT, engine: Engine = "concours"
) -> list[MetricResult]:
    """What one clip adds to the set's Fréchet distance: the whole set's minus that without it.

    Positive where the clip moves the set away from the reference. Since fewer frames give larger
    distances, a clip that does not stand out is a little below 0. Undefined
    for a set of one clip, and below 2 frames in the reference.

    >>> from concours.metrics.frame_set import frame_set
    >>> near, far = np.float32([[0], [2]]), np.float32([[9], [9]])
    >>> found = fad_influence(frame_set([near, near, far]), frame_set([near]))
    >>> [round(r.value, 2) for r in found]
    [-11.71, -11.71, 14.95]
    """
    if y.n < FEW:
        return [Undefined(f"{y.n} frames in the reference: at least {FEW} are needed")] * x.clips
    if x.clips < FEW:
        return [Undefined("the only clip of its set")] * x.clips
    everything = np.arange(len(x.frames))
    rows = [everything, *(np.flatnonzero(x.clip != i) for i in range(x.clips))]
    whole, *rest = distances_of_subsets(x.frames, y.gaussian, rows)
    said = {"set": whole, "clips": x.clips, **_said(x, y, embedding, engine)}
    return [Scored(whole - left, said) for left in rest]


def _said(x: FrameSet, y: FrameSet, embedding: str, engine: Engine) -> dict[str, str]:
    told = {
        "embedding": embedding,
        "engine": "" if engine == "concours" else engine,
        "weights_hash": str(x.facts.get("weights_hash", "")),
        "reference_id": str(y.facts.get("set", "")),
    }
    return {k: v for k, v in told.items() if v}
