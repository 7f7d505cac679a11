"""Readers of the tables that webMUSHRA's service writes, other than its paired comparisons.

The rater is ``session_uuid`` where there is one, else the questionnaire's columns between
``session_test_id`` and ``trial_id`` together. The service appends, so a rater who hands in a trial
again keeps the last answer; how many were replaced is noted.
"""

from __future__ import annotations

from collections.abc import Sequence

from concours.eval.ratings_import.pairs import webmushra_rater
from concours.eval.ratings_import.tables import Rows, build, number
from concours.eval.stats.ratings import Ratings, RatingsError

MUSHRA = ("trial_id", "rating_stimulus", "rating_score")
LIKERT = ("trial_id", "stimuli", "stimuli_rating")
BS1116 = (
    "trial_id", "rating_reference", "rating_non_reference", "rating_reference_score",
    "rating_non_reference_score",
)  # fmt: skip


def is_mushra(columns: Sequence[str]) -> bool:
    return set(MUSHRA) <= set(columns)


def mushra(rows: Rows) -> Ratings:
    """``mushra.csv``: one slider a row."""
    return _ratings(rows, MUSHRA, [("rating_stimulus", "rating_score")])


def is_likert(columns: Sequence[str]) -> bool:
    return set(LIKERT) <= set(columns)


def likert(rows: Rows) -> Ratings:
    """``lss.csv`` and ``lms.csv``: single and multiple stimuli on scales with numbered answers."""
    return _ratings(rows, LIKERT, [("stimuli", "stimuli_rating")])


def is_bs1116(columns: Sequence[str]) -> bool:
    return set(BS1116) <= set(columns)


def bs1116(rows: Rows) -> Ratings:
    """``bs1116.csv``: the hidden reference and the clip under test, each with a score."""
    return _ratings(
        rows,
        BS1116,
        [
            ("rating_reference", "rating_reference_score"),
            ("rating_non_reference", "rating_non_reference_score"),
        ],
    )


def _ratings(rows: Rows, needed: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Ratings:
    """One rating for each of ``pairs`` (column of the stimulus, column of its score) of a row."""
    columns = list(rows[0]) if rows else []
    lacking = [c for c in needed if c not in columns]
    if lacking:
        raise RatingsError(f"a webMUSHRA table needs {', '.join(needed)}; {lacking[0]} lacks")
    last: dict[tuple[str, str, str], float] = {}
    given = 0
    for i, row in enumerate(rows, start=2):
        rater = webmushra_rater(row, columns)
        for stimulus, score in pairs:
            key = (rater, row["trial_id"], row[stimulus])
            last.pop(key, None)
            last[key] = number(row[score], i, score)
            given += 1
    notes = []
    if len(last) < given:
        notes.append(f"{given - len(last)} ratings were handed in again; the last answer counts.")
    if "session_uuid" not in columns:
        start = columns.index("session_test_id") + 1 if "session_test_id" in columns else 0
        who = columns[start : columns.index("trial_id")]
        notes.append(f"Raters are told apart by {', '.join(who) or 'nothing'}.")
    return build([(r, t, s, "quality", v) for (r, t, s), v in last.items()], notes)
