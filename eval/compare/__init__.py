"""Two systems, or one system in two runs, metric by metric: what differs, and what can't be said.

A column compares only what was measured alike. Where the metric's version or parameters differ,
the reference that a distance is to, or the prompts that were answered, the row is refused and says
which.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from concours.eval.compare.differences import Side, set_difference, values_and_clusters
from concours.eval.errors import UsageError
from concours.eval.stats.clustered import FEWEST_PAIRS, ScoreDifference, score_difference
from concours.eval.stats.multiplicity import holm
from concours.eval.store import Store, runs
from concours.eval.store.reports import StoredMeasure, StoredRun, read_run
from concours.metrics.registry import find
from concours.metrics.spec import Undefined


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
    return _other_prompts(key, a, b, whole=find(left.metric).level == "set")


def _other_prompts(key: str, a: Side, b: Side, *, whole: bool) -> str:
    """Whether the two answered prompts too different for this column. Scores of items are paired
    on the prompts that both answered, if these are enough; a distance takes all items together."""
    one, two = a.prompts, b.prompts
    shared = len(one & two)
    enough = not whole and shared >= FEWEST_PAIRS and 2 * shared >= min(len(one), len(two))
    if not one or not two or one == two or enough:
        return ""
    return (
        f"{key} is over other items: {a.system} answers {len(one)} prompts and {b.system} "
        f"{len(two)}, of which {shared} are shared"
    )


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
        found = set_difference(key, a, b, level)
    else:
        (x, cx), (y, cy) = (values_and_clusters(s, key) for s in (a, b))
        found = score_difference(x, cx, y, cy, seed=seed, level=level)
    if isinstance(found, Undefined):
        return undefined(found.reason)
    return Row(
        key, spec.direction, found.first, found.second, found.difference, found.ci_low,
        found.ci_high, found.p, None, found.n_first, found.n_second, found.method, "",
    )  # fmt: skip
