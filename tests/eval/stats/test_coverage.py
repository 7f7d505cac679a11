"""How often the intervals hold the truth, by simulation; slow.

``python tests/eval/stats/test_coverage.py 2000`` prints the table that docs/statistics.md shows.
Truth: ratings are normal with standard deviations .5 between raters, .5 between items and .7 in
the rest, unless a case says otherwise.
"""

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from concours.eval.stats.correlate import correlation
from concours.eval.stats.mos import (
    Interval,
    cluster_robust,
    crossed_bootstrap,
    crossed_mos,
    item_clustered,
    item_mos,
    mixed_mos,
)
from concours.eval.stats.ordinal import fit_ordinal
from concours.eval.stats.pairs import compare_systems
from concours.eval.stats.ppi import ppi_mos
from concours.eval.stats.preference import Comparison, fit_preference
from concours.eval.stats.ratings import Table, make_ratings
from concours.eval.stats.reliability import icc2_interval

RATERS, ITEMS, REST = 0.5, 0.5, 0.7
DESIGNS = [(r, i) for r in (8, 20, 50) for i in (5, 20)]
Hit = tuple[bool, float]  # whether the interval holds the truth, and its width


def values(rng: np.random.Generator, raters: int, items: int) -> np.ndarray:
    return (
        RATERS * rng.normal(size=(raters, 1))
        + ITEMS * rng.normal(size=(1, items))
        + REST * rng.normal(size=(raters, items))
    )


def held(found: object, truth: float = 0.0) -> Hit:
    low, high = found.ci_low, found.ci_high
    return bool(low <= truth <= high), high - low


def complete(how: Callable[[Table], Interval], raters: int, items: int, seed: int) -> Hit:
    v = values(np.random.default_rng(seed), raters, items)
    return held(how(Table(v, tuple(map(str, range(raters))), tuple(map(str, range(items))))))


def with_holes(how: Callable[..., Interval], raters: int, items: int, seed: int) -> Hit:
    rng = np.random.default_rng(seed)
    v = values(rng, raters, items)
    r, i = np.nonzero(rng.random(v.shape) >= 0.3)
    return held(how(v[r, i], r.astype(str), i.astype(str)))


def two_systems(nested: bool, hole: float, raters: int, items: int, seed: int) -> Hit:
    """The difference of two equal systems; raters also differ in how they like each (.3)."""
    rng = np.random.default_rng(seed)
    strict, hard = RATERS * rng.normal(size=raters), ITEMS * rng.normal(size=items)
    rows = []
    for s in "ab":
        taste = 0.3 * rng.normal(size=raters)
        own = ITEMS * rng.normal(size=items) if nested else hard + 0.3 * rng.normal(size=items)
        for r in range(raters):
            for i in range(items):
                if rng.random() >= hole:
                    value = strict[r] + taste[r] + own[i] + REST * rng.normal()
                    rows.append((f"r{r}", f"{s if nested else ''}i{i}", s, "q", value))
    data = make_ratings(*(list(c) for c in zip(*rows, strict=True)))
    return held(compare_systems(data, seed=0)[0])


def icc(raters: int, items: int, seed: int) -> Hit:
    truth = ITEMS**2 / (ITEMS**2 + RATERS**2 + REST**2)
    v = values(np.random.default_rng(seed), raters, items)
    table = Table(v, tuple(map(str, range(raters))), tuple(map(str, range(items))))
    return held(icc2_interval(table, average=False), truth)


def powered(follows: float, raters: int, rated: int, seed: int) -> Hit:
    rng = np.random.default_rng(seed)
    quality = ITEMS * rng.normal(size=rated + 200)
    noise = rng.normal(size=rated + 200)
    score = follows * quality / ITEMS + np.sqrt(1 - follows**2) * noise
    v = (
        RATERS * rng.normal(size=(raters, 1)) + quality[None, :rated]
        + REST * rng.normal(size=(raters, rated))
    )  # fmt: skip
    r, i = (g.ravel().astype(str) for g in np.indices(v.shape))
    data = make_ratings(r, i, ["m"] * len(r), ["q"] * len(r), v.ravel())
    return held(ppi_mos(data, {str(k): float(s) for k, s in enumerate(score)}).interval)


def clip_correlation(kind: str, each: int, seed: int) -> Hit:
    """Four systems without differences, so that the truth is that of the normal pair: r = .6."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=4 * each)
    y = 0.6 * x + 0.8 * rng.normal(size=4 * each)
    truth = {
        "pearson": 0.6,
        "spearman": 6 / np.pi * np.arcsin(0.3),
        "kendall": 2 / np.pi * np.arcsin(0.6),
    }[kind]
    return held(correlation(x, y, np.repeat(list("abcd"), each), kind=kind), truth)


def system_correlation(systems: int, seed: int) -> Hit:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=systems)
    y = 0.6 * x + 0.8 * rng.normal(size=systems)
    names = np.array([f"s{k}" for k in range(systems)])
    return held(correlation(x, y, names, kind="pearson", scope="system"), 0.6)


def preference(raters: int, each: int, seed: int) -> Hit:
    """Four systems; raters' tastes scatter by .5 around the log strengths, so the truth is theirs
    smoothed over raters: 0 for the first system by symmetry (strengths -.5, 0, 0, .5 and ties)."""
    rng = np.random.default_rng(seed)
    base = np.array([0.0, -0.5, 0.5, 0.0])
    games = []
    for r in range(raters):
        own = base + 0.5 * rng.normal(size=4)
        for _ in range(each):
            i, j = rng.choice(4, 2, replace=False)
            p = np.exp([(own[i] - own[j]) / 2, np.log(0.6), (own[j] - own[i]) / 2])
            outcome = ("first", "tie", "second")[rng.choice(3, p=p / p.sum())]
            games.append(Comparison(f"r{r}", "ABCD"[i], "ABCD"[j], outcome))
    first = fit_preference(games).strengths[0]
    low, high = np.log(first.ci_low), np.log(first.ci_high)
    return bool(low <= 0 <= high), high - low


def ordinal(raters: int, items: int, seed: int) -> Hit:
    """Two equal systems judged in five categories by raters who differ in strictness."""
    rng = np.random.default_rng(seed)
    strict, hard = rng.normal(size=raters), rng.normal(size=items)
    rows = [
        (f"r{r}", f"i{i}", s, "q", float(np.digitize(
            strict[r] + hard[i] + rng.logistic(), [-2, -0.7, 0.7, 2])))
        for s in "ab" for r in range(raters) for i in range(items)
    ]  # fmt: skip
    return held(fit_ordinal(make_ratings(*(list(c) for c in zip(*rows, strict=True)))).effects[0])


def bootstrapped(table: Table) -> Interval:
    return crossed_bootstrap(table, seed=7, draws=1000)


def independent(table: Table) -> Interval:
    return item_mos(table.values.ravel())


def anonymous(table: Table) -> Interval:
    items = np.tile(np.array(table.items), len(table.raters))
    return item_clustered(table.values.ravel(), items)


CASES: dict[str, tuple[Callable[..., Hit], list[tuple[int, ...]]]] = {
    "crossed two-way variance": (partial(complete, crossed_mos), DESIGNS),
    "crossed bootstrap": (partial(complete, bootstrapped), DESIGNS),
    "mixed model, 30% missing": (partial(with_holes, mixed_mos), DESIGNS),
    "cluster-robust, 30% missing": (partial(with_holes, cluster_robust), DESIGNS),
    "difference, complete, shared items": (partial(two_systems, False, 0.0), DESIGNS),
    "difference, 5% missing, shared items": (partial(two_systems, False, 0.05), DESIGNS),
    "difference, own items": (partial(two_systems, True, 0.0), DESIGNS),
    "ICC(2,1)": (icc, DESIGNS),
    "prediction-powered, r = .8": (partial(powered, 0.8), [(8, 10), (20, 10), (20, 20), (50, 20)]),
    "prediction-powered, r = 0": (partial(powered, 0.0), [(8, 10), (20, 10), (20, 20), (50, 20)]),
    "Pearson r of clips": (partial(clip_correlation, "pearson"), [(10,), (25,), (50,)]),
    "Spearman's rho of clips": (partial(clip_correlation, "spearman"), [(10,), (25,), (50,)]),
    "Kendall's tau of clips": (partial(clip_correlation, "kendall"), [(10,), (25,)]),
    "Pearson r of systems": (system_correlation, [(6,), (10,), (20,)]),
    "Davidson strengths": (preference, [(10, 20), (20, 20), (50, 10)]),
    "ordinal effect": (ordinal, [(8, 20), (20, 20), (50, 20)]),
    "not used: independent ratings": (partial(complete, independent), DESIGNS),
    "raters unknown: clustered by item": (partial(complete, anonymous), DESIGNS),
}
WARNED = {
    "not used: independent ratings": "what everybody prints",
    "raters unknown: clustered by item": "said to be too narrow wherever it is printed",
}


def coverage(name: str, design: tuple[int, ...], runs: int) -> tuple[float, float]:
    """(share of intervals that hold the truth, their mean width)."""
    simulate, _ = CASES[name]
    hits = [simulate(*design, seed) for seed in range(runs)]
    return float(np.mean([h for h, _ in hits])), float(np.mean([w for _, w in hits]))


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in CASES if n not in WARNED])
def test_intervals_hold_the_truth_as_often_as_they_say(name: str) -> None:
    runs = 400
    noise = 2.5 * np.sqrt(0.95 * 0.05 / runs)
    for design in CASES[name][1]:
        share, _ = coverage(name, design, runs)
        assert 0.93 - noise < share < 0.97 + noise, (name, design, share)


def test_coverage_of_the_crossed_interval_in_brief() -> None:
    share, _ = coverage("crossed two-way variance", (20, 5), 400)
    naive, _ = coverage("not used: independent ratings", (20, 5), 400)
    assert 0.92 < share < 0.98
    assert naive < 0.75


if __name__ == "__main__":
    number = int(sys.argv[1])
    for case in sys.argv[2:] or CASES:
        for at in CASES[case][1]:
            share, width = coverage(case, at, number)
            print(
                f"| {case} | {' × '.join(map(str, at))} | {share:.1%} | {width:.3f} |", flush=True
            )
