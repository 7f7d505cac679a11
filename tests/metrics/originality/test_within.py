"""Repetition inside a piece and a set, against counting."""

from collections import Counter

import numpy as np
import pytest

from concours.metrics.originality.tokens import tokenize
from concours.metrics.originality.within import distinct_passages, self_repetition
from concours.metrics.piece import make_piece


def random_piece(rng):
    onset = rng.integers(0, 40, 50)
    return make_piece(
        onset=onset,
        end=onset + 1,
        pitch=60 + rng.integers(0, 3, 50),
        track=rng.integers(0, 2, 50),
    )


def passages(tokens, n):
    """(first, tokens of the passage) of every passage of n notes."""
    k = n - tokens.width + 1
    found = []
    for i in range(len(tokens) - k + 1):
        run = tokens.code[i : i + k]
        if (run >= 0).all():
            found.append((i, tuple(run.tolist())))
    return found


@pytest.mark.parametrize("view", ["interval", "interval-ratio"])
@pytest.mark.parametrize("n", [3, 4, 6])
def test_both_equal_counting(view, n):
    rng = np.random.default_rng(n)
    pieces = [tokenize(random_piece(rng), view=view) for _ in range(4)]
    everything = [p for t in pieces for _, p in passages(t, n)]
    assert distinct_passages(pieces, n) == len(set(everything)) / len(everything)
    for tokens in pieces:
        found = passages(tokens, n)
        count = Counter(p for _, p in found)
        covered = {j for i, p in found if count[p] > 1 for j in range(i, i + n)}
        sizes = Counter(tokens.voice.tolist())
        possible = sum(s for s in sizes.values() if s >= n)
        assert self_repetition(tokens, n) == len(covered) / possible


def test_too_short_is_none():
    short = tokenize(make_piece(onset=[0, 1], end=[1, 2], pitch=[60, 61]))
    assert self_repetition(short, 3) is None
    assert distinct_passages([short], 3) is None
    assert distinct_passages([], 3) is None
    with pytest.raises(ValueError, match="3 notes or more"):
        distinct_passages([short], 2)
