"""A system held against an indexed corpus, as plain data.

Conventions
-----------
- Everything is read against the corpus's calibration: ``percentile`` is the place of an item's
  longest passage among the longest passages that the corpus's own pieces share with the rest.
- A passage is *exact* where every step is equal (any key, any tempo). What only other views find
  is listed with their names: *octaves moved* (the view ``interval-class-ratio``), *rhythm
  replaced* (``interval``), *altered* (single notes changed, ornaments: see
  :mod:`concours.metrics.originality.approximate`), *expressive timing* (performed, not quantised:
  :mod:`concours.metrics.originality.fingerprints`), each only where it exceeds what nearly all of
  the corpus's own pieces reach (the 95th percentile; for altered and expressive ones the
  98th).
- Shared notes say nothing about how a piece came to be; what was not searched is not ruled out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.items import Item
from concours.eval.load import LoadError, load
from concours.eval.originality.altered import altered_passages
from concours.eval.originality.calibration import WITHIN_NOTES, percentile
from concours.eval.originality.corpus_index import DEFAULT_VIEWS, CorpusIndex
from concours.eval.originality.excerpts import excerpts
from concours.eval.originality.expressive import KIND as EXPRESSIVE
from concours.eval.originality.expressive import ExpressiveSearch, Passage, on_a_line
from concours.eval.originality.points import PointSearch
from concours.eval.originality.prompts import from_prompt
from concours.eval.originality.search import Run, longest, longest_passage, runs
from concours.eval.originality.set_measures import of_set, within_set
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.ngram import SIZES, curve_of, describe, novelty_of
from concours.metrics.originality.notes import UNITS, Notes, notes_of
from concours.metrics.originality.tokens import Tokens, tokenize
from concours.metrics.originality.within import self_repetition
from concours.metrics.piece import Piece

MOST_PASSAGES = 10
KINDS = {
    "interval-ratio": "exact",
    "interval-class-ratio": "octaves moved",
    "interval": "rhythm replaced",
}
KIND_MEANINGS = {
    "exact": "the same intervals and rhythm, in any key and tempo",
    "octaves moved": "the same, but for single notes an octave away",
    "rhythm replaced": "the same intervals in another rhythm",
    "altered": "single notes changed, left out or ornamented",
    EXPRESSIVE: "the same notes in free timing, as played",
}
EXACT_WORTH = 1.25  # a passage of another kind must be a quarter longer to stand for an exact one


@dataclass(frozen=True)
class ItemReport:
    """One piece. ``longest``, of exact passages, in notes; ``coverage`` and ``novelty`` by passage
    length; passages longest first; ``cardinality`` by window length in quarters; ``in_reference``
    is the piece of the reference whose file has the same content."""

    path: str
    sha256: str | None
    status: str
    reason: str = ""
    notes: int = 0
    longest: int | None = None
    percentile: float | None = None
    coverage: Mapping[str, float] = field(default_factory=dict)
    novelty: Mapping[str, float] = field(default_factory=dict)
    passages: tuple[Mapping[str, Any], ...] = ()
    cardinality: Mapping[str, Any] = field(default_factory=dict)
    from_prompt: Mapping[str, Any] | None = None
    self_repetition: float | None = None
    self_repetition_percentile: float | None = None
    within_set: Mapping[str, Any] | None = None
    in_reference: str | None = None


@dataclass(frozen=True)
class OriginalityReport:
    """``set`` tells about the items together, ``searched`` what they were held against;
    ``other_corpus`` is the curve of pieces of another corpus, where one was given."""

    items: tuple[ItemReport, ...]
    set: Mapping[str, Any]
    searched: Mapping[str, Any]
    calibration: Mapping[str, Any]
    other_corpus: Mapping[str, Any] | None = None


class Search:
    """An index with what is made of it once for all items."""

    def __init__(self, index: CorpusIndex, *, cardinality: bool = True) -> None:
        self.index = index
        self.name_of = {p.sha256: p.name for p in index.pieces}
        self.points = PointSearch(index) if cardinality else None
        self.expressive = ExpressiveSearch(index)


def originality_report(
    items: Iterable[Item],
    index: CorpusIndex | Search,
    *,
    prompts: Mapping[str, Path] | None = None,
    other_corpus: Mapping[str, Any] | None = None,
) -> OriginalityReport:
    """Holds every item against the index; items that can't be read are listed with the cause.

    ``prompts``: the prompt's file by the item's path. ``other_corpus``: what
    :func:`corpus_curve` gave.
    """
    search = index if isinstance(index, Search) else Search(index)
    index = search.index
    reports: list[ItemReport] = []
    read: list[tuple[int, Piece]] = []
    for item in items:
        piece = _read(item)
        if isinstance(piece, str):
            reports.append(ItemReport(item.path, item.sha256, "failed", piece))
            continue
        prompt = (prompts or {}).get(item.path)
        reports.append(item_report(item, piece, search, prompt))
        if reports[-1].status == "ok":
            read.append((len(reports) - 1, piece))
    view = index.views[0]
    tokens = [tokenize(p, view=view) for _, p in read]
    inside = within_set([reports[i].path for i, _ in read], tokens)
    usual = index.calibration.get("self_repetition", {}).get("values", [])
    for (i, _), t, found in zip(read, tokens, inside, strict=True):
        repeated = self_repetition(t, WITHIN_NOTES)
        reports[i] = replace(
            reports[i],
            self_repetition=repeated,
            self_repetition_percentile=None if repeated is None else percentile(repeated, usual),
            within_set=found,
        )
    return OriginalityReport(
        tuple(reports),
        of_set(reports, [reports[i].path for i, _ in read], tokens, _usual(index)),
        _searched(search, prompts),
        index.calibration,
        other_corpus,
    )


def corpus_curve(name: str, pieces: Iterable[Piece], index: CorpusIndex) -> dict[str, Any]:
    """The mean coverage curve of another corpus's pieces against the index; JSON-ready."""
    view = index.views[0]
    curves = []
    for piece in pieces:
        tokens = tokenize(piece, view=view)
        curves.append(curve_of(tokens, longest(tokens, index.shards[view]).length, SIZES))
    return {
        "corpus": name,
        "pieces": len(curves),
        "coverage": {
            str(n): float(np.mean(values))
            for n in SIZES
            if (values := [c[n] for c in curves if n in c])
        },
    }


def item_report(
    item: Item, piece: Piece, search: Search | CorpusIndex, prompt: Path | None = None
) -> ItemReport:
    """One piece against the index, without what concerns the other items."""
    if isinstance(search, CorpusIndex):
        search = Search(search)
    index = search.index
    view = index.views[0]
    tokens = tokenize(piece, view=view)
    if not (np.bincount(tokens.voice, minlength=1) >= tokens.width).any():
        reason = f"no voice has {tokens.width} notes"
        return ItemReport(item.path, item.sha256, "undefined", reason, piece.n_notes)
    found = longest(tokens, index.shards[view])
    most = longest_passage(tokens, found.length)
    curve = curve_of(tokens, found.length, SIZES)
    sample = _usual(index)
    notes = notes_of(piece)
    return ItemReport(
        item.path,
        item.sha256,
        "ok",
        in_reference=search.name_of.get(item.sha256 or ""),
        notes=piece.n_notes,
        longest=most,
        percentile=percentile(most, sample),
        coverage={str(n): share for n, share in curve.items()},
        novelty={str(n): share for n, share in novelty_of(tokens, found.length, SIZES).items()},
        passages=tuple(_passages(piece, notes, search)),
        cardinality=_cardinality(notes, search),
        from_prompt=None if prompt is None else from_prompt(piece, prompt, view, WITHIN_NOTES),
    )


def _cardinality(notes: Notes, search: Search) -> dict[str, Any]:
    """The scores for both windows, each with its place among the corpus's own pieces."""
    if search.points is None:
        return {}
    usual = search.index.calibration.get("cardinality", {})
    return {
        size: found
        | {"percentile": percentile(found["score"], usual.get(size, {}).get("values", []))}
        for size, found in search.points.scores(notes).items()
    }


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


def _usual(index: CorpusIndex) -> Sequence[int]:
    """The longest passages of the corpus's own pieces, ascending."""
    values: Sequence[int] = _calibrated(index, index.views[0]).get("longest_values", [])
    return values


def _passages(piece: Piece, notes: Notes, search: Search) -> list[dict[str, Any]]:
    """Of the first view the passages above its median, and the longest in any case; of the others
    those above their 95th percentile; and altered and expressive ones. The longest first; one of
    which more than half the notes lie in longer ones is left out, unless it is the first view's
    longest, which the percentile is of."""
    index = search.index
    found: list[Passage] = []
    longest_exact: dict[str, Any] = {}
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
                _as_passage(tokens, shards, run, _kind(tokens, shards, run), view),
                tokens.note[run.first : run.first + run.length],
            )
            for run in listed
        ]
        if first and found:
            longest_exact = found[0][0]
    found += altered_passages(piece, index)
    level = index.calibration.get("expressive", {}).get("level")
    if level is not None:
        time = np.floor(piece.onset * UNITS / piece.ticks_per_quarter + 0.5).astype(np.int64)
        keys = np.where(piece.is_drum, -1, time * 128 + piece.pitch)
        found += [
            (passage, np.flatnonzero(np.isin(keys, chosen)))
            for passage, chosen in search.expressive.passages(notes, level)
        ]
    exact = KINDS[DEFAULT_VIEWS[0]]
    found.sort(key=lambda f: -f[0]["length"] * (EXACT_WORTH if f[0]["kind"] == exact else 1.0))
    chosen: list[dict[str, Any]] = []
    taken = np.zeros(piece.n_notes, np.bool_)
    for passage, own in found:
        if taken[own].mean() <= 0.5 and len(chosen) < MOST_PASSAGES:
            taken[own] = True
            chosen.append(passage)
    if longest_exact and not any(p is longest_exact for p in chosen):
        chosen = [*chosen[: MOST_PASSAGES - 1], longest_exact]
    return sorted(chosen, key=lambda p: -p["length"])


def _kind(tokens: Tokens, shards: Sequence[NgramIndex], run: Run) -> str:
    """What a passage is called: equal intervals whose onsets lie on a line with the source's were
    played in another timing, their rhythm was not replaced."""
    if tokens.view == "interval":
        shard, first, source = shards[run.shard], run.first, run.hit.source_first
        time = tokens.onset[first : first + run.length] / tokens.ticks_per_quarter
        resolution = shard.ticks_per_quarter[run.hit.source]
        if on_a_line(time, shard.onset[source : source + run.length] / resolution):
            return EXPRESSIVE
    return KINDS.get(tokens.view, tokens.view)


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


def _searched(search: Search, prompts: Mapping[str, Path] | None) -> dict[str, Any]:
    index = search.index
    left_out = ["drums", "lower notes of chords within a track (fingerprints and points hold them)"]
    if not search.expressive.shards:
        left_out.append("fingerprints: the reference is too large for them")
    if search.points is None:
        left_out.append("points (cardinality)")
    if prompts is None:
        left_out.append("prompts: none were given")
    return {
        "pieces": len(index.pieces),
        "notes": index.n_notes,
        "corpus_sha256": index.corpus_hash,
        "views": list(index.views),
        "not_searched": [{"path": name, "reason": reason} for name, reason in index.skipped],
        "kinds": _kinds(search),
        "left_out": "; ".join(left_out),
    }


def _kinds(search: Search) -> list[str]:
    """What a passage may be called, given the index's views and calibration."""
    calibration = search.index.calibration
    found = [KINDS.get(view, view) for view in search.index.views]
    found += ["altered"] if "level" in calibration.get("altered", {}) else []
    return found + ([EXPRESSIVE] if "level" in calibration.get("expressive", {}) else [])


def as_dict(report: OriginalityReport) -> dict[str, Any]:
    """The JSON form: ``items``, ``set``, ``searched`` and ``calibration``."""
    found = {
        "items": [{**item.__dict__, "passages": list(item.passages)} for item in report.items],
        "set": dict(report.set),
        "searched": dict(report.searched),
        "calibration": dict(report.calibration),
    }
    if report.other_corpus is not None:
        found["other_corpus"] = dict(report.other_corpus)
    return found
