"""A piece's histograms and curves for people: one line of bars each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from concours.eval.score import ScoredItem, Scores
from concours.metrics.keys import NAMES

BARS = " ▁▂▃▄▅▆▇█"
WIDTH = 72


def to_profiles(scores: Scores) -> str:
    """The profile of each item that has one."""
    found = [i for i in scores.items if i.profile]
    return "".join(_profile(i) for i in found) or "\nNo item has notes to describe.\n"


def _profile(item: ScoredItem) -> str:
    p = item.profile
    lines = ["", item.path]
    for weighting in ("count", "duration"):
        classes = p["pitch_class_histogram"][weighting]
        total = sum(classes) or 1
        shares = "  ".join(f"{n} {v / total:.0%}" for n, v in zip(NAMES, classes, strict=True) if v)
        lines.append(f"  pitch classes by {weighting}: {shares or '-'}")
    pitches = p["pitch_histogram"]["count"]
    used = [i for i, v in enumerate(pitches) if v]
    if used:
        low, high = used[0], used[-1]
        lines.append(f"  pitches {low} to {high}: {sparkline(pitches[low : high + 1])}")
    for name in ("interval_histogram", "ioi_histogram", "duration_histogram"):
        lines.append(f"  {name.replace('_', ' ')}: {_counts(p[name])}")
    lines.append(f"  notes per bar: {sparkline(p['notes_per_bar']['curve'])}")
    lines.append(f"  chords: {_limited(p['chords'].get('labels', []))}")
    for name, curve in p["tension"].items():
        lines.append(f"  {name.replace('_', ' ')}: {_drawn(curve)}")
    lines.append(f"  repetition by lag of 1, 2 … bars: {_drawn(p['repetition_by_lag'])}")
    for voice in p["registers"]["voices"]:
        name = voice["track"] or "a track without a name"
        lines.append(f"  register of {name}: {voice['lowest']} to {voice['highest']}")
    used_by = ", ".join(f"{k} ({v} notes)" for k, v in p["instruments"].items())
    lines.append(f"  instruments: {used_by or '-'}")
    lines.append("  transition and self-similarity matrices: --format json")
    return "\n".join(lines) + "\n"


def sparkline(values: Sequence[float | None]) -> str:
    """Values as a line of block characters, at most ``WIDTH`` of them, each a mean.

    >>> sparkline([0, 1, 2])
    ' ▄█'
    """
    known = [0.0 if v is None else float(v) for v in values]
    if len(known) > WIDTH:
        edges = [round(i * len(known) / WIDTH) for i in range(WIDTH + 1)]
        known = [sum(known[a:b]) / (b - a) for a, b in pairwise(edges)]
    top = max(known, default=0.0)
    return "".join(BARS[round(v / top * 8)] if top > 0 else BARS[0] for v in known)


def _drawn(part: Mapping[str, Any]) -> str:
    if "undefined" in part:
        return f"- ({part['undefined']})"
    known = [v for v in part["curve"] if v is not None]
    span = f" ({min(known):.3g} to {max(known):.3g})" if known else ""
    return sparkline(part["curve"]) + span


def _counts(histogram: Mapping[str, Any]) -> str:
    if "undefined" in histogram:
        return f"- ({histogram['undefined']})"
    return _limited([f"{k}: {v}" for k, v in histogram.items()]) if histogram else "-"


def _limited(words: Sequence[str], most: int = 16) -> str:
    shown = " ".join(words[:most]) or "-"
    return f"{shown} … {len(words) - most} more" if len(words) > most else shown
