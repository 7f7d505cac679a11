"""Recordings held against indexed recordings, as plain data.

Conventions
-----------
- Three ways of comparing, each read against the null of the reference's own unrelated clips (see
  :mod:`concours.metrics.originality.sound_null`): ``landmarks`` (the same sound), ``chroma`` (the
  same harmony and tune, in any key and about any tempo and timbre) and ``embedding`` (alike as a
  whole). ``percentile`` is the share of the null that is less alike.
- *Passages* are excerpts by landmarks and by chroma above their levels, the best first; what lies
  by more than half in a better one is counted among its places. ``nearest`` names the nearest clip
  of each kind, whether above the level or not.
- An item's ``longest`` and ``coverage`` count excerpts by landmarks alone; its ``percentile`` is
  the higher one of landmarks and chroma.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.embeddings.catalogue import open_embedding
from concours.eval.items import Item
from concours.eval.load import LoadError
from concours.eval.load.audio import load_audio
from concours.eval.originality.sound_index import SoundFeatures, SoundIndex, features
from concours.metrics.originality.chroma_index import span_seconds
from concours.metrics.originality.landmark_index import LandmarkIndex, Reuse
from concours.metrics.originality.landmarks import query_landmarks
from concours.metrics.originality.neighbours import VectorIndex
from concours.metrics.originality.qmax import Alignment
from concours.metrics.originality.sound_null import (
    Null,
    chroma_null,
    landmark_null,
    neighbour_null,
    recordings,
)

SOUND_CALIBRATION_VERSION = 1
SECONDS = (1, 2, 5, 10, 20, 30)
MOST_PASSAGES = 10
LANDMARKS, CHROMA, EMBEDDING = "landmarks", "chroma", "embedding"


@dataclass(frozen=True)
class SoundItem:
    """One recording; ``seconds`` its length, ``longest`` in seconds, the rest as in the module."""

    path: str
    sha256: str | None
    status: str
    reason: str = ""
    seconds: float | None = None
    longest: float | None = None
    percentile: float | None = None
    coverage: Mapping[str, float] = field(default_factory=dict)
    passages: tuple[Mapping[str, Any], ...] = ()
    nearest: tuple[Mapping[str, Any], ...] = ()
    within_set: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class SoundReport:
    """``set`` tells about the items together, ``searched`` what they were held against. ``files``
    are the items' files by path; ``sources`` (file and sha256) the reference's by name."""

    items: tuple[SoundItem, ...]
    set: Mapping[str, Any]
    searched: Mapping[str, Any]
    calibration: Mapping[str, Any]
    files: Mapping[str, Path] = field(default_factory=dict)
    sources: Mapping[str, tuple[Path, str]] = field(default_factory=dict)


def calibrate_sound(index: SoundIndex) -> dict[str, Any]:
    """The nulls of an index and the recordings that were told apart for them; JSON-ready."""
    names = [c.name for c in index.clips]
    marks, groups = landmark_null(index.landmarks, recordings(names))
    nulls = {
        LANDMARKS: marks,
        CHROMA: chroma_null(index.chroma, groups),
        EMBEDDING: neighbour_null(index.vectors, groups),
    }
    together: dict[int, list[str]] = {}
    for name, group in zip(names, groups, strict=True):
        together.setdefault(group, []).append(name)
    return {
        "recordings": len(together),
        "cuts_of_one_recording": [g for g in together.values() if len(g) > 1],
        "kinds": {kind: null_dict(null) for kind, null in nulls.items()},
    }


def null_dict(null: Null) -> dict[str, Any]:
    """A null, JSON-ready."""
    values = null.values
    found: dict[str, Any] = {"clips": len(values), "level": null.level}
    if len(values):
        found |= {f"p{q}": round(float(np.percentile(values, q)), 4) for q in (1, 50, 95, 99)}
    return {**found, "values": [round(float(v), 4) for v in values]}


def null_of(index: SoundIndex, kind: str) -> Null:
    """The stored null of one kind."""
    stored = index.calibration.get("kinds", {}).get(kind, {})
    return Null(np.array(stored.get("values", []), np.float64), stored.get("level"))


def sound_report(items: Iterable[Item], index: SoundIndex) -> SoundReport:
    """Holds every recording against the index; those that can't be read are listed with why."""
    embedding = open_embedding(index.embedding)
    reports: list[SoundItem] = []
    read: list[tuple[int, SoundFeatures]] = []
    files: dict[str, Path] = {}
    for item in items:
        files[item.path] = item.location
        if item.sha256 is None:
            reports.append(SoundItem(item.path, None, "failed", item.reason))
            continue
        try:
            found = features(load_audio(item.location).clip, embedding)
        except LoadError as error:
            reports.append(SoundItem(item.path, item.sha256, "failed", str(error)))
            continue
        read.append((len(reports), found))
        reports.append(sound_item(item, found, index))
    for (i, _), within in zip(read, _within(reports, read), strict=True):
        reports[i] = SoundItem(**{**reports[i].__dict__, "within_set": within})
    sources = {c.name: (Path(c.location), c.sha256) for c in index.clips}
    return SoundReport(
        tuple(reports), _of_set(reports), searched(index), index.calibration, files, sources
    )


def sound_item(item: Item, found: SoundFeatures, index: SoundIndex) -> SoundItem:
    """One recording against the index, without what concerns the other items."""
    if not len(found.peaks.frame):
        reason = "nothing stands out in its sound: silence, or too short"
        return SoundItem(item.path, item.sha256, "undefined", reason, round(found.seconds, 2))
    marks = _landmark_passages(found, index)
    harmony, best = _chroma_passages(found, index)
    passages = _chosen([*marks, *harmony])
    nearest = [*_best_landmarks(found, index, marks), *best, *_neighbour(found, index)]
    places = [n["percentile"] for n in nearest if n["kind"] != EMBEDDING]
    lengths = [p["length"] for p in passages if p["kind"] == LANDMARKS]
    return SoundItem(
        item.path,
        item.sha256,
        "ok",
        f"not compared by {EMBEDDING}: {found.note}" if found.note else "",
        seconds=round(found.seconds, 2),
        longest=max(lengths, default=0.0),
        percentile=max((p for p in places if p is not None), default=None),
        coverage=_coverage(marks, found.seconds),
        passages=tuple(passages),
        nearest=tuple(nearest),
    )


def _landmark_passages(found: SoundFeatures, index: SoundIndex) -> list[dict[str, Any]]:
    null = null_of(index, LANDMARKS)
    least = int(null.level or 0) + 1
    query = query_landmarks(found.peaks)
    listed = [
        _as_passage(
            LANDMARKS,
            str(part.names[r.clip]),
            ([r.start, min(r.end, round(found.seconds, 2))], [r.source_start, r.source_end]),
            (r.score, null.percentile(r.score)),
        )
        for part in index.landmarks
        for r in part.search(query, least)
    ]
    return sorted(listed, key=lambda p: -p["score"])


def _chroma_passages(
    found: SoundFeatures, index: SoundIndex
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Passages above the level, and the best alignment whatever its score."""
    null = null_of(index, CHROMA)
    aligned = [
        (str(part.names[i]), a)
        for part in index.chroma
        for i, a in enumerate(part.alignments(found.chroma))
        if a.score > 0
    ]
    aligned.sort(key=lambda f: -f[1].score)
    listed = [_aligned_passage(name, a, null) for name, a in aligned
              if null.level is not None and a.score > null.level]  # fmt: skip
    best = [_aligned_passage(name, a, null) for name, a in aligned[:1]]
    return listed, [_as_nearest(p, null) for p in best]


def _aligned_passage(name: str, a: Alignment, null: Null) -> dict[str, Any]:
    score = round(a.score, 3)
    passage = _as_passage(CHROMA, name, span_seconds(a), (score, null.percentile(a.score)))
    length = passage["source_seconds"][1] - passage["source_seconds"][0]
    tempo = round(length / max(passage["length"], 1e-9), 3)
    return {**passage, "transposition": a.transposition, "tempo_factor": tempo}


def _as_passage(
    kind: str,
    source: str,
    spans: tuple[Sequence[float], Sequence[float]],
    score: tuple[float, float | None],
) -> dict[str, Any]:
    seconds, source_seconds = spans
    return {
        "kind": kind,
        "source": source,
        "seconds": list(seconds),
        "source_seconds": list(source_seconds),
        "length": round(seconds[1] - seconds[0], 2),
        "score": score[0],
        "percentile": score[1],
        "transposition": 0,
        "tempo_factor": 1.0,
        "n_places": 1,
    }


def _as_nearest(passage: Mapping[str, Any], null: Null) -> dict[str, Any]:
    kept = ("kind", "source", "seconds", "source_seconds", "score", "percentile", "transposition")
    return {
        **{k: passage[k] for k in kept},
        "above_level": null.level is not None and passage["score"] > null.level,
    }


def _best_landmarks(
    found: SoundFeatures, index: SoundIndex, marks: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    null = null_of(index, LANDMARKS)
    if marks:
        return [_as_nearest(marks[0], null)]
    query = query_landmarks(found.peaks)
    every = [(part, r) for part in index.landmarks for r in part.search(query, 2)[:1]]
    if not every:
        return []
    part, r = max(every, key=lambda f: f[1].score)
    spans = [r.start, r.end], [r.source_start, r.source_end]
    place = null.percentile(r.score)
    return [
        _as_nearest(_as_passage(LANDMARKS, str(part.names[r.clip]), spans, (r.score, place)), null)
    ]


def _neighbour(found: SoundFeatures, index: SoundIndex) -> list[dict[str, Any]]:
    if not len(found.vector):
        return []
    null = null_of(index, EMBEDDING)
    return [
        neighbour_dict(index.vectors, n.clip, n.distance, null, index.embedding)
        for n in index.vectors.nearest(found.vector)
    ]


def neighbour_dict(
    index: VectorIndex, clip: int, distance: float, null: Null, embedding: str
) -> dict[str, Any]:
    """One neighbour, JSON-ready."""
    place = null.percentile(distance)
    return {
        "kind": EMBEDDING,
        "embedding": embedding,
        "source": str(index.names[clip]),
        "score": round(distance, 4),
        "percentile": None if place is None else round(100 - place, 2),
        "above_level": null.level is not None and distance < null.level,
    }


def _chosen(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """By landmarks first, then by score; what lies mostly in a better one is one of its places."""
    chosen: list[dict[str, Any]] = []
    for p in found:
        inside = [c for c in chosen if _shared(p["seconds"], c["seconds"]) > 0.5 * p["length"]]
        if inside:
            inside[0]["n_places"] += inside[0]["kind"] == p["kind"]
        elif len(chosen) < MOST_PASSAGES:
            chosen.append(p)
    return chosen


def _shared(a: Sequence[float], b: Sequence[float]) -> float:
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0]))


def _coverage(passages: Sequence[Mapping[str, Any]], seconds: float) -> dict[str, float]:
    """Share of the item in excerpts by landmarks of at least so many seconds."""
    grid = np.zeros((len(SECONDS), max(1, round(10 * seconds))), np.bool_)
    for p in passages:
        a, b = (round(10 * t) for t in p["seconds"])
        for row, least in enumerate(SECONDS):
            grid[row, a:b] |= p["length"] >= least
    return {str(n): round(float(row.mean()), 4) for n, row in zip(SECONDS, grid, strict=True)}


def _within(
    reports: Sequence[SoundItem], read: Sequence[tuple[int, SoundFeatures]]
) -> list[dict[str, Any] | None]:
    """For each recording the best excerpt that another item of the set has too."""
    if len(read) < 2:
        return [None] * len(read)
    index = LandmarkIndex.build([f.peaks for _, f in read], [reports[i].path for i, _ in read])
    found: list[dict[str, Any] | None] = []
    for k, (_, f) in enumerate(read):
        reuses: list[Reuse] = index.without([k]).search(query_landmarks(f.peaks))
        longest = max(reuses, key=lambda r: r.seconds, default=None)
        if longest is None:
            found.append({"longest": 0.0, "passage": None})
            continue
        spans = ([longest.start, longest.end], [longest.source_start, longest.source_end])
        passage = _as_passage(
            LANDMARKS, str(index.names[longest.clip]), spans, (longest.score, None)
        )
        found.append({"longest": passage["length"], "passage": passage})
    return found


def _of_set(reports: Sequence[SoundItem]) -> dict[str, Any]:
    done = [r for r in reports if r.status == "ok"]
    by_hash: dict[str, list[str]] = {}
    for r in reports:
        if r.sha256 is not None:
            by_hash.setdefault(r.sha256, []).append(r.path)
    lengths = [r.longest for r in done if r.longest is not None]
    return {
        "items": len(reports),
        "compared": len(done),
        "longest": {f"p{q}": float(np.percentile(lengths, q)) for q in (50, 95, 99) if lengths},
        "coverage": {
            str(n): round(float(np.mean([r.coverage[str(n)] for r in done])), 4)
            for n in SECONDS
            if done
        },
        "with_passages": {
            kind: sum(any(p["kind"] == kind for p in r.passages) for r in done)
            for kind in (LANDMARKS, CHROMA)
        },
        "near_neighbours": sum(
            any(n["kind"] == EMBEDDING and n["above_level"] for n in r.nearest) for r in done
        ),
        "same_content": sorted(paths for paths in by_hash.values() if len(paths) > 1),
    }


def searched(index: SoundIndex) -> dict[str, Any]:
    """What the items were held against, and how."""
    return {
        "clips": len(index.clips),
        "seconds": round(index.seconds, 1),
        "corpus_sha256": index.corpus_hash,
        "kinds": [LANDMARKS, CHROMA, EMBEDDING],
        "embedding": index.embedding,
        "not_searched": [{"path": name, "reason": reason} for name, reason in index.skipped],
        "left_out": (
            "the same sound at another speed or pitch (chroma finds some of it); excerpts under "
            "about 2 s; rhythm and words alone"
        ),
    }
