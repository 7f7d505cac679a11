"""Finds out which table a file of answers holds and reads it.

Every reader says in ``notes`` what it left out and what the source doesn't tell, so that no row
disappears in silence. Readers, in the order in which they are tried (the first whose columns fit
reads the file; ``kind`` picks one by name):

``export``    ratings.csv or preferences.csv of ``concours study export``
``webmushra`` mushra.csv: trial_id, rating_stimulus, rating_score
``webmushra-pairs``  paired_comparison.csv: choice_reference, choice_non_reference, choice_answer
``webmushra-likert`` lss.csv and lms.csv: trial_id, stimuli_rating, stimuli
``webmushra-bs1116`` bs1116.csv: a reference and another stimulus, each with its score
``davda54``   USER_ID, SONG_ID, GUESS, RATING, TIME
``aimgef``    ID and rating columns, no rater
``nested``    signal, condition, ratings, participant_ids: lists in cells
``pairs``     rater?, system_a, system_b, choice - one preference a row
``long``      rater?, item, system, dimension?, value - one rating a row
``prolific``  a list of participants: no ratings, and it says so
``wide``      a column for each system, a row for each rater and item (MUSHRA tables)
``aes``       JSON lines with data_path and lists of anonymous scores for each axis
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from concours.eval.ratings_import import exported, pairs, published, tables, webmushra
from concours.eval.ratings_import.answers import Answers
from concours.eval.stats.ratings import Ratings, RatingsError

Rows = list[dict[str, str]]
Reader = Callable[[Rows], Ratings | Answers]

READERS: Mapping[str, tuple[Callable[[Sequence[str]], bool], Reader]] = {
    "export": (exported.is_exported, exported.exported),
    "webmushra": (webmushra.is_mushra, webmushra.mushra),
    "webmushra-pairs": (pairs.is_webmushra_pairs, pairs.webmushra_pairs),
    "webmushra-likert": (webmushra.is_likert, webmushra.likert),
    "webmushra-bs1116": (webmushra.is_bs1116, webmushra.bs1116),
    "davda54": (published.is_davda54, published.davda54),
    "aimgef": (published.is_aimgef, published.aimgef),
    "nested": (published.is_nested, published.nested),
    "pairs": (pairs.is_pairs, pairs.pairs),
    "long": (tables.is_long, tables.long),
    "prolific": (tables.is_prolific, tables.refuse_prolific),
    "wide": (tables.is_wide, tables.wide),
}
KINDS = ("auto", *READERS, "aes")


def read_ratings(path: Path, kind: str = "auto") -> Ratings:
    """The ratings in ``path``, see :func:`read_answers`.

    Raises:
        RatingsError: as there, or the file holds preferences only.
    """
    found = read_answers(path, kind).ratings
    if found is None:
        raise RatingsError(f"{path}: it holds preferences between pairs and no ratings")
    return found


def read_answers(path: Path, kind: str = "auto") -> Answers:
    """The answers in ``path`` (CSV, TSV, semicolons, or JSON lines), by ``kind`` or what fits.

    Raises:
        RatingsError: the file is missing, empty or not text, no reader fits, or a cell isn't
            what its column promises; the message names file, row and column.
    """
    if kind not in KINDS:
        raise RatingsError(f"no reader is called {kind!r}; there are {', '.join(KINDS)}")
    try:
        text = _text(path)
        if kind == "aes" or (kind == "auto" and text.lstrip().startswith("{")):
            return Answers(published.aes(_json_lines(text)))
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
        return tables.approved_participants(read_table(path))
    except RatingsError as error:
        raise RatingsError(f"{path}: {error}") from error


def read_table(path: Path) -> Rows:
    """The rows of a table with a header, as texts by column.

    Raises:
        RatingsError: the file is missing, empty, not text, or not a table.
    """
    return _table(_text(path))[1]


def _from_table(text: str, kind: str) -> Answers:
    columns, rows = _table(text)
    if not rows:
        raise RatingsError("there is a header only; no row has a rating")
    for name, (fits, read) in READERS.items():
        if name == kind or (kind == "auto" and fits(columns)):
            found = read(rows)
            if isinstance(found, Answers):
                return found
            return Answers(found, hashes=tables.hashes(rows), participants=tables.statuses(rows))
    raise RatingsError(
        f"no reader knows the columns {', '.join(columns)}; a long table has item, system and "
        "value, and optionally rater and dimension; a table of pairs system_a, system_b and choice"
    )


def _table(text: str) -> tuple[list[str], Rows]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
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
