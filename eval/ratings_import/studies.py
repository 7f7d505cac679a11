"""The answers of a study of ours as the tables that the analysis takes."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from concours.eval.stats.preference import Comparison, Outcome
from concours.eval.stats.ratings import Ratings, make_ratings
from concours.eval.store import Store, study

OUTCOMES: dict[str, Outcome] = {"a": "first", "b": "second", "tie": "tie", "both_bad": "tie"}
ROLES = {
    "hidden_ref": "hidden reference",
    "anchor_low": "anchor 3.5 kHz",
    "anchor_mid": "anchor 7 kHz",
    "reference": "reference",
}


class Answers(NamedTuple):
    """``ratings`` is None where a study asked for preferences only; ``preferences`` go by
    dimension; ``hashes`` name each rated clip's content, by (system, item)."""

    ratings: Ratings | None
    preferences: dict[str, list[Comparison]]
    hashes: dict[tuple[str, str], str]

    @property
    def is_mushra(self) -> bool:
        """Whether it is a study of ours with a hidden reference on the scale from 0 to 100."""
        r = self.ratings
        if r is None or not self.hashes or ROLES["hidden_ref"] not in r.systems:
            return False
        return float(r.value.max()) > 10


def study_answers(store: Store, study_id: str) -> Answers:
    """The answers that count: test trials, each in its last revision.

    A comparison rating (CMOS) is about two clips; its system reads "A against B". An emotion's
    dimension names its frame. "Both bad" is a tie: neither was preferred.
    """
    rows: list[tuple[str, str, str, str, float]] = []
    hashes: dict[tuple[str, str], str] = {}
    left_out: Counter[str] = Counter()
    for row in study.rating_rows(store, study_id):
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
    for row in study.preference_rows(store, study_id):
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
    notes = [f"{n} answers left out: {why}." for why, n in sorted(left_out.items())]
    if not rows:
        return Answers(None, preferences, hashes)
    rater, item_, system_, dimension_, value = zip(*rows, strict=True)
    return Answers(
        make_ratings(rater, item_, system_, dimension_, value, notes), preferences, hashes
    )


def _left_out(row: Any) -> str:
    if row["superseded"]:
        return "replaced by a later revision"
    return "" if row["kind"] == "test" else f"from a {row['kind']} trial"


def _system(row: Any) -> str:
    name = ROLES.get(str(row["role"])) or str(row["system"] or row["role"])
    other = row["compared_with_system"]
    return f"{name} against {other}" if other else name
