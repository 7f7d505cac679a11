"""Which files of a corpus hold the same music, so that no split has it on both sides.

Conventions
-----------
- Two files are linked when passages of 8 notes that both hold cover at least 12% of the notes of
  one of them (all voices, interval and rhythm), or at least 60% of the top voice of one of them
  by interval alone (the same tune, set again in another rhythm or meter), or when one holds an
  altered passage of the other that is worth at least 120 bits (the same tune, varied note by
  note; see :mod:`concours.metrics.originality.approximate`).
- A group is everything that links connect, directly or through others.

Why these numbers: over the pairs of Bach's four-part chorales the second share has its knee at
60%. At 50% chance resemblances of phrases chain into groups of 60 unlike tunes; the first rule
keeps together settings whose tune is varied, which 60% alone would part. Chorales of different
tunes share altered passages of up to about 65 bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from concours.metrics.originality.approximate import placements, surprise
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.ngram import coverage_curve
from concours.metrics.originality.tokens import Tokens, tokenize
from concours.metrics.piece import Piece

PASSAGE = 8
SAME_SETTING = 0.12
SAME_TUNE = 0.60
VARIED_TUNE_BITS = 120.0


def same_music(pieces: Mapping[str, Piece]) -> dict[str, str]:
    """The group of each piece, named after the group's first piece in name order.

    The tune is the first track. Time grows with the square of the number of pieces.

    >>> from concours.metrics.piece import make_piece
    >>> tune = [60, 62, 64, 65, 67, 65, 64, 62, 60]
    >>> piece = lambda p: make_piece(onset=range(len(p)), end=range(1, len(p) + 1), pitch=p)
    >>> same_music({"b": piece(tune), "c": piece([p + 5 for p in tune]), "d": piece(tune[::2])})
    {'b': 'b', 'c': 'b', 'd': 'd'}
    """
    from scipy.sparse.csgraph import connected_components

    names = sorted(pieces)
    if not names:
        return {}
    settings = [tokenize(pieces[n]) for n in names]
    tunes = [tokenize(pieces[n].where(pieces[n].track == 0), view="interval") for n in names]
    linked = (_shares(settings) >= SAME_SETTING) | (_shares(tunes) >= SAME_TUNE)
    linked |= _varied(settings, names)
    _, label = connected_components(linked, directed=False)
    first: dict[int, str] = {}
    for name, group in zip(names, label.tolist(), strict=True):
        first.setdefault(group, name)
    return {name: first[group] for name, group in zip(names, label.tolist(), strict=True)}


def _shares(tokens: Sequence[Tokens]) -> NDArray[np.float64]:
    """Row i, column j: the share of piece i's notes that lie in passages of piece j."""
    table = np.zeros((len(tokens), len(tokens)))
    for j, source in enumerate(tokens):
        index = NgramIndex.build([source], ["source"])
        for i, query in enumerate(tokens):
            table[i, j] = coverage_curve(query, index, [PASSAGE]).get(PASSAGE, 0.0)
    return table


def _varied(tokens: Sequence[Tokens], names: Sequence[str]) -> NDArray[np.bool_]:
    """Row i, column j: whether piece j holds an altered passage of piece i."""
    index = NgramIndex.build(tokens, names)
    known = surprise([index])
    linked = np.zeros((len(tokens), len(tokens)), np.bool_)
    for i, query in enumerate(tokens):
        others = index.excluding(names[i])
        while others.n_pieces > len(others.excluded):
            best = placements(query, others, known, most=1)
            if not best or best[0].score < VARIED_TUNE_BITS:
                break
            linked[i, best[0].source] = True
            others = others.excluding(names[best[0].source])
    return linked
