"""How far two systems of one run, or of two, lie apart on one metric, with a test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from concours.eval.stats.clustered import ScoreDifference
from concours.eval.stats.standing import distance_difference
from concours.eval.store.reports import StoredRun, StoredSetScore
from concours.metrics.spec import Undefined

PROMPT = "prompt "


@dataclass(frozen=True)
class Side:
    """A system in a run."""

    system: str
    run: StoredRun

    @property
    def reference(self) -> str:
        """The content of the run's reference, as a hash; the name where that isn't recorded."""
        contents = self.run.manifest.get("contents", {})
        return str(contents.get(self.run.reference, {}).get("hash", self.run.reference))

    @property
    def prompts(self) -> frozenset[str]:
        """The prompts that its items answer, those that couldn't be read among them."""
        return frozenset(i.prompt for i in self.run.items if i.system == self.system and i.prompt)

    @property
    def n_clusters(self) -> int:
        """The independent ones among its items: prompts, songs, or single items."""
        return len({i.unit for i in self.run.items if i.system == self.system and i.status == "ok"})


def values_and_clusters(side: Side, key: str) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """The defined values of a system's items and their clusters: the prompt or the song, else the
    item. Only prompts are shared with other systems and runs."""
    values, clusters = [], []
    own = str(side.run.manifest.get("run", side.run.benchmark))
    for item in side.run.items:
        score = side.run.scores.get((side.system, item.position, key))
        if item.system == side.system and score is not None and score.value is not None:
            values.append(score.value)
            unit = item.unit
            clusters.append(unit if unit.startswith(PROMPT) else f"{own} {unit}")
    return np.array(values, dtype=np.float64), np.array(clusters, dtype=np.str_)


def set_difference(key: str, a: Side, b: Side, level: float) -> ScoreDifference | Undefined:
    """Two distances to one reference.

    From the half-samples that both runs drew alike, so that the shared reference, and prompts if
    shared, cancel; where there are none (runs of an older version, or other seeds), the intervals
    are taken as normal and independent.
    """
    one, two = (s.run.set_scores.get((s.system, key)) for s in (a, b))
    if one is None or two is None or one.value is None or two.value is None:
        reasons = [s.reason for s in (one, two) if s is not None and s.value is None]
        return Undefined(reasons[0] if reasons else "the reference isn't compared with itself")
    if one.halves and len(one.halves) == len(two.halves) and _seed(a) == _seed(b):
        x, y = (_floats(s.halves) for s in (one, two))
        found = distance_difference(
            one.value, two.value, x, y, a.n_clusters, b.n_clusters, level=level
        )
        if not isinstance(found, Undefined):
            return found._replace(n_first=one.n, n_second=two.n)
    return _independent(one, two, level)


def _seed(side: Side) -> object:
    return side.run.manifest.get("seeds", {}).get("intervals")


@lru_cache(maxsize=4096)
def _floats(halves: tuple[float | None, ...]) -> NDArray[np.float64]:
    return np.array([math.nan if h is None else h for h in halves], dtype=np.float64)


def _independent(a: StoredSetScore, b: StoredSetScore, level: float) -> ScoreDifference | Undefined:
    if a.ci_low is None or a.ci_high is None or b.ci_low is None or b.ci_high is None:
        return Undefined("a distance has no interval, so their difference has none")
    assert a.value is not None
    assert b.value is not None
    from scipy.special import ndtr, ndtri

    z = float(ndtri(0.5 + level / 2))
    # an end that was cut at the metric's range says too little; the wider half says enough
    halves = [
        max(high - value, value - low)
        for low, value, high in ((a.ci_low, a.value, a.ci_high), (b.ci_low, b.value, b.ci_high))
    ]
    se = math.hypot(*halves) / z
    d = b.value - a.value
    p = float(2 * ndtr(-abs(d) / se)) if se else float(d == 0)
    return ScoreDifference(
        a.value, b.value, d, d - z * se, d + z * se, p, a.n, b.n, "normal, from half-samples"
    )
