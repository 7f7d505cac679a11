"""Text and sound in one space: how well clips fit their prompts.

Conventions: vectors of one CLAP checkpoint, text (n, d) and audio (n, d), row i of one belonging to
row i of the other; their length does not matter. A clip longer than one window is the mean of its
windows' unit vectors (:func:`clip_vector`): every window counts, none is drawn at random.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from concours.metrics.frames import as_pair

Doubles = NDArray[np.float64]


class ClapScore(NamedTuple):
    """``value`` is the mean cosine, ``cosines`` one a clip (n,), ``ranks`` the place (1 is best) of
    each clip's own prompt among all different prompts (n,)."""

    value: float
    cosines: Doubles
    ranks: NDArray[np.int64]

    def recall(self, k: int) -> float:
        """R@k: share of the clips whose own prompt is among the ``k`` nearest."""
        return float((self.ranks <= k).mean())


def clip_vector(frames: ArrayLike) -> Doubles:
    """One unit vector, shape (d,), for a clip's frames (k, d).

    Raises:
        ValueError: no frame, or frames that cancel out.

    >>> clip_vector([[3.0, 0.0], [0.0, 4.0]]).round(3).tolist()
    [0.707, 0.707]
    """
    unit = _unit(np.asarray(frames, np.float64))
    vector: Doubles = _unit(unit.mean(axis=0, keepdims=True))[0]
    return vector


def clap_score(audio: ArrayLike, text: ArrayLike, prompts: ArrayLike | None = None) -> ClapScore:
    """How well clips fit their prompts (or, with two sets of audio, their targets).

    Mean over i of cos(audio_i, text_i), -1 to 1, higher is better; with the rank of each clip's own
    prompt among the different ``prompts`` of the run (those of ``text`` by default). The
    checkpoint decides the ranking of systems, so name it.

    Raises:
        ValueError: not one prompt a clip, other shapes, or a vector of zeros.

    Source: Wu et al. 2023 (LAION-CLAP), arXiv:2211.06687.

    >>> score = clap_score([[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.0, 1.0]])
    >>> round(score.value, 6), score.ranks.tolist(), score.recall(1)
    (0.9, [1, 1], 1.0)
    """
    a, b = as_pair(audio, text)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} clips and {len(b)} prompts: there must be one a clip")
    a, b = _unit(a.astype(np.float64)), _unit(b.astype(np.float64))
    cosines = (a * b).sum(axis=1)
    others = b if prompts is None else _unit(np.asarray(prompts, np.float64))
    different = np.unique(others, axis=0)
    # a prompt that several clips share competes once, and ties go to the clip's own prompt
    better = (a @ different.T > cosines[:, np.newaxis] + 1e-9).sum(axis=1)
    return ClapScore(float(cosines.mean()), cosines, (better + 1).astype(np.int64))


def _unit(rows: Doubles) -> Doubles:
    lengths = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    if len(rows) == 0 or not lengths.all():
        raise ValueError("a vector of zeros has no direction")
    unit: Doubles = rows / lengths
    return unit


def kl_reference_to_generated(generated: ArrayLike, reference: ArrayLike) -> float:
    """Mean KL(reference ‖ generated) of class posteriors, pair by pair.

    Mean over i of Σ_c r_ic ln(r_ic / g_ic), in nat, from 0 up, lower is better: what is lost when
    the generated clip's classes stand for the reference's. Posteriors of shape (n, classes), rows
    sum to 1; generated ones are floored at 1e-7. AudioLDM's direction.

    Raises:
        ValueError: other shapes, negative values, or rows that don't sum to 1.

    >>> round(kl_reference_to_generated([[0.5, 0.5]], [[1.0, 0.0]]), 6)
    0.693147
    """
    g, r = _posteriors(generated, reference)
    return _mean_kl(r, g)


def kl_generated_to_reference(generated: ArrayLike, reference: ArrayLike) -> float:
    """Mean KL(generated ‖ reference): the other direction of
    :func:`kl_reference_to_generated`, which is another number.

    >>> round(kl_generated_to_reference([[0.5, 0.5]], [[0.9, 0.1]]), 6)
    0.510826
    """
    g, r = _posteriors(generated, reference)
    return _mean_kl(g, r)


def _posteriors(generated: ArrayLike, reference: ArrayLike) -> tuple[Doubles, Doubles]:
    g, r = (v.astype(np.float64) for v in as_pair(generated, reference))
    if g.shape != r.shape:
        raise ValueError(f"{len(g)} generated and {len(r)} reference clips: they go in pairs")
    for name, rows in (("generated", g), ("reference", r)):
        if (rows < 0).any() or np.abs(rows.sum(axis=1) - 1.0).max() > 1e-3:
            raise ValueError(f"{name}: class posteriors are shares that sum to 1 a clip")
    return g, r


def _mean_kl(p: Doubles, q: Doubles) -> float:
    held = p > 0
    ratio = np.where(held, p, 1.0) / np.where(held, np.maximum(q, 1e-7), 1.0)
    return float((p * np.log(ratio)).sum(axis=1).mean())
