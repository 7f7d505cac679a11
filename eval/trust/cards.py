"""Trust cards: what is known about each metric's right to be believed, on one benchmark's data.

- Ladder: pieces of the reference are made worse by known amounts, and held against the reference's
  other pieces exactly as the leaderboard holds a system (Wasserstein distance in standard
  deviations of the reference). A metric *orders* a degradation when the distance grows with its
  strength, by more than resampling explains; it is *misled* when the worse pieces look closer to
  the reference than the untouched ones; else it is *blind* to it. No metric need order them all:
  a rhythm metric should be blind to pitch noise.
- Transposition: a metric that is declared to ignore it must give the same number.
- Stability: do halves of each system's items rank the systems alike (mean Kendall's tau)?
- Separation: how many pairs of systems its means tell apart (Welch on items or pairs on prompts,
  Holm)?
- Listeners: where ratings of the systems' items are given, the correlation with them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from concours.eval.joining import Joined, Predictor
from concours.eval.stats.clustered import score_difference
from concours.eval.stats.correlate import coefficients
from concours.eval.stats.multiplicity import holm
from concours.eval.stats.ratings import Floats, Strings
from concours.eval.trust.ladder import DEGRADATIONS, LEVELS, transposition
from concours.metrics.piece import Piece
from concours.metrics.registry import request
from concours.metrics.spec import MetricRequest, Scored, Undefined

Answer = Literal["orders", "blind", "misled"]
FEWEST_ITEMS = 4
SURE = 0.975  # share of resamples on one side, the level of a two-sided 5% test
STABLE = 0.7
RESAMPLES = 500
HALVES = 100


class Step(NamedTuple):
    """``gaps`` at strength 0 and each level; ``sure`` is the share of resamples in which the
    strongest level lies further from the reference than the untouched pieces."""

    degradation: str
    answer: Answer
    gaps: tuple[float, ...]
    sure: float


@dataclass(frozen=True)
class TrustCard:
    """``None`` or undefined where a question can't be asked, with the reason."""

    metric: str
    ladder: tuple[Step, ...] | Undefined
    transposed: float | Undefined
    declared_invariant: bool
    stability: float | Undefined
    separated: tuple[int, int]
    listeners: Predictor | None

    @property
    def verdict(self) -> str:
        """One word for the column's head: broken, misled, unstable, blind, trusted.

        Broken: it moves under a transposition that it is declared to ignore. Misled: by some
        degradation. Blind: it orders none. Unstable: halves of the items disagree about the
        systems. Trusted: none of these; "not tested" where the ladder couldn't be climbed.
        """
        if self.declared_invariant and isinstance(self.transposed, float) and self.transposed > 0:
            return "broken"
        if isinstance(self.ladder, Undefined):
            return "not tested"
        answers = {s.answer for s in self.ladder}
        if "misled" in answers:
            return "misled"
        if "orders" not in answers:
            return "blind"
        if isinstance(self.stability, float) and self.stability < STABLE:
            return "unstable"
        return "trusted"


def gap(values: Floats, reference: Floats) -> float:
    """The Wasserstein distance of two samples, in standard deviations of the reference."""
    from scipy.stats import wasserstein_distance

    spread = float(reference.std(ddof=1))
    distance = float(wasserstein_distance(values, reference))
    return distance / spread if spread else (0.0 if distance == 0 else math.inf)


def measured(asked: MetricRequest, piece: Piece) -> float:
    """The metric's value, NaN where it is undefined."""
    result = asked.spec.function(piece, **asked.parameters)
    if isinstance(result, Undefined):
        return math.nan
    return float(result.value if isinstance(result, Scored) else result)


def climb(
    asked: Sequence[MetricRequest],
    pieces: Sequence[Piece],
    *,
    seed: int = 0,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, tuple[tuple[Step, ...] | Undefined, float | Undefined]]:
    """(ladder, largest change under transposition) of each metric, by key.

    Every second piece is degraded, the others are what it is held against. Each piece is degraded
    once for all metrics.
    """
    victims, others = list(pieces[::2]), list(pieces[1::2])
    table: dict[tuple[str, float], dict[str, Floats]] = {}

    def measure(name: str, level: float, changed: Sequence[Piece]) -> None:
        found = np.array([[measured(a, p) for a in asked] for p in changed]).reshape(-1, len(asked))
        table[name, level] = {a.key: found[:, i] for i, a in enumerate(asked)}
        progress()

    measure("others", 0.0, others)
    measure("untouched", 0.0, victims)
    for place, (name, degrade) in enumerate(DEGRADATIONS.items()):
        for level in LEVELS:
            rng = np.random.default_rng([seed, place, round(100 * level)])
            measure(name, level, [degrade(p, level, rng) for p in victims])
    rng = np.random.default_rng(seed)
    measure("transposed", 1.0, [transposition(p, 0.5, rng) for p in victims])
    found = {}
    for a in asked:
        own = {k: v[a.key] for k, v in table.items()}
        found[a.key] = (_ladder(own, seed), _moved(own))
    return found


def _moved(own: Mapping[tuple[str, float], Floats]) -> float | Undefined:
    before, after = own["untouched", 0.0], own["transposed", 1.0]
    known = ~np.isnan(before) & ~np.isnan(after)
    if not known.any():
        return Undefined("the metric is undefined on these pieces")
    change = float(np.abs(before[known] - after[known]).max())
    return change if change > 1e-9 * max(1.0, float(np.abs(before[known]).max())) else 0.0


def _ladder(own: Mapping[tuple[str, float], Floats], seed: int) -> tuple[Step, ...] | Undefined:
    others = own["others", 0.0]
    others = others[~np.isnan(others)]
    untouched = own["untouched", 0.0]
    if min(len(others), int(np.sum(~np.isnan(untouched)))) < FEWEST_ITEMS:
        return Undefined(f"it is defined on fewer than {FEWEST_ITEMS} pieces of each half")
    if others.std() == 0:
        return Undefined("it has one value on all reference pieces")
    rng = np.random.default_rng([seed, 7])
    steps = []
    for name in DEGRADATIONS:
        levels = [untouched, *(own[name, level] for level in LEVELS)]
        known = ~np.isnan(np.array(levels)).any(axis=0)
        if known.sum() < FEWEST_ITEMS:
            continue
        values = [v[known] for v in levels]
        gaps = tuple(gap(v, others) for v in values)
        n = int(known.sum())
        further = 0.0
        for _ in range(RESAMPLES):
            rows = rng.integers(0, n, n)
            drawn = others[rng.integers(0, len(others), len(others))]
            if drawn.std() == 0:
                drawn = others
            low, high = gap(values[0][rows], drawn), gap(values[-1][rows], drawn)
            further += 1.0 if high > low else 0.5 if high == low else 0.0
        steps.append(_step(name, gaps, further / RESAMPLES))
    return tuple(steps) if steps else Undefined("it is undefined on the degraded pieces")


def _step(name: str, gaps: tuple[float, ...], sure: float) -> Step:
    rising = sum(b >= a for a, b in itertools.pairwise(gaps)) >= len(gaps) - 2
    if sure >= SURE and rising:
        return Step(name, "orders", gaps, sure)
    return Step(name, "misled" if sure <= 1 - SURE else "blind", gaps, sure)


def stability(
    systems: Mapping[str, Floats], reference: Floats, *, seed: int = 0
) -> float | Undefined:
    """The mean Kendall's tau between the systems' order on one half of their items and the other.

    Undefined below 3 systems with 4 items each.
    """
    usable = {k: v for k, v in systems.items() if len(v) >= FEWEST_ITEMS}
    if len(usable) < 3 or len(reference) < 2:
        return Undefined(f"{len(usable)} systems with {FEWEST_ITEMS} items; an order needs 3")
    rng = np.random.default_rng([seed, 11])
    found = []
    for _ in range(HALVES):
        halves: list[list[float]] = [[], []]
        for values in usable.values():
            rows = rng.permutation(len(values))
            middle = len(values) // 2
            halves[0].append(gap(values[rows[:middle]], reference))
            halves[1].append(gap(values[rows[middle:]], reference))
        pair = [np.nan_to_num(np.array(h), posinf=1e300) for h in halves]
        tau = float(coefficients(pair[0], pair[1], np.ones((1, len(usable))), "kendall")[0])
        if not math.isnan(tau):
            found.append(tau)
    return float(np.mean(found)) if found else Undefined("all systems lie equally far")


def separation(values: Mapping[str, tuple[Floats, Strings]], *, seed: int = 0) -> tuple[int, int]:
    """(pairs of systems whose means differ after Holm, pairs that could be tested).

    ``values``: the scores and clusters of each system.
    """
    p = []
    for a, b in itertools.combinations(values, 2):
        found = score_difference(*values[a], *values[b], seed=seed)
        if not isinstance(found, Undefined):
            p.append(found.p)
    return int(np.sum(holm(p) <= 0.05)) if p else 0, len(p)


def listeners(joined: Joined | None, key: str) -> Predictor | None:
    """The metric's strongest Spearman correlation over clips, by q."""
    if joined is None:
        return None
    own = [
        p
        for p in joined.predictors
        if p.metric == key and p.correlation.kind == "spearman" and p.correlation.scope == "clip"
    ]
    return min(own, key=lambda p: (p.q, -abs(p.correlation.value)), default=None)


def requests_of(keys: Sequence[str]) -> list[MetricRequest]:
    """The metrics among ``keys`` that score one piece of notes: those a ladder can test."""
    asked = [request(k) for k in keys]
    return [a for a in asked if a.spec.level == "clip" and a.spec.inputs == "symbolic"]
