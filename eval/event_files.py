"""MusDr's event files: CSV tables of event numbers, scored as MusDr scores them."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

from concours.eval.work import ScoreValue, as_score
from concours.metrics.compat.musdr import EVENT_METRICS, Events

COLUMN = "ENCODING"
MAX_BYTES = 64 << 20


def find_event_files(path: str) -> list[Path]:
    """The CSV files at a path: a file, a folder (searched downwards) or a glob; none, if none."""
    at = Path(path).expanduser()
    if at.is_file():
        return [at] if at.suffix.lower() == ".csv" else []
    if at.is_dir():
        return sorted(f for f in at.rglob("*") if f.suffix.lower() == ".csv" and f.is_file())
    wild = [i for i, part in enumerate(at.parts) if any(c in part for c in "*?[")]
    if not wild:
        return []
    root = Path(*at.parts[: wild[0]])
    found = sorted(root.glob("/".join(at.parts[wild[0] :])))
    return [f for f in found if f.suffix.lower() == ".csv" and f.is_file()]


def read_events(data: bytes) -> list[int]:
    """The event numbers of a file: its column ``ENCODING``, or its only column.

    Raises:
        ValueError: no such column, or a cell that is no whole number, with its line.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"{len(data)} bytes: over {MAX_BYTES >> 20} MiB is no event file")
    rows = list(csv.reader(data.decode("utf-8-sig").splitlines()))
    if not rows:
        raise ValueError("an empty file")
    header = [c.strip() for c in rows[0]]
    if COLUMN in header:
        place, rows = header.index(COLUMN), rows[1:]
    elif len(header) == 1:
        place, rows = 0, rows if header[0].lstrip("-").isdigit() else rows[1:]
    else:
        raise ValueError(f"no column {COLUMN}, as MusDr's event files have it")
    events = []
    for n, row in enumerate((r for r in rows if r), start=2):
        try:
            events.append(int(float(row[place])))
        except (IndexError, ValueError, OverflowError) as error:
            raise ValueError(f"line {n}: no event number in column {COLUMN}") from error
    return events


def score_events(file: Path, names: Sequence[str]) -> tuple[str, dict[str, ScoreValue] | str]:
    """(sha256, scores by metric), or why the file can't be read in place of the scores."""
    try:
        data = file.read_bytes()
        events: Events = read_events(data)
    except OSError as error:
        return "", f"cannot be read: {error.strerror or error}"
    except ValueError as error:
        return hashlib.sha256(data).hexdigest(), f"no event file: {error}"
    scores = {n: as_score(0, EVENT_METRICS[n](events)) for n in names}
    return hashlib.sha256(data).hexdigest(), scores
