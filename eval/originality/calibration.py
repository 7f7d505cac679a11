"""What the pieces of a corpus share with each other: the measure for what a system shares.

Conventions
-----------
- Each piece is held against the corpus without itself and without its near-duplicates. The corpus
  is then as large as it can be, so the numbers hold for this corpus at this size.
- Two pieces are near-duplicates where 10% of one's notes, and at least 24, lie in passages of 12
  notes (interval and rhythm) or 16 notes (interval alone) that the other holds, or where an altered
  passage is worth 120 bits: the same tune, perhaps varied. Clusters are what such pairs connect.
  The rule has no right value: a stricter one leaves the same music on both sides, so that every
  copy looks usual; a looser one cuts off the tail of what is shared by chance.
- Of a corpus of more than :data:`MOST_QUERIES` pieces that many are drawn, with a seed.
- The percentile of a value is the share of the corpus's pieces below it, ties counted half.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from concours.eval.originality.altered import best_score
from concours.eval.originality.corpus_index import CorpusIndex
from concours.eval.originality.search import longest, longest_passage
from concours.metrics.originality.approximate import VIEW, Surprise, placements, surprise
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.ngram import SIZES, covered_notes, curve_of
from concours.metrics.originality.tokens import Tokens, tokenize
from concours.metrics.piece import make_piece

MOST_QUERIES = 500
DUPLICATE_PASSAGES = {"interval-ratio": 12, "interval": 16}
DUPLICATE_SHARE = 0.10
DUPLICATE_LEAST = 24
DUPLICATE_BITS = 120.0
MOST_DUPLICATES = 50
ALTERED_LEVEL = 98  # a percentile of few pieces is noisy: 98 keeps false alarms under 5%
SEED = 0
CALIBRATION_VERSION = 2  # raise it with every change of the numbers


def calibrate(index: CorpusIndex) -> dict[str, Any]:
    """Clusters of near-duplicates and, for each view, percentiles and curves; JSON-ready."""
    clusters = near_duplicates(index)
    views = {view: _view(index, view, clusters) for view in index.views}
    groups: dict[int, list[str]] = {}
    for name, cluster in clusters.items():
        groups.setdefault(cluster, []).append(name)
    return {
        "near_duplicates": sorted(sorted(g) for g in groups.values() if len(g) > 1),
        "duplicate_rule": {
            "passages": DUPLICATE_PASSAGES,
            "share": DUPLICATE_SHARE,
            "notes": DUPLICATE_LEAST,
            "altered_bits": DUPLICATE_BITS,
        },
        "seed": SEED,
        "views": views,
        "altered": _altered(index, clusters),
    }


def percentile(value: float, sample: Sequence[float]) -> float | None:
    """Per cent of the sample below the value, ties counted half; None for an empty sample.

    >>> percentile(3, [1, 2, 3, 4])
    62.5
    """
    if not len(sample):
        return None
    values = np.asarray(sample, np.float64)
    return float(100 * ((values < value).sum() + 0.5 * (values == value).sum()) / len(values))


def near_duplicates(index: CorpusIndex) -> dict[str, int]:
    """The cluster number of each piece, by name."""
    parts = index.shards[index.views[0]]
    place = [(s, i) for s, part in enumerate(parts) for i in range(part.n_pieces)]
    number = {str(parts[s].names[i]): k for k, (s, i) in enumerate(place)}
    parent = list(range(len(place)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    known = surprise(index.shards[VIEW]) if VIEW in index.shards else None
    for shard, piece in place:
        own = str(parts[shard].names[piece])
        found: set[str] = set()
        for view, passage in DUPLICATE_PASSAGES.items():
            for part in index.shards.get(view, []):
                tokens = index.shards[view][shard].piece(piece)
                found |= _exact_duplicates(tokens, part, found | {own}, passage)
        if known is not None:
            tokens = index.shards[VIEW][shard].piece(piece)
            for part in index.shards[VIEW]:
                found |= _altered_duplicates(tokens, part, found | {own}, known)
        for name in found:
            parent[root(number[name])] = root(number[own])
    return {name: root(k) for name, k in number.items()}


def _exact_duplicates(tokens: Tokens, part: NgramIndex, aside: set[str], passage: int) -> set[str]:
    """Pieces that hold so much of this one; each found one is set aside and the search repeated."""
    found: set[str] = set()
    for _ in range(MOST_DUPLICATES):
        others = _without(part, aside | found)
        if not others.holds(tokens, passage).any():
            break
        matches = others.matches(tokens)
        long = (matches.length > 0) & (matches.length + tokens.width - 1 >= passage)
        sources = np.searchsorted(part.starts, matches.position[long], side="right") - 1
        best = int(np.bincount(sources, weights=matches.length[long]).argmax())
        length = part.only(best).matches(tokens).length
        covered = covered_notes(length, tokens.width, passage)
        if covered.mean() < DUPLICATE_SHARE or covered.sum() < DUPLICATE_LEAST:
            break
        found.add(str(part.names[best]))
    return found


def _altered_duplicates(
    tokens: Tokens, part: NgramIndex, aside: set[str], known: Surprise
) -> set[str]:
    found: set[str] = set()
    for _ in range(MOST_DUPLICATES):
        best = placements(tokens, _without(part, aside | found), known, most=1)
        if not best or best[0].score < DUPLICATE_BITS:
            break
        found.add(str(part.names[best[0].source]))
    return found


def _without(part: NgramIndex, names: set[str]) -> NgramIndex:
    return part.excluding(*names.intersection(part.names.tolist()))


def queries(index: CorpusIndex, view: str) -> list[tuple[int, int]]:
    """(shard, piece) of the pieces that calibrate a view."""
    place = [(s, i) for s, part in enumerate(index.shards[view]) for i in range(part.n_pieces)]
    if len(place) <= MOST_QUERIES:
        return place
    chosen = np.random.default_rng(SEED).permutation(len(place))[:MOST_QUERIES]
    return [place[i] for i in sorted(chosen.tolist())]


def held_out(
    index: CorpusIndex, view: str, clusters: dict[str, int], shard: int, piece: int
) -> list[NgramIndex]:
    """The shards of a view without one piece and its near-duplicates."""
    own = clusters[str(index.shards[view][shard].names[piece])]
    names = [name for name, cluster in clusters.items() if cluster == own]
    return index.excluding(names).shards[view]


def _view(index: CorpusIndex, view: str, clusters: dict[str, int]) -> dict[str, Any]:
    lengths: list[int] = []
    curves: list[dict[int, float]] = []
    shuffled: list[dict[int, float]] = []
    rng = np.random.default_rng(SEED)
    for shard, piece in queries(index, view):
        tokens = index.shards[view][shard].piece(piece)
        if not (np.bincount(tokens.voice, minlength=1) >= tokens.width).any():
            continue
        others = held_out(index, view, clusters, shard, piece)
        found = longest(tokens, others)
        lengths.append(longest_passage(tokens, found.length))
        curves.append(curve_of(tokens, found.length, SIZES))
        if "/" not in view:
            mixed = _shuffled(tokens, rng)
            shuffled.append(curve_of(mixed, longest(mixed, others).length, SIZES))
    return {
        "pieces": len(lengths),
        "longest": _percentiles(lengths),
        "longest_values": sorted(lengths),
        "coverage": {
            n: {"mean": float(np.mean(values)), **_percentiles(values)}
            for n, values in _by_size(curves)
        },
        "shuffled": {n: float(np.mean(values)) for n, values in _by_size(shuffled)},
    }


def _by_size(curves: Sequence[dict[int, float]]) -> list[tuple[str, list[float]]]:
    found = [(str(n), [c[n] for c in curves if n in c]) for n in SIZES]
    return [(n, values) for n, values in found if values]


def _shuffled(tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """The same voices, the pitches of each in random order over its steps in random order."""
    rows = []
    for voice in range(int(tokens.voice.max()) + 1):
        own = tokens.voice == voice
        steps = rng.permutation(np.diff(tokens.onset[own]))
        onset = tokens.onset[own][0] + np.concatenate([[0], np.cumsum(steps)])
        rows.append(np.stack([onset, rng.permutation(tokens.pitch[own]), tokens.voice[own]]))
    onset, pitch, track = np.concatenate(rows, axis=1)
    piece = make_piece(
        onset=onset,
        end=onset + 1,
        pitch=pitch,
        track=track,
        ticks_per_quarter=tokens.ticks_per_quarter,
    )
    return tokenize(piece, view=tokens.view)


def _altered(index: CorpusIndex, clusters: dict[str, int]) -> dict[str, Any]:
    """The score above which an altered passage is reported: a percentile of the best scores that
    the corpus's pieces reach against the others."""
    if VIEW not in index.views:
        return {}
    known = surprise(index.shards[VIEW])
    scores = [
        best_score(
            index.shards[VIEW][shard].piece(piece),
            held_out(index, VIEW, clusters, shard, piece),
            known,
        )
        for shard, piece in queries(index, VIEW)
    ]
    return {
        "pieces": len(scores),
        "level": round(float(np.percentile(scores, ALTERED_LEVEL)), 4),
        "bits": {k: np.round(v, 6).tolist() for k, v in known._asdict().items()},
    }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    levels = np.percentile(values, [50, 95, 99])
    return {f"p{q}": round(float(v), 6) for q, v in zip((50, 95, 99), levels, strict=True)}
