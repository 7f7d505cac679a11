"""Readers of the common layouts: long tables, webMUSHRA results, wide MUSHRA tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

from concours.eval.stats.ratings import Ratings, RatingsError, make_ratings

Rows = list[dict[str, str]]

NO_RATERS = (
    "The source doesn't say who rated: raters' habits can't be told from noise, so intervals are "
    "too narrow and raters can't be screened."
)
LONG_NAMES = {
    "rater": ("rater", "rater_id", "participant", "participant_id", "user", "listener", "subject"),
    "item": ("item", "item_id", "stimulus", "clip", "song", "track", "file"),
    "system": ("system", "condition", "model", "method"),
    "dimension": ("dimension", "scale", "question", "attribute", "axis"),
    "value": ("value", "rating", "score", "answer"),
}
RATER_NAMES = (*LONG_NAMES["rater"], "prolific_pid", "worker_id")
ITEM_NAMES = (*LONG_NAMES["item"], "trial", "trial_id", "signal", "page")


def number(text: str, row: int, column: str) -> float:
    """The cell as a finite number.

    Raises:
        RatingsError: it isn't one; the message names row and column.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RatingsError(f"row {row}, {column}: {text!r} isn't a number")
    return value


def _named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    lower = {c.lower(): c for c in columns}
    return next((lower[n] for n in names if n in lower), None)


def is_long(columns: Sequence[str]) -> bool:
    return all(_named(columns, LONG_NAMES[n]) for n in ("item", "system", "value"))


def long(rows: Rows) -> Ratings:
    """One answer a row. Rater and dimension may lack; rows with an empty value are left out."""
    columns = list(rows[0]) if rows else []
    at = {name: _named(columns, known) for name, known in LONG_NAMES.items()}
    lacking = [n for n in ("item", "system", "value") if at[n] is None]
    if lacking:
        raise RatingsError(f"a long table needs a column {', '.join(lacking)}")
    kept, notes, empty = [], [], 0
    for i, row in enumerate(rows, start=2):
        raw = row[str(at["value"])]
        if raw == "":
            empty += 1
            continue
        value = number(raw, i, str(at["value"]))
        rater = row[at["rater"]] if at["rater"] else ""
        dimension = row[at["dimension"]] if at["dimension"] else "rating"
        kept.append((rater, row[str(at["item"])], row[str(at["system"])], dimension, value))
    if empty:
        notes.append(f"{empty} of {len(rows)} rows have no value and were left out.")
    return build(kept, notes)


def build(kept: list[tuple[str, str, str, str, float]], notes: list[str]) -> Ratings:
    """Ratings from rows of (rater, item, system, dimension, value)."""
    if not kept:
        raise RatingsError("no row has a rating")
    nameless = sum(1 for row in kept if not row[0])
    if nameless == len(kept):
        notes = [*notes, NO_RATERS]
    elif nameless:
        notes = [
            *notes,
            f"{nameless} of {len(kept)} ratings have no rater. All are treated as if raters were "
            "unknown; fill in the column or leave those rows out.",
        ]
    columns = list(zip(*kept, strict=True))
    return make_ratings(columns[0], columns[1], columns[2], columns[3], columns[4], notes)


def is_webmushra(columns: Sequence[str]) -> bool:
    return {"rating_stimulus", "rating_score", "trial_id"} <= set(columns)


def webmushra(rows: Rows) -> Ratings:
    """The ``mushra.csv`` that webMUSHRA's service writes: one slider a row.

    The rater is ``session_uuid`` where there is one, else the questionnaire's columns between
    ``session_test_id`` and ``trial_id`` together. A rater who handed in one trial again keeps the
    last answer, since the service appends; how many were replaced is noted.
    """
    if not rows or not is_webmushra(list(rows[0])):
        raise RatingsError("a webMUSHRA table needs trial_id, rating_stimulus and rating_score")
    columns = list(rows[0])
    if "session_uuid" in columns:
        who = ["session_uuid"]
    else:
        start = columns.index("session_test_id") + 1 if "session_test_id" in columns else 0
        who = columns[start : columns.index("trial_id")]
    last: dict[tuple[str, str, str], float] = {}
    for i, row in enumerate(rows, start=2):
        rater = " / ".join(row[c] for c in who if row[c])
        key = (rater, row["trial_id"], row["rating_stimulus"])
        last.pop(key, None)
        last[key] = number(row["rating_score"], i, "rating_score")
    notes = []
    if len(last) < len(rows):
        replaced = len(rows) - len(last)
        notes.append(f"{replaced} ratings were handed in again; the last answer counts.")
    if who != ["session_uuid"]:
        notes.append(f"Raters are told apart by {', '.join(who) or 'nothing'}.")
    return build([(r, t, s, "quality", v) for (r, t, s), v in last.items()], notes)


def is_wide(columns: Sequence[str]) -> bool:
    return _named(columns, ITEM_NAMES) is not None and len(columns) >= 3


def wide(rows: Rows) -> Ratings:
    """A row for each rater and item, a column of numbers for each system.

    Columns that aren't numbers throughout are left out and named; empty cells are missing ratings.
    """
    columns = list(rows[0]) if rows else []
    item, rater = _named(columns, ITEM_NAMES), _named(columns, RATER_NAMES)
    if item is None:
        raise RatingsError(f"a wide table needs a column for the item: {', '.join(ITEM_NAMES)}")
    systems = [c for c in columns if c not in (item, rater) and _numeric(rows, c)]
    if not systems:
        raise RatingsError("no column holds numbers, so there is no system to read")
    other = [c for c in columns if c not in (item, rater, *systems)]
    notes = [f"Columns taken for systems: {', '.join(systems)}."]
    if other:
        notes.append(f"Columns without numbers were left out: {', '.join(other)}.")
    kept = [
        (row[rater] if rater else "", row[item], s, "quality", number(row[s], i, s))
        for i, row in enumerate(rows, start=2)
        for s in systems
        if row[s] != ""
    ]
    return build(kept, notes)


def _numeric(rows: Rows, column: str) -> bool:
    filled = [row[column] for row in rows if row[column] != ""]
    try:
        return bool(filled) and all(math.isfinite(float(v)) for v in filled)
    except ValueError:
        return False


def is_prolific(columns: Sequence[str]) -> bool:
    lower = {c.lower() for c in columns}
    return {"participant id", "status"} <= lower and "submission id" in lower


def refuse_prolific(_rows: Rows) -> Ratings:
    """Prolific's own export has participants and no ratings.

    Raises:
        RatingsError: always; it says how to use the file.
    """
    raise RatingsError(
        "this is Prolific's list of participants and holds no ratings; give the ratings with a "
        "rater column of Prolific ids, and this file as the list of participants"
    )


def approved_participants(rows: Rows) -> dict[str, str]:
    """Status by participant id of a Prolific export (APPROVED, RETURNED, TIMED-OUT ...).

    Raises:
        RatingsError: it isn't such an export.
    """
    if not rows or not is_prolific(list(rows[0])):
        raise RatingsError(
            "a Prolific export has the columns Submission id, Participant id, Status"
        )
    columns = list(rows[0])
    who, status = _named(columns, ["participant id"]), _named(columns, ["status"])
    return {row[str(who)]: row[str(status)] for row in rows}
