"""Originality reports and indexes as text and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from concours.eval.originality.calibration import WITHIN_NOTES
from concours.eval.originality.checkpoints import checkpoint_curve
from concours.eval.originality.corpus_index import CorpusIndex
from concours.eval.originality.report import ItemReport, OriginalityReport

SHOWN_SIZES = ("6", "8", "10", "12", "16", "24")
MOST_SHOWN = 3

Named = Sequence[tuple[str, OriginalityReport]]


def checkpoints(reports: Named) -> str:
    """A row for each system: what is shared at each length, and how varied the set is."""
    rows = checkpoint_curve(reports)
    wide = max(12, *(len(r["system"]) for r in rows)) + 2
    lines = [
        f"{'':{wide}}longest p50   p95  percentile"
        + "".join(f"{'n=' + n:>8}" for n in SHOWN_SIZES)
        + "  self-BLEU    Vendi"
    ]
    for r in rows:
        place = "-" if r["mean_percentile"] is None else f"{r['mean_percentile']:.0f}"
        cells = (
            f"{100 * r['coverage'][n]:7.1f}%" if n in r["coverage"] else f"{'-':>8}"
            for n in SHOWN_SIZES
        )
        varied = (f"{'-':>9}" if r[k] is None else f"{r[k]:9.3f}" for k in ("self_bleu", "vendi"))
        levels = [f"{r['longest'][k]:g}" if k in r["longest"] else "-" for k in ("p50", "p95")]
        lines.append(
            f"{r['system']:{wide}}{levels[0]:>11}{levels[1]:>6}{place:>12}"
            + "".join(cells)
            + "  "
            + "".join(varied)
        )
    return "\n".join([*lines, "", ""])


def sentence(passage: Mapping[str, Any]) -> str:
    """One passage in words.

    >>> sentence({"length": 12, "kind": "exact", "track": 0, "bars": [3, 5], "source": "a.mid",
    ...           "source_track": 1, "source_bars": [9, 9], "transposition": -2,
    ...           "tempo_factor": 0.5})
    'bars 3-5 of track 1: 12 notes of a.mid, bar 9 of track 2, 2 semitones lower, tempo x 0.5'
    """
    shift, factor = passage["transposition"], passage["tempo_factor"]
    parts = [
        f"{named_bars(passage['bars'])} of track {passage['track'] + 1}: {passage['length']} notes "
        f"of {passage['source']}",
        f"{named_bars(passage['source_bars'])} of track {passage['source_track'] + 1}",
    ]
    if shift:
        plural = "s" if abs(shift) > 1 else ""
        parts.append(f"{abs(shift)} semitone{plural} {'higher' if shift > 0 else 'lower'}")
    if factor != 1:
        parts.append(f"tempo x {factor:g}")
    if passage["kind"] != "exact":
        parts.append(str(passage["kind"]))
    return ", ".join(parts)


def named_bars(bars: Sequence[int]) -> str:
    """First and last bar in words."""
    return f"bar {bars[0]}" if bars[0] == bars[1] else f"bars {bars[0]}-{bars[1]}"


def render(name: str, report: OriginalityReport) -> str:
    """One system's report for people."""
    searched = report.searched
    view = searched["views"][0]
    human = report.calibration.get("views", {}).get(view, {})
    lines = [
        f"{name} against {searched['pieces']} pieces, {searched['notes']} notes "
        f"(corpus {searched['corpus_sha256'][:12]})",
        "",
        f"{'notes covered by shared passages of':38}" + "".join(f"{n:>7}" for n in SHOWN_SIZES),
        _curve("  the system", report.set["coverage"]),
        _curve(
            "  the reference's pieces, each apart",
            {n: c["mean"] for n, c in human.get("coverage", {}).items()},
        ),
        _curve("  the same with their notes shuffled", human.get("shuffled", {})),
        *_other(report),
        "",
        _lengths("  the system", report.set["longest"]),
        _lengths("  the reference's pieces, each apart", human.get("longest", {})),
        *beyond(report),
        "",
        "Each item's longest exact passage and the percentile of its length among those of the "
        "reference's pieces;",
        f"then up to {MOST_SHOWN} passages of any kind, bars of the item first:",
        "",
    ]
    for item in sorted(report.items, key=_worst_first):
        lines += _item(item)
    lines += ["", *_of_set(report)]
    skipped = searched["not_searched"]
    lines += [
        "",
        f"Not searched: {searched['left_out']}"
        + (f"; {len(skipped)} files of the reference" if skipped else "")
        + ". Shared passages are no finding about how a piece came to be.",
        "",
    ]
    return "\n".join(lines)


def beyond(report: OriginalityReport) -> list[str]:
    """How many items go beyond what is usual, and how many are the reference's own files."""
    of, lines = report.set, []
    if of["above_p95"] is not None:
        lines.append(
            f"longer than the reference's p95: {of['above_p95']} of {of['compared']} items "
            f"(about {0.05 * of['compared']:.2g} are usual)"
        )
    if of["in_reference"]:
        lines.append(
            f"the same file stands in the reference: {of['in_reference']} of {of['compared']} items"
        )
    return lines


def _other(report: OriginalityReport) -> list[str]:
    other = report.other_corpus
    if other is None:
        return []
    return [_curve(f"  {other['pieces']} pieces of {other['corpus']}"[:38], other["coverage"])]


def _of_set(report: OriginalityReport) -> list[str]:
    """What the items have in common with each other and each with itself."""
    of, usual = report.set, report.calibration.get("self_repetition", {})
    lines = ["Within the set:"]
    if of["self_repetition"]:
        band = (
            f"; the reference's p5-p95: {usual['p5']:.2f}-{usual['p95']:.2f}"
            if "p5" in usual
            else ""
        )
        lines.append(f"  self-repetition: median {of['self_repetition']['p50']:.2f}{band}")
    for key, title in (
        (f"distinct_{WITHIN_NOTES}", f"distinct passages of {WITHIN_NOTES} notes"),
        ("self_bleu", "self-BLEU"),
        ("vendi", f"Vendi score (of {of['compared']})"),
        ("copied_from_prompt", "copied from the prompts"),
    ):
        if of[key] is not None:
            lines.append(f"  {title}: {of[key]:.3f}")
    for size, score in of["cardinality"].items():
        own = report.calibration.get("cardinality", {}).get(size, {})
        band = f"; the reference's own p50 {own['p50']:.2f}, p95 {own['p95']:.2f}" if own else ""
        lines.append(f"  cardinality score, windows of {size} quarters: mean {score:.2f}{band}")
    for paths in of["same_content"]:
        lines.append(f"  equal files: {', '.join(paths)}")
    for paths in of["same_passages"]:
        lines.append(f"  equal notes, in any key and tempo: {', '.join(paths)}")
    return lines


def _worst_first(item: ItemReport) -> tuple[int, str]:
    return (-(item.longest if item.longest is not None else -1), item.path)


def _curve(title: str, curve: Mapping[str, float]) -> str:
    cells = (f"{100 * curve[n]:6.1f}%" if n in curve else f"{'-':>7}" for n in SHOWN_SIZES)
    return f"{title:38}" + "".join(cells)


def _lengths(title: str, levels: Mapping[str, float]) -> str:
    text = ", ".join(f"{k} {v:g}" for k, v in levels.items())
    return f"longest passage in notes: {title.strip()}: {text or '-'}"


def _item(item: ItemReport) -> list[str]:
    if item.status != "ok":
        return [f"{item.path}: {item.status}: {item.reason}"]
    place = "" if item.percentile is None else f", percentile {item.percentile:.0f}"
    same = "" if item.in_reference is None else f", the same file as {item.in_reference}"
    lines = [f"{item.path}: longest {item.longest} notes{place}{same}"]
    shown = item.passages[:MOST_SHOWN]
    if left := len(item.passages) - len(shown):  # the longest exact one is shown in any case
        exact = next((p for p in item.passages if p["kind"] == "exact"), shown[0])
        shown = shown if exact in shown else (*shown[:-1], exact)
    lines += [f"    {sentence(p)}" for p in shown]
    lines += [f"    and {left} more (--format html or json)"] if left else []
    of = item.from_prompt
    if of is not None and of["status"] == "ok":
        longest = of["longest"]
        share = "-" if of["copied"] is None else f"{100 * of['copied']:.0f}%"
        lines.append(
            f"    from its prompt {of['prompt']}: {share} of the continuation's notes"
            + (
                f", longest {longest['length']} notes, {longest['lag']:g} quarters later"
                if longest
                else ""
            )
        )
    elif of is not None:
        lines.append(f"    from its prompt {of['prompt']}: {of['status']}: {of['reason']}")
    return lines


def index_dict(index: CorpusIndex) -> dict[str, Any]:
    """What ``concours index info --format json`` prints."""
    return {
        "folder": str(index.folder),
        "corpus_sha256": index.corpus_hash,
        "pieces": len(index.pieces),
        "notes": index.n_notes,
        "shards": len(index.shards[index.views[0]]),
        "views": list(index.views),
        "skipped": [{"path": name, "reason": reason} for name, reason in index.skipped],
        "calibration": index.calibration,
    }


def index_text(index: CorpusIndex) -> str:
    """The same for people."""
    shards = len(index.shards[index.views[0]])
    lines = [
        f"{len(index.pieces)} pieces, {index.n_notes} notes, {shards} "
        f"shard{'s' if shards > 1 else ''}; every file as it was written",
        f"corpus {index.corpus_hash}",
    ]
    for name, reason in index.skipped:
        lines.append(f"skipped {name}: {reason}")
    for group in index.calibration.get("near_duplicates", []):
        lines.append(f"near-duplicates: {', '.join(group)}")
    for view, found in index.calibration.get("views", {}).items():
        lines += [
            "",
            f"{view}: {found['pieces']} pieces, each against the others",
            _lengths("", found["longest"]).replace(": :", ":"),
            f"{'notes covered by shared passages of':38}" + "".join(f"{n:>7}" for n in SHOWN_SIZES),
            _curve("  mean", {n: c["mean"] for n, c in found["coverage"].items()}),
            _curve("  95th percentile", {n: c["p95"] for n, c in found["coverage"].items()}),
        ]
    return "\n".join(lines) + "\n"
