"""How a study stands: progress, screening and intervals so far. Nothing here changes a rating."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from concours.eval.store import study
from concours.listening_test.forms import GEMS
from concours.listening_test.live import LiveStudy
from concours.listening_test.pages import headphone_score
from concours.listening_test.sequences import Running, confidence_sequence

FLAT_FROM = 6
TRAP_LIMIT = 3.0
DCR_LIMIT = 4.0
HIDDEN_LIMIT = 90.0
HIDDEN_SHARE = 0.15


@dataclass(frozen=True)
class SystemSoFar:
    """``interval`` is over the raters who finished; ``n_raters`` have answered something."""

    system: str
    dimension: str
    n_ratings: int
    n_raters: int
    interval: Running


@dataclass(frozen=True)
class DifferenceSoFar:
    """``first`` minus ``second``, within raters who finished and rated both."""

    first: str
    second: str
    dimension: str
    interval: Running


@dataclass(frozen=True)
class StudyStatus:
    name: str
    status: str
    counts: study.StudyCounts
    systems: tuple[SystemSoFar, ...]
    differences: tuple[DifferenceSoFar, ...]
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
    preferences = [r for r in study.preference_rows(live.store, live.id) if not r["superseded"]]
    flagged, decisions = screen(live, ratings, preferences)
    if record and decisions:
        study.decide(live.store, decisions, live.clock())
    means = _rater_means(live, ratings, preferences)
    return StudyStatus(
        name=live.name,
        status=study.find_study(live.store, live.name).status,
        counts=study.count_study(live.store, live.id),
        systems=tuple(_systems(live, means)),
        differences=tuple(_differences(live, means)),
        flagged=flagged,
    )


@dataclass(frozen=True)
class _Means:
    """Of one system and dimension: each rater's mean, those who finished in order of finishing."""

    finished: Mapping[int, float]
    everybody: Mapping[int, float]
    n_ratings: int


def _rater_means(
    live: LiveStudy, ratings: list[Mapping[str, Any]], preferences: list[Mapping[str, Any]]
) -> dict[tuple[str, str], _Means]:
    values: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in ratings:
        if row["kind"] == "test" and row["system"] and row["role"] in {"test", "hidden_ref"}:
            label = row["dimension"] + (f" ({row['frame']})" if row["frame"] else "")
            versus = row["compared_with_system"] if live.config.method in {"cmos", "dcr"} else None
            system = f"{row['system']} against {versus}" if versus else row["system"]
            values[system, label][row["rater"]].append(row["value"])
    for row in preferences:
        if row["kind"] == "test":
            shares = {"a": (1.0, 0.0), "b": (0.0, 1.0)}.get(row["choice"], (0.5, 0.5))
            for system, share in zip((row["system_a"], row["system_b"]), shares, strict=True):
                values[system, f"preferred: {row['dimension']}"][row["rater"]].append(share)
    # a mean that can still change is no observation of a sequence: raters count once they finished
    done = [r for r in study.rater_rows(live.store, live.id) if r["completed_at"] is not None]
    order = [r["rater"] for r in sorted(done, key=lambda r: r["completed_at"])]
    found = {}
    for key, by_rater in sorted(values.items()):
        means = {rater: sum(v) / len(v) for rater, v in by_rater.items()}
        finished = {rater: means[rater] for rater in order if rater in means}
        found[key] = _Means(finished, means, sum(len(v) for v in by_rater.values()))
    return found


def _systems(live: LiveStudy, means: Mapping[tuple[str, str], _Means]) -> list[SystemSoFar]:
    found = []
    for (system, label), mean in means.items():
        low, high = _range_of(live, label)
        sequence = confidence_sequence(list(mean.finished.values()), low, high)
        so_far = sum(mean.everybody.values()) / len(mean.everybody)
        interval = sequence[-1] if sequence else Running(0, so_far, low, high)
        found.append(SystemSoFar(system, label, mean.n_ratings, len(mean.everybody), interval))
    return found


def _differences(live: LiveStudy, means: Mapping[tuple[str, str], _Means]) -> list[DifferenceSoFar]:
    found = []
    for (first, label), (second, other) in combinations(means, 2):
        # preferences and comparisons are differences already
        if label != other or label.startswith("preferred") or " against " in first:
            continue
        one, two = means[first, label].finished, means[second, label].finished
        low, high = _range_of(live, label)
        gaps = [one[rater] - two[rater] for rater in one if rater in two]
        if gaps:
            interval = confidence_sequence(gaps, low - high, high - low)[-1]
            found.append(DifferenceSoFar(first, second, label, interval))
    return found


def _range_of(live: LiveStudy, label: str) -> tuple[float, float]:
    return value_range(live.config.method, label.partition(" (")[0].partition(":")[0])


def screen(
    live: LiveStudy, ratings: list[Mapping[str, Any]], preferences: list[Mapping[str, Any]]
) -> tuple[dict[int, tuple[str, ...]], list[tuple[str, str, str, dict[str, Any]]]]:
    """(flags by rater, decisions): the rules of the method and of attention.

    - trap: a spoilt clip rated 3 or higher on overall quality (MOS), or not told from the intact
      clip beside it (methods that compare);
    - hidden reference (BS.1534): below 90 in more than 15% of the trials;
    - flat: one value, or one side, throughout at least 6 trials;
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

    for rater, missed in sorted(_traps_missed(live, ratings, preferences).items()):
        if rater in raters:
            decide(rater, "trap", any(missed), {"missed": sum(missed), "of": len(missed)})
    for rater, rows in sorted(by_rater.items()):
        if rater not in raters:
            continue
        hidden = [r["value"] for r in rows if r["role"] == "hidden_ref"]
        if hidden:
            share = sum(v < HIDDEN_LIMIT for v in hidden) / len(hidden)
            decide(rater, "hidden reference", share > HIDDEN_SHARE, {"share": share})
    for rater, given in sorted(_on_scales(ratings, preferences).items()):
        if rater in raters and len(given) >= FLAT_FROM:
            values = [v for per_trial in given.values() for v in per_trial]
            decide(rater, "flat", len(set(values)) == 1, {"n": len(values)})
    check = live.config.headphones
    if check.rounds:
        needed = check.needed if check.needed is not None else check.rounds - 1
        for rater, answered in sorted(pages.items()):
            if rater in raters and f"headphones:{check.rounds - 1}" in answered:
                score = headphone_score(live.secret, raters[rater], check.rounds, answered)
                decide(rater, "headphones", score < needed, {"right": score, "of": check.rounds})
    return {k: tuple(v) for k, v in flags.items()}, decisions


def _on_scales(
    ratings: list[Mapping[str, Any]], preferences: list[Mapping[str, Any]]
) -> dict[int, dict[str, list[Any]]]:
    """What each rater chose in each test trial, where an honest rater would vary: emotions may be
    absent throughout, and whoever finds every X is no machine."""
    found: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in ratings:
        judged = row["dimension"] in {"identified", "judged_human"}
        if row["kind"] == "test" and not row["frame"] and not judged:
            found[row["rater"]][row["assignment"]].append(row["value"])
    for row in preferences:
        if row["kind"] == "test":
            found[row["rater"]][row["assignment"]].append(row["choice"])
    return found


def _traps_missed(
    live: LiveStudy, ratings: list[Mapping[str, Any]], preferences: list[Mapping[str, Any]]
) -> dict[int, list[bool]]:
    """For each rater, whether each trap was missed, judged on one dimension."""
    method, dimension = live.config.method, live.config.trap_dimension
    missed: dict[int, list[bool]] = defaultdict(list)
    for row in ratings:
        if row["kind"] != "trap" or row["dimension"] not in {dimension, "identified"}:
            continue
        value, spoilt = row["value"], row["role"] == "trap"
        wrong = {
            "cmos": value >= 0 if spoilt else value <= 0,
            "dcr": value >= DCR_LIMIT,
            "abx": value == 0,
        }.get(method, value >= TRAP_LIMIT)
        missed[row["rater"]].append(wrong)
    for row in preferences:
        if row["kind"] == "trap" and row["dimension"] == dimension:
            right = "a" if row["role_a"] == "gold" else "b"
            missed[row["rater"]].append(row["choice"] != right)
    return missed
