"""Chroma profiles of many clips, and the alignment of a query with each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.metrics.originality.qmax import (
    NOTHING,
    SECONDS_A_PROFILE,
    Alignment,
    Profiles,
    align,
)

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChromaIndex:
    """The profiles of clips one after the other: ``profile`` (n, 12) float16, of which clip i has
    the rows ``starts[i]`` to ``starts[i + 1]``; clips in ``aside`` answer no query."""

    profile: NDArray[np.float16]
    starts: Ints
    names: NDArray[np.str_]
    aside: frozenset[int] = frozenset()

    @classmethod
    def build(cls, clips: Sequence[Profiles], names: Sequence[str]) -> ChromaIndex:
        """The index of clips in their order."""
        starts = np.concatenate([[0], np.cumsum([len(c) for c in clips], dtype=np.int64)])
        every = np.concatenate([*clips, np.zeros((0, 12), np.float32)])
        return cls(every.astype(np.float16), starts.astype(np.int64), np.array(names, np.str_))

    @property
    def n_clips(self) -> int:
        return len(self.names)

    def clip(self, number: int) -> Profiles:
        """The profiles of one clip."""
        part = self.profile[self.starts[number] : self.starts[number + 1]]
        return part.astype(np.float32)

    def without(self, clips: Collection[int]) -> ChromaIndex:
        """The same index, in which these clips answer no query."""
        return replace(self, aside=self.aside | frozenset(clips))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of the index, for a file each."""
        return {"profile": self.profile, "starts": self.starts, "names": self.names}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> ChromaIndex:
        """The index of :meth:`to_arrays`, whose arrays may be memory-mapped."""
        return cls(arrays["profile"], arrays["starts"], arrays["names"])

    def alignments(self, query: Profiles) -> list[Alignment]:
        """The best alignment with each clip, in the order of the clips."""
        return [
            NOTHING if i in self.aside else align(query, self.clip(i)) for i in range(self.n_clips)
        ]


def span_seconds(alignment: Alignment) -> tuple[list[float], list[float]]:
    """First and last second of an alignment on the query's and on the clip's side."""
    a, b, c, d = (
        round(x * SECONDS_A_PROFILE, 2)
        for x in (
            alignment.start,
            alignment.end,
            alignment.source_start,
            alignment.source_end,
        )
    )
    return [a, b], [c, d]
