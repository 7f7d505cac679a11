"""What recordings that have nothing to do with each other share: the measure of the rest.

Conventions
-----------
- Each clip of the reference is held against the others without its own recording's; the best
  score is one value of the *null*.
- Cuts of one recording are known by their names (``waltz_00``, ``waltz_01`` …: one folder, one
  name, a number) or by sharing an excerpt of 20 peaks. A numbering that would leave fewer than
  three recordings, or put over half of the clips into one, numbers recordings, not cuts, and is
  not used.
- The *level* that a score must exceed to be reported is the 99th percentile of a Gumbel
  distribution, that of a maximum of many chances, with the null's median and its 80th percentile:
  steadier than the 99th percentile of some tens of values, and blind to a few clips of the
  reference that do belong together. It is not known for a null of fewer than five values.
- Of a large reference as many clips are drawn, with a seed, as are affordable.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.originality.chroma_index import ChromaIndex
from concours.metrics.originality.landmark_index import LEAST_SCORE, LandmarkIndex
from concours.metrics.originality.landmarks import query_landmarks
from concours.metrics.originality.neighbours import VectorIndex
from concours.metrics.originality.qmax import align

VERSION = 1
SEED = 0
SAME_PEAKS = 20
LEAST_RECORDINGS = 3
MOST_LANDMARK_QUERIES = 500
CHROMA_CELLS = 3e9  # about a minute
LEAST_NULL = 5
_CUT = re.compile(r"^(.+?)[ _.-]?\d{1,3}$")

Doubles = NDArray[np.float64]


class Null(NamedTuple):
    """``values`` of unrelated clips, ascending, and the ``level`` to exceed (None: not known)."""

    values: Doubles
    level: float | None

    def percentile(self, value: float) -> float | None:
        """Per cent of the null below the value, ties counted half; None for an empty null."""
        if not len(self.values):
            return None
        below = (self.values < value).sum() + 0.5 * (self.values == value).sum()
        return round(float(100 * below / len(self.values)), 2)


def gumbel_level(values: Doubles) -> float | None:
    """The level of a null; see the conventions.

    >>> round(gumbel_level(np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9])), 2)
    13.96
    """
    if len(values) < LEAST_NULL:
        return None
    median, high = np.percentile(values, [50, 80])
    low_quantile, high_quantile, wanted = (-np.log(-np.log(q)) for q in (0.5, 0.8, 0.99))
    scale = (high - median) / (high_quantile - low_quantile)
    return float(median + scale * (wanted - low_quantile))


def recordings(names: Sequence[str]) -> list[int]:
    """A number for each name; cuts of one recording have the same.

    >>> recordings(["waltz_00.wav", "waltz_01.wav", "polka_00.wav", "b.wav"])
    [0, 0, 1, 2]
    >>> recordings(["song_1.wav", "song_2.wav", "song_3.wav"])
    [0, 1, 2]
    """
    stems = [_recording(name) for name in names]
    counts = Counter(stems)
    if len(counts) < LEAST_RECORDINGS or max(counts.values()) > len(names) / 2:
        return list(range(len(names)))
    order = {stem: i for i, stem in enumerate(counts)}
    return [order[s] for s in stems]


def _recording(name: str) -> str:
    folder, _, file = name.rpartition("/")
    stem = file.rsplit(".", 1)[0]
    found = _CUT.match(stem)
    return f"{folder}/{found[1] if found else stem}"


def joined(groups: Sequence[int], pairs: Iterable[tuple[int, int]]) -> list[int]:
    """The groups with those of each pair of clips made one, numbered in order.

    >>> joined([0, 1, 2, 2], [(0, 2)])
    [0, 1, 0, 0]
    """
    parent = list(range(max(groups, default=-1) + 1))

    def root(g: int) -> int:
        while parent[g] != g:
            g = parent[g]
        return g

    for a, b in pairs:
        low, high = sorted((root(groups[a]), root(groups[b])))
        parent[high] = low
    found = [root(g) for g in groups]
    order = {g: i for i, g in enumerate(dict.fromkeys(found))}
    return [order[g] for g in found]


def drawn(n: int, most: int) -> list[int]:
    """Which of n clips are held against the rest."""
    if n <= most:
        return list(range(n))
    return sorted(np.random.default_rng(SEED).choice(n, most, replace=False).tolist())


def landmark_null(parts: Sequence[LandmarkIndex], groups: Sequence[int]) -> tuple[Null, list[int]]:
    """The null of landmark scores, and the groups with those joined that share excerpts.

    The level is at least 8 peaks.
    """
    place = [(p, i) for p in parts for i in range(p.n_clips)]
    scores, asked = [], drawn(len(place), MOST_LANDMARK_QUERIES)
    for k in asked:
        part, i = place[k]
        query = query_landmarks(part.constellation(i))
        scores.append(np.concatenate([p.scores(query) for p in parts]))
    own = [(k, int(j)) for k, s in zip(asked, scores, strict=True)
           for j in np.flatnonzero(s >= SAME_PEAKS) if j != k]  # fmt: skip
    groups = joined(groups, own)
    group = np.array(groups)
    values = [s[group != group[k]].max() for k, s in zip(asked, scores, strict=True)
              if (group != group[k]).any()]  # fmt: skip
    null = np.sort(np.array(values, np.float64))
    level = gumbel_level(null)
    return Null(null, max(float(LEAST_SCORE), level or 0.0)), groups


def chroma_null(parts: Sequence[ChromaIndex], groups: Sequence[int]) -> Null:
    """The null of alignment scores."""
    place = [(p, i) for p in parts for i in range(p.n_clips)]
    sizes = np.array([p.starts[i + 1] - p.starts[i] for p, i in place], np.float64)
    affordable = CHROMA_CELLS / max(1.0, 12.0 * sizes.mean() * sizes.sum()) if len(sizes) else 0
    values = []
    for k in drawn(len(place), max(20, int(affordable))):
        query = place[k][0].clip(place[k][1])
        found = [align(query, p.clip(i)).score for j, (p, i) in enumerate(place)
                 if groups[j] != groups[k]]  # fmt: skip
        values += [max(found)] if found else []
    null = np.sort(np.array(values, np.float64))
    return Null(null, gumbel_level(null))


def neighbour_null(index: VectorIndex, groups: Sequence[int]) -> Null:
    """The null of distances to the nearest clip; its level is a distance to fall below, found as
    for scores from the negative logarithms."""
    group = np.array(groups)
    values = []
    for k in drawn(index.n_clips, MOST_LANDMARK_QUERIES):
        if np.isnan(index.vector[k]).any():
            continue
        distance = index.distances(index.vector[k])[group != group[k]]
        distance = distance[np.isfinite(distance)]
        values += [float(distance.min())] if len(distance) else []
    null = np.sort(np.array(values, np.float64))
    level = gumbel_level(-np.log(np.maximum(null, 1e-6)))
    return Null(null, None if level is None else float(np.exp(-level)))
