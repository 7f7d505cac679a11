"""On 50 real pieces every view and every n equals a search with sets of tuples."""

from itertools import pairwise

import numpy as np
import pytest

from concours.eval.corpora import corpus_files
from concours.eval.load import load
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.ngram import coverage_curve
from concours.metrics.originality.tokens import VIEWS, tokenize, view_width
from concours.metrics.piece import Piece


def voices(piece: Piece) -> list[list[tuple[int, int]]]:
    found: dict[int, dict[int, int]] = {}
    for t, p, track in zip(
        piece.onset.tolist(), piece.pitch.tolist(), piece.track.tolist(), strict=True
    ):
        starts = found.setdefault(track, {})
        starts[t] = max(starts.get(t, -1), p)
    return [sorted(v.items()) for v in found.values()]


def fingerprint(passage: list[tuple[int, int]], view: str, quarter: int) -> tuple:
    step = [b[1] - a[1] for a, b in pairwise(passage)]
    ioi = [b[0] - a[0] for a, b in pairwise(passage)]
    ratio = [round(12 * float(np.log2(b / a))) for a, b in pairwise(ioi)]
    units = [int(x * 24 / quarter + 0.5) for x in ioi]
    return {
        "absolute": (*(p for _, p in passage), *units),
        "interval-ioi": (*step, *units),
        "interval-ratio": (*step, *ratio),
        "interval-class-ratio": (*(s % 12 for s in step), *ratio),
        "interval": tuple(step),
    }[view]


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_every_n_equals_sets_of_tuples(view):
    pieces = [load(p).piece for p in corpus_files("bach-chorales", "all", limit=50)]
    corpus, queries = pieces[:25], pieces
    index = NgramIndex.build(
        [tokenize(p, view=view) for p in corpus], [str(i) for i in range(len(corpus))]
    )
    sizes = range(view_width(view), 60)
    curves = [coverage_curve(tokenize(p, view=view), index, sizes) for p in queries]
    for n in sizes:
        known = {
            fingerprint(v[i : i + n], view, p.ticks_per_quarter)
            for p in corpus
            for v in voices(p)
            for i in range(len(v) - n + 1)
        }
        for piece, curve in zip(queries, curves, strict=True):
            covered = possible = 0
            for v in voices(piece):
                if len(v) < n:
                    continue
                possible += len(v)
                hits = {
                    j
                    for i in range(len(v) - n + 1)
                    if fingerprint(v[i : i + n], view, piece.ticks_per_quarter) in known
                    for j in range(i, i + n)
                }
                covered += len(hits)
            assert curve.get(n) == (covered / possible if possible else None)
    for curve in curves[:25]:
        assert set(curve.values()) == {1.0}
