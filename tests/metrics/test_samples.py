"""Set distances that rest on pairs, beside scipy, scikit-learn and plain counting."""

import itertools

import numpy as np
import pytest
import scipy.stats
from scipy.spatial.distance import cdist

from concours.metrics import samples
from concours.metrics.features import FeatureTable, standardized
from concours.metrics.spec import Undefined

PER_FEATURE = (
    samples.intra_set_distance,
    samples.inter_set_distance,
    samples.distance_overlap,
    samples.distance_divergence,
)
OF_ROWS = (
    samples.energy_distance,
    samples.maximum_mean_discrepancy,
    samples.feature_precision,
    samples.feature_recall,
    samples.feature_density,
    samples.feature_coverage,
    samples.vendi_score,
)


def normal(seed, n=60, d=1, loc=0.0, scale=1.0) -> FeatureTable:
    values = np.random.default_rng(seed).normal(loc, scale, size=(n, d))
    return FeatureTable(tuple("abcdefgh"[:d]), values)


def test_mean_distances_equal_all_pairs():
    x, y = normal(1, 40, loc=1), normal(2, 30)
    a, b = x.values[:, 0] / y.values.std(ddof=1), y.values[:, 0] / y.values.std(ddof=1)
    within = np.mean([abs(p - q) for p, q in itertools.combinations(a, 2)])
    assert samples.intra_set_distance(x, y).value == pytest.approx(within)
    assert samples.inter_set_distance(x, y).value == pytest.approx(
        np.abs(a[:, None] - b[None, :]).mean()
    )


def test_densities_of_distances_agree_with_scipy():
    x, y = normal(1, 40, loc=1.5), normal(2, 50)
    sd = y.values.std(ddof=1)
    a, b = x.values[:, 0] / sd, y.values[:, 0] / sd
    across = np.abs(a[:, None] - b[None, :]).ravel()
    among = np.array([abs(p - q) for p, q in itertools.combinations(b, 2)])
    q = scipy.stats.gaussian_kde(among)
    width = q.factor * among.std(ddof=1)
    p = scipy.stats.gaussian_kde(across, bw_method=width / across.std(ddof=1))
    grid = np.linspace(-5, 15, 8001)
    expected = np.minimum(p(grid), q(grid)).sum() * (grid[1] - grid[0])
    assert samples.distance_overlap(x, y).value == pytest.approx(expected, abs=2e-3)


def test_distances_tell_a_set_from_its_shift():
    """Where each density has a grid of its own, the divergence of a far copy is 0."""
    here = normal(3, 50)
    far = FeatureTable(here.names, here.values + 100)
    assert samples.distance_divergence(here, here).value < 0.1
    assert samples.distance_divergence(far, here).value > 3
    assert samples.distance_overlap(far, here).value < 1e-6


def test_energy_distance_is_scipy_s_squared_in_one_dimension():
    x, y = normal(1, 40, loc=0.5), normal(2, 50)
    rows = standardized(x, y, "all")
    expected = scipy.stats.energy_distance(rows.system[:, 0], rows.reference[:, 0]) ** 2
    assert samples.energy_distance(x, y).value == pytest.approx(expected)


def test_discrepancy_equals_scikit_learn_s_kernel():
    from sklearn.metrics.pairwise import rbf_kernel

    rows = standardized(normal(1, 40, 3, loc=0.5), normal(2, 50, 3), "all")
    x, y = rows.system, rows.reference
    h = np.median(cdist(y, y)[np.triu_indices(50, 1)])
    gamma = 1 / (2 * h * h)
    expected = (
        rbf_kernel(x, x, gamma).mean()
        + rbf_kernel(y, y, gamma).mean()
        - 2 * rbf_kernel(x, y, gamma).mean()
    )
    found = samples.maximum_mean_discrepancy(normal(1, 40, 3, loc=0.5), normal(2, 50, 3))
    assert found.value == pytest.approx(expected)


def test_neighbourhoods_by_counting():
    from sklearn.neighbors import NearestNeighbors

    a, b, k = normal(1, 30, 2, loc=1), normal(2, 40, 2), 3
    rows = standardized(a, b, "all")
    x, y = rows.system, rows.reference

    def radii(side):
        return NearestNeighbors(n_neighbors=k + 1).fit(side).kneighbors(side)[0][:, k]

    d, rx, ry = cdist(x, y), radii(x), radii(y)
    inside = d <= ry[None, :] + 1e-12
    assert samples.feature_precision(a, b, k=k).value == pytest.approx(inside.any(axis=1).mean())
    assert samples.feature_density(a, b, k=k).value == pytest.approx(inside.sum() / (k * len(x)))
    assert samples.feature_coverage(a, b, k=k).value == pytest.approx(inside.any(axis=0).mean())
    found = samples.feature_recall(a, b, k=k).value
    assert found == pytest.approx((d <= rx[:, None] + 1e-12).any(axis=0).mean())


def test_vendi_counts_the_kinds():
    kinds = np.repeat([[0.0], [1e6], [2e6], [3e6]], 10, axis=0)
    spread = FeatureTable(("a",), kinds)
    assert samples.vendi_score(spread, spread, bandwidth=1e-3).value == pytest.approx(4, abs=1e-6)
    same = FeatureTable(("a",), np.full((20, 1), 5.0))
    assert samples.vendi_score(same, spread).value == pytest.approx(1)


@pytest.mark.parametrize("metric", [*PER_FEATURE, *OF_ROWS])
def test_small_constant_and_holed_sets(metric):
    one = FeatureTable(("a",), np.array([[1.0]]))
    constant = FeatureTable(("a",), np.full((40, 1), 2.0))
    holed = FeatureTable(("a", "b"), np.random.default_rng(0).normal(size=(40, 2)))
    holed.values[:30, 1] = np.nan
    assert isinstance(metric(one, normal(1)), Undefined)
    assert isinstance(metric(normal(1), constant), Undefined)
    found = metric(holed, holed)
    assert np.isfinite(found.value)
    low, high = 0, np.inf
    assert low <= found.value <= high
    if metric in OF_ROWS:
        assert "undefined on more than half" in found.detail["left_out"]["b"]


@pytest.mark.parametrize("metric", [*PER_FEATURE, *OF_ROWS])
def test_few_items_are_warned_of(metric):
    assert "rough estimate" in metric(normal(1, 10), normal(2, 40)).detail["warning"]
    assert "warning" not in metric(normal(1, 40), normal(2, 40)).detail


@pytest.mark.parametrize("metric", [*PER_FEATURE, *OF_ROWS])
def test_the_unit_of_a_feature_does_not_matter(metric):
    x, y = normal(1, 40, loc=0.5), normal(2, 40)
    scaled = [FeatureTable(t.names, 1000 * t.values + 7) for t in (x, y)]
    assert metric(*scaled).value == pytest.approx(metric(x, y).value, rel=1e-9, abs=1e-9)
