"""Landmarks of many clips, sorted, and the excerpts that a query shares with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled
from concours.metrics.originality.landmarks import (
    SECONDS_A_FRAME,
    Constellation,
    Landmarks,
    reference_landmarks,
)

GAP = round(3.0 / SECONDS_A_FRAME)
COMMON = 20_000  # a landmark that stands in more places than this tells nothing
LEAST_SCORE = 8
MOST_FOUND = 20
OFFSET = 1 << 30  # keeps delays positive

Ints = NDArray[np.int64]


class Reuse(NamedTuple):
    """An excerpt of a query that stands in a clip of the reference; all times in seconds."""

    clip: int
    start: float
    end: float
    source_start: float
    source_end: float
    score: int

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, eq=False)
class LandmarkIndex:
    """The landmarks of many clips, sorted by key; 8 bytes each.

    ``key`` (n,) uint32 ascending, ``place`` (n,) uint32 frames on the time line of all clips one
    after the other, of which clip i has those from ``starts[i]`` to ``starts[i + 1]``. ``names``
    (clips,); clips in ``aside`` answer no query. ``every`` holds the peaks of all clips, by which
    one clip can be held against the others, and ``ends`` (clips + 1, 2) where each one's lie.
    """

    key: NDArray[np.uint32]
    place: NDArray[np.uint32]
    starts: Ints
    names: NDArray[np.str_]
    every: Constellation
    ends: Ints
    aside: frozenset[int] = frozenset()

    @classmethod
    def build(cls, clips: Sequence[Constellation], names: Sequence[str]) -> LandmarkIndex:
        """The index of clips in their order."""
        found = [reference_landmarks(c) for c in clips]
        starts = np.concatenate([[0], np.cumsum([c.frames for c in clips], dtype=np.int64)])
        key = np.concatenate([f.key for f in found] or [np.zeros(0, np.uint32)])
        at = [f.frame + s for f, s in zip(found, starts[:-1], strict=True)]
        place = np.concatenate(at or [np.zeros(0)]).astype(np.uint32)
        order = np.lexsort((place, key))
        nothing = [np.zeros(0, np.int32)]
        a, b, c, d = (
            np.concatenate([np.asarray(x[i]) for x in clips] or nothing) for i in range(4)
        )
        every = Constellation(a, b, c, d, int(starts[-1]))
        sizes = np.array([(len(c.frame), len(c.late_frame)) for c in clips]).reshape(-1, 2)
        ends = np.concatenate([np.zeros((1, 2), np.int64), np.cumsum(sizes, axis=0)])
        return cls(key[order], place[order], starts, np.array(names, np.str_), every, ends)

    @property
    def n_clips(self) -> int:
        return len(self.names)

    def constellation(self, clip: int) -> Constellation:
        """The peaks of one clip, as a query has them."""
        (a, c), (b, d) = self.ends[clip], self.ends[clip + 1]
        e = self.every
        length = int(self.starts[clip + 1] - self.starts[clip])
        return Constellation(e.frame[a:b], e.bin[a:b], e.late_frame[c:d], e.late_bin[c:d], length)

    def without(self, clips: Collection[int]) -> LandmarkIndex:
        """The same index, in which these clips answer no query."""
        return replace(self, aside=self.aside | frozenset(clips))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of the index, for a file each."""
        e = self.every
        return {
            "key": self.key,
            "place": self.place,
            "starts": self.starts,
            "names": self.names,
            "ends": self.ends,
            "frame": e.frame,
            "bin": e.bin,
            "late_frame": e.late_frame,
            "late_bin": e.late_bin,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LandmarkIndex:
        """The index of :meth:`to_arrays`, whose arrays may be memory-mapped."""
        a, b, c, d = (arrays[k] for k in ("frame", "bin", "late_frame", "late_bin"))
        starts = arrays["starts"]
        every = Constellation(a, b, c, d, int(starts[-1]))
        return cls(arrays["key"], arrays["place"], starts, arrays["names"], every, arrays["ends"])

    def search(self, query: Landmarks, least: int = LEAST_SCORE) -> list[Reuse]:
        """Excerpts of at least ``least`` peaks, the highest score first; none overlaps, on the
        query's side, a better one of the same clip by more than half."""
        return _best_of_each(self._every(query, least))

    def _every(self, query: Landmarks, least: int) -> list[Reuse]:
        clip, delay, frame, peak, end = self._hits(query)
        if len(clip) < least:
            return []
        line = (clip << 32) + delay
        order = np.lexsort((frame, line))
        line, frame, peak, end = line[order], frame[order], peak[order], end[order]
        found: list[Reuse] = []
        for low, high in _lines(line, least):
            number = int(line[low] >> 32)
            for reuse in _stretches(frame[low:high], peak[low:high], end[low:high], least):
                shift = int(np.median(line[low:high] - (number << 32))) - OFFSET
                found.append(self._reuse(number, shift, *reuse))
        return found

    def scores(self, query: Landmarks) -> Ints:
        """The best score of each clip (clips,), 0 where fewer than two peaks lie on a line."""
        best = np.zeros(self.n_clips, np.int64)
        for reuse in self._every(query, 2):
            best[reuse.clip] = max(best[reuse.clip], reuse.score)
        return best

    def _hits(self, query: Landmarks) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Clip, delay, and the query's frame, peak and last frame of each landmark found."""
        low = np.searchsorted(self.key, query.key, side="left")
        count = np.searchsorted(self.key, query.key, side="right") - low
        count[count > COMMON] = 0
        which = np.repeat(np.arange(len(query.key)), count)
        inner = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        place = self.place[low[which] + inner].astype(np.int64)
        frame, peak = query.frame[which].astype(np.int64), query.peak[which].astype(np.int64)
        end = frame + (query.key[which] & 127)
        clip = np.searchsorted(self.starts, place, side="right") - 1
        delay = place - self.starts[clip] - frame + OFFSET
        if self.aside:
            keep = ~np.isin(clip, list(self.aside))
            clip, delay, frame, peak, end = (x[keep] for x in (clip, delay, frame, peak, end))
        return clip.astype(np.int64), delay, frame, peak, end

    def _reuse(self, clip: int, shift: int, first: int, last: int, score: int) -> Reuse:
        length = int(self.starts[clip + 1] - self.starts[clip])
        source = max(0, first + shift), min(length, last + shift)
        a, b, c, d = (round(t * SECONDS_A_FRAME, 2) for t in (first, last, *source))
        return Reuse(clip, a, b, c, d, score)


@compiled
def _lines(line: Ints, least: int) -> list[tuple[int, int]]:
    """Ranges of hits at one delay (within a frame), of at least ``least`` hits, each the fullest
    within three delays of it."""
    n = len(line)
    first = np.zeros(n + 1, np.int64)  # where each distinct value starts
    kinds = 0
    for i in range(n):
        if i == 0 or line[i] != line[i - 1]:
            first[kinds] = i
            kinds += 1
    first[kinds] = n
    low = np.zeros(kinds, np.int64)
    high = np.zeros(kinds, np.int64)
    for k in range(kinds):
        value = line[first[k]]
        a, b = k, k
        while a > 0 and line[first[a - 1]] >= value - 1:
            a -= 1
        while b < kinds - 1 and line[first[b + 1]] <= value + 1:
            b += 1
        low[k], high[k] = first[a], first[b + 1]
    found = [(0, 0)][:0]
    for k in range(kinds):
        size = high[k] - low[k]
        if size < least:
            continue
        best = True
        for j in range(max(0, k - 3), min(kinds, k + 4)):
            near = abs(line[first[j]] - line[first[k]]) <= 3
            other = high[j] - low[j]
            if near and (other > size or (other == size and j < k)):
                best = False
        if best:
            found.append((low[k], high[k]))
    return found


def _stretches(frame: Ints, peak: Ints, end: Ints, least: int) -> list[tuple[int, int, int]]:
    """First frame, last frame and peaks of the stretches of a line without a gap."""
    order = np.argsort(frame, kind="stable")
    cuts = np.flatnonzero(np.diff(frame[order]) > GAP) + 1
    found = []
    for part in np.split(order, cuts):
        score = len(np.unique(peak[part]))
        if score >= least:
            found.append((int(frame[part[0]]), int(end[part].max()), score))
    return found


def _best_of_each(found: list[Reuse]) -> list[Reuse]:
    """The highest score first, without what lies mostly in a better one of the same clip."""
    found.sort(key=lambda r: (-r.score, r.clip, r.start))
    chosen: list[Reuse] = []
    for r in found:
        same = (c for c in chosen if c.clip == r.clip)
        inside = (min(r.end, c.end) - max(r.start, c.start) for c in same)
        if all(shared <= 0.5 * r.seconds for shared in inside) and len(chosen) < MOST_FOUND:
            chosen.append(r)
    return chosen
