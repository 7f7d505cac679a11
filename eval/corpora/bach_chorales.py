"""The corpus ``bach-chorales``: four-part chorale settings out of music21's installed corpus.

music21 brings 408 .mxl files by Johann Sebastian Bach. The corpus takes those with exactly four
parts, 364 of them. The other 44 are cantata movements with obbligato instruments or doublings
(5 to 15 parts), a five- or six-part setting, and one prelude for keyboard (BWV 846): their extra
voices would let a count of tracks tell the systems apart. ``bach_chorales.csv`` lists all 408
with the number of parts, the sha256 of the file, and, for the 364, the group.

Bach set many tunes several times, and the corpus holds some settings twice (often transposed).
A group holds every file that shares its music, as :mod:`concours.eval.corpora.grouping` decides.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from concours.eval.corpora.grouping import same_music
from concours.metrics.piece import Piece

PARTS = 4


class Row(NamedTuple):
    """One line of the table; ``group`` is empty for a file that is left out."""

    file: str
    group: str
    parts: str
    sha256: str


def folder() -> Path:
    """Where music21's files by Bach lie; music21 itself is not imported.

    Raises:
        ModuleNotFoundError: music21 is not installed.
    """
    spec = find_spec("music21")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("music21 is not installed; it brings the corpus bach-chorales")
    return Path(spec.submodule_search_locations[0]) / "corpus" / "bach"


def table() -> list[Row]:
    """The committed table: all 408 files, sorted by name."""
    text = (files(__package__) / "bach_chorales.csv").read_text(encoding="utf-8")
    return [Row(**row) for row in csv.DictReader(text.splitlines())]


def groups() -> dict[str, str]:
    """Group of each of the 364 four-part settings, by file name.

    >>> groups()["bwv244.54.mxl"] == groups()["bwv270.mxl"]  # O Haupt voll Blut und Wunden
    True
    """
    return {row.file: row.group for row in table() if row.group}


def make_table(load: Callable[[Path], Piece]) -> list[Row]:
    """The table, computed from the installed files (half a minute); ``load`` reads one file."""
    paths = sorted(folder().glob("*.mxl"))
    pieces = {path.name: load(path) for path in paths}
    group_of = same_music({k: p for k, p in pieces.items() if len(p.track_names) == PARTS})
    return [
        Row(
            path.name,
            group_of.get(path.name, "").removesuffix(".mxl"),
            str(len(pieces[path.name].track_names)),
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in paths
    ]


def write_table(rows: list[Row], path: Path) -> None:
    """Writes the table as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(rows)
