"""Readers of the common layouts: long tables, wide MUSHRA tables, lists of participants."""

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
    "rater": (
        "rater", "rater_id", "participant", "participant_id", "user", "user_id", "listener",
        "listener_id", "subject", "subject_id", "assessor", "annotator", "worker_id", "workerid",
        "prolific_pid", "prolific_id", "participant id", "prolific pid", "session_uuid",
    ),
    "item": (
        "item", "item_id", "stimulus", "stimulus_id", "clip", "clip_id", "song", "song_id", "track",
        "file", "filename", "sample",
    ),
    "system": ("system", "system_id", "condition", "model", "method", "algorithm"),
    "dimension": ("dimension", "scale", "question", "attribute", "axis"),
    "value": ("value", "rating", "score", "answer", "response", "opinion"),
}  # fmt: skip
RATER_NAMES = LONG_NAMES["rater"]
ITEM_NAMES = (*LONG_NAMES["item"], "trial", "trial_id", "signal", "page")
HASH_NAMES = ("clip_sha256", "sha256")
# numbers that a wide table may hold beside its systems
NO_SYSTEMS = (
    "age", "gender", "sex", "index", "id", "trial_index", "trial_number", "order", "position",
    "session", "time", "rating_time", "time_taken", "duration", "duration_ms", "timestamp", "date",
)  # fmt: skip


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


def named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The column that has one of ``names``, whatever its case, in the order of the names."""
    lower = {c.lower(): c for c in columns}
    return next((lower[n] for n in names if n in lower), None)


def who_rated(columns: Sequence[str]) -> str | None:
    return named(columns, RATER_NAMES)


def hashes(rows: Rows) -> dict[tuple[str, str], str]:
    """The sha256 of each rated (system, item), where a long table has a column for it."""
    columns = list(rows[0]) if rows else []
    at = [named(columns, n) for n in (LONG_NAMES["system"], LONG_NAMES["item"], HASH_NAMES)]
    if None in at:
        return {}
    system, item, sha = map(str, at)
    return {(r[system], r[item]): r[sha].lower() for r in rows if r[sha]}


def is_long(columns: Sequence[str]) -> bool:
    return all(named(columns, LONG_NAMES[n]) for n in ("item", "system", "value"))


def long(rows: Rows) -> Ratings:
    """One answer a row. Rater and dimension may lack; rows with an empty value are left out."""
    columns = list(rows[0]) if rows else []
    at = {name: named(columns, known) for name, known in LONG_NAMES.items()}
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


def is_wide(columns: Sequence[str]) -> bool:
    return named(columns, ITEM_NAMES) is not None and len(columns) >= 3


def wide(rows: Rows) -> Ratings:
    """A row for each rater and item, a column of numbers for each system.

    Columns that aren't numbers throughout, or are about the rater or the time (``NO_SYSTEMS``), are
    left out and named; empty cells are missing ratings.
    """
    columns = list(rows[0]) if rows else []
    item, rater = named(columns, ITEM_NAMES), named(columns, RATER_NAMES)
    if item is None:
        raise RatingsError(f"a wide table needs a column for the item: {', '.join(ITEM_NAMES)}")
    systems = [
        c for c in columns
        if c not in (item, rater) and c.lower() not in NO_SYSTEMS and _numeric(rows, c)
    ]  # fmt: skip
    if not systems:
        raise RatingsError("no column holds numbers, so there is no system to read")
    other = [c for c in columns if c not in (item, rater, *systems)]
    notes = [f"Columns taken for systems: {', '.join(systems)}."]
    if other:
        notes.append(f"Other columns were left out: {', '.join(other)}.")
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


def statuses(rows: Rows) -> dict[str, str]:
    """The status of each rater where a table of ratings carries Prolific's columns."""
    return approved_participants(rows) if rows and is_prolific(list(rows[0])) else {}


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
    who, status = named(columns, ["participant id"]), named(columns, ["status"])
    return {row[str(who)]: row[str(status)] for row in rows}
