"""Surprise: how unexpected the melody's notes are to a model of the reference.

Conventions
-----------
- The model is :mod:`concours.metrics.ppm` over one viewpoint (:mod:`concours.metrics.viewpoints`)
  of every piece of the reference, contexts of up to ``order`` notes; it does not learn from the
  piece that it reads. A piece of the reference itself is read by the model of the others.
- Bits are of the viewpoint's own tokens: values under two viewpoints do not compare.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from concours.metrics.melody import MelodyRule
from concours.metrics.piece import Ints, Piece
from concours.metrics.ppm import Ppm, train
from concours.metrics.registry import metric
from concours.metrics.spec import Parameters, Scored, Undefined
from concours.metrics.viewpoints import Viewpoint, events_of

PEARCE = "Pearce 2005, The construction and evaluation of statistical models of melodic structure"


class SurpriseModel:
    """The reference as a PPM model; see :class:`concours.metrics.spec.CorpusModel`."""

    name = "ppm"
    version = 1
    parameters: tuple[str, ...] = ("viewpoint", "order", "melody")

    def extract(self, piece: Piece, parameters: Parameters) -> Ints:
        viewpoint = cast(Viewpoint, parameters["viewpoint"])
        events = events_of(piece, viewpoint, cast(MelodyRule, parameters["melody"]))
        return np.empty(0, np.int64) if isinstance(events, Undefined) else events.token

    def fit(
        self, extracts: Sequence[Ints], names: Sequence[str], parameters: Parameters
    ) -> dict[str, NDArray[Any]]:
        return train(extracts, names, int(parameters["order"])).to_arrays()

    def open(self, arrays: Mapping[str, NDArray[Any]]) -> Ppm:
        return Ppm.from_arrays(arrays)


SURPRISE = SurpriseModel()


@metric(
    level="corpus",
    inputs="symbolic",
    direction="reference",
    unit="bit per note",
    range=(0, math.inf),
    citation=PEARCE + "; Conklin & Witten 1995, doi:10.1080/09298219508570672",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
    corpus=SURPRISE,
)
def information_content(
    piece: Piece,
    model: Ppm,
    *,
    viewpoint: Viewpoint = "interval",
    order: int = 4,
    melody: MelodyRule = "skyline",
) -> Scored | Undefined:
    """Mean surprise of the melody's notes, in bits, to a model trained on the reference.

    Mean of −log₂ P(token | the tokens before it) under variable-order prediction (PPM, escape
    method C, interpolated); 0 for a certain note, log₂ K for one of K that are all alike. The
    detail holds the curve and its ticks. It changes under transposition if ``viewpoint="pitch"``.
    Undefined without a melody of 2 notes, or where the reference has none.

    Source: Pearce 2005 (IDyOM), whose long-term model this is, with one viewpoint at a time.

    >>> from concours.metrics.piece import make_piece
    >>> at = [480 * i for i in range(8)]
    >>> scale = make_piece(onset=at, end=[t + 480 for t in at], pitch=range(60, 68))
    >>> known = SURPRISE.extract(scale, {"viewpoint": "interval", "melody": "skyline"})
    >>> model = train([known], ["scale.mid"], order=4)
    >>> information_content(scale, model).value < 0.2
    True
    """
    if order != model.order:
        raise ValueError(f"the model was trained with order {model.order}, not {order}")
    events = events_of(piece, viewpoint, melody)
    if isinstance(events, Undefined):
        return events
    if not len(events.token):
        return Undefined("fewer than 2 notes in the melody")
    if not model.totals[0]:
        return Undefined("the reference holds no melody")
    bits = model.bits(events.token)
    return Scored(float(bits.mean()), {"tick": events.tick.tolist(), "curve": bits.tolist()})
