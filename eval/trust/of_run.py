"""Trust cards of a benchmark's latest run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.compare.differences import Side, set_difference, values_and_clusters
from concours.eval.errors import UsageError
from concours.eval.listeners.joining import Joined, Predictor, join, run_clips
from concours.eval.listeners.of_run import ratings_of_run
from concours.eval.load import LoadError
from concours.eval.load.kinds import kind_of
from concours.eval.stats.correlate import Correlation, correlation
from concours.eval.stats.multiplicity import holm
from concours.eval.stats.ratings import Ratings
from concours.eval.store import Store, runs
from concours.eval.store.reports import StoredRun, read_run
from concours.eval.subject import read_subject
from concours.eval.trust.cards import (
    TrustCard,
    listeners,
    separation,
    set_stability,
    stability,
)
from concours.eval.trust.climbing import (
    NOTES,
    SOUND,
    Climbed,
    Degraded,
    Ladder,
    climbed,
    climbed_as_pair,
    climbed_as_set,
    degrade,
)
from concours.eval.trust.sound_ladder import ignores_gain
from concours.metrics.registry import request
from concours.metrics.spec import MetricRequest, Undefined

FEWEST = 8


def trust_cards(
    store: Store, benchmark: str, *, items: int = 24, ratings: Ratings | None = None, seed: int = 0
) -> tuple[str, list[TrustCard]]:
    """The id of the benchmark's latest complete run, and a card for each of its metrics.

    ``items`` is how many pieces of the reference climb the ladder (half of them degraded); they
    climb as what they are, notes or sound, and a metric of the other has no ladder. ``ratings``
    are of the systems' items; without them those of studies in the same store count.

    Raises:
        UsageError: there is no complete run, or too few of the reference's files are still where
            they were.
    """
    run_id = runs.latest_run(store, benchmark)
    if run_id is None:
        raise UsageError(f"benchmark {benchmark} has no complete run in the store: concours run")
    run = read_run(store, run_id)
    asked = [request(m.key) for m in run.measures]
    single = [a for a in asked if a.spec.level != "set"]
    sets = [
        a for a in asked
        if a.spec.level == "set" and str(a.parameters.get("feature", "all")) == "all"
    ]  # fmt: skip
    ladder, subjects = _subjects(run, items)
    inputs = "audio" if ladder is SOUND else "symbolic"
    own = [a for a in single if a.spec.inputs == inputs and _climbs(a)]
    degraded = degrade(own, subjects, ladder, embed=_embeddings(sets, ladder), seed=seed)
    features = [a.key for a in own if a.spec.level == "clip" and a.spec.direction == "reference"]
    joined = _joined(store, run_id, run, ratings, seed)
    cards = []
    for a in [*single, *sets]:
        if a.spec.level == "set":
            found = climbed_as_set(degraded, a, features, seed)
            cards.append(_set_card(run, a, found, ladder, joined[1], seed))
        else:
            found = _climbed(degraded, a, inputs, seed)
            cards.append(_card(run, a, found, ladder, joined[0], seed))
    return run_id, cards


def _climbs(asked: MetricRequest) -> bool:
    """Whether the metric is about one piece, or about one and what it should be."""
    return asked.spec.level == "clip" or asked.spec.partner in ("truth", "target")


def _climbed(degraded: Degraded, asked: MetricRequest, inputs: str, seed: int) -> Climbed:
    """What a metric of items does on the ladder, or why it isn't on it."""
    spec = asked.spec
    if spec.level == "corpus":
        why = "a metric of a corpus: it says what is new, not what is better"
    elif not _climbs(asked):
        why = f"the ladder has no piece with a {spec.partner}"
    elif spec.inputs != inputs:
        other = {"symbolic": "notes", "audio": "sound", "embedding": "an embedding"}[spec.inputs]
        why = (
            f"a metric of {other}, and the ladder is of {'sound' if inputs == 'audio' else 'notes'}"
        )
    elif spec.level == "pair":
        return climbed_as_pair(degraded, asked, seed)
    else:
        return climbed(degraded, asked.key, seed)
    return Climbed(Undefined(why), Undefined(why))


def _subjects(run: StoredRun, items: int) -> tuple[Ladder, list[Any]]:
    """The reference's first readable pieces, all notes or all sound."""
    found: dict[str, list[Any]] = {"symbolic": [], "audio": []}
    for item in run.items:
        kind = kind_of(Path(item.location))
        if item.system != run.reference or item.sha256 is None or kind is None:
            continue
        fragment = item.path.partition("#")[2]
        try:
            subject = read_subject(kind, fragment, Path(item.location), item.sha256)
        except LoadError:
            continue
        if subject.piece is None:
            found["audio"].append(subject.clip)
        elif subject.piece.n_notes:
            found["symbolic"].append(subject.piece)
        if max(map(len, found.values())) == items:
            break
    most = max(found, key=lambda k: len(found[k]))
    if len(found[most]) < FEWEST:
        raise UsageError(
            f"{len(found[most])} pieces of {run.reference} can be read where they lay; the ladder "
            f"needs {FEWEST}"
        )
    return (SOUND if most == "audio" else NOTES), found[most]


def _embeddings(sets: Sequence[MetricRequest], ladder: Ladder) -> dict[str, Callable[[Any], Any]]:
    """How to make frames, for the embeddings that the sets are compared in."""
    from concours.eval.embeddings.catalogue import open_embedding
    from concours.metrics.embeddings.protocol import TooShortError, embed

    def maker(name: str) -> Callable[[Any], Any]:
        model = open_embedding(name)

        def frames(clip: Any) -> Any:
            try:
                return embed(model, clip)
            except TooShortError:
                return np.zeros((0, model.spec.dimension), np.float32)

        return frames

    names = {str(a.parameters["embedding"]) for a in sets if a.spec.inputs == "embedding"}
    return {n: maker(n) for n in sorted(names)} if ladder is SOUND else {}


def _joined(
    store: Store, run_id: str, run: StoredRun, ratings: Ratings | None, seed: int
) -> tuple[Joined | None, dict[tuple[str, str], float]]:
    """The metrics joined with the ratings, and the systems' means by (system, dimension)."""
    if ratings is None:
        heard = ratings_of_run(store, run_id)
        # the study with the most ratings of this run; two studies don't mix
        ratings = max(heard.values(), key=len, default=None)
        if ratings is None:
            return None, {}
    means = {
        (s, d): float(ratings.select(system=s, dimension=d).value.mean())
        for s, d in {*zip(ratings.system.tolist(), ratings.dimension.tolist(), strict=True)}
    }
    return join(ratings, run_clips(run), seed=seed), means


def _systems(run: StoredRun) -> list[str]:
    return [name for name, is_reference, *_ in run.systems if not is_reference]


def _card(
    run: StoredRun, asked: MetricRequest, found: Climbed, ladder: Ladder, joined: Joined | None,
    seed: int,
) -> TrustCard:  # fmt: skip
    values = {n: values_and_clusters(Side(n, run), asked.key) for n in _systems(run)}
    values = {k: v for k, v in values.items() if len(v[0])}
    own = {k: v[0] for k, v in values.items()}
    reference = values_and_clusters(Side(run.reference, run), asked.key)[0]
    order: float | Undefined = Undefined("the reference has no values")
    if asked.spec.level == "pair" or (
        asked.spec.level == "corpus" and asked.spec.direction != "reference"
    ):
        order = stability(own, seed=seed)
    elif len(reference) > 1 and float(np.ptp(reference)) > 0:
        order = stability(own, reference, seed=seed)
    must = ignores_gain(asked.spec) if ladder is SOUND else "transposition" in asked.spec.invariant
    return TrustCard(
        asked.key,
        found.ladder,
        found.moved,
        must,
        order,
        separation(values, seed=seed),
        listeners(joined, asked.key),
        ladder.still_name,
    )


def _set_card(
    run: StoredRun, asked: MetricRequest, found: Climbed, ladder: Ladder,
    means: Mapping[tuple[str, str], float], seed: int,
) -> TrustCard:  # fmt: skip
    systems = _systems(run)
    scores = {n: s for n in systems if (s := run.set_scores.get((n, asked.key))) is not None}
    p = []
    for a, b in itertools.combinations(scores, 2):
        apart = set_difference(asked.key, Side(a, run), Side(b, run), 0.95)
        if not isinstance(apart, Undefined):
            p.append(apart.p)
    grown = [
        float(np.mean([h for h in s.halves if h is not None])) / s.value
        for s in scores.values()
        if s.value and s.value > 0 and any(h is not None for h in s.halves)
    ]
    return TrustCard(
        asked.key,
        found.ladder,
        found.moved,
        False,
        set_stability({n: s.halves for n, s in scores.items()}),
        (int(np.sum(holm(p) <= 0.05)) if p else 0, len(p)),
        _heard({n: s.value for n, s in scores.items()}, asked.key, means, seed),
        ladder.still_name,
        float(np.mean(grown)) if grown else None,
    )


def _heard(
    values: Mapping[str, float | None], key: str, means: Mapping[tuple[str, str], float], seed: int
) -> Predictor | None:
    """The strongest correlation over systems; below 6 of them it has no interval."""
    found = []
    for dimension in sorted({d for _, d in means}):
        both = [n for n, v in values.items() if v is not None and (n, dimension) in means]
        x = np.array([values[n] for n in both], dtype=np.float64)
        y = np.array([means[n, dimension] for n in both])
        c = correlation(x, y, np.array(both, dtype=np.str_), scope="system", seed=seed)
        if isinstance(c, Correlation):
            found.append(Predictor(key, dimension, c, c.p, Undefined("a metric of sets")))
    return min(found, key=lambda p: (p.q, -abs(p.correlation.value)), default=None)
