"""Two systems, or one system in two runs, metric by metric: what differs, and what can't be said.

A column compares only what was measured alike. Where the metric's version or parameters differ, or
the reference that a distance is to, the row is refused and says which.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from concours.eval.errors import UsageError
from concours.eval.stats.clustered import ScoreDifference, score_difference
from concours.eval.stats.multiplicity import holm
from concours.eval.store import Store, runs
from concours.eval.store.reports import StoredMeasure, StoredRun, StoredSetScore, read_run
from concours.metrics.registry import find
from concours.metrics.spec import Undefined


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


class Row(NamedTuple):
    """``delta`` is b - a; None throughout where the comparison is undefined, with ``reason``."""

    metric: str
    direction: str
    a: float | None
    b: float | None
    delta: float | None
    ci_low: float | None
    ci_high: float | None
    p: float | None
    p_holm: float | None
    n_a: int
    n_b: int
    method: str
    reason: str


@dataclass(frozen=True)
class ComparisonTable:
    a: str
    b: str
    benchmark: str
    rows: tuple[Row, ...]

    @property
    def quantities(self) -> dict[str, Mapping[str, float | None]]:
        """What a gate may ask for, by metric."""
        names = ("a", "b", "delta", "ci_low", "ci_high", "p", "p_holm", "n_a", "n_b")
        return {r.metric: {n: getattr(r, n) for n in names} for r in self.rows}

    def as_dict(self) -> dict[str, Any]:
        return {
            "a": self.a,
            "b": self.b,
            "benchmark": self.benchmark,
            "rows": [r._asdict() for r in self.rows],
        }


def find_sides(store: Store, benchmarks: list[str], a: str, b: str) -> tuple[Side, Side]:
    """The two sides, each written SYSTEM or SYSTEM@RUN (the first digits of a run's id).

    Without a run it is the latest complete one of the first benchmark that has both systems.

    Raises:
        UsageError: no run has such a system.
    """
    latest = [
        read_run(store, i) for n in benchmarks if (i := runs.latest_run(store, n)) is not None
    ]
    if not latest:
        raise UsageError("no benchmark of the config has a complete run: concours run")
    asked = [_split(text) for text in (a, b)]
    wanted = {system for system, run in asked if not run}
    for run in latest:
        if wanted <= _systems(run):
            break
    else:
        known = sorted(set().union(*(_systems(r) for r in latest)))
        raise UsageError(
            f"no benchmark has {' and '.join(sorted(wanted))}; the systems are {', '.join(known)}"
        )
    sides = []
    for system, prefix in asked:
        own = read_run(store, runs.find_run(store, prefix)) if prefix else run
        if system not in _systems(own):
            raise UsageError(
                f"run {prefix} has no system {system!r}; it has {', '.join(sorted(_systems(own)))}"
            )
        sides.append(Side(system, own))
    return sides[0], sides[1]


def _split(text: str) -> tuple[str, str]:
    system, _, run = text.partition("@")
    return system, run


def _systems(run: StoredRun) -> set[str]:
    return {name for name, *_ in run.systems}


def compare_sides(a: Side, b: Side, *, seed: int = 0, level: float = 0.95) -> ComparisonTable:
    """Every metric that either run has, with Holm's adjustment over those that could be tested."""
    measures = {m.key: m for m in [*a.run.measures, *b.run.measures]}
    rows = [_row(key, a, b, seed, level) for key in measures]
    adjusted = holm([math.nan if r.p is None else r.p for r in rows])
    return ComparisonTable(
        a.system,
        b.system,
        a.run.benchmark,
        tuple(
            r._replace(p_holm=None if r.p is None else float(q))
            for r, q in zip(rows, adjusted, strict=True)
        ),
    )


def refusal(key: str, a: Side, b: Side, *, to_reference: bool) -> str:
    """Why the two runs' column ``key`` can't be put side by side; "" where it can."""
    left, right = (_measure(s.run, key) for s in (a, b))
    if left is None or right is None:
        lacking = a if left is None else b
        return f"{lacking.run.benchmark}'s run for {lacking.system} has no {key}"
    if left.version != right.version:
        return f"{key} has version {left.version} for {a.system} and {right.version} for {b.system}"
    if left.parameters != right.parameters:
        return f"{key} has parameters {left.parameters} and {right.parameters}"
    if to_reference and a.reference != b.reference:
        return (
            f"{key} is against {a.run.reference} for {a.system} and against {b.run.reference}, "
            f"another content, for {b.system}"
        )
    return ""


def _measure(run: StoredRun, key: str) -> StoredMeasure | None:
    return next((m for m in run.measures if m.key == key), None)


def _row(key: str, a: Side, b: Side, seed: int, level: float) -> Row:
    measure = _measure(a.run, key) or _measure(b.run, key)
    assert measure is not None
    spec = find(measure.metric)

    def undefined(reason: str) -> Row:
        return Row(
            key, spec.direction, None, None, None, None, None, None, None, 0, 0, "", reason
        )  # fmt: skip

    refused = refusal(key, a, b, to_reference=spec.level in ("set", "corpus"))
    if refused:
        return undefined(refused)
    found: ScoreDifference | Undefined
    if spec.level == "set":
        found = _set_difference(a.run.set_scores.get((a.system, key)),
                                b.run.set_scores.get((b.system, key)), level)  # fmt: skip
    else:
        (x, cx), (y, cy) = (values_and_clusters(s, key) for s in (a, b))
        found = score_difference(x, cx, y, cy, seed=seed, level=level)
    if isinstance(found, Undefined):
        return undefined(found.reason)
    return Row(
        key, spec.direction, found.first, found.second, found.difference, found.ci_low,
        found.ci_high, found.p, None, found.n_first, found.n_second, found.method, "",
    )  # fmt: skip


def values_and_clusters(side: Side, key: str) -> tuple[np.ndarray, np.ndarray]:
    """The defined values of a system's items and their clusters: the prompt, else the item."""
    values, clusters = [], []
    own = f"{side.run.manifest.get('run', side.run.benchmark)} {side.system}"
    for item in side.run.items:
        score = side.run.scores.get((side.system, item.position, key))
        if item.system == side.system and score is not None and score.value is not None:
            values.append(score.value)
            clusters.append(f"prompt {item.prompt}" if item.prompt else f"{own} {item.position}")
    return np.array(values, dtype=np.float64), np.array(clusters, dtype=np.str_)


def _set_difference(
    a: StoredSetScore | None, b: StoredSetScore | None, level: float
) -> ScoreDifference | Undefined:
    """Two distances to one reference, their intervals taken as normal and independent."""
    if a is None or b is None or a.value is None or b.value is None:
        reasons = [s.reason for s in (a, b) if s is not None and s.value is None]
        return Undefined(reasons[0] if reasons else "the reference isn't compared with itself")
    if a.ci_low is None or a.ci_high is None or b.ci_low is None or b.ci_high is None:
        return Undefined("a distance has no interval, so their difference has none")
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + level / 2))
    # an end that was cut at the metric's range says too little; the wider half says enough
    se = math.hypot(*(max(s.ci_high - s.value, s.value - s.ci_low) / z for s in (a, b)))  # type: ignore[operator]
    d = b.value - a.value
    p = float(2 * norm.sf(abs(d) / se)) if se else float(d == 0)
    return ScoreDifference(
        a.value, b.value, d, d - z * se, d + z * se, p, a.n, b.n, "normal, from half-samples"
    )
