"""Distances between a set of pieces and a reference set, over features of the pieces.

Conventions
-----------
- A feature is one number a piece (a clip metric); an undefined one is NaN and is left out of its
  column. Features are matched by name; those on one side only are left out, with the reason.
- ``feature="all"`` is the mean over the features that are defined; ``feature=NAME`` is one of
  them. The detail states every feature's value, the items it rests on, and what was left out.
- Everything that scales is taken from the reference (bandwidth, standard deviation with n - 1),
  so two systems measured against one reference are measured with one ruler.
- Densities are Gaussian kernel estimates of one bandwidth on one grid for both sides: a lattice
  of an eighth of the bandwidth, wherever either side has an item within five bandwidths.
- A feature that is constant in the reference has no scale: it counts only where a definition
  below gives it a meaning.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from concours.metrics.densities import REACH, lattice
from concours.metrics.features import (
    FeatureTable,
    few_items,
    is_constant,
    per_feature,
    standardized,
)
from concours.metrics.registry import metric
from concours.metrics.shrinkage import Shrinkage, shrunk_covariance
from concours.metrics.spec import Scored, Undefined

Floats = NDArray[np.float64]

__all__ = [
    "FeatureTable",
    "frechet_distance",
    "kl_divergence",
    "overlap_area",
    "wasserstein_distance",
]

BANDWIDTHS = {"scott": lambda n: n ** (-1 / 5), "silverman": lambda n: (n * 3 / 4) ** (-1 / 5)}
SCALES = ("reference-sd", "none")


@metric(
    level="set",
    inputs="features",
    invariant=("item-order",),
    direction="lower",
    unit="sd",
    range=(0.0, np.inf),
    citation="Vallender 1974, doi:10.1137/1118101",
    per_feature=True,
)
def wasserstein_distance(
    system: FeatureTable,
    reference: FeatureTable,
    *,
    feature: str = "all",
    scale: str = "reference-sd",
) -> Scored | Undefined:
    """How far a feature's values in the system must move to become the reference's.

    ``∫ |F(x) - G(x)| dx`` of the two empirical distribution functions (first Wasserstein
    distance), in standard deviations of the reference; with ``scale="none"`` in the feature's own
    unit, where a mean over features has no meaning, so ``feature`` must then name one.

    At least 0, lower is closer. Undefined with fewer than 2 items on a side, or where the feature
    is constant in the reference and ``scale`` needs its deviation.

    >>> here = FeatureTable(("range",), np.array([[1.0], [2.0], [3.0]]))
    >>> wasserstein_distance(FeatureTable(("range",), here.values + 4), here).value
    4.0
    """
    if scale not in SCALES:
        raise ValueError(f"scale must be {' or '.join(SCALES)}, not {scale!r}")
    if scale == "none" and feature == "all":
        raise ValueError("scale='none' compares one feature: name it with feature=NAME")

    def distance(x: Floats, y: Floats) -> float | Undefined:
        if scale == "none":
            return _transport(x, y)
        if is_constant(y):
            return Undefined("constant in the reference, so it has no standard deviation")
        return _transport(x, y) / _sd(y)

    return per_feature(system, reference, feature, distance, {"scale": scale})


@metric(
    level="set",
    inputs="features",
    invariant=("item-order",),
    direction="lower",
    unit="sd²",
    range=(0.0, np.inf),
    citation="Dowson & Landau 1982, doi:10.1016/0047-259X(82)90077-X",
)
def frechet_distance(
    system: FeatureTable,
    reference: FeatureTable,
    *,
    feature: str = "all",
    shrinkage: Shrinkage = "none",
) -> Scored | Undefined:
    """The Fréchet distance between Gaussians fitted to the feature vectors of both sets.

    ``|m - r|² + tr(S + R - 2 (S R)^½)`` with means m, r and covariances S, R (over n - 1) of the
    features in standard deviations of the reference. A feature is left out where it is constant
    in the reference or undefined on more than half of the items of a side; then an item is left
    out where a remaining feature is undefined. The estimate is biased upwards for few items, so
    compare systems of one size only, or let ``shrinkage`` draw both covariances towards a multiple
    of the identity: ``ledoit-wolf`` or ``oas``. The detail states the amounts, and warns below 30
    items on a side and where there are no more items than features.

    At least 0, lower is closer; 0 for equal sets. Undefined with fewer than 2 complete items on a
    side, or without a feature.

    >>> here = FeatureTable(("range",), np.array([[1.0], [2.0], [3.0]]))
    >>> frechet_distance(FeatureTable(("range",), here.values + 4), here).value
    16.0
    """
    rows = standardized(system, reference, feature)
    if isinstance(rows, Undefined):
        return rows
    x, y = rows.system, rows.reference
    fewest = min(len(x), len(y))
    warning = few_items(fewest)
    if fewest <= x.shape[1] and shrinkage == "none":
        warning = (
            f"{fewest} items for {x.shape[1]} features: the distance is mostly bias; take fewer "
            "features, or shrinkage=ledoit-wolf or oas"
        )
    evidence = {**rows.evidence, **({"warning": warning} if warning else {})}
    if shrinkage == "none":
        return Scored(_gaussian_distance(x, y), evidence)
    shrunk = [shrunk_covariance(side, shrinkage) for side in (x, y)]
    shift = x.mean(axis=0) - y.mean(axis=0)
    value = _distance_of_covariances(shift, shrunk[0].covariance, shrunk[1].covariance)
    return Scored(value, {**evidence, "shrinkage": [s.amount for s in shrunk]})


@metric(
    level="set",
    inputs="features",
    invariant=("item-order",),
    direction="lower",
    unit="bit",
    range=(0.0, np.inf),
    citation="Yang & Lerch 2020, On the evaluation of generative models in music",
    per_feature=True,
)
def kl_divergence(
    system: FeatureTable,
    reference: FeatureTable,
    *,
    feature: str = "all",
    bandwidth: str = "scott",
) -> Scored | Undefined:
    """The Kullback-Leibler divergence of a feature's density in the system from the reference's.

    ``∫ p log2(p / q) dx`` of Gaussian kernel densities p (system) and q (reference), both with the
    bandwidth of the reference. One pseudo-observation, spread evenly over the span of both sides,
    is added to each: where one side has nothing, "none in n" is not taken for "never". So the
    value stays finite, grows with the distance of sets that do not meet, and the pseudo-observation
    fades as n grows. Values for different n are therefore not quite comparable.

    At least 0, lower is closer; 0 for equal sets. Undefined with fewer than 2 items on a side, or
    where the feature is constant in the reference.

    >>> here = FeatureTable(("range",), np.arange(50.0)[:, None])
    >>> far = FeatureTable(("range",), here.values + 100)
    >>> round(kl_divergence(here, here).value, 6), kl_divergence(far, here).value > 6
    (0.0, True)
    """
    factor = _bandwidth_factor(bandwidth)

    def divergence(x: Floats, y: Floats) -> float | Undefined:
        if is_constant(y):
            return Undefined("constant in the reference, so it has no bandwidth")
        h = factor(len(y)) * _sd(y)
        grid = lattice(x, y, h)
        low, high = min(x.min(), y.min()) - REACH * h, max(x.max(), y.max()) + REACH * h
        span = max(float(high - low), len(grid.points) * grid.step)
        p = (len(x) * grid.density(x) + 1 / span) / (len(x) + 1)
        q = (len(y) * grid.density(y) + 1 / span) / (len(y) + 1)
        inside = float((p * np.log2(p / q)).sum() * grid.step)
        empty = 1 - len(grid.points) * grid.step / span
        outside = empty / (len(x) + 1) * np.log2((len(y) + 1) / (len(x) + 1))
        return max(0.0, inside + float(outside))

    return per_feature(system, reference, feature, divergence, {"bandwidth": bandwidth})


@metric(
    level="set",
    inputs="features",
    invariant=("item-order",),
    direction="higher",
    unit="share",
    range=(0.0, 1.0),
    citation="Yang & Lerch 2020, On the evaluation of generative models in music",
    per_feature=True,
)
def overlap_area(
    system: FeatureTable,
    reference: FeatureTable,
    *,
    feature: str = "all",
    bandwidth: str = "scott",
) -> Scored | Undefined:
    """How much the density of a feature in the system overlaps that in the reference.

    ``∫ min(p, q) dx`` of Gaussian kernel densities p (system) and q (reference), both with the
    bandwidth that Scott's rule (or ``silverman``'s) gives for the reference. Where the feature is
    constant in the reference, the limit for a vanishing bandwidth: the share of the system's
    items that have exactly that value.

    Range 0-1, higher is closer; 1 for equal sets. Undefined with fewer than 2 items on a side.

    >>> table = FeatureTable(("range",), np.array([[1.0], [2.0], [3.0]]))
    >>> round(overlap_area(table, table).value, 6)
    1.0
    """
    factor = _bandwidth_factor(bandwidth)

    def area(x: Floats, y: Floats) -> float | Undefined:
        if is_constant(y):
            return float(np.mean(np.abs(x - y[0]) <= 1e-12 * np.abs(y[0])))
        grid = lattice(x, y, factor(len(y)) * _sd(y))
        return float(np.minimum(grid.density(x), grid.density(y)).sum() * grid.step)

    return per_feature(system, reference, feature, area, {"bandwidth": bandwidth})


def _bandwidth_factor(rule: str) -> Callable[[int], float]:
    if rule not in BANDWIDTHS:
        raise ValueError(f"bandwidth must be {' or '.join(BANDWIDTHS)}, not {rule!r}")
    return BANDWIDTHS[rule]


def _sd(values: Floats) -> float:
    return float(values.std(ddof=1))


def _transport(x: Floats, y: Floats) -> float:
    points = np.sort(np.concatenate([x, y]))
    f = np.searchsorted(np.sort(x), points[:-1], side="right") / len(x)
    g = np.searchsorted(np.sort(y), points[:-1], side="right") / len(y)
    return float(np.sum(np.abs(f - g) * np.diff(points)))


def _gaussian_distance(x: Floats, y: Floats) -> float:
    """Squared Fréchet distance of Gaussians fitted to (n, d) and (m, d) data, n and m at least 2.

    With the triangular factors A and B of the centred data, S = AᵀA and R = BᵀB, so the trace of
    the root of S R is the sum of the singular values of A Bᵀ: real, and exact for any rank.
    """
    a, b = _factor(x), _factor(y)
    shift = x.mean(axis=0) - y.mean(axis=0)
    cross = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return max(0.0, float(shift @ shift + (a * a).sum() + (b * b).sum() - 2 * cross))


def _distance_of_covariances(shift: Floats, s: Floats, r: Floats) -> float:
    """The same of covariances S and R: with S^½ from its eigenvalues, tr (S R)^½ is the sum of the
    roots of the eigenvalues of S^½ R S^½."""
    values, vectors = np.linalg.eigh(s)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ r @ root), 0.0)).sum()
    return max(0.0, float(shift @ shift + np.trace(s) + np.trace(r) - 2 * cross))


def _factor(x: Floats) -> Floats:
    factor: Floats = np.asarray(
        np.linalg.qr((x - x.mean(axis=0)) / np.sqrt(len(x) - 1), mode="r"), np.float64
    )
    return factor
