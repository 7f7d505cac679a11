"""Readers of pairwise preferences: a row for each answer about two systems."""

from __future__ import annotations

from collections.abc import Sequence

from concours.eval.ratings_import.answers import Answers
from concours.eval.ratings_import.tables import LONG_NAMES, NO_RATERS, Rows, named, who_rated
from concours.eval.stats.preference import Comparison, Outcome
from concours.eval.stats.ratings import RatingsError

FIRST = (
    "system_a", "first", "system_1", "system1", "model_a", "left", "option_a", "player_a", "a",
)  # fmt: skip
SECOND = (
    "system_b", "second", "system_2", "system2", "model_b", "right", "option_b", "player_b", "b",
)  # fmt: skip
CHOICE = ("choice", "preference", "preferred", "winner", "answer", "outcome", "vote", "result")
WORDS: dict[str, Outcome] = {
    **dict.fromkeys(("a", "first", "1", "left", "model_a", "system_a"), "first"),
    **dict.fromkeys(("b", "second", "2", "right", "model_b", "system_b"), "second"),
    **dict.fromkeys(
        ("tie", "0", "equal", "same", "draw", "none", "no preference", "both_bad", "both bad",
         "tie (bothbad)", "undecided"), "tie"
    ),
}  # fmt: skip


WINNER_LOSER = (("winner", "preferred", "won"), ("loser", "rejected", "lost"))


def is_pairs(columns: Sequence[str]) -> bool:
    asked = all(named(columns, n) for n in (FIRST, SECOND, CHOICE))
    return asked or all(named(columns, n) for n in WINNER_LOSER)


def pairs(rows: Rows) -> Answers:
    """One answer a row: two systems and which was preferred, by its side or by its name.

    A side is a or b, first or second, left or right, 1 or 2; a tie is tie, equal, draw, 0 or both
    bad. Rater and dimension may lack; rows without an answer are left out and counted. A table of
    winner and loser is taken as well; it has no ties.
    """
    columns = list(rows[0]) if rows else []
    if not is_pairs(columns):
        raise RatingsError(
            "a table of pairs needs columns for both systems and the answer, as system_a, "
            "system_b, choice"
        )
    asked: tuple[tuple[str, ...], ...] = (FIRST, SECOND, CHOICE)
    if not all(named(columns, n) for n in asked):
        asked = (*WINNER_LOSER, WINNER_LOSER[0])
    at = [str(named(columns, n)) for n in asked]
    dimension = named(columns, LONG_NAMES["dimension"])
    rater = who_rated(columns)
    found: dict[str, list[Comparison]] = {}
    empty = 0
    for i, row in enumerate(rows, start=2):
        first, second, choice = (row[c] for c in at)
        if not choice:
            empty += 1
            continue
        if not first or not second:
            raise RatingsError(f"row {i}: a system is empty")
        answer = _outcome(choice, first, second)
        if answer is None:
            raise RatingsError(
                f"row {i}, {at[2]}: {choice!r} is neither a side (a, b, tie) nor one of "
                f"{first!r} and {second!r}"
            )
        name = row[dimension] if dimension else "preference"
        who = row[rater] if rater else ""
        found.setdefault(name, []).append(Comparison(who, first, second, answer))
    notes = []
    if empty:
        notes.append(f"{empty} of {len(rows)} rows have no answer and were left out.")
    return _answers(found, notes)


def _outcome(choice: str, first: str, second: str) -> Outcome | None:
    # names before sides: a system may be called "a"
    if choice == first:
        return "first"
    if choice == second:
        return "second"
    return WORDS.get(choice.lower())


def _answers(found: dict[str, list[Comparison]], notes: list[str]) -> Answers:
    given = [c for games in found.values() for c in games]
    if not given:
        raise RatingsError("no row has an answer")
    nameless = sum(not c.rater for c in given)
    if nameless == len(given):
        notes.append(NO_RATERS)
    elif nameless:
        notes.append(
            f"{nameless} of {len(given)} answers have no rater. All are treated as if raters were "
            "unknown; fill in the column or leave those rows out."
        )
    return Answers(None, found, notes=tuple(notes))


def is_webmushra_pairs(columns: Sequence[str]) -> bool:
    return {"choice_reference", "choice_non_reference", "choice_answer"} <= set(columns)


def webmushra_pairs(rows: Rows) -> Answers:
    """webMUSHRA's ``paired_comparison.csv``: was the reference told from the other clip?

    "correct" says that the reference was chosen, "incorrect" the other one, "undecided" neither;
    "unknown" is no answer. A trial handed in again counts by its last answer.
    """
    columns = list(rows[0]) if rows else []
    if not is_webmushra_pairs(columns):
        raise RatingsError("it needs choice_reference, choice_non_reference and choice_answer")
    meanings: dict[str, Outcome | None] = {
        "correct": "first", "incorrect": "second", "undecided": "tie", "unknown": None, "": None
    }  # fmt: skip
    last: dict[tuple[str, str, str, str], Outcome | None] = {}
    for i, row in enumerate(rows, start=2):
        answer = row["choice_answer"].lower()
        if answer not in meanings:
            raise RatingsError(
                f"row {i}, choice_answer: {answer!r} is none of correct, incorrect, undecided"
            )
        session = webmushra_rater(row, columns)
        key = (session, row.get("trial_id", ""), row["choice_reference"],
               row["choice_non_reference"])  # fmt: skip
        last[key] = meanings[answer]
    games = [Comparison(who, a, b, o) for (who, _, a, b), o in last.items() if o is not None]
    notes = []
    if len(last) < len(rows):
        notes.append(f"{len(rows) - len(last)} answers were handed in again; the last one counts.")
    if len(games) < len(last):
        notes.append(f"{len(last) - len(games)} trials have no answer and were left out.")
    return _answers({"preference": games} if games else {}, notes)


def webmushra_rater(row: dict[str, str], columns: Sequence[str]) -> str:
    """``session_uuid`` where there is one, else the questionnaire's answers before trial_id."""
    if "session_uuid" in columns:
        return row["session_uuid"]
    start = columns.index("session_test_id") + 1 if "session_test_id" in columns else 0
    end = columns.index("trial_id") if "trial_id" in columns else start
    return " / ".join(row[c] for c in columns[start:end] if row[c])
