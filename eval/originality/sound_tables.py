"""Reports on recordings, and their index, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from concours.eval.originality.sound_index import SoundIndex
from concours.eval.originality.sound_report import SECONDS, SoundItem, SoundReport

MOST_SHOWN = 3


def sound_text(name: str, report: SoundReport) -> str:
    """One system's recordings, the most shared first."""
    searched = report.searched
    lines = [
        f"{name} against {searched['clips']} recordings, {searched['seconds'] / 60:.1f} minutes "
        f"(corpus {searched['corpus_sha256'][:12]})",
        "",
    ]
    if coverage := report.set["coverage"]:
        lines += [
            f"{'time in shared excerpts of':38}" + "".join(f"{n:>5} s" for n in SECONDS),
            f"{'  the system':38}" + "".join(f"{100 * coverage[str(n)]:6.1f}%" for n in SECONDS),
            "",
        ]
    lines += [
        *_calibration(report.calibration),
        "",
        "Each item's longest excerpt by landmarks and the percentile of its best score among those "
        "of unrelated",
        "clips, by landmarks or chroma; then the excerpts, times of the item first:",
        "",
    ]
    for item in sorted(report.items, key=most_shared_first):
        lines += _item(item)
    skipped = searched["not_searched"]
    lines += [
        "",
        f"Not searched: {searched['left_out']}"
        + (f"; {len(skipped)} files of the reference" if skipped else "")
        + ". Shared sound is no finding about how a piece came to be.",
        "",
    ]
    return "\n".join(lines)


def most_shared_first(item: SoundItem) -> tuple[float, float, str]:
    """The order in which items are shown."""
    best = max((p["percentile"] or 0.0 for p in item.passages), default=-1.0)
    return (-(item.longest or 0.0), -best, item.path)


def sound_sentence(passage: Mapping[str, Any]) -> str:
    """One passage in words.

    >>> sound_sentence({"kind": "chroma", "source": "a.wav", "seconds": [3.0, 13.5],
    ...     "source_seconds": [60.0, 71.2], "score": 4.5, "transposition": 2,
    ...     "tempo_factor": 1.067, "n_places": 1})
    '0:03.0-0:13.5: a.wav, 1:00.0-1:11.2, by chroma (score 4.5), 2 semitones higher, tempo x 1.07'
    """
    parts = [
        f"{clock(passage['seconds'])}: {passage['source']}",
        f"{clock(passage['source_seconds'])}",
        f"by {passage['kind']} (score {passage['score']:g})",
    ]
    if shift := passage["transposition"]:
        plural = "s" if abs(shift) > 1 else ""
        parts.append(f"{abs(shift)} semitone{plural} {'higher' if shift > 0 else 'lower'}")
    if abs(passage["tempo_factor"] - 1) > 0.02:
        parts.append(f"tempo x {passage['tempo_factor']:.3g}")
    if passage["n_places"] > 1:
        parts.append(f"and {passage['n_places'] - 1} more")
    return ", ".join(parts)


def clock(seconds: Sequence[float]) -> str:
    """Times as minutes and seconds."""
    return "-".join(f"{int(s // 60)}:{s % 60:04.1f}" for s in seconds)


def _item(item: SoundItem) -> list[str]:
    if item.status != "ok":
        return [f"{item.path}: {item.status}: {item.reason}"]
    place = "" if item.percentile is None else f", percentile {item.percentile:.0f}"
    told = "" if item.longest is None else f": longest {item.longest:g} of {item.seconds:g} s"
    lines = [f"{item.path}{told}{place}"]
    lines += [f"    {sound_sentence(p)}" for p in item.passages[:MOST_SHOWN]]
    for n in item.nearest:
        if n["kind"] == "embedding":
            told = "" if n["percentile"] is None else f", percentile {n['percentile']:.0f}"
            lines.append(
                f"    nearest in {n['embedding']}: {n['source']} at {n['score']:.2f}{told}"
            )
    return [*lines, f"    {item.reason}"] if item.reason else lines


def _calibration(calibration: Mapping[str, Any]) -> list[str]:
    lines = [
        f"what unrelated clips of the reference share ({calibration['recordings']} recordings):"
    ]
    for kind, null in calibration["kinds"].items():
        if "p50" not in null:
            lines.append(f"  {kind}: not known, no two recordings to compare")
            continue
        low, high = ("p50", "p99") if kind != "embedding" else ("p50", "p1")
        level = "-" if null["level"] is None else f"{null['level']:.3g}"
        what = "distance" if kind == "embedding" else "score"
        lines.append(
            f"  {kind}: {what} {low} {null[low]:.3g}, {high} {null[high]:.3g}, reported "
            f"{'below' if kind == 'embedding' else 'above'} {level} ({null['clips']} clips)"
        )
    return lines


def sound_index_dict(index: SoundIndex) -> dict[str, Any]:
    """What ``concours index info --format json`` prints of recordings."""
    return {
        "folder": str(index.folder),
        "corpus_sha256": index.corpus_hash,
        "clips": len(index.clips),
        "seconds": round(index.seconds, 1),
        "bytes": index.bytes,
        "shards": len(index.landmarks),
        "embedding": index.embedding,
        "skipped": [{"path": name, "reason": reason} for name, reason in index.skipped],
        "calibration": index.calibration,
    }


def sound_index_text(index: SoundIndex) -> str:
    """The same for people."""
    shards = len(index.landmarks)
    hours = max(index.seconds / 3600, 1e-9)
    lines = [
        f"{len(index.clips)} recordings, {index.seconds / 60:.1f} minutes, {shards} "
        f"shard{'s' if shards > 1 else ''}, {index.bytes / hours / 1e6:.1f} MB an hour; "
        "every file as it was written",
        f"corpus {index.corpus_hash}",
        f"embedding {index.embedding}",
        *(f"skipped {name}: {reason}" for name, reason in index.skipped),
        *(
            f"cuts of one recording: {', '.join(group)}"
            for group in index.calibration.get("cuts_of_one_recording", [])
        ),
    ]
    if index.calibration:
        lines += ["", *_calibration(index.calibration)]
    return "\n".join(lines) + "\n"
