"""Distances between two sets of pieces that rest on the distances between their items.

Conventions
-----------
- Features are those of :mod:`concours.metrics.distribution`: one number a piece, undefined ones
  left out with the reason. The per-feature metrics are means over features, in standard
  deviations of the reference; the others compare items as vectors of all features.
- Vectors are standardized with the reference's means and deviations, so that every feature
  weighs the same; distances are Euclidean.
- Below 30 items on a side the detail carries a ``warning``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from concours.metrics.features import (
    FeatureTable,
    Rows,
    few_items,
    is_constant,
    per_feature,
    standardized,
)
from concours.metrics.manifold import effective_number, manifold_of_rows
from concours.metrics.piece import Floats
from concours.metrics.registry import metric
from concours.metrics.spec import Direction, Scored, Undefined

YANG = "Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7"
NAEEM = "Naeem et al. 2020, Reliable fidelity and diversity metrics, arXiv:2002.09797"
KYNKAANNIEMI = "Kynkäänniemi et al. 2019, arXiv:1904.06991"
CELLS = 8
REACH = 5

F = TypeVar("F", bound=Callable[..., Any])


def _metric(citation: str, unit: str, direction: Direction, high: float) -> Callable[[F], F]:
    return metric(
        level="set",
        inputs="features",
        direction=direction,
        unit=unit,
        range=(0.0, high),
        citation=citation,
        invariant=("item-order",),
    )


@_metric(YANG, "sd", "none", math.inf)
def intra_set_distance(
    system: FeatureTable, reference: FeatureTable, *, feature: str = "all"
) -> Scored | Undefined:
    """Mean distance between two items of the system, feature by feature.

    mean |x_i - x_j| over the pairs i < j, in standard deviations of the reference; small where
    the system repeats itself. Undefined with fewer than 2 items on a side, or where the feature
    is constant in the reference.

    >>> table = FeatureTable(("range",), np.array([[1.0], [2.0], [3.0]]))
    >>> round(intra_set_distance(table, table).value, 4)
    1.3333
    """
    return _per_feature(system, reference, feature, lambda x, _: _mean_within(x))


@_metric(YANG, "sd", "lower", math.inf)
def inter_set_distance(
    system: FeatureTable, reference: FeatureTable, *, feature: str = "all"
) -> Scored | Undefined:
    """Mean distance of an item of the system to one of the reference, feature by feature.

    mean |x_i - y_j| over all pairs, in standard deviations of the reference. As
    :func:`intra_set_distance`.

    >>> one, two = (FeatureTable(("range",), np.array([[v], [v + 1]])) for v in (0.0, 0.0))
    >>> round(inter_set_distance(one, two).value, 4)
    0.7071
    """
    return _per_feature(system, reference, feature, _mean_between)


@_metric(YANG, "share", "higher", 1.0)
def distance_overlap(
    system: FeatureTable, reference: FeatureTable, *, feature: str = "all"
) -> Scored | Undefined:
    """Overlap of the distances across the sets with those within the reference.

    The area under the smaller of two Gaussian kernel densities: of |x_i - y_j| over all pairs,
    and of |y_i - y_j| over the pairs of the reference. Both have the bandwidth that Scott's rule
    gives for the latter and lie on one lattice of an eighth of it, each distance at its nearest
    point; distances ten bandwidths beyond the reference's largest count as that. 1 where a
    system's item is to the reference what another item of the reference is.
    Undefined as :func:`intra_set_distance`, or with fewer than 3 items in the reference.

    Source: Yang & Lerch 2020 (OA of inter- and intra-set distances), whose code gives each
    density a grid of its own.
    """
    return _per_feature(system, reference, feature, _overlap)


@_metric(YANG, "bit", "lower", math.inf)
def distance_divergence(
    system: FeatureTable, reference: FeatureTable, *, feature: str = "all"
) -> Scored | Undefined:
    """Kullback-Leibler divergence of the distances across the sets from those in the reference.

    Of the two densities of :func:`distance_overlap`, each mixed with one pseudo-observation
    spread evenly over the lattice, so that it stays finite. Undefined as there.
    """
    return _per_feature(system, reference, feature, _divergence)


@_metric("Székely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018", "sd", "lower", math.inf)
def energy_distance(
    system: FeatureTable, reference: FeatureTable, *, feature: str = "all"
) -> Scored | Undefined:
    """Energy distance of the two sets of feature vectors.

    2 E|x - y| - E|x - x'| - E|y - y'| over all pairs, an item with itself included: 0 only for
    equal distributions. Undefined with fewer than 2 complete items on a side, or without a
    feature that varies in the reference.

    >>> table = FeatureTable(("range",), np.array([[1.0], [2.0], [3.0]]))
    >>> energy_distance(table, table).value
    0.0
    """

    def distance(rows: Rows) -> float:
        across = _distances(rows.system, rows.reference).mean()
        within = _distances(rows.system, rows.system).mean()
        among = _distances(rows.reference, rows.reference).mean()
        return max(0.0, float(2 * across - within - among))

    return _of_rows(system, reference, feature, distance)


@_metric("Gretton et al. 2012, JMLR 13", "1", "lower", 2.0)
def maximum_mean_discrepancy(
    system: FeatureTable, reference: FeatureTable, *, feature: str = "all", bandwidth: float = 1.0
) -> Scored | Undefined:
    """Squared maximum mean discrepancy of the two sets under a Gaussian kernel.

    mean k(x, x') + mean k(y, y') - 2 mean k(x, y) over all pairs, with k = exp(-d² / 2h²) and h
    ``bandwidth`` times the median distance between two items of the reference. Undefined as
    :func:`energy_distance`, or where most of the reference is one point.
    """

    def discrepancy(rows: Rows) -> float | Undefined:
        among = _distances(rows.reference, rows.reference)
        h = bandwidth * float(np.median(among[np.triu_indices(len(among), 1)]))
        if h <= 0:
            return Undefined("the median distance within the reference is 0")

        def mean_kernel(d: Floats) -> float:
            return float(np.exp(-np.square(d) / (2 * h * h)).mean())

        across = mean_kernel(_distances(rows.system, rows.reference))
        within = mean_kernel(_distances(rows.system, rows.system))
        return max(0.0, within + mean_kernel(among) - 2 * across)

    return _of_rows(system, reference, feature, discrepancy)


@_metric(KYNKAANNIEMI, "share", "higher", 1.0)
def feature_precision(
    system: FeatureTable, reference: FeatureTable, *, feature: str = "all", k: int = 5
) -> Scored | Undefined:
    """Share of the system's items that lie within the reference.

    Within: no further from some item of the reference than that item's k-th nearest neighbour in
    the reference. Undefined as :func:`energy_distance`, or with no more than k items on a side.
    """
    return _of_neighbours(system, reference, feature, k, "precision")


@_metric(KYNKAANNIEMI, "share", "higher", 1.0)
def feature_recall(
    system: FeatureTable, reference: FeatureTable, *, feature: str = "all", k: int = 5
) -> Scored | Undefined:
    """Share of the reference's items that lie within the system.

    As :func:`feature_precision`, the sets exchanged.
    """
    return _of_neighbours(system, reference, feature, k, "recall")


@_metric(NAEEM, "1", "higher", math.inf)
def feature_density(
    system: FeatureTable, reference: FeatureTable, *, feature: str = "all", k: int = 5
) -> Scored | Undefined:
    """Mean number of reference neighbourhoods that hold an item of the system, divided by k.

    About 1 for equal distributions, and less open to outliers than :func:`feature_precision`,
    which has the neighbourhoods.
    """
    return _of_neighbours(system, reference, feature, k, "density")


@_metric(NAEEM, "share", "higher", 1.0)
def feature_coverage(
    system: FeatureTable, reference: FeatureTable, *, feature: str = "all", k: int = 5
) -> Scored | Undefined:
    """Share of the reference's neighbourhoods that hold an item of the system.

    Neighbourhoods as in :func:`feature_precision`.
    """
    return _of_neighbours(system, reference, feature, k, "coverage")


@_metric("Friedman & Dieng 2023, arXiv:2210.02410", "item", "none", math.inf)
def vendi_score(
    system: FeatureTable, reference: FeatureTable, *, feature: str = "all", bandwidth: float = 1.0
) -> Scored | Undefined:
    """Effective number of different items in the system.

    exp(-sum λ ln λ) over the eigenvalues λ of K / n, with K the Gaussian kernel of
    :func:`maximum_mean_discrepancy` over the system's items: 1 if all are alike, n if all are
    unlike. Undefined as there.
    """

    def score(rows: Rows) -> float | Undefined:
        among = _distances(rows.reference, rows.reference)
        h = bandwidth * float(np.median(among[np.triu_indices(len(among), 1)]))
        if h <= 0:
            return Undefined("the median distance within the reference is 0")
        kernel = np.exp(-np.square(_distances(rows.system, rows.system)) / (2 * h * h))
        return effective_number(kernel / len(kernel))

    return _of_rows(system, reference, feature, score)


class _Densities(NamedTuple):
    overlap: float
    divergence: float


def _densities(x: Floats, y: Floats) -> _Densities | Undefined:
    if len(y) < 3:
        return Undefined("fewer than 3 items in the reference")
    across = np.abs(x[:, None] - y[None, :]).ravel()
    among = np.abs(y[:, None] - y[None, :])[np.triu_indices(len(y), 1)]
    step = len(among) ** (-1 / 5) * among.std(ddof=1) / CELLS
    margin = REACH * CELLS
    reach = np.arange(-margin, margin + 1)
    kernel = np.exp(-0.5 * (reach / CELLS) ** 2)
    cells = [np.rint(d / step).astype(np.int64) for d in (across, among)]
    far = int(cells[1].max()) + 2 * margin
    p, q = (
        np.convolve(np.bincount(np.minimum(c, far), minlength=far + 1) / len(c), kernel)
        / kernel.sum()
        for c in cells
    )
    even = 1 / len(p)
    mixed_p = (len(x) * p + even) / (len(x) + 1)
    mixed_q = (len(y) * q + even) / (len(y) + 1)
    divergence = float((mixed_p * np.log2(mixed_p / mixed_q)).sum())
    return _Densities(min(1.0, float(np.minimum(p, q).sum())), max(0.0, divergence))


def _overlap(x: Floats, y: Floats) -> float | Undefined:
    found = _densities(x, y)
    return found if isinstance(found, Undefined) else found.overlap


def _divergence(x: Floats, y: Floats) -> float | Undefined:
    found = _densities(x, y)
    return found if isinstance(found, Undefined) else found.divergence


def _mean_within(x: Floats) -> float:
    """Mean |x_i - x_j| over i < j: each of the n - 1 gaps counts for the pairs that span it."""
    ordered, n = np.sort(x), len(x)
    left = np.arange(1, n)
    return float((np.diff(ordered) * left * (n - left)).sum() / (n * (n - 1) / 2))


def _mean_between(x: Floats, y: Floats) -> float:
    points = np.sort(np.concatenate([x, y]))
    f = np.searchsorted(np.sort(x), points[:-1], side="right") / len(x)
    g = np.searchsorted(np.sort(y), points[:-1], side="right") / len(y)
    return float((np.diff(points) * (f * (1 - g) + g * (1 - f))).sum())


def _per_feature(
    system: FeatureTable,
    reference: FeatureTable,
    feature: str,
    compare: Callable[[Floats, Floats], float | Undefined],
) -> Scored | Undefined:
    def scaled(x: Floats, y: Floats) -> float | Undefined:
        if is_constant(y):
            return Undefined("constant in the reference, so it has no standard deviation")
        sd = y.std(ddof=1)
        return compare(x / sd, y / sd)

    return _warned(per_feature(system, reference, feature, scaled, {}))


def _of_rows(
    system: FeatureTable,
    reference: FeatureTable,
    feature: str,
    compare: Callable[[Rows], float | Undefined],
) -> Scored | Undefined:
    rows = standardized(system, reference, feature)
    if isinstance(rows, Undefined):
        return rows
    value = compare(rows)
    return value if isinstance(value, Undefined) else _warned(Scored(value, rows.evidence))


def _of_neighbours(
    system: FeatureTable,
    reference: FeatureTable,
    feature: str,
    k: int,
    share: Literal["precision", "recall", "density", "coverage"],
) -> Scored | Undefined:
    """One number of :func:`concours.metrics.manifold.manifold_of_rows`."""
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")

    def measured(rows: Rows) -> float | Undefined:
        if min(len(rows.system), len(rows.reference)) <= k:
            return Undefined(f"no more than k = {k} complete items on a side")
        return float(getattr(manifold_of_rows(rows.system, rows.reference, k, _squared), share))

    return _of_rows(system, reference, feature, measured)


def _distances(x: Floats, y: Floats) -> Floats:
    """Euclidean distances, (n, m): exactly 0 between equal rows."""
    from scipy.spatial.distance import cdist

    distances: Floats = cdist(x, y)
    return distances


def _squared(x: Floats, y: Floats) -> Floats:
    """Squared distances; copies of an item lie exactly on each other."""
    return np.square(_distances(x, y))


def _warned(result: Scored | Undefined) -> Scored | Undefined:
    if isinstance(result, Undefined):
        return result
    note = few_items(min(result.detail["n"], result.detail["n_reference"]))
    return Scored(result.value, {**result.detail, "warning": note}) if note else result
