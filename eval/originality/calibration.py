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
- Of a corpus of more than :data:`MOST_QUERIES` pieces that many are drawn, with a seed; for points
  and fingerprints, which take longer, :data:`FEWER_QUERIES`.
- The percentile of a value is the share of the corpus's pieces below it, ties counted half.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from concours.eval.originality.altered import AlteredSearch
from concours.eval.originality.corpus_index import CorpusIndex
from concours.eval.originality.expressive import FEWEST_VOTES, ExpressiveSearch
from concours.eval.originality.points import PointSearch
from concours.eval.originality.search import longest, longest_passage
from concours.eval.progress import Progress, Silent
from concours.metrics.originality.approximate import VIEW
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.ngram import SIZES, covered_notes, curve_of
from concours.metrics.originality.tokens import Tokens, tokenize
from concours.metrics.originality.within import self_repetition
from concours.metrics.piece import make_piece

MOST_QUERIES = 500
FEWER_QUERIES = 40
WITHIN_NOTES = 10  # of a passage that counts as repeated within a piece
DUPLICATE_PASSAGES = {"interval-ratio": 12, "interval": 16}
DUPLICATE_SHARE = 0.10
DUPLICATE_LEAST = 24
DUPLICATE_BITS = 120.0
MOST_DUPLICATES = 50
ALTERED_LEVEL = 98  # a percentile of few pieces is noisy: 98 keeps false alarms under 5%
SEED = 0
CALIBRATION_VERSION = 4  # raise it with every change of the numbers


def calibrate(index: CorpusIndex, progress: Progress | None = None) -> dict[str, Any]:
    """Clusters of near-duplicates and, for each view, percentiles and curves; JSON-ready."""
    progress = progress or Silent()
    altered = AlteredSearch(index)
    clusters = _clusters(index, altered, progress)
    views = {view: _view(index, view, clusters, progress) for view in index.views}
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
        "altered": _altered(index, clusters, altered, progress),
        "self_repetition": _self_repetition(index),
        "cardinality": _cardinality(index, clusters, progress),
        "expressive": _expressive(index, clusters, progress),
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
    return _clusters(index, AlteredSearch(index), Silent())


def _clusters(index: CorpusIndex, altered: AlteredSearch, progress: Progress) -> dict[str, int]:
    parts = index.shards[index.views[0]]
    place = [(s, i) for s, part in enumerate(parts) for i in range(part.n_pieces)]
    number = {str(parts[s].names[i]): k for k, (s, i) in enumerate(place)}
    parent = list(range(len(place)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for shard, piece in progress.track(place, len(place), "finding near-duplicates"):
        own = str(parts[shard].names[piece])
        found: set[str] = set()
        for view, passage in DUPLICATE_PASSAGES.items():
            for part in index.shards.get(view, []):
                tokens = index.shards[view][shard].piece(piece)
                found |= _exact_duplicates(tokens, part, found | {own}, passage)
        found |= altered.above(shard, piece, DUPLICATE_BITS, found, MOST_DUPLICATES)
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


def _without(part: NgramIndex, names: set[str]) -> NgramIndex:
    return part.excluding(*names.intersection(part.names.tolist()))


def queries(index: CorpusIndex, view: str, most: int = MOST_QUERIES) -> list[tuple[int, int]]:
    """(shard, piece) of the pieces that calibrate a view."""
    place = [(s, i) for s, part in enumerate(index.shards[view]) for i in range(part.n_pieces)]
    if len(place) <= most:
        return place
    chosen = np.random.default_rng(SEED).permutation(len(place))[:most]
    return [place[i] for i in sorted(chosen.tolist())]


def held_out(
    index: CorpusIndex, view: str, clusters: dict[str, int], shard: int, piece: int
) -> list[NgramIndex]:
    """The shards of a view without one piece and its near-duplicates."""
    names = _cluster_of(str(index.shards[view][shard].names[piece]), clusters)
    return index.excluding(names).shards[view]


def _cluster_of(name: str, clusters: dict[str, int]) -> list[str]:
    return [other for other, cluster in clusters.items() if cluster == clusters[name]]


def _self_repetition(index: CorpusIndex) -> dict[str, Any]:
    """What the corpus's pieces repeat of themselves: the two-sided band for a system's."""
    view = index.views[0]
    found = [
        self_repetition(index.shards[view][shard].piece(piece), WITHIN_NOTES)
        for shard, piece in queries(index, view)
    ]
    values = sorted(v for v in found if v is not None)
    band = {f"p{q}": round(float(np.percentile(values, q)), 6) for q in (5, 50, 95) if values}
    return {"notes": WITHIN_NOTES, **band, "values": [round(v, 6) for v in values]}


def _cardinality(
    index: CorpusIndex, clusters: dict[str, int], progress: Progress
) -> dict[str, Any]:
    search = PointSearch(index)
    values: dict[str, list[float]] = {}
    asked = queries(index, index.views[0], FEWER_QUERIES)
    for shard, number in progress.track(asked, len(asked), "calibrating points"):
        part = index.notes[shard]
        aside = set(_cluster_of(str(part.names[number]), clusters))
        for size, found in search.scores(part.piece(number), aside).items():
            values.setdefault(size, []).append(found["score"])
    return {size: {**_percentiles(v), "values": sorted(v)} for size, v in values.items()}


def _expressive(index: CorpusIndex, clusters: dict[str, int], progress: Progress) -> dict[str, Any]:
    search = ExpressiveSearch(index)
    if not search.shards:
        return {}
    votes = []
    asked = queries(index, index.views[0], FEWER_QUERIES)
    for shard, number in progress.track(asked, len(asked), "calibrating fingerprints"):
        part = index.notes[shard]
        aside = set(_cluster_of(str(part.names[number]), clusters))
        votes.append(search.most_votes(part.piece(number), aside))
    level = max(FEWEST_VOTES, float(np.percentile(votes, ALTERED_LEVEL)))
    return {"pieces": len(votes), "level": round(level, 4)}


def _view(
    index: CorpusIndex, view: str, clusters: dict[str, int], progress: Progress
) -> dict[str, Any]:
    lengths: list[int] = []
    curves: list[dict[int, float]] = []
    shuffled: list[dict[int, float]] = []
    rng = np.random.default_rng(SEED)
    asked = queries(index, view)
    for shard, piece in progress.track(asked, len(asked), f"calibrating {view}"):
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


def _altered(
    index: CorpusIndex, clusters: dict[str, int], search: AlteredSearch, progress: Progress
) -> dict[str, Any]:
    """The score above which an altered passage is reported: a percentile of the best scores that
    the corpus's pieces reach against the others."""
    if search.known is None:
        return {}
    scores = []
    asked = queries(index, VIEW)
    for shard, piece in progress.track(asked, len(asked), "calibrating altered passages"):
        own = str(index.shards[VIEW][shard].names[piece])
        scores.append(search.best_score(shard, piece, _cluster_of(own, clusters)))
    return {
        "pieces": len(scores),
        "level": round(float(np.percentile(scores, ALTERED_LEVEL)), 4),
        "bits": {k: np.round(v, 6).tolist() for k, v in search.known._asdict().items()},
    }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    levels = np.percentile(values, [50, 95, 99])
    return {f"p{q}": round(float(v), 6) for q, v in zip((50, 95, 99), levels, strict=True)}
