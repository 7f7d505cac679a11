"""Finds out which table a ratings file holds and reads it.

Every reader says in ``notes`` what it left out and what the source doesn't tell, so that no row
disappears in silence. Readers, in the order in which they are tried (the first whose columns fit
reads the file; ``kind`` picks one by name):

``long``      rater?, item, system, dimension?, value - one answer a row, our own export included
``prolific``  a demographic export of Prolific: no ratings, and it says so
``webmushra`` session_test_id, ..., trial_id, rating_stimulus, rating_score
``davda54``   USER_ID, SONG_ID, GUESS, RATING, TIME
``aimgef``    ID and rating columns, no rater
``nested``    signal, condition, ratings, participant_ids: lists in cells
``aes``       JSON lines with data_path and lists of anonymous scores for each axis
``wide``      a column for each system, a row for each rater and item (MUSHRA tables)
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from concours.eval.ratings_import import published, tables
from concours.eval.stats.ratings import Ratings, RatingsError

Rows = list[dict[str, str]]
Reader = Callable[[Rows], Ratings]

READERS: Mapping[str, tuple[Callable[[Sequence[str]], bool], Reader]] = {
    "prolific": (tables.is_prolific, tables.refuse_prolific),
    "webmushra": (tables.is_webmushra, tables.webmushra),
    "davda54": (published.is_davda54, published.davda54),
    "aimgef": (published.is_aimgef, published.aimgef),
    "nested": (published.is_nested, published.nested),
    "long": (tables.is_long, tables.long),
    "wide": (tables.is_wide, tables.wide),
}


def read_ratings(path: Path, kind: str = "auto") -> Ratings:
    """The ratings in ``path`` (CSV, TSV, semicolons, or JSON lines), by ``kind`` or what fits.

    Raises:
        RatingsError: the file is missing, empty or not text, no reader fits, or a cell isn't
            what its column promises; the message names file, row and column.
    """
    if kind not in ("auto", "aes", *READERS):
        raise RatingsError(
            f"no reader is called {kind!r}; there are auto, aes, {', '.join(READERS)}"
        )
    try:
        text = _text(path)
        if kind == "aes" or (kind == "auto" and text.lstrip().startswith("{")):
            return published.aes(_json_lines(text))
        return _from_table(text, kind)
    except RatingsError as error:
        raise RatingsError(f"{path}: {error}") from error


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RatingsError(str(error.strerror)) from error
    except UnicodeDecodeError as error:
        raise RatingsError(f"not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    if not text.strip():
        raise RatingsError("the file is empty")
    return text


def read_participants(path: Path) -> dict[str, str]:
    """The status of each participant in a demographic export of Prolific, by participant id.

    Raises:
        RatingsError: the file is missing, empty, not text, or another table.
    """
    try:
        return tables.approved_participants(_table(_text(path))[1])
    except RatingsError as error:
        raise RatingsError(f"{path}: {error}") from error


def _from_table(text: str, kind: str) -> Ratings:
    columns, rows = _table(text)
    if not rows:
        raise RatingsError("there is a header only; no row has a rating")
    if kind != "auto":
        return READERS[kind][1](rows)
    for fits, read in READERS.values():
        if fits(columns):
            return read(rows)
    raise RatingsError(
        f"no reader knows the columns {', '.join(columns)}; a long table has item, system and "
        "value, and optionally rater and dimension"
    )


def _table(text: str) -> tuple[list[str], Rows]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    columns = [c.strip() for c in reader.fieldnames or []]
    repeated = sorted({c for c in columns if columns.count(c) > 1})
    if repeated:
        raise RatingsError(f"the header names {', '.join(map(repr, repeated))} twice")
    reader.fieldnames = columns
    rows: Rows = []
    for number, row in enumerate(reader, start=2):
        if None in row or None in row.values():
            raise RatingsError(f"row {number} has another number of cells than the header")
        rows.append({k: v.strip() for k, v in row.items()})
    return columns, rows


def _json_lines(text: str) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise RatingsError(f"row {number} isn't JSON: {error.msg}") from error
        if not isinstance(row, dict):
            raise RatingsError(f"row {number} isn't a JSON object")
        rows.append(row)
    return rows
