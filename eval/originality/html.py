"""The originality report as one offline HTML file: the longest passage first, both sides drawn
one above the other with the shared notes lit, and played."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from concours.eval.originality.checkpoints import checkpoint_curve
from concours.eval.originality.excerpts import Row
from concours.eval.originality.report import KIND_MEANINGS, ItemReport, OriginalityReport
from concours.eval.originality.rolls import HEIGHT, WIDTH, rolls
from concours.eval.originality.sound_html import sound_view
from concours.eval.originality.sound_report import SoundReport
from concours.eval.originality.tables import SHOWN_SIZES, beyond, named_bars, sentence
from concours.metrics.originality.ngram import SIZES
from concours.metrics.piece import make_piece

TEMPLATES = Path(__file__).parent / "templates"
MOST_PLAYED = 12
SECONDS = 12.0
RESOLUTION = 480
HEIGHTS = [(round((1 - share) * HEIGHT * 2, 1), f"{share:.0%}") for share in (0, 0.5, 1)]


def to_html(
    reports: Sequence[tuple[str, OriginalityReport | None]],
    sounds: Sequence[SoundReport | None] = (),
    *,
    audio: bool = True,
) -> str:
    """The page; ``sounds`` are what the same systems hold of recordings. ``audio=False`` leaves
    out the sound (about 40 kB for each side of a passage)."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    held = [(name, notes) for name, notes in reports if notes is not None and notes.searched]
    rows = checkpoint_curve(held) if len(held) > 1 else []
    page = environment.get_template("originality.html").render(
        systems=[
            {
                **(_system(name, notes, audio) if notes else {"name": name, "searched": {}}),
                "sound": sound_view(sound, audio) if sound else None,
            }
            for (name, notes), sound in zip_longest(reports, sounds)
        ],
        checkpoints=rows,
        marks=_marks(rows),
        heights=HEIGHTS,
        lines=_over_checkpoints(rows),
        shown=SHOWN_SIZES,
        width=WIDTH,
    )
    return page.rstrip("\n") + "\n"


def _system(name: str, report: OriginalityReport, audio: bool) -> dict[str, Any]:
    if not report.searched:  # the reference holds no notes
        return {"name": name, "searched": {}}
    found = [(item, p) for item in report.items for p in item.passages]
    found.sort(key=lambda f: (-f[1]["length"], f[0].path))
    view = report.searched["views"][0]
    human = report.calibration.get("views", {}).get(view, {})
    return {
        "name": name,
        "searched": report.searched,
        "set": report.set,
        "kinds": [(kind, KIND_MEANINGS.get(kind, "")) for kind in report.searched["kinds"]],
        "beyond": beyond(report),
        "human": human,
        "near_duplicates": report.calibration.get("near_duplicates", []),
        "curve": _curve(
            report.set["coverage"],
            human.get("coverage", {}),
            human.get("shuffled", {}),
            (report.other_corpus or {}).get("coverage", {}),
        ),
        "other": report.other_corpus,
        "repeated": report.calibration.get("self_repetition", {}),
        "points": report.calibration.get("cardinality", {}),
        "table": [
            (
                str(n),
                report.set["coverage"].get(str(n)),
                human.get("coverage", {}).get(str(n)),
                human.get("shuffled", {}).get(str(n)),
                (report.other_corpus or {}).get("coverage", {}).get(str(n)),
            )
            for n in SIZES
        ],
        "passages": [
            _passage(item, p, audio and i < MOST_PLAYED) for i, (item, p) in enumerate(found)
        ],
        "items": sorted(report.items, key=lambda i: (-(i.longest or -1), i.path)),
    }


def _passage(item: ItemReport, passage: Mapping[str, Any], audio: bool) -> dict[str, Any]:
    tracks = (passage["track"], passage["source_track"])
    bars = (passage["bars"], passage["source_bars"])
    sides = zip(
        ("piece", "source"),
        (item.path, passage["source"]),
        tracks,
        bars,
        rolls(passage),
        strict=True,
    )
    return {
        "path": item.path,
        "percentile": item.percentile,
        "longest": item.longest,
        "sentence": sentence(passage),
        "sides": [
            {
                "label": f"{name}, {named_bars(at)} of track {track + 1}",
                "bars": at,
                "roll": roll,
                "sound": _sound(passage["roll"][side]) if audio else "",
            }
            for side, name, track, at, roll in sides
        ],
    }


def _over_checkpoints(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(n, points of the line) of the coverage over the checkpoints, for some n."""
    step = WIDTH / max(1, len(rows) - 1)
    found = []
    for n in ("6", "8", "10", "12"):
        points = [
            f"{i * step:.1f},{(1 - r['coverage'][n]) * HEIGHT * 2:.1f}"
            for i, r in enumerate(rows)
            if n in r["coverage"]
        ]
        found.append((n, " ".join(points)))
    return found


def _marks(rows: Sequence[Mapping[str, Any]]) -> list[tuple[float, str]]:
    """Where each system stands below the curve over the checkpoints, and its name from where the
    names begin to differ."""
    names = [str(r["system"]) for r in rows]
    parts = [Path(name).parts for name in names]
    least = min((len(p) for p in parts), default=1) - 1  # at least its own folder stays
    common = next((i for i in range(least) if len({p[i] for p in parts}) > 1), least)
    step = WIDTH / max(1, len(rows) - 1)
    return [(round(i * step, 1), "/".join(p[common:])[-18:]) for i, p in enumerate(parts)]


def _sound(rows: Sequence[Row]) -> str:
    """The notes as an MP3 in a data address."""
    from concours.eval.render import clip

    onset = [round(float(r[0]) * RESOLUTION) for r in rows]
    piece = make_piece(
        onset=onset,
        end=[t + max(1, round(float(r[1]) * RESOLUTION)) for t, r in zip(onset, rows, strict=True)],
        pitch=[int(r[2]) for r in rows],
        ticks_per_quarter=RESOLUTION,
    )
    return "data:audio/mpeg;base64," + base64.b64encode(clip(piece, SECONDS).data).decode()


def _curve(
    system: Mapping[str, float],
    human: Mapping[str, Mapping[str, float]],
    shuffled: Mapping[str, float],
    other: Mapping[str, float],
) -> dict[str, Any]:
    """Points of the curves, the band up to the 95th percentile, and the marks of the axis."""
    step = WIDTH / (len(SIZES) - 1)

    def line(values: Mapping[str, float]) -> str:
        found = [
            (i * step, (1 - values[str(n)]) * HEIGHT * 2)
            for i, n in enumerate(SIZES)
            if str(n) in values
        ]
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in found)

    mean = {n: c["mean"] for n, c in human.items()}
    band = {n: c["p95"] for n, c in human.items()}
    floor = f"{WIDTH:.1f},{HEIGHT * 2:.1f} 0.0,{HEIGHT * 2:.1f}"
    return {
        "system": line(system),
        "human": line(mean),
        "shuffled": line(shuffled),
        "other": line(other),
        "heights": HEIGHTS,
        "band": f"{line(band)} {floor}" if band else "",
        "marks": [(round(i * step, 1), n) for i, n in enumerate(SIZES)],
    }
