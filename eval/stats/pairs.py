"""Every pair of systems compared on one dimension, by what the design of the ratings allows.

The interval and p of a difference count raters and items as sampled. The ladder of methods:

- every rater judged every item of both: two-way variance of the table of differences;
- most ratings of both have a partner by the same rater on the same item: mixed model of those
  differences, with random raters and items;
- raters known, few such partners: mixed model of all ratings with random raters, stimuli, shared
  items, and raters × systems (who likes one system more than others do shows in all their ratings);
- raters unknown: Welch's t on the means of items, or a paired t where items are shared; too
  narrow by what the raters have in common, and it says so.

Beside it stand rank and permutation tests on blocks; all p values of one kind are adjusted by
Holm over the pairs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from concours.eval.stats.compare import (
    Equivalence,
    Friedman,
    Tested,
    friedman,
    permutation,
    tost,
    unpaired,
    wilcoxon,
)
from concours.eval.stats.mixed import Contrast, MixedFit, fit_mixed
from concours.eval.stats.mos import Interval, crossed_mos, mixed_mos, t_half
from concours.eval.stats.multiplicity import holm
from concours.eval.stats.ratings import (
    Floats,
    Ratings,
    RatingsError,
    Strings,
    cross,
    has_repeats,
)
from concours.metrics.spec import Undefined


class Pair(NamedTuple):
    """``difference`` is first minus second; ``p_holm`` is adjusted over all pairs."""

    first: str
    second: str
    difference: float
    ci_low: float
    ci_high: float
    se: float
    df: float
    p: float
    p_holm: float
    method: str
    rank_test: Tested | Undefined
    permutation: Tested | Undefined
    blocks: str
    equivalence: Equivalence | Undefined = Undefined("no margin was given")
    rank_p_holm: float | None = None
    permutation_p_holm: float | None = None
    equivalence_p_holm: float | None = None


class SystemEffect(NamedTuple):
    """The mean of a system under the model: that of an average rater on an average item."""

    system: str
    estimate: float
    ci_low: float
    ci_high: float
    se: float
    df: float


class MixedModel(NamedTuple):
    """Systems fixed, ``variances`` of the random effects by factor, in squared scale units."""

    effects: tuple[SystemEffect, ...]
    variances: Mapping[str, float]
    residual: float
    n: int


def compare_systems(
    ratings: Ratings,
    *,
    seed: int,
    margin: float | None = None,
    level: float = 0.95,
    model: SharedModel | None = None,
) -> list[Pair] | Undefined:
    """All pairs of systems of ``ratings``, which hold one dimension.

    With a ``margin`` each pair is also tested for equivalence within it. ``model`` may hand in
    the model of all systems, so that it is fitted once.

    Undefined with one system.

    Raises:
        RatingsError: no method fits the data (nothing repeats, or a system with one item and
            unknown raters).
    """
    systems = ratings.systems
    if len(systems) < 2:
        return Undefined("one system; nothing to compare")
    model = model or SharedModel(ratings)
    pairs = [
        _pair(ratings, model, a, b, seed=seed, level=level)
        for a, b in itertools.combinations(systems, 2)
    ]
    if margin is not None:
        pairs = [
            p._replace(equivalence=tost(p.difference, p.se, p.df, margin, 1 - level)) for p in pairs
        ]
    return _adjusted(pairs)


def _adjusted(pairs: list[Pair]) -> list[Pair]:
    """Holm over the pairs, for each kind of test by itself."""

    def over(p: list[float | None]) -> list[float | None]:
        given = holm([math.nan if x is None else x for x in p])
        return [None if math.isnan(q) else float(q) for q in given]

    def known(test: Tested | Equivalence | Undefined) -> float | None:
        return None if isinstance(test, Undefined) else test.p

    columns = zip(
        pairs,
        holm([p.p for p in pairs]),
        over([known(p.rank_test) for p in pairs]),
        over([known(p.permutation) for p in pairs]),
        over([known(p.equivalence) for p in pairs]),
        strict=True,
    )
    return [
        p._replace(
            p_holm=float(q), rank_p_holm=rank, permutation_p_holm=flips, equivalence_p_holm=alike
        )
        for p, q, rank, flips, alike in columns
    ]


class SharedModel:
    """One model of all systems, fitted when the first pair needs it."""

    def __init__(self, ratings: Ratings) -> None:
        self.ratings = ratings
        self.repeats = has_repeats(ratings)
        self._fit: MixedFit | None = None

    @property
    def fit(self) -> MixedFit:
        if self._fit is None:
            columns = self.ratings.system[:, None] == np.array(self.ratings.systems)[None, :]
            self._fit = fit_mixed(
                self.ratings.value, columns.astype(np.float64), random_effects(self.ratings)
            )
        return self._fit

    def difference(self, a: str, b: str) -> Contrast:
        systems = self.ratings.systems
        weights = np.zeros(len(systems))
        weights[systems.index(a)], weights[systems.index(b)] = 1.0, -1.0
        return self.fit.contrast(weights)


def mixed_model(model: SharedModel, level: float = 0.95) -> MixedModel | Undefined:
    """The model of all systems with random raters, stimuli, shared items and raters × systems.

    Undefined where raters are unknown or the ratings don't identify it.
    """
    if not model.ratings.has_raters:
        return Undefined("raters are unknown; the model needs to tell them apart")
    try:
        fit = model.fit
    except RatingsError as error:
        return Undefined(str(error))
    effects = []
    for system, weights in zip(
        model.ratings.systems, np.eye(len(model.ratings.systems)), strict=True
    ):
        c = fit.contrast(weights)
        effects.append(SystemEffect(system, c.estimate, *c.interval(level), c.se, c.df))
    return MixedModel(tuple(effects), fit.variances, fit.residual, fit.n)


def random_effects(ratings: Ratings) -> dict[str, Strings]:
    """The grouping factors that the design can tell from the residual and from each other."""
    stimulus = ratings.stimulus
    groups = {"rater": ratings.rater, "stimulus": stimulus}
    n_stimuli = len(set(stimulus.tolist()))
    if len(set(ratings.item.tolist())) < n_stimuli:
        groups["item"] = ratings.item
    by_system = np.char.add(np.char.add(ratings.rater, "\x1f"), ratings.system)
    n_by_system = len(set(by_system.tolist()))
    if len(ratings.raters) < n_by_system < len(ratings):
        groups["rater:system"] = by_system
    distinct = {k: v for k, v in groups.items() if 1 < len(set(v.tolist())) < len(ratings)}
    if not distinct:
        raise RatingsError("every rating has its own rater and stimulus; nothing repeats")
    return distinct


PARTNERED = 0.8


def cell_differences(first: Ratings, second: Ratings) -> tuple[Floats, Strings, Strings]:
    """(differences, raters, items) of the cells (rater, item) that both systems have."""
    cells = [
        dict(zip(zip(r.rater.tolist(), r.item.tolist(), strict=True), r.value, strict=True))
        for r in (first, second)
    ]
    shared = sorted(cells[0].keys() & cells[1].keys())
    gaps = np.array([cells[0][k] - cells[1][k] for k in shared], dtype=np.float64)
    return gaps, np.array([k[0] for k in shared]), np.array([k[1] for k in shared])


def _by_cells(first: Ratings, second: Ratings, level: float) -> Interval | None:
    """The mean difference over shared cells, or None where too few ratings have a partner.

    Looking at each pair's own differences lets their spread differ: near the ends of a scale
    (a hidden reference, an anchor) ratings vary far less than in its middle.
    """
    gaps, raters, items = cell_differences(first, second)
    if 2 * len(gaps) < PARTNERED * (len(first) + len(second)):
        return None
    if min(len(set(raters.tolist())), len(set(items.tolist()))) < 2:
        return None
    table = cross(raters, items, gaps)
    found = crossed_mos(table, level) if table.complete else mixed_mos(gaps, raters, items, level)
    return None if isinstance(found, Undefined) else found


def _pair(ratings: Ratings, model: SharedModel, a: str, b: str, *, seed: int, level: float) -> Pair:
    first, second = ratings.select(system=a), ratings.select(system=b)
    blocks, differences = _blocks(first, second)
    if ratings.has_raters:
        cells = None if model.repeats else _by_cells(first, second, level)
        if cells is not None:
            d, se, df, method = cells.mean, cells.se, cells.df, f"{cells.method} of differences"
        else:
            c = model.difference(a, b)
            d, se, df, method = c.estimate, c.se, c.df, "mixed model of all systems"
    else:
        d, se, df, method = _by_items(first, second, differences)
    if differences is None:
        rank_test: Tested | Undefined = unpaired(_item_means(first), _item_means(second))
        flips: Tested | Undefined = Undefined(
            "no blocks are shared; only paired data can be flipped"
        )
    else:
        rank_test, flips = wilcoxon(differences), permutation(differences, seed=seed)
    half = t_half(df, level) * se
    p = _two_sided(d, se, df)
    return Pair(a, b, d, d - half, d + half, se, df, p, p, method, rank_test, flips, blocks)


def _two_sided(d: float, se: float, df: float) -> float:
    from scipy.stats import t

    if se == 0:
        return 1.0 if d == 0 else 0.0
    return float(2 * t.sf(abs(d) / se, df))


def _means(names: Strings, value: Floats) -> dict[str, float]:
    return {str(k): float(value[names == k].mean()) for k in np.unique(names)}


def _item_means(ratings: Ratings) -> Floats:
    return np.array(list(_means(ratings.item, ratings.value).values()))


def _blocks(first: Ratings, second: Ratings) -> tuple[str, Floats | None]:
    """What both systems share, raters before items, and the differences of the blocks' means.

    With known raters a block is a rater's mean over the items that they judged in both systems
    where items are shared, else over all their items.
    """
    if first.has_raters and second.has_raters:
        a, b = first, second
        both = {*zip(a.rater, a.item, strict=True)} & {*zip(b.rater, b.item, strict=True)}
        if both:
            a, b = (
                r.where(np.array([k in both for k in zip(r.rater, r.item, strict=True)]))
                for r in (a, b)
            )
        left, right, name = _means(a.rater, a.value), _means(b.rater, b.value), "raters"
    else:
        left, right = _means(first.item, first.value), _means(second.item, second.value)
        name = "items"
    shared = sorted(set(left) & set(right))
    if len(shared) < 2:
        return "none shared; means of items", None
    return name, np.array([left[k] - right[k] for k in shared])


def _by_items(
    first: Ratings, second: Ratings, differences: Floats | None
) -> tuple[float, float, float, str]:
    if differences is not None:
        n = len(differences)
        se = float(differences.std(ddof=1)) / math.sqrt(n)
        return float(differences.mean()), se, n - 1.0, "paired t over items; raters unknown"
    a, b = _item_means(first), _item_means(second)
    if min(len(a), len(b)) < 2:
        raise RatingsError("a system with one item and unknown raters can't be compared")
    u, v = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    spread = u**2 / (len(a) - 1) + v**2 / (len(b) - 1)
    df = (u + v) ** 2 / spread if spread else len(a) + len(b) - 2.0
    return float(a.mean() - b.mean()), math.sqrt(u + v), df, "Welch t over items; raters unknown"


def overall_test(ratings: Ratings) -> Friedman | Undefined:
    """Friedman's test over the raters who judged all systems, on their means for each.

    With unknown raters the blocks are the items that all systems share.
    """
    unit = ratings.rater if ratings.has_raters else ratings.item
    systems = ratings.systems
    rows = []
    for name in np.unique(unit):
        own = unit == name
        cells = [ratings.value[own & (ratings.system == s)] for s in systems]
        if all(len(c) for c in cells):
            rows.append([float(c.mean()) for c in cells])
    if not rows:
        return Undefined("no rater or item has all systems")
    return friedman(np.array(rows))
