"""Copying inside: within a set of pieces, and within one piece.

Conventions
-----------
- Copying within a set is measured like copying from a corpus: each piece against the others.
- Self-repetition counts notes of a piece that lie in a passage which the piece itself holds at
  another place. Music repeats; neither much nor none of it is better, so it is read against the
  same number of a reference.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.ngram import covered_notes, in_a_passage
from concours.metrics.originality.suffix import longest_elsewhere
from concours.metrics.originality.tokens import Tokens


def self_repetition(tokens: Tokens, n: int) -> float | None:
    """The share of notes in passages of n notes that stand at least twice in the piece.

    Two places may overlap in time and may lie in different voices. Range 0-1; None where no voice
    has n notes.

    >>> from concours.metrics.originality.tokens import tokenize
    >>> from concours.metrics.piece import make_piece
    >>> pitch = [60, 62, 64, 67, 60, 62, 64, 71]
    >>> piece = make_piece(onset=range(8), end=range(1, 9), pitch=pitch)
    >>> self_repetition(tokenize(piece), 3)
    0.75
    """
    possible = in_a_passage(tokens, n)
    if not possible.any():
        return None
    index = NgramIndex.build([tokens], ["piece"])
    length = longest_elsewhere(index.text, index.suffixes)
    return float(covered_notes(length, tokens.width, n).sum() / possible.sum())


def distinct_passages(pieces: Sequence[Tokens], n: int) -> float | None:
    """Distinct passages of n notes over all passages of n notes in a set (distinct-n).

    1 where no passage occurs twice, near 0 where everything is said over and over. It falls as a
    set grows, so compare sets of one size. None where no voice has n notes.

    >>> from concours.metrics.originality.tokens import tokenize
    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=range(4), end=range(1, 5), pitch=[60, 62, 64, 66])
    >>> distinct_passages([tokenize(piece)], 3)
    0.5
    """
    if not pieces:
        return None
    index = NgramIndex.build(pieces, [str(i).zfill(9) for i in range(len(pieces))])
    tokens = n - index.width + 1
    if tokens < 1:
        raise ValueError(
            f"the view {index.view!r} compares passages of {index.width} notes or more"
        )
    separator = np.flatnonzero(index.text == 0)
    stop = np.append(separator, len(index.text))
    room = stop[np.searchsorted(stop, np.arange(len(index.text)))] - np.arange(len(index.text))
    total = int((room >= tokens).sum())
    if not total:
        return None
    shared = longest_elsewhere(index.text, index.suffixes, before_only=True)
    first = (room >= tokens)[index.suffixes] & (shared < tokens)
    return float(first.sum() / total)
