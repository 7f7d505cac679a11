"""Trust cards: what is known about each metric's right to be believed, on one benchmark's data.

- Ladder: pieces of the reference are made worse by known amounts, and held against the reference's
  other pieces exactly as the leaderboard holds a system: by the Wasserstein distance in standard
  deviations of the reference, or for a metric of sets by that metric. A metric of pairs holds each
  against what it was made of. One of a corpus has no ladder: what it says of copies or of surprise
  is about all of the reference, and not about good and bad. A metric *orders* a
  degradation when the distance grows with its strength, by more than resampling explains; it is
  *misled* when the worse pieces look closer to the reference than the untouched ones; else it is
  *blind* to it. No metric need order them all: a rhythm metric should be blind to pitch noise.
- What should change nothing: a metric that is declared to ignore transposition must give the same
  number; a metric of sound that isn't about level must ignore gain.
- Stability: do halves of each system's items rank the systems alike (mean Kendall's tau)? For a
  metric of sets also how much larger the distance is on half of the items.
- Separation: how many pairs of systems it tells apart (Holm)?
- Listeners: where there are ratings of the systems' items, the correlation with them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from concours.eval.listeners.joining import Joined, Predictor
from concours.eval.stats.clustered import score_difference
from concours.eval.stats.correlate import coefficients
from concours.eval.stats.multiplicity import holm
from concours.eval.stats.ratings import Floats, Strings
from concours.eval.trust.climbing import FEWEST_ITEMS, Step, gap
from concours.metrics.spec import Undefined

STABLE = 0.7
HALVES = 100


@dataclass(frozen=True)
class TrustCard:
    """``None`` or undefined where a question can't be asked, with the reason.

    ``moved`` is the change under what is named ``still`` (transposition, or gain for sound), which
    ``must_ignore`` says whether it matters. ``half_size`` is the mean distance on halves of the
    items over that on all, for a metric of sets.
    """

    metric: str
    ladder: tuple[Step, ...] | Undefined
    moved: float | Undefined
    must_ignore: bool
    stability: float | Undefined
    separated: tuple[int, int]
    listeners: Predictor | None
    still: str = "transposition"
    half_size: float | None = None

    @property
    def verdict(self) -> str:
        """One word for the column's head: broken, misled, unstable, blind, trusted.

        Broken: it moves under a transposition or a gain that it must ignore. Misled: by some
        degradation. Blind: it orders none. Unstable: halves of the items disagree about the
        systems. Trusted: none of these; "not tested" where the ladder couldn't be climbed.
        """
        if self.must_ignore and isinstance(self.moved, float) and self.moved > 0:
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


def stability(
    systems: Mapping[str, Floats], reference: Floats | None = None, *, seed: int = 0
) -> float | Undefined:
    """The mean Kendall's tau between the systems' order on one half of their items and the other.

    Systems are ordered by their gap to the reference's values, without those by their mean.
    Undefined below 3 systems with 4 items each.
    """

    def place(values: Floats) -> float:
        return float(values.mean()) if reference is None else gap(values, reference)

    usable = {k: v for k, v in systems.items() if len(v) >= FEWEST_ITEMS}
    if len(usable) < 3 or (reference is not None and len(reference) < 2):
        return Undefined(f"{len(usable)} systems with {FEWEST_ITEMS} items; an order needs 3")
    rng = np.random.default_rng([seed, 11])
    found = []
    for _ in range(HALVES):
        halves: list[list[float]] = [[], []]
        for values in usable.values():
            rows = rng.permutation(len(values))
            middle = len(values) // 2
            halves[0].append(place(values[rows[:middle]]))
            halves[1].append(place(values[rows[middle:]]))
        pair = [np.nan_to_num(np.array(h), posinf=1e300) for h in halves]
        tau = float(coefficients(pair[0], pair[1], np.ones((1, len(usable))), "kendall")[0])
        if not math.isnan(tau):
            found.append(tau)
    return float(np.mean(found)) if found else Undefined("all systems lie equally far")


def set_stability(halves: Mapping[str, Sequence[float | None]]) -> float | Undefined:
    """The mean Kendall's tau between the systems' order on one draw of halves and on the next.

    ``halves``: the distances of each system on the same draws. Undefined below 3 systems.
    """
    systems = [np.array([math.nan if d is None else d for d in h]) for h in halves.values() if h]
    if len(systems) < 3:
        return Undefined(f"{len(systems)} systems with half-samples; an order needs 3")
    table = np.column_stack([s[: min(map(len, systems))] for s in systems])
    table = table[~np.isnan(table).any(axis=1)]
    found = [
        float(coefficients(a, b, np.ones((1, len(a))), "kendall")[0])
        for a, b in itertools.pairwise(table)
    ]
    known = [t for t in found if not math.isnan(t)]
    return float(np.mean(known)) if known else Undefined("all systems lie equally far")


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
