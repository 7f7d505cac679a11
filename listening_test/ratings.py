"""The answers of a stored study as columns for the analysis."""

from __future__ import annotations

from concours.eval.errors import UsageError
from concours.eval.stats.ratings import Ratings, make_ratings
from concours.eval.store import Store, study

ANCHORS = {"anchor_low": "anchor 3.5 kHz", "anchor_mid": "anchor 7 kHz"}
HIDDEN = "hidden reference"


def study_ratings(store: Store, name: str) -> Ratings:
    """The ratings of a study's test trials, the latest revision of each.

    A felt or perceived rating has its frame in the dimension. Anchors and the hidden reference of
    MUSHRA are systems of their own. A preference is a rating of both clips on ``preferred``: 1 for
    the better one, ½ each for a tie, 0 each where both are bad.

    Raises:
        UsageError: no such study, or no answers in it yet.
    """
    found = study.find_study(store, name)
    rows: list[tuple[str, str, str, str, float]] = []
    for row in study.rating_rows(store, found.id):
        if row["kind"] != "test" or row["superseded"]:
            continue
        system = ANCHORS.get(str(row["role"]), str(row["system"]))
        if row["role"] == "hidden_ref":
            system = HIDDEN
        dimension = f"{row['dimension']} ({row['frame']})" if row["frame"] else row["dimension"]
        rows.append((f"r{row['rater']}", row["item"], system, dimension, row["value"]))
    for row in study.preference_rows(store, found.id):
        if row["kind"] != "test" or row["superseded"]:
            continue
        shares = {"a": (1.0, 0.0), "b": (0.0, 1.0), "tie": (0.5, 0.5)}
        both = shares.get(row["choice"], (0.0, 0.0))
        for system, share in zip((row["system_a"], row["system_b"]), both, strict=True):
            dimension = f"preferred: {row['dimension']}"
            rows.append((f"r{row['rater']}", row["item"], system, dimension, share))
    if not rows:
        raise UsageError(f"the study {name!r} has no answers to analyse yet")
    rater, item, system_column, dimension_column, value = zip(*rows, strict=True)
    return make_ratings(rater, item, system_column, dimension_column, value)
