"""Metrics against listeners: the scores of rated clips joined with their ratings.

A rating finds its clip by the sha256 of the bytes, or where the ratings name clips otherwise, by
the file's name without its ending: in the folder of the rated system if there is one of that
name, else anywhere if the name occurs once. What finds no clip is counted and named.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

import numpy as np

from concours.eval.stats.correlate import (
    Better,
    Correlation,
    Kind,
    Scope,
    better_predictor,
    correlation,
    disattenuated,
    mos_reliability,
)
from concours.eval.stats.multiplicity import benjamini_hochberg, holm
from concours.eval.stats.ratings import Ratings, RatingsError
from concours.eval.store.reports import StoredRun
from concours.metrics.spec import Undefined

KINDS: tuple[Kind, ...] = ("pearson", "spearman", "kendall")
SCOPES: tuple[Scope, ...] = ("clip", "within", "system")


class Clip(NamedTuple):
    """A scored file; ``values`` holds the metrics that are defined on it, ``system`` says whose it
    is where that is known."""

    path: str
    sha256: str
    values: Mapping[str, float]
    system: str = ""


class Predictor(NamedTuple):
    """One metric against one dimension; ``q`` is p after Benjamini and Hochberg, over the metrics
    of one dimension, level and kind."""

    metric: str
    dimension: str
    correlation: Correlation
    q: float
    disattenuated: float | Undefined


class Contest(NamedTuple):
    """The metric that follows a dimension most closely (Spearman, clips) against another.

    ``p_holm`` is adjusted over the contests of the dimension. That the first was chosen for being
    the closest makes its lead look larger than it is.
    """

    dimension: str
    first: str
    second: str
    better: Better
    p_holm: float


@dataclass(frozen=True)
class Joined:
    """``unmeasured`` are metrics by dimension that couldn't be correlated, with the reason."""

    predictors: tuple[Predictor, ...]
    contests: tuple[Contest, ...]
    unmeasured: Mapping[str, str]
    reliability: Mapping[str, float | Undefined]
    n_clips: int
    notes: tuple[str, ...]


def match(
    ratings: Ratings, clips: Sequence[Clip], hashes: Mapping[tuple[str, str], str] | None = None
) -> dict[tuple[str, str], Clip]:
    """The clip of each rated (system, item) that has one; ``hashes`` gives their sha256."""
    known = hashes or {}
    by_hash = {c.sha256: c for c in clips}
    stems = Counter(PurePath(c.path).stem for c in clips)
    by_stem = {PurePath(c.path).stem: c for c in clips}
    by_folder = {(p, PurePath(c.path).stem): c for c in clips for p in PurePath(c.path).parts[:-1]}
    found = {}
    for system, item in sorted({*zip(ratings.system.tolist(), ratings.item.tolist(), strict=True)}):
        stem = PurePath(item).stem if not item.isdigit() else item
        clip = by_hash.get(known.get((system, item), item)) or by_folder.get((system, stem))
        if clip is None and stems[stem] == 1:
            clip = by_stem[stem]
        if clip is not None:
            found[system, item] = clip
    return found


def join(
    ratings: Ratings,
    clips: Sequence[Clip],
    hashes: Mapping[tuple[str, str], str] | None = None,
    *,
    seed: int = 0,
    level: float = 0.95,
) -> Joined:
    """Every metric against every dimension, at clip level, within systems and over systems.

    Raises:
        RatingsError: no rated item has a clip among those scored.
    """
    matched = match(ratings, clips, hashes)
    rated = {*zip(ratings.system.tolist(), ratings.item.tolist(), strict=True)}
    if not matched:
        example = "/".join(sorted(rated)[0])
        raise RatingsError(
            f"none of the {len(rated)} rated items is among the {len(clips)} scored files (the "
            f"first is {example}); name files as the ratings do, or rate by sha256"
        )
    notes = []
    missing = sorted(rated - matched.keys())
    if missing:
        notes.append(
            f"{len(missing)} of {len(rated)} rated items have no scored file, "
            f"{'/'.join(missing[0])} among them."
        )
    metrics = list(dict.fromkeys(m for c in matched.values() for m in c.values))
    predictors: list[Predictor] = []
    contests: list[Contest] = []
    unmeasured: dict[str, str] = {}
    reliability: dict[str, float | Undefined] = {}
    for dimension in ratings.dimensions:
        table = _Table(ratings.select(dimension=dimension), matched)
        reliability[dimension] = mos_reliability(table.groups)
        own: list[Predictor] = []
        for kind in KINDS:
            for scope in SCOPES:
                found = [(m, table.correlate(m, kind, scope, seed, level)) for m in metrics]
                known = [(m, c) for m, c in found if isinstance(c, Correlation)]
                for m, c in found:
                    if isinstance(c, Undefined):
                        unmeasured.setdefault(f"{m}, {dimension}, {scope}", c.reason)
                q = benjamini_hochberg([c.p for _, c in known])
                own += [
                    Predictor(m, dimension, c, float(a), _cleaned(c, reliability[dimension]))
                    for (m, c), a in zip(known, q, strict=True)
                ]
        predictors += own
        contests += table.contests(own, seed, level)
    return Joined(
        tuple(predictors), tuple(contests), unmeasured, reliability, len(matched), tuple(notes)
    )


def _cleaned(c: Correlation, reliability: float | Undefined) -> float | Undefined:
    if c.scope != "clip":
        return Undefined("the reliability is that of clips over all systems")
    if c.kind == "kendall":
        return Undefined("Kendall's tau isn't a ratio of variances")
    return disattenuated(c.value, reliability)


class _Table:
    """The MOS of each matched clip on one dimension, beside its metrics."""

    def __init__(self, ratings: Ratings, matched: Mapping[tuple[str, str], Clip]) -> None:
        values: dict[tuple[str, str], list[float]] = {}
        rows = zip(
            ratings.system.tolist(), ratings.item.tolist(), ratings.value.tolist(), strict=True
        )
        for system, item, value in rows:
            if (system, item) in matched:
                values.setdefault((system, item), []).append(value)
        self.keys = sorted(values)
        self.clips = [matched[k] for k in self.keys]
        self.groups = [np.array(values[k]) for k in self.keys]
        self.mos = np.array([g.mean() for g in self.groups])
        self.system = np.array([s for s, _ in self.keys], dtype=np.str_)

    def metric(self, name: str) -> np.ndarray:
        return np.array([c.values.get(name, math.nan) for c in self.clips])

    def correlate(
        self, name: str, kind: Kind, scope: Scope, seed: int, level: float
    ) -> Correlation | Undefined:
        x = self.metric(name)
        known = ~np.isnan(x)
        return correlation(
            x[known], self.mos[known], self.system[known],
            kind=kind, scope=scope, seed=seed, level=level,
        )  # fmt: skip

    def contests(self, own: Sequence[Predictor], seed: int, level: float) -> list[Contest]:
        """The closest metric against the next five, on the clips where both are defined."""
        at_clips = [
            p for p in own if p.correlation.kind == "spearman" and p.correlation.scope == "clip"
        ]
        order = sorted(at_clips, key=lambda p: (-abs(p.correlation.value), p.metric))[:6]
        found = []
        for other in order[1:]:
            x, z = self.metric(order[0].metric), self.metric(other.metric)
            known = ~np.isnan(x) & ~np.isnan(z)
            better = better_predictor(
                x[known], z[known], self.mos[known], self.system[known], seed=seed, level=level
            )
            if isinstance(better, Better):
                found.append(Contest(other.dimension, order[0].metric, other.metric, better, 1.0))
        adjusted = holm([c.better.p for c in found])
        return [c._replace(p_holm=float(p)) for c, p in zip(found, adjusted, strict=True)]


def run_clips(run: StoredRun) -> list[Clip]:
    """The files of a run with their stored scores; nothing is computed."""
    return [
        Clip(
            f"{i.system}/{i.path}",
            i.sha256 or "",
            {
                m.key: s.value
                for m in run.measures
                if (s := run.scores.get((i.system, i.position, m.key))) is not None
                and s.value is not None
            },
            i.system,
        )
        for i in run.items
        if i.status == "ok"
    ]


def score_clips(
    paths: Sequence[str], metrics: Sequence[str] = (), workers: int | None = None
) -> list[Clip]:
    """Scores the files at ``paths`` by the metrics asked for (every metric of notes by default).

    Raises:
        UsageError: nothing at a path.
        MetricError: an unknown metric.
    """
    from concours.eval.score import score_paths

    scores = score_paths(paths, metrics=metrics, workers=workers)
    return [
        Clip(
            i.path,
            i.sha256 or "",
            {k: s.value for k, s in i.scores.items() if s.value is not None},
        )
        for i in scores.items
        if i.status == "ok"
    ]
