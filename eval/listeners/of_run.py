"""What listeners said about the very files that a run has scored, from studies in the same store.

A rating finds its file by the sha256 of the bytes, so that neither names nor paths nor times
matter. Ratings stand under the run's systems, whatever the study called them.
"""

from __future__ import annotations

from collections.abc import Mapping

from concours.eval.ratings_import.studies import study_answers
from concours.eval.stats.ratings import Ratings, make_ratings
from concours.eval.stats.screening import bs1534
from concours.eval.store import Store
from concours.eval.store.heard import studies_heard
from concours.eval.store.reports import StoredRun, read_run


def ratings_of_run(store: Store, run_id: str) -> dict[str, Ratings]:
    """The ratings of the run's files, by study; the item is the file's sha256.

    Answers count as in ``concours study analyze``: test trials in their last revision, without
    raters whom the study's own hidden reference excludes (BS.1534-3). A file that two systems of
    the run share counts for both.
    """
    studies = studies_heard(store, run_id)
    if not studies:
        return {}
    run = read_run(store, run_id)
    found = {}
    for study in studies:
        answers = study_answers(store, study.id)
        if answers.ratings is None:
            continue
        kept = answers.ratings
        if answers.is_mushra:
            spared = kept.without({f.rater for f in bs1534(kept, "hidden reference")})
            kept = spared if len(spared) else kept
        own = of_run(kept, answers.hashes, run)
        if own is not None:
            found[study.name] = own
    return found


def of_run(
    ratings: Ratings, hashes: Mapping[tuple[str, str], str], run: StoredRun
) -> Ratings | None:
    """The rows about files of ``run`` under its systems' names, or None; ``hashes`` give the
    sha256 of each rated (system, item)."""
    systems: dict[str, list[str]] = {}
    for i in run.items:
        if i.sha256 and i.system not in systems.setdefault(i.sha256, []):
            systems[i.sha256].append(i.system)
    rows = [
        (rater, sha, system, dimension, value)
        for rater, item, rated, dimension, value in zip(
            ratings.rater.tolist(), ratings.item.tolist(), ratings.system.tolist(),
            ratings.dimension.tolist(), ratings.value.tolist(), strict=True,
        )
        if (sha := hashes.get((rated, item)))
        for system in systems.get(sha, ())
    ]  # fmt: skip
    if not rows:
        return None
    rater_, item_, system_, dimension_, value_ = zip(*rows, strict=True)
    return make_ratings(rater_, item_, system_, dimension_, value_, ratings.notes)
