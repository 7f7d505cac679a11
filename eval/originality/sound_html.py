"""The recordings' part of the originality page: excerpts of both sides drawn and played."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.eval.load import LoadError
from concours.eval.load.audio import load_audio
from concours.eval.originality.contents import hash_file
from concours.eval.originality.sound_report import CHROMA, SECONDS, SoundReport
from concours.eval.originality.sound_tables import clock, most_shared_first, sound_sentence
from concours.eval.render import sound_clip
from concours.eval.report.soundview import png, waveform
from concours.metrics.clip import Clip, make_clip
from concours.metrics.originality.qmax import SECONDS_A_PROFILE, profiles, recurrences

MOST_SHOWN, MOST_PLAYED = 100, 24
LONGEST_PLAYED = 20.0
AROUND = 2.0
MOST_DRAWN = 240

Bar = tuple[float, float, float, float]


def sound_view(report: SoundReport, audio: bool) -> dict[str, Any]:
    """What the template needs of one system's recordings."""
    items = sorted(report.items, key=most_shared_first)
    found = [(item, p) for item in items for p in item.passages][:MOST_SHOWN]
    return {
        "searched": report.searched,
        "set": report.set,
        "calibration": report.calibration,
        "seconds": SECONDS,
        "items": items,
        "passages": [
            {
                "path": item.path,
                "percentile": p["percentile"],
                "sentence": sound_sentence(p),
                **_sides(report, item.path, p, audio and i < MOST_PLAYED),
            }
            for i, (item, p) in enumerate(found)
        ],
        "nulls": [
            (kind, *_histogram(null), null) for kind, null in report.calibration["kinds"].items()
        ] if report.calibration else [],
    }  # fmt: skip


def _sides(
    report: SoundReport, path: str, passage: Mapping[str, Any], audio: bool
) -> dict[str, Any]:
    """Both sides drawn and played, and for an alignment its matrix."""
    own = _clip(report.files[path], "")
    source = _clip(*report.sources[passage["source"]])
    sides = [_side(own, passage["seconds"], audio, path)]
    sides += [_side(source, passage["source_seconds"], audio, passage["source"])]
    matrix = ""
    if passage["kind"] == CHROMA and own is not None and source is not None:
        matrix = _matrix(own, source, passage)
    return {"sides": sides, "matrix": matrix}


@lru_cache(maxsize=8)
def _clip(file: Path, sha256: str) -> Clip | None:
    """The recording in a file; None where it is gone or another one than was indexed."""
    try:
        if sha256 and hash_file(file) != sha256:
            return None
        return load_audio(file).clip
    except (LoadError, OSError):
        return None


def _side(clip: Clip | None, seconds: list[float], audio: bool, name: str) -> dict[str, Any]:
    """The excerpt with two seconds on either side; lit from ``low`` to ``high`` of 1000 units."""
    label = f"{name}, {clock(seconds)}"
    if clip is None:
        return {"label": label, "path": "", "chroma": "", "sound": "", "low": 0, "high": 0}
    first = max(0.0, seconds[0] - AROUND)
    last = min(clip.duration, seconds[1] + AROUND)
    samples = clip.samples[round(first * clip.sample_rate) : round(last * clip.sample_rate)]
    length = max(last - first, 1e-6)
    part = make_clip(samples, clip.sample_rate)
    sound = ""
    if audio and len(samples):
        begin = round(max(0.0, seconds[0] - first) * clip.sample_rate)
        played = samples[
            begin : begin + round(max(0.1, seconds[1] - seconds[0]) * clip.sample_rate)
        ]
        data = sound_clip(played, clip.sample_rate, LONGEST_PLAYED).data
        sound = f"data:audio/mpeg;base64,{base64.b64encode(data).decode()}"
    return {
        "label": label,
        "path": waveform(samples) if len(samples) else "",
        "chroma": _picture(profiles(part).T[::-1]),
        "sound": sound,
        "low": round(1000 * (seconds[0] - first) / length),
        "high": round(1000 * (min(seconds[1], last) - first) / length),
    }


def _picture(values: NDArray[Any]) -> str:
    """Values as an image in a data address, "" where there are none."""
    if not values.size:
        return ""
    low, high = float(values.min()), float(values.max())
    shade = np.rint(255 * (values - low) / max(high - low, 1e-9)).astype(np.uint8)
    return "data:image/png;base64," + base64.b64encode(png(shade)).decode()


def _matrix(own: Clip, source: Clip, passage: Mapping[str, Any]) -> str:
    """Where the aligned excerpts recur: time of the item to the right, of the source upwards."""
    sides = []
    for clip, span in ((own, passage["seconds"]), (source, passage["source_seconds"])):
        a, b = (round(t / SECONDS_A_PROFILE) for t in span)
        sides.append(profiles(clip)[a:b])
    try:
        found = recurrences(sides[0], sides[1], passage["transposition"])
    except ValueError:
        return ""
    step = max(1, -(-max(found.shape) // MOST_DRAWN))
    rows, columns = (size // step for size in found.shape)
    if not rows or not columns:
        return ""
    coarse = found[: rows * step, : columns * step].reshape(rows, step, columns, step)
    return _picture(coarse.mean(axis=(1, 3)).T[::-1])


def _histogram(null: Mapping[str, Any]) -> tuple[list[Bar], float | None, float]:
    """Bars (x, y, width, height) of a null's values in a box of 640 by 60, the level's x, and the
    value at the right edge."""
    values, level = null["values"], null["level"]
    if not values:
        return [], None, 0.0
    most = max(*values, level or 0.0, 1e-9) * 1.05
    count, _ = np.histogram(values, bins=24, range=(0.0, most))
    wide = 640 / 24
    tall = 58 * count / max(1, count.max())
    bars = [(round(i * wide, 1), round(60 - h, 1), round(wide - 1, 1), round(float(h), 1))
            for i, h in enumerate(tall) if h]  # fmt: skip
    return bars, None if level is None else round(640 * level / most, 1), most
