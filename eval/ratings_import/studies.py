"""The answers of a study of ours, from its store."""

from __future__ import annotations

from concours.eval.ratings_import.answers import Answers
from concours.eval.ratings_import.exported import own_answers
from concours.eval.store import Store, study


def study_answers(store: Store, study_id: str) -> Answers:
    """The answers that count: test trials, each in its last revision; see :func:`own_answers`."""
    return own_answers(study.rating_rows(store, study_id), study.preference_rows(store, study_id))
