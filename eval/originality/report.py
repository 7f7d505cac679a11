"""A system held against an indexed corpus, as plain data.

Conventions
-----------
- Everything is read against the corpus's calibration: ``percentile`` is the place of an item's
  longest passage among the longest passages that the corpus's own pieces share with the rest.
- A passage is *exact* where every step is equal (any key, any tempo). What only other views find
  is listed with their names: *octaves moved* (the view ``interval-class-ratio``), *rhythm
  replaced* (``interval``), *altered* (single notes changed, ornaments: see
  :mod:`concours.metrics.originality.approximate`), each only where it exceeds what nearly all of
  the corpus's own pieces reach (the 95th percentile; for altered ones the 98th).
- Shared notes say nothing about how a piece came to be; what was not searched is not ruled out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.eval.items import Item
from concours.eval.load import LoadError, load
from concours.eval.originality.altered import altered_passages
from concours.eval.originality.calibration import percentile
from concours.eval.originality.corpus_index import DEFAULT_VIEWS, CorpusIndex
from concours.eval.originality.excerpts import excerpts
from concours.eval.originality.search import Run, longest, longest_passage, runs
from concours.metrics.originality.diversity import self_bleu, vendi_score
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.ngram import SIZES, curve_of, describe
from concours.metrics.originality.tokens import Tokens, tokenize
from concours.metrics.originality.within import distinct_passages, self_repetition
from concours.metrics.piece import Piece

MOST_PASSAGES = 10
KINDS = {
    "interval-ratio": "exact",
    "interval-class-ratio": "octaves moved",
    "interval": "rhythm replaced",
}
WITHIN_NOTES = 10
EXACT_WORTH = 1.25  # a passage of another kind must be a quarter longer to stand for an exact one


@dataclass(frozen=True)
class ItemReport:
    """One piece. ``longest`` in notes; ``coverage`` by passage length; passages longest first."""

    path: str
    sha256: str | None
    status: str
    reason: str = ""
    notes: int = 0
    longest: int | None = None
    percentile: float | None = None
    coverage: Mapping[str, float] = field(default_factory=dict)
    passages: tuple[Mapping[str, Any], ...] = ()
    self_repetition: float | None = None
    within_set: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class OriginalityReport:
    """``set`` tells about the items together, ``searched`` what they were held against."""

    items: tuple[ItemReport, ...]
    set: Mapping[str, Any]
    searched: Mapping[str, Any]
    calibration: Mapping[str, Any]


def originality_report(items: Iterable[Item], index: CorpusIndex) -> OriginalityReport:
    """Holds every item against the index; items that can't be read are listed with the cause."""
    reports: list[ItemReport] = []
    read: list[tuple[int, Piece]] = []
    for item in items:
        piece = _read(item)
        if isinstance(piece, str):
            reports.append(ItemReport(item.path, item.sha256, "failed", piece))
            continue
        reports.append(item_report(item, piece, index))
        if reports[-1].status == "ok":
            read.append((len(reports) - 1, piece))
    view = index.views[0]
    tokens = [tokenize(p, view=view) for _, p in read]
    inside = _within([reports[i].path for i, _ in read], tokens)
    for (i, _), t, found in zip(read, tokens, inside, strict=True):
        reports[i] = ItemReport(
            **{
                **reports[i].__dict__,
                "self_repetition": self_repetition(t, WITHIN_NOTES),
                "within_set": found,
            }
        )
    return OriginalityReport(
        tuple(reports), _of_set(reports, tokens), _searched(index), index.calibration
    )


def item_report(item: Item, piece: Piece, index: CorpusIndex) -> ItemReport:
    """One piece against the index, without what concerns the other items."""
    view = index.views[0]
    tokens = tokenize(piece, view=view)
    if not (np.bincount(tokens.voice, minlength=1) >= tokens.width).any():
        reason = f"no voice has {tokens.width} notes"
        return ItemReport(item.path, item.sha256, "undefined", reason, piece.n_notes)
    found = longest(tokens, index.shards[view])
    most = longest_passage(tokens, found.length)
    curve = curve_of(tokens, found.length, SIZES)
    sample = _calibrated(index, view).get("longest_values", [])
    return ItemReport(
        item.path,
        item.sha256,
        "ok",
        notes=piece.n_notes,
        longest=most,
        percentile=percentile(most, sample),
        coverage={str(n): share for n, share in curve.items()},
        passages=tuple(_passages(piece, index)),
    )


def _read(item: Item) -> Piece | str:
    if item.sha256 is None:
        return item.reason
    if item.kind != "symbolic":
        return "audio: only notes can be held against the index"
    try:
        return load(item.location, None, item.fragment).piece
    except LoadError as error:
        return str(error)


def _calibrated(index: CorpusIndex, view: str) -> Mapping[str, Any]:
    views: Mapping[str, Mapping[str, Any]] = index.calibration.get("views", {})
    return views.get(view, {})


def _passages(piece: Piece, index: CorpusIndex) -> list[dict[str, Any]]:
    """Of the first view the passages above its median, and the longest in any case; of the others
    those above their 95th percentile; and altered ones. The longest first; one of which more than
    half the notes lie in longer ones is left out."""
    found: list[tuple[dict[str, Any], NDArray[np.int64]]] = []
    for view in index.views:
        tokens = tokenize(piece, view=view)
        levels = _calibrated(index, view).get("longest", {})
        first = view == index.views[0]
        least = int(levels.get("p50" if first else "p95", 0)) + 1
        shards = index.shards[view]
        matches = longest(tokens, shards)
        listed = runs(tokens, shards, matches, at_least=least, most=MOST_PASSAGES)
        if first and not listed:
            listed = runs(tokens, shards, matches, at_least=tokens.width, most=1)
        found += [
            (
                _as_passage(tokens, shards, run, KINDS.get(view, view), view),
                tokens.note[run.first : run.first + run.length],
            )
            for run in listed
        ]
    found += altered_passages(piece, index)
    exact = KINDS[DEFAULT_VIEWS[0]]
    found.sort(key=lambda f: -f[0]["length"] * (EXACT_WORTH if f[0]["kind"] == exact else 1.0))
    chosen: list[dict[str, Any]] = []
    taken = np.zeros(piece.n_notes, np.bool_)
    for passage, notes in found:
        if taken[notes].mean() <= 0.5 and len(chosen) < MOST_PASSAGES:
            taken[notes] = True
            chosen.append(passage)
    return sorted(chosen, key=lambda p: -p["length"])


def _as_passage(
    tokens: Tokens, shards: Sequence[NgramIndex], run: Run, kind: str, view: str
) -> dict[str, Any]:
    return {
        **describe(tokens, shards[run.shard], run.hit),
        "kind": kind,
        "view": view,
        "n_places": run.n_places,
        "roll": excerpts(
            tokens,
            run.first,
            run.first + run.length - 1,
            shards[run.shard],
            run.hit.source_first,
            run.hit.source_first + run.length - 1,
        ),
    }


def _within(names: Sequence[str], tokens: Sequence[Tokens]) -> list[dict[str, Any] | None]:
    """For each piece the longest passage that another piece of the set has too."""
    if len(tokens) < 2:
        return [None] * len(tokens)
    index = NgramIndex.build(tokens, names)
    found: list[dict[str, Any] | None] = []
    for name, t in zip(names, tokens, strict=True):
        others = index.excluding(name)
        best = longest(t, [others])
        listed = runs(t, [others], best, at_least=t.width, most=1)
        curve = curve_of(t, best.length, [WITHIN_NOTES])
        found.append(
            {
                "longest": listed[0].length if listed else 0,
                f"coverage_{WITHIN_NOTES}": curve.get(WITHIN_NOTES),
                "passage": describe(t, others, listed[0].hit) if listed else None,
            }
        )
    return found


def _of_set(reports: Sequence[ItemReport], tokens: Sequence[Tokens]) -> dict[str, Any]:
    done = [r for r in reports if r.status == "ok"]
    by_hash: dict[str, list[str]] = {}
    for r in reports:
        if r.sha256 is not None:
            by_hash.setdefault(r.sha256, []).append(r.path)
    lengths = [r.longest for r in done if r.longest is not None]
    return {
        "items": len(reports),
        "compared": len(done),
        "longest": {
            f"p{q}": float(np.percentile(lengths, q)) for q in (50, 95, 99) if len(lengths)
        },
        "coverage": {
            str(n): float(np.mean(values))
            for n in SIZES
            if (values := [r.coverage[str(n)] for r in done if str(n) in r.coverage])
        },
        f"distinct_{WITHIN_NOTES}": distinct_passages(tokens, WITHIN_NOTES),
        "self_bleu": self_bleu(tokens),
        "vendi": vendi_score(tokens),
        "same_content": sorted(paths for paths in by_hash.values() if len(paths) > 1),
    }


def _searched(index: CorpusIndex) -> dict[str, Any]:
    return {
        "pieces": len(index.pieces),
        "notes": index.n_notes,
        "corpus_sha256": index.corpus_hash,
        "views": list(index.views),
        "not_searched": [{"path": name, "reason": reason} for name, reason in index.skipped],
        "left_out": "drums; lower notes of chords within a track",
    }


def as_dict(report: OriginalityReport) -> dict[str, Any]:
    """The JSON form: ``items``, ``set``, ``searched`` and ``calibration``."""
    return {
        "items": [{**item.__dict__, "passages": list(item.passages)} for item in report.items],
        "set": dict(report.set),
        "searched": dict(report.searched),
        "calibration": dict(report.calibration),
    }
