"""The tables that ``concours study export`` writes, read back: the same answers count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from concours.eval.ratings_import.answers import HIDDEN_REFERENCE, Answers
from concours.eval.ratings_import.tables import Rows, number
from concours.eval.stats.preference import Comparison, Outcome
from concours.eval.stats.ratings import RatingsError, make_ratings

Row = Mapping[str, Any]

OUTCOMES: dict[str, Outcome] = {"a": "first", "b": "second", "tie": "tie", "both_bad": "tie"}
ROLES = {
    "hidden_ref": HIDDEN_REFERENCE,
    "anchor_low": "anchor 3.5 kHz",
    "anchor_mid": "anchor 7 kHz",
    "reference": "reference",
}
RATINGS = {
    "rater", "kind", "superseded", "role", "system", "item", "stimulus_id", "clip_sha256",
    "dimension", "frame", "value", "compared_with_system",
}  # fmt: skip
PREFERENCES = {"rater", "kind", "superseded", "dimension", "system_a", "system_b", "choice"}


def is_exported(columns: Sequence[str]) -> bool:
    return set(columns) >= RATINGS or set(columns) >= PREFERENCES


def exported(rows: Rows) -> Answers:
    """``ratings.csv`` or ``preferences.csv`` of a study of ours.

    Training and trap trials and replaced revisions are left out and counted.
    """
    columns = set(rows[0]) if rows else set()
    if columns >= RATINGS:
        for i, row in enumerate(rows, start=2):
            number(row["value"], i, "value")
        return own_answers(rows, ())
    if columns >= PREFERENCES:
        for i, row in enumerate(rows, start=2):
            if row["choice"] not in OUTCOMES:
                raise RatingsError(
                    f"row {i}, choice: {row['choice']!r} is none of {', '.join(OUTCOMES)}"
                )
        return own_answers((), rows)
    raise RatingsError("it is neither ratings.csv nor preferences.csv of concours study export")


def own_answers(rated: Iterable[Row], preferred: Iterable[Row]) -> Answers:
    """The answers that count among rows with the columns of ``concours study export``.

    A comparison rating (CMOS) is about two clips; its system reads "A against B". An emotion's
    dimension names its frame. "Both bad" is a tie: neither was preferred.
    """
    rows: list[tuple[str, str, str, str, float]] = []
    hashes: dict[tuple[str, str], str] = {}
    left_out: Counter[str] = Counter()
    for row in rated:
        why = _left_out(row)
        if why:
            left_out[why] += 1
            continue
        system = _system(row)
        item, dimension = str(row["item"] or row["stimulus_id"]), str(row["dimension"])
        if row["frame"]:
            dimension = f"{dimension} ({row['frame']})"
        if row["clip_sha256"]:
            hashes[system, item] = str(row["clip_sha256"])
        rows.append((f"r{row['rater']}", item, system, dimension, float(row["value"])))
    preferences: dict[str, list[Comparison]] = {}
    for row in preferred:
        why = _left_out(row)
        if why or not (row["system_a"] and row["system_b"]):
            left_out[why or "without a system"] += 1
            continue
        preferences.setdefault(str(row["dimension"]), []).append(
            Comparison(
                f"r{row['rater']}",
                str(row["system_a"]),
                str(row["system_b"]),
                OUTCOMES[str(row["choice"])],
            )
        )
    notes = tuple(f"{n} answers left out: {why}." for why, n in sorted(left_out.items()))
    if not rows:
        return Answers(None, preferences, hashes, notes=notes, is_own=True)
    rater, item_, system_, dimension_, value = zip(*rows, strict=True)
    ratings = make_ratings(rater, item_, system_, dimension_, value, notes)
    return Answers(ratings, preferences, hashes, is_own=True)


def _left_out(row: Row) -> str:
    if row["superseded"] not in (False, 0, "", "0"):
        return "replaced by a later revision"
    return "" if row["kind"] == "test" else f"from a {row['kind']} trial"


def _system(row: Row) -> str:
    name = ROLES.get(str(row["role"])) or str(row["system"] or row["role"])
    other = row["compared_with_system"]
    return f"{name} against {other}" if other else name
