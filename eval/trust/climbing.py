"""How metrics climb a ladder of degradations: what is measured, and what the numbers say."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from concours.eval.stats.ratings import Floats, Ints
from concours.eval.trust.ladder import DEGRADATIONS, LEVELS, transposition
from concours.eval.trust.sound_ladder import SOUND_DEGRADATIONS, quieter
from concours.metrics.features import FeatureTable
from concours.metrics.spec import MetricRequest, MetricResult, Scored, Undefined

Answer = Literal["orders", "blind", "misled"]
FEWEST_ITEMS = 4
SURE = 0.975  # share of resamples on one side, the level of a two-sided 5% test
RESAMPLES = 500
SET_RESAMPLES = 100
FRAME_RESAMPLES = 40  # a distance between frames costs a thousand times one between features

Measure = tuple[str, float]  # a degradation and its strength


class Step(NamedTuple):
    """``gaps`` at strength 0 and each level, larger for worse; ``sure`` is the share of resamples
    in which the strongest level lies further from the reference than the untouched pieces."""

    degradation: str
    answer: Answer
    gaps: tuple[float, ...]
    sure: float


class Climbed(NamedTuple):
    """``moved`` is the largest change of one piece under what should change nothing."""

    ladder: tuple[Step, ...] | Undefined
    moved: float | Undefined


@dataclass(frozen=True)
class Ladder:
    """``still`` changes a piece in a way that many metrics must not see; its strength is ``at``,
    and changes below ``tolerance`` standard deviations of the untouched pieces count as none."""

    degradations: Mapping[str, Callable[[Any, float, np.random.Generator], Any]]
    still: Callable[[Any, float, np.random.Generator], Any]
    still_name: str
    at: float
    tolerance: float


NOTES = Ladder(DEGRADATIONS, transposition, "transposition", 0.5, 0.0)
SOUND = Ladder(SOUND_DEGRADATIONS, quieter, "gain", 0.5, 0.01)


class Degraded(NamedTuple):
    """``values`` of each clip metric on every degraded copy; ``frames`` of each embedding, by
    copy, one array a piece. ``others`` are the reference pieces that nothing was done to."""

    ladder: Ladder
    values: Mapping[Measure, Mapping[str, Floats]]
    frames: Mapping[Measure, Mapping[str, list[Any]]]


OTHERS: Measure = ("others", 0.0)
UNTOUCHED: Measure = ("untouched", 0.0)


def degrade(
    asked: Sequence[MetricRequest],
    subjects: Sequence[Any],
    ladder: Ladder = NOTES,
    *,
    embed: Mapping[str, Callable[[Any], Any]] | None = None,
    seed: int = 0,
) -> Degraded:
    """Every second subject degraded in every way, and measured; the others are measured as they
    are. A metric of pairs holds each copy against its original. ``embed`` gives the frames of a
    clip by embedding. Each copy is made once for all metrics.
    """
    victims, others = list(subjects[::2]), list(subjects[1::2])
    values: dict[Measure, dict[str, Floats]] = {}
    frames: dict[Measure, dict[str, list[Any]]] = {}

    def measure(at: Measure, changed: Sequence[Any]) -> None:
        originals = changed if at == OTHERS else victims
        found = np.array(
            [[measured(a, p, o) for a in asked] for p, o in zip(changed, originals, strict=True)]
        ).reshape(-1, len(asked))
        values[at] = {a.key: found[:, i] for i, a in enumerate(asked)}
        frames[at] = {n: [f(c) for c in changed] for n, f in (embed or {}).items()}

    measure(OTHERS, others)
    measure(UNTOUCHED, victims)
    for place, (name, change) in enumerate(ladder.degradations.items()):
        for level in LEVELS:
            rng = np.random.default_rng([seed, place, round(100 * level)])
            measure((name, level), [change(p, level, rng) for p in victims])
    rng = np.random.default_rng(seed)
    measure((ladder.still_name, 1.0), [ladder.still(p, ladder.at, rng) for p in victims])
    return Degraded(ladder, values, frames)


def measured(asked: MetricRequest, subject: Any, original: Any) -> float:
    """The metric's value, of pairs that of subject and original; NaN where it is undefined."""
    held = (subject, original) if asked.spec.level == "pair" else (subject,)
    return _number(asked.spec.function(*held, **asked.parameters))


def _number(result: MetricResult) -> float:
    if isinstance(result, Undefined):
        return math.nan
    return float(result.value if isinstance(result, Scored) else result)


def gap(values: Floats, reference: Floats) -> float:
    """The Wasserstein distance of two samples, in standard deviations of the reference."""
    from scipy.stats import wasserstein_distance

    spread = float(reference.std(ddof=1))
    distance = float(wasserstein_distance(values, reference))
    return distance / spread if spread else (0.0 if distance == 0 else math.inf)


def climb(
    asked: Sequence[MetricRequest], subjects: Sequence[Any], ladder: Ladder = NOTES, *,
    seed: int = 0,
) -> dict[str, Climbed]:  # fmt: skip
    """What each metric of single pieces does on the ladder, by key."""
    degraded = degrade(asked, subjects, ladder, seed=seed)
    return {a.key: climbed(degraded, a.key, seed) for a in asked}


def climbed(degraded: Degraded, key: str, seed: int) -> Climbed:
    """One metric of single pieces, held against the reference as the leaderboard holds a system."""
    own = {k: v[key] for k, v in degraded.values.items()}
    return Climbed(_steps(degraded.ladder, own, seed), _moved(degraded.ladder, own))


def climbed_as_pair(degraded: Degraded, asked: MetricRequest, seed: int) -> Climbed:
    """One metric of pairs: how far the degraded pieces have come from what they were made of.

    The gap is the metric's mean over the pieces, its sign turned where higher is better. Anything
    lies further off than the original itself, so the strongest level is held against the weakest.
    """
    sign = {"lower": 1.0, "higher": -1.0}[asked.spec.direction]
    own = {k: sign * v[asked.key] for k, v in degraded.values.items()}
    rng = np.random.default_rng([seed, 7])
    steps = []
    for name in degraded.ladder.degradations:
        levels = np.array([own[UNTOUCHED], *(own[name, level] for level in LEVELS)])
        levels = levels[:, ~np.isnan(levels).any(axis=0)]
        if levels.shape[1] < FEWEST_ITEMS:
            continue

        def pair(rows: Ints, _: Ints, levels: Floats = levels) -> tuple[float, float]:
            return float(levels[1, rows].mean()), float(levels[-1, rows].mean())

        gaps = tuple(float(g) for g in levels.mean(axis=1))
        steps.append(_step(name, gaps, _sure(pair, levels.shape[1], 1, rng, RESAMPLES)))
    few = Undefined(f"it is defined on fewer than {FEWEST_ITEMS} of the degraded pieces")
    return Climbed(tuple(steps) or few, Undefined("a metric of pairs"))


def _moved(ladder: Ladder, own: Mapping[Measure, Floats]) -> float | Undefined:
    before, after = own[UNTOUCHED], own[ladder.still_name, 1.0]
    known = ~np.isnan(before) & ~np.isnan(after)
    if not known.any():
        return Undefined("the metric is undefined on these pieces")
    change = float(np.abs(before[known] - after[known]).max())
    least = 1e-9 * max(1.0, float(np.abs(before[known]).max()))
    spread = ladder.tolerance * float(before[known].std())
    return change if change > max(least, spread) else 0.0


def _steps(
    ladder: Ladder, own: Mapping[Measure, Floats], seed: int
) -> tuple[Step, ...] | Undefined:
    others = own[OTHERS]
    others = others[~np.isnan(others)]
    untouched = own[UNTOUCHED]
    if min(len(others), int(np.sum(~np.isnan(untouched)))) < FEWEST_ITEMS:
        return Undefined(f"it is defined on fewer than {FEWEST_ITEMS} pieces of each half")
    if others.std() == 0:
        return Undefined("it has one value on all reference pieces")
    rng = np.random.default_rng([seed, 7])
    steps = []
    for name in ladder.degradations:
        levels = [untouched, *(own[name, level] for level in LEVELS)]
        known = ~np.isnan(np.array(levels)).any(axis=0)
        if known.sum() < FEWEST_ITEMS:
            continue
        values = [v[known] for v in levels]
        n = int(known.sum())

        def further(rows: Ints, drawn: Ints, values: list[Floats] = values) -> tuple[float, float]:
            sample = others[drawn]
            held = sample if sample.std() else others
            return gap(values[0][rows], held), gap(values[-1][rows], held)

        sure = _sure(further, n, len(others), rng, RESAMPLES)
        steps.append(_step(name, tuple(gap(v, others) for v in values), sure))
    return tuple(steps) if steps else Undefined("it is undefined on the degraded pieces")


def _sure(
    pair: Callable[[Ints, Ints], tuple[float, float]],
    n: int,
    n_others: int,
    rng: np.random.Generator,
    draws: int,
) -> float:
    """The share of resamples in which the second of ``pair`` is larger; equal ones count half."""
    further = 0.0
    for _ in range(draws):
        low, high = pair(rng.integers(0, n, n), rng.integers(0, n_others, n_others))
        further += 1.0 if high > low else 0.5 if not high < low else 0.0
    return further / draws


def _step(name: str, gaps: tuple[float, ...], sure: float) -> Step:
    rising = sum(b >= a for a, b in itertools.pairwise(gaps)) >= len(gaps) - 2
    if sure >= SURE and rising:
        return Step(name, "orders", gaps, sure)
    return Step(name, "misled" if sure <= 1 - SURE else "blind", gaps, sure)


def climbed_as_set(
    degraded: Degraded, asked: MetricRequest, features: Sequence[str], seed: int
) -> Climbed:
    """One metric of sets: the distance of the degraded pieces to the others, as sets.

    ``features`` are the keys of the clip metrics that the distance is over, for a distance between
    features; one between frames takes those of its embedding.
    """
    sign = {"lower": 1.0, "higher": -1.0}.get(asked.spec.direction)
    if sign is None:
        return Climbed(Undefined("neither direction is worse"), Undefined("a metric of sets"))
    is_frames = asked.spec.inputs == "embedding"
    make = _frame_sets(degraded, asked) if is_frames else _tables(degraded, features)
    if isinstance(make, Undefined):
        return Climbed(make, make)
    sizes = make.size(UNTOUCHED), make.size(OTHERS)
    if min(sizes) < FEWEST_ITEMS:
        few = Undefined(f"fewer than {FEWEST_ITEMS} pieces of each half can be compared")
        return Climbed(few, few)

    def distance(at: Measure, rows: Ints, drawn: Ints) -> float:
        found = asked.spec.function(
            make.drawn(at, rows), make.drawn(OTHERS, drawn), **asked.parameters
        )
        return sign * _number(found)

    everybody = np.arange(sizes[0]), np.arange(sizes[1])
    rng = np.random.default_rng([seed, 7])
    steps = []
    base = distance(UNTOUCHED, *everybody)
    for name in degraded.ladder.degradations:
        gaps = (base, *(distance((name, level), *everybody) for level in LEVELS))
        if any(math.isnan(g) for g in gaps):
            continue

        def pair(rows: Ints, drawn: Ints, name: str = name) -> tuple[float, float]:
            return distance(UNTOUCHED, rows, drawn), distance((name, LEVELS[-1]), rows, drawn)

        draws = FRAME_RESAMPLES if is_frames else SET_RESAMPLES
        steps.append(_step(name, gaps, _sure(pair, *sizes, rng, draws)))
    moved = distance((degraded.ladder.still_name, 1.0), *everybody)
    return Climbed(
        tuple(steps) if steps else Undefined("it is undefined on the degraded pieces"),
        Undefined("undefined there") if math.isnan(moved + base) else abs(moved - base),
    )


class _Sets(NamedTuple):
    size: Callable[[Measure], int]
    drawn: Callable[[Measure, Ints], Any]


def _tables(degraded: Degraded, features: Sequence[str]) -> _Sets | Undefined:
    known = [f for f in features if f in degraded.values[OTHERS]]
    if not known:
        return Undefined("none of its features was measured on the degraded pieces")
    tables = {
        at: np.column_stack([values[f] for f in known]) for at, values in degraded.values.items()
    }
    return _Sets(
        lambda at: len(tables[at]),
        lambda at, rows: FeatureTable(tuple(known), tables[at][rows]),
    )


def _frame_sets(degraded: Degraded, asked: MetricRequest) -> _Sets | Undefined:
    from concours.metrics.frame_set import frame_set

    embedding = str(asked.parameters["embedding"])
    if embedding not in degraded.frames[OTHERS]:
        return Undefined("its frames were not made: the ladder climbs in the form of the reference")
    frames = {at: found[embedding] for at, found in degraded.frames.items()}
    return _Sets(
        lambda at: sum(len(f) > 0 for f in frames[at]),
        lambda at, rows: frame_set([[f for f in frames[at] if len(f)][i] for i in rows]),
    )
