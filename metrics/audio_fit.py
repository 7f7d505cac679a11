"""How well a clip fits what it was asked for: its prompt, or the recording that it stands for.

Conventions: each function takes the frames of a whole set (:class:`FrameSet`) and what its clips
were asked for, and returns one result a clip, in the set's order. A clip's vector is the mean of
the unit vectors of its windows, which stand at fixed places: nothing is drawn at random, so a clip
of any length has one score. The checkpoint decides the ranking of systems: name it with the number.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clap import clap_score as scored_prompts
from concours.metrics.clap import clip_vector
from concours.metrics.frame_set import Engine, FrameSet
from concours.metrics.registry import metric
from concours.metrics.spec import MetricResult, Scored, Undefined

Doubles = NDArray[np.float64]
Activation = Literal["softmax", "sigmoid", "none"]

CLAP = "clap:music"
CLASSIFIER = "ast"
LAION = "Wu et al. 2023 (LAION-CLAP), arXiv:2211.06687"
FLOOR = 1e-7
NO_PROMPT = Undefined("no prompt")
NO_TARGET = Undefined("no target recording")


class Prompts(NamedTuple):
    """``vectors`` (m, d) of all different prompts of a run, and ``own`` (clips,), the number of
    each clip's prompt, -1 where it has none."""

    vectors: NDArray[np.float32]
    own: NDArray[np.int64]


@metric(
    level="pair",
    inputs="embedding",
    partner="prompt",
    direction="higher",
    unit="cosine",
    range=(-1, 1),
    citation=LAION,
)
def clap_score(
    x: FrameSet, prompts: Prompts, *, embedding: str = CLAP, engine: Engine = "concours"
) -> list[MetricResult]:
    """How well the sound of a clip fits the text of its prompt.

    The cosine of the clip's and the prompt's vector; over a system, the mean. Undefined without a
    prompt.

    >>> from concours.metrics.frame_set import frame_set
    >>> x = frame_set([np.eye(2, dtype=np.float32)[:1]])
    >>> round(clap_score(x, Prompts(np.array([[0.6, 0.8]], np.float32), np.array([0])))[0].value, 6)
    0.6
    """
    return _against_prompts(x, prompts, embedding, engine, "cosine")


@metric(
    level="pair",
    inputs="embedding",
    partner="prompt",
    direction="lower",
    unit="place",
    range=(1, math.inf),
    citation=LAION,
)
def clap_rank(
    x: FrameSet, prompts: Prompts, *, embedding: str = CLAP, engine: Engine = "concours"
) -> list[MetricResult]:
    """The place of a clip's own prompt among all prompts of the run, ordered by their cosine.

    1 where no other prompt fits the clip better; equal prompts count once. Undefined without a
    prompt, and where the run has one prompt.

    >>> from concours.metrics.frame_set import frame_set
    >>> x = frame_set([np.eye(2, dtype=np.float32)[:1]])
    >>> prompts = Prompts(np.array([[0.6, 0.8], [1, 0]], np.float32), np.array([0]))
    >>> clap_rank(x, prompts)[0].value
    2.0
    """
    return _against_prompts(x, prompts, embedding, engine, "rank")


@metric(
    level="pair",
    inputs="embedding",
    partner="prompt",
    direction="higher",
    unit="share",
    range=(0, 1),
    citation=LAION,
)
def clap_recall(
    x: FrameSet, prompts: Prompts, *, embedding: str = CLAP, engine: Engine = "concours", k: int = 1
) -> list[MetricResult]:
    """R@k: whether a clip's own prompt is among the k that fit it best; over a system, the share.

    1 where ``clap_rank`` is at most ``k``, else 0. Chance is k over the number of different
    prompts. Undefined as ``clap_rank``.

    >>> from concours.metrics.frame_set import frame_set
    >>> x = frame_set([np.eye(2, dtype=np.float32)[:1]])
    >>> prompts = Prompts(np.array([[0.6, 0.8], [1, 0]], np.float32), np.array([0]))
    >>> [clap_recall(x, prompts, k=k)[0].value for k in (1, 2)]
    [0.0, 1.0]
    """
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    ranks = _against_prompts(x, prompts, embedding, engine, "rank")
    return [
        Scored(float(r.value <= k), {**r.detail, "rank": int(r.value)})
        if isinstance(r, Scored)
        else r
        for r in ranks
    ]


def _against_prompts(
    x: FrameSet, prompts: Prompts, embedding: str, engine: Engine, which: str
) -> list[MetricResult]:
    found: list[MetricResult] = [NO_PROMPT] * x.clips
    asked = [i for i in range(x.clips) if prompts.own[i] >= 0]
    if not asked:
        return found
    different = len(np.unique(prompts.vectors, axis=0))
    if which == "rank" and different < 2:
        return [NO_PROMPT if own < 0 else Undefined("one prompt in the run") for own in prompts.own]
    audio = np.array([clip_vector(x.of_clip(i)) for i in asked])
    scores = scored_prompts(audio, prompts.vectors[prompts.own[asked]], prompts.vectors)
    for place, i in enumerate(asked):
        said = {"windows": len(x.of_clip(i)), "prompts": different, **_said(x, embedding, engine)}
        value = scores.cosines[place] if which == "cosine" else scores.ranks[place]
        if which == "cosine":
            said["rank"] = int(scores.ranks[place])
        found[i] = Scored(float(value), said)
    return found


@metric(
    level="pair",
    inputs="embedding",
    direction="higher",
    unit="cosine",
    range=(-1, 1),
    citation=LAION,
)
def clap_audio_score(
    x: FrameSet, targets: FrameSet, *, embedding: str = CLAP, engine: Engine = "concours"
) -> list[MetricResult]:
    """How alike a clip and its target recording sound to CLAP.

    The cosine of their two vectors; ``targets`` holds one clip for each of ``x``. With an
    embedding of another kind, the cosine in its space. Undefined without a target.

    >>> from concours.metrics.frame_set import frame_set
    >>> x = frame_set([np.eye(2, dtype=np.float32)[:1]])
    >>> clap_audio_score(x, x)[0].value
    1.0
    """
    found: list[MetricResult] = []
    for i in range(x.clips):
        own, other = x.of_clip(i), targets.of_clip(i)
        if not len(other):
            found.append(NO_TARGET)
            continue
        cosine = float(np.clip(clip_vector(own) @ clip_vector(other), -1.0, 1.0))
        found.append(Scored(cosine, _said(x, embedding, engine)))
    return found


@metric(
    level="pair",
    inputs="embedding",
    direction="lower",
    unit="nat",
    range=(0, math.inf),
    citation="Kreuk et al. 2023 (AudioGen), arXiv:2209.15352; Liu et al. 2023 (AudioLDM)",
)
def kl_reference_to_generated(
    x: FrameSet,
    targets: FrameSet,
    *,
    embedding: str = CLASSIFIER,
    engine: Engine = "concours",
    activation: Activation = "softmax",
) -> list[MetricResult]:
    """KL(target ‖ clip) of what a classifier hears in the two: what the clip fails to have.

    Σ r ln(r / g) over classes, r the target's and g the clip's posteriors, floored at 1e-7. The
    embedding's frames are a classifier's outputs: logits, of which ``activation`` makes shares
    (softmax, or sigmoids divided by their sum), or posteriors as they are (none). A clip's
    posteriors are the mean over its windows. Undefined without a target.

    >>> from concours.metrics.frame_set import frame_set
    >>> g, r = (frame_set([np.array([p], np.float32)]) for p in ([0.5, 0.5], [1.0, 0.0]))
    >>> round(kl_reference_to_generated(g, r, activation="none")[0].value, 6)
    0.693147
    """
    return _divergences(x, targets, embedding, engine, activation, from_target=True)


@metric(
    level="pair",
    inputs="embedding",
    direction="lower",
    unit="nat",
    range=(0, math.inf),
    citation="the other direction of KL(reference ‖ generated); Kreuk et al. 2023",
)
def kl_generated_to_reference(
    x: FrameSet,
    targets: FrameSet,
    *,
    embedding: str = CLASSIFIER,
    engine: Engine = "concours",
    activation: Activation = "softmax",
) -> list[MetricResult]:
    """KL(clip ‖ target) of what a classifier hears in the two: what the clip has too much of.

    The other direction of ``kl_reference_to_generated``, and another number.

    >>> from concours.metrics.frame_set import frame_set
    >>> g, r = (frame_set([np.array([p], np.float32)]) for p in ([0.5, 0.5], [0.9, 0.1]))
    >>> round(kl_generated_to_reference(g, r, activation="none")[0].value, 6)
    0.510826
    """
    return _divergences(x, targets, embedding, engine, activation, from_target=False)


def _divergences(
    x: FrameSet,
    targets: FrameSet,
    embedding: str,
    engine: Engine,
    activation: Activation,
    *,
    from_target: bool,
) -> list[MetricResult]:
    found: list[MetricResult] = []
    for i in range(x.clips):
        own, other = x.of_clip(i), targets.of_clip(i)
        if not len(other):
            found.append(NO_TARGET)
            continue
        generated, target = (_posterior(f, activation) for f in (own, other))
        p, q = (target, generated) if from_target else (generated, target)
        held = p > 0
        value = float((p[held] * np.log(p[held] / np.maximum(q[held], FLOOR))).sum())
        found.append(Scored(max(0.0, value), {"classes": len(p), **_said(x, embedding, engine)}))
    return found


def _posterior(frames: NDArray[np.float32], activation: Activation) -> Doubles:
    """Shares of the classes, (classes,), averaged over windows (windows, classes)."""
    rows = frames.astype(np.float64)
    if activation == "softmax":
        rows = np.exp(rows - rows.max(axis=1, keepdims=True))
    elif activation == "sigmoid":
        rows = 1.0 / (1.0 + np.exp(-rows))
    elif (rows < 0).any() or np.abs(rows.sum(axis=1) - 1.0).max() > 1e-3:
        raise ValueError(
            "the embedding gives no posteriors (shares that sum to 1); "
            "activation=softmax or sigmoid makes some of a classifier's logits"
        )
    rows /= rows.sum(axis=1, keepdims=True)
    shares: Doubles = rows.mean(axis=0)
    return shares


def _said(x: FrameSet, embedding: str, engine: Engine) -> dict[str, str | int]:
    told: dict[str, str | int] = {
        "embedding": embedding,
        "engine": "" if engine == "concours" else engine,
        "weights_hash": str(x.facts.get("weights_hash", "")),
    }
    return {k: v for k, v in told.items() if v != ""}
