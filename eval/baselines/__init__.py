"""Systems whose faults are known: they tell whether a metric can be believed.

====================  ========================================================================
copycat               pieces of the training corpus themselves: perfect music, nothing new
markov                Markov chains of a given order: order 1 knows single steps, order 8 quotes
shuffled              given pieces with each voice's notes in random order
random                notes drawn uniformly
====================  ========================================================================

Conventions
-----------
- The same kind, training pieces, count, seed and order give the same pieces; piece ``i`` does not
  depend on ``count``.
- Generated pieces have the ticks a quarter of the training pieces, or 480 where these differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from concours.eval.baselines.markov import MarkovModel
from concours.eval.baselines.midi import write_midi
from concours.eval.baselines.noise import random_piece, shuffled_piece
from concours.metrics.piece import Piece

__all__ = ["GENERATOR_VERSION", "KINDS", "generate", "write_midi"]

GENERATOR_VERSION = 2  # raise it with every change of what a seed gives: it names cached pieces
KINDS = ("copycat", "markov", "random", "shuffled")


def generate(
    kind: str, *, train: Sequence[Piece], count: int, seed: int, order: int = 1
) -> Iterator[Piece]:
    """``count`` pieces of one kind of baseline, made from the pieces in ``train``.

    Each generated piece takes one training piece as its model: its length, tracks, programs,
    meters, bars, tempi and key. Models are drawn without replacement until all are used, then
    again. ``order`` is that of the Markov chain.

    Raises:
        ValueError: no such kind, no training piece that has a note, or an order below 1.

    >>> from concours.metrics.piece import make_piece
    >>> tune = make_piece(onset=[0, 480, 960], end=[480, 960, 1440], pitch=[60, 62, 64])
    >>> [p.pitch.tolist() for p in generate("copycat", train=[tune], count=1, seed=0)]
    [[60, 62, 64]]
    """
    if kind not in KINDS:
        raise ValueError(f"no baseline is called {kind!r}; there are: {', '.join(KINDS)}")
    models = [p for p in train if p.n_notes]
    if not models:
        raise ValueError(f"the baseline {kind!r} needs at least one training piece with notes")
    if order < 1:
        raise ValueError(f"the order of a Markov chain is at least 1, not {order}")
    return _generate(kind, models, count, seed, order)


def _generate(
    kind: str, models: Sequence[Piece], count: int, seed: int, order: int
) -> Iterator[Piece]:
    chain = MarkovModel(models, order) if kind == "markov" else None
    for i in range(count):
        lap, place = divmod(i, len(models))
        model = models[int(np.random.default_rng([seed, 0, lap]).permutation(len(models))[place])]
        rng = np.random.default_rng([seed, 1, i])
        if chain is not None:
            yield chain.sample(model, rng)
        elif kind == "shuffled":
            yield shuffled_piece(model, rng)
        elif kind == "random":
            yield random_piece(model, rng)
        else:
            yield model
