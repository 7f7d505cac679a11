"""How a study stands: progress, screening and intervals so far. Nothing here changes a rating."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from concours.eval.store import study
from concours.listening_test.forms import GEMS
from concours.listening_test.live import LiveStudy
from concours.listening_test.pages import headphone_score
from concours.listening_test.sequences import Running, confidence_sequence

FLAT_FROM = 6
TRAP_LIMIT = 3.0
HIDDEN_LIMIT = 90.0
HIDDEN_SHARE = 0.15


@dataclass(frozen=True)
class SystemSoFar:
    system: str
    dimension: str
    n_ratings: int
    interval: Running


@dataclass(frozen=True)
class StudyStatus:
    name: str
    status: str
    counts: study.StudyCounts
    systems: tuple[SystemSoFar, ...]
    flagged: Mapping[int, tuple[str, ...]]


def value_range(method: str, dimension: str) -> tuple[float, float]:
    """The scale of a dimension, for bounded intervals."""
    if dimension in {"valence", "arousal"}:
        return 1.0, 9.0
    if dimension in {"judged_human", "identified", "preferred"}:
        return 0.0, 1.0
    if dimension.removeprefix("gems_") in GEMS:
        return 1.0, 5.0
    return {"mushra": (0.0, 100.0), "cmos": (-3.0, 3.0)}.get(method, (1.0, 5.0))


def status_of(live: LiveStudy, *, record: bool = True) -> StudyStatus:
    """Counts, anytime-valid intervals by system, and raters whom a screening rule flags.

    ``record`` appends new screening decisions to the store.
    """
    ratings = [r for r in study.rating_rows(live.store, live.id) if not r["superseded"]]
    flagged, decisions = screen(live, ratings)
    if record and decisions:
        study.decide(live.store, decisions, live.clock())
    return StudyStatus(
        name=live.name,
        status=study.find_study(live.store, live.name).status,
        counts=study.count_study(live.store, live.id),
        systems=tuple(_systems(live, ratings)),
        flagged=flagged,
    )


def _systems(live: LiveStudy, ratings: list[Mapping[str, Any]]) -> list[SystemSoFar]:
    values: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in ratings:
        if row["kind"] == "test" and row["system"] and row["role"] in {"test", "hidden_ref"}:
            label = row["dimension"] + (f" ({row['frame']})" if row["frame"] else "")
            values[row["system"], label][row["rater"]].append(row["value"])
    for row in study.preference_rows(live.store, live.id):
        if row["kind"] != "test" or row["superseded"]:
            continue
        shares = {"a": (1.0, 0.0), "b": (0.0, 1.0)}.get(row["choice"], (0.5, 0.5))
        for system, share in zip((row["system_a"], row["system_b"]), shares, strict=True):
            values[system, f"preferred: {row['dimension']}"][row["rater"]].append(share)
    found = []
    for (system, label), by_rater in sorted(values.items()):
        dimension = label.partition(" (")[0].partition(":")[0]
        low, high = value_range(live.config.method, dimension)
        # raters in the order in which they first answered: rows are oldest first
        means = [sum(v) / len(v) for v in by_rater.values()]
        n = sum(len(v) for v in by_rater.values())
        found.append(SystemSoFar(system, label, n, confidence_sequence(means, low, high)[-1]))
    return found


def screen(
    live: LiveStudy, ratings: list[Mapping[str, Any]]
) -> tuple[dict[int, tuple[str, ...]], list[tuple[str, str, str, dict[str, Any]]]]:
    """(flags by rater, decisions): the rules of the method and of attention.

    - trap: a degraded clip rated 3 or higher on overall quality;
    - hidden reference (BS.1534): below 90 in more than 15% of the trials;
    - flat: one value throughout, over at least 6 trials;
    - headphones: fewer right rounds than needed.
    """
    raters = {r["rater"]: r["id"] for r in study.rater_rows(live.store, live.id)}
    by_rater: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in ratings:
        by_rater[row["rater"]].append(row)
    pages: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    for page in study.page_rows(live.store, live.id):
        pages[page["rater"]][page["page"]] = page["answers"]
    flags: dict[int, list[str]] = defaultdict(list)
    decisions: list[tuple[str, str, str, dict[str, Any]]] = []

    def decide(rater: int, rule: str, bad: bool, detail: dict[str, Any]) -> None:
        decisions.append((raters[rater], rule, "flag" if bad else "pass", detail))
        if bad:
            flags[rater].append(rule)

    for rater, rows in sorted(by_rater.items()):
        if rater not in raters:
            continue
        traps = [r["value"] for r in rows if r["role"] == "trap"]
        if traps:
            decide(rater, "trap", max(traps) >= TRAP_LIMIT, {"highest": max(traps)})
        hidden = [r["value"] for r in rows if r["role"] == "hidden_ref"]
        if hidden:
            share = sum(v < HIDDEN_LIMIT for v in hidden) / len(hidden)
            decide(rater, "hidden reference", share > HIDDEN_SHARE, {"share": share})
        test = [r["value"] for r in rows if r["kind"] == "test" and not r["frame"]]
        if len({r["assignment"] for r in rows if r["kind"] == "test"}) >= FLAT_FROM and test:
            decide(rater, "flat", len(set(test)) == 1, {"n": len(test)})
    check = live.config.headphones
    if check.rounds:
        needed = check.needed if check.needed is not None else check.rounds - 1
        for rater, answered in sorted(pages.items()):
            if rater in raters and f"headphones:{check.rounds - 1}" in answered:
                score = headphone_score(live.secret, raters[rater], check.rounds, answered)
                decide(rater, "headphones", score < needed, {"right": score, "of": check.rounds})
    return {k: tuple(v) for k, v in flags.items()}, decisions
