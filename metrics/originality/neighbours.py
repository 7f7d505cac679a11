"""Nearest neighbours of a clip in an embedding, whatever the embedding.

Conventions
-----------
- A clip is the mean of its frames. Each dimension is centred on the reference's mean and divided
  by its standard deviation over the reference's clips (over the reference alone, so that a system
  does not move its own measure); one that does not vary there is left out.
- The distance of two clips is the root mean square over the dimensions: 0 for equal clips, about
  1.4 for two that have nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Neighbour(NamedTuple):
    """A clip of the reference by its number, and its distance."""

    clip: int
    distance: float


@dataclass(frozen=True, eq=False)
class VectorIndex:
    """One vector for each clip, ``vector`` (clips, d); a row of NaN stands for a clip that the
    embedding could not take. Clips in ``aside`` answer no query."""

    vector: Vectors
    names: NDArray[np.str_]
    aside: frozenset[int] = frozenset()

    @classmethod
    def build(cls, clips: Sequence[NDArray[Any]], names: Sequence[str]) -> VectorIndex:
        """The index of clips given by their frames (k, d) or by one vector (d,) each.

        Raises:
            ValueError: the clips are of different dimensions.

        >>> VectorIndex.build([np.zeros((2, 3)), np.ones(3)], ["a", "b"]).vector.shape
        (2, 3)
        """
        found = [mean_vector(c) for c in clips]
        sizes = {len(v) for v in found if len(v)}
        if len(sizes) > 1:
            raise ValueError(f"vectors of {min(sizes)} and of {max(sizes)} dimensions")
        size = sizes.pop() if sizes else 0
        rows = [v if len(v) else np.full(size, np.nan, np.float32) for v in found]
        return cls(np.array(rows, np.float32).reshape(len(rows), size), np.array(names, np.str_))

    @property
    def n_clips(self) -> int:
        return len(self.names)

    def without(self, clips: Collection[int]) -> VectorIndex:
        """The same index, in which these clips answer no query."""
        return replace(self, aside=self.aside | frozenset(clips))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of the index, for a file each."""
        return {"vector": self.vector, "names": self.names}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> VectorIndex:
        """The index of :meth:`to_arrays`, whose arrays may be memory-mapped."""
        return cls(arrays["vector"], arrays["names"])

    @cached_property
    def _scale(self) -> tuple[Doubles, Doubles, NDArray[np.bool_]]:
        """Mean, standard deviation and which dimensions vary."""
        rows = self.vector[~np.isnan(self.vector).any(axis=1)].astype(np.float64)
        if len(rows) < 2:
            size = self.vector.shape[1]
            return np.zeros(size), np.ones(size), np.ones(size, np.bool_)
        spread = rows.std(axis=0, ddof=1)
        varies = spread > 1e-6 * np.maximum(1e-6, np.abs(rows).max(axis=0))
        return rows.mean(axis=0), np.where(varies, spread, 1.0), varies

    @cached_property
    def _placed(self) -> Doubles:
        return self.placed(self.vector)

    def placed(self, vectors: NDArray[Any]) -> Doubles:
        """Vectors (k, d) in standard deviations of the reference, without what does not vary."""
        mean, spread, varies = self._scale
        found: Doubles = ((vectors - mean) / spread)[:, varies]
        return found

    def distances(self, vector: NDArray[Any]) -> Doubles:
        """The distance of a vector (d,) to every clip; infinite to those that are set aside.

        Raises:
            ValueError: the vector has another dimension than the index.
        """
        if len(vector) != self.vector.shape[1]:
            raise ValueError(
                f"a vector of {len(vector)} dimensions, an index of {self.vector.shape[1]}"
            )
        away = self._placed - self.placed(vector[np.newaxis].astype(np.float64))
        found = np.sqrt(np.square(away).mean(axis=1)) if away.shape[1] else np.zeros(len(away))
        found[np.isnan(found)] = np.inf
        found[list(self.aside)] = np.inf
        return found

    def nearest(self, vector: NDArray[Any], most: int = 1) -> list[Neighbour]:
        """The nearest clips, the nearest first.

        >>> index = VectorIndex.build([np.array([0.0, 1]), np.array([2.0, 5])], ["a", "b"])
        >>> index.nearest(np.array([2.0, 5]))
        [Neighbour(clip=1, distance=0.0)]
        """
        distance = self.distances(vector)
        order = np.argsort(distance, kind="stable")[:most]
        return [Neighbour(int(i), float(distance[i])) for i in order if np.isfinite(distance[i])]


def mean_vector(frames: NDArray[Any]) -> Vectors:
    """The mean of frames (k, d), or the vector itself; (0,) where there is no frame."""
    if frames.ndim == 1:
        return frames.astype(np.float32)
    if not len(frames):
        return np.zeros(0, np.float32)
    found: Vectors = frames.mean(axis=0, dtype=np.float64).astype(np.float32)
    return found
