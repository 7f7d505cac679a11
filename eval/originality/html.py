"""The originality report as one offline HTML file: the longest passage first, both sides drawn
one above the other with the shared notes lit, and played."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from concours.eval.originality.excerpts import Row
from concours.eval.originality.report import ItemReport, OriginalityReport
from concours.eval.originality.sound_html import sound_view
from concours.eval.originality.sound_report import SoundReport
from concours.eval.originality.tables import sentence
from concours.metrics.originality.ngram import SIZES
from concours.metrics.piece import make_piece

TEMPLATES = Path(__file__).parent / "templates"
WIDTH, HEIGHT = 640, 110
MOST_PLAYED = 12
SECONDS = 12.0
RESOLUTION = 480


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
    page = environment.get_template("originality.html").render(
        systems=[
            {
                **(_system(name, notes, audio) if notes else {"name": name, "searched": {}}),
                "sound": sound_view(sound, audio) if sound else None,
            }
            for (name, notes), sound in zip_longest(reports, sounds)
        ]
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
        "human": human,
        "near_duplicates": report.calibration.get("near_duplicates", []),
        "curve": _curve(
            report.set["coverage"], human.get("coverage", {}), human.get("shuffled", {})
        ),
        "table": [
            (
                str(n),
                report.set["coverage"].get(str(n)),
                human.get("coverage", {}).get(str(n)),
                human.get("shuffled", {}).get(str(n)),
            )
            for n in SIZES
        ],
        "passages": [
            _passage(item, p, audio and i < MOST_PLAYED) for i, (item, p) in enumerate(found)
        ],
        "items": sorted(report.items, key=lambda i: (-(i.longest or -1), i.path)),
    }


def _passage(item: ItemReport, passage: Mapping[str, Any], audio: bool) -> dict[str, Any]:
    roll = passage["roll"]
    return {
        "path": item.path,
        "percentile": item.percentile,
        "sentence": sentence(passage),
        "piece": _drawn(roll["piece"]),
        "source": _drawn(roll["source"]),
        "sounds": [_sound(roll[side]) for side in ("piece", "source")] if audio else [],
    }


def _drawn(rows: Sequence[Row]) -> list[tuple[float, float, float, float, bool]]:
    """Rectangles (x, y, width, height, shared) for the notes of one side."""
    end = max(float(r[0]) + float(r[1]) for r in rows)
    low, high = min(int(r[2]) for r in rows) - 1, max(int(r[2]) for r in rows) + 1
    tall = HEIGHT / (high - low + 1)
    return [
        (
            round(float(t) / end * WIDTH, 1),
            round((high - int(p)) * tall, 1),
            max(2.0, round(float(d) / end * WIDTH - 1, 1)),
            round(min(tall, 9.0), 1),
            bool(lit),
        )
        for t, d, p, lit in rows
    ]


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
        "band": f"{line(band)} {floor}" if band else "",
        "marks": [(round(i * step, 1), n) for i, n in enumerate(SIZES)],
    }
