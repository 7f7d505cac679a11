"""Set distances: agreement with scipy, closed forms, and what happens at the edges."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from concours.metrics.distribution import (
    FeatureTable,
    frechet_distance,
    kl_divergence,
    overlap_area,
    wasserstein_distance,
)
from concours.metrics.spec import Scored, Undefined

PER_FEATURE = [overlap_area, kl_divergence, wasserstein_distance]
ALL = [*PER_FEATURE, frechet_distance]
NAN = float("nan")


def table(*columns, names=None) -> FeatureTable:
    names = names or tuple("abcdefgh"[: len(columns)])
    return FeatureTable(tuple(names), np.array(columns, dtype=float).T)


def value(result) -> float:
    assert isinstance(result, Scored), result
    return result.value


def normal(seed, n=80, d=1, **kw) -> FeatureTable:
    return FeatureTable(
        tuple("abcdefgh"[:d]), np.random.default_rng(seed).normal(size=(n, d), **kw)
    )


@pytest.mark.parametrize("rule", ["scott", "silverman"])
def test_overlap_area_agrees_with_scipys_densities(rule):
    x, y = normal(1, 60, loc=0.7, scale=1.5), normal(2, 90)
    a, b = x.values[:, 0], y.values[:, 0]
    reference = scipy.stats.gaussian_kde(b, bw_method=rule)
    width = reference.factor * b.std(ddof=1)
    system = scipy.stats.gaussian_kde(a, bw_method=width / a.std(ddof=1))
    grid = np.linspace(-15, 15, 60001)
    want = scipy.integrate.trapezoid(np.minimum(system(grid), reference(grid)), grid)
    assert value(overlap_area(x, y, bandwidth=rule)) == pytest.approx(want, abs=5e-5)


def test_kl_divergence_agrees_with_scipys_entropy_of_the_same_densities():
    x, y = normal(1, 60, loc=0.7, scale=1.5), normal(2, 90)
    a, b = x.values[:, 0], y.values[:, 0]
    reference = scipy.stats.gaussian_kde(b)
    width = reference.factor * b.std(ddof=1)
    system = scipy.stats.gaussian_kde(a, bw_method=width / a.std(ddof=1))
    low, high = min(a.min(), b.min()) - 5 * width, max(a.max(), b.max()) + 5 * width
    grid = np.linspace(low, high, 100_001)
    p = (60 * system(grid) + 1 / (high - low)) / 61
    q = (90 * reference(grid) + 1 / (high - low)) / 91
    want = scipy.stats.entropy(p, q, base=2)
    assert value(kl_divergence(x, y)) == pytest.approx(want, abs=2e-4)


@pytest.mark.parametrize(("n", "m"), [(5, 5), (40, 13), (200, 301)])
def test_wasserstein_agrees_with_scipy(n, m):
    x, y = normal(n, n, loc=2), normal(m + 1, m, scale=3)
    a, b = x.values[:, 0], y.values[:, 0]
    want = scipy.stats.wasserstein_distance(a, b)
    assert value(wasserstein_distance(x, y, feature="a", scale="none")) == pytest.approx(want)
    assert value(wasserstein_distance(x, y)) == pytest.approx(want / b.std(ddof=1))


def test_one_feature_has_the_closed_form_of_two_gaussians():
    x, y = normal(1, 50, loc=3, scale=2), normal(2, 70)
    a, b = x.values[:, 0], y.values[:, 0]
    sd = b.std(ddof=1)
    want = ((a.mean() - b.mean()) / sd) ** 2 + (a.std(ddof=1) / sd - 1) ** 2
    assert value(frechet_distance(x, y)) == pytest.approx(want, rel=1e-12)


def test_frechet_agrees_with_the_root_of_the_product_of_covariances():
    import scipy.linalg

    x, y = normal(1, 50, 4), normal(2, 70, 4)
    mix = np.random.default_rng(3).normal(size=(4, 4))
    x = FeatureTable(x.names, x.values @ mix + 1)
    scale = y.values.std(axis=0, ddof=1)
    a, b = x.values / scale, y.values / scale
    root = scipy.linalg.sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    shift = a.mean(axis=0) - b.mean(axis=0)
    want = shift @ shift + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert value(frechet_distance(x, y)) == pytest.approx(want, rel=1e-9)


def test_frechet_of_fewer_items_than_features_is_real_and_zero_to_itself():
    x = normal(1, 4, 8)
    assert 0 <= value(frechet_distance(x, x)) < 1e-12
    assert value(frechet_distance(normal(5, 3, 8), x)) > 0.1


@pytest.mark.parametrize("metric", ALL)
def test_equal_sets_are_as_close_as_can_be(metric):
    x = normal(4, 30, 3)
    want = 1.0 if metric is overlap_area else 0.0
    assert value(metric(x, x)) == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize("metric", ALL)
def test_the_order_of_items_and_of_features_does_not_show(metric):
    x, y = normal(4, 30, 3), normal(5, 40, 3, loc=0.5)
    turned = FeatureTable(x.names[::-1], x.values[::-1, ::-1])
    assert value(metric(turned, y)) == pytest.approx(value(metric(x, y)), rel=1e-12)


@pytest.mark.parametrize("metric", ALL)
def test_unit_and_origin_of_a_feature_do_not_show(metric):
    x, y = normal(4, 30), normal(5, 40, loc=0.5)
    want = value(metric(x, y))
    moved = [FeatureTable(t.names, t.values * 1000 - 7) for t in (x, y)]
    assert value(metric(*moved)) == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("metric", ALL)
def test_further_away_is_worse(metric):
    y = normal(1, 60)
    values = [value(metric(FeatureTable(y.names, y.values + d), y)) for d in (0, 0.5, 1, 2, 4)]
    assert values == sorted(values, reverse=metric is overlap_area)
    assert len(set(values)) == 5


def test_sets_that_do_not_meet_are_far_apart():
    x = normal(1, 100)
    far = [FeatureTable(x.names, x.values + d) for d in (100, 10_000)]
    near_kl = value(kl_divergence(FeatureTable(x.names, x.values + 1), x))
    kl = [value(kl_divergence(t, x)) for t in far]
    assert near_kl < 2
    assert 8 < kl[0] < kl[1] < np.inf
    assert [value(overlap_area(t, x)) for t in far] == pytest.approx([0, 0], abs=1e-12)
    assert value(wasserstein_distance(far[0], x, feature="a", scale="none")) == pytest.approx(100)


@pytest.mark.parametrize("metric", PER_FEATURE)
def test_all_is_the_mean_over_features(metric):
    x, y = normal(4, 30, 3), normal(5, 40, 3, loc=0.5)
    single = [value(metric(x, y, feature=f)) for f in "abc"]
    result = metric(x, y)
    assert value(result) == pytest.approx(np.mean(single))
    assert list(result.detail["features"].values()) == pytest.approx(single)


@pytest.mark.parametrize("metric", ALL)
def test_a_feature_without_values_is_left_out_and_named(metric):
    x = table([1, 2, 3, 4], [NAN] * 4, [1, 5, 2, 2], names=("a", "b", "extra"))
    y = table([2, 3, 5, 9], [1, 2, 3, 4], [0, 1, 1, 4], names=("a", "b", "other"))
    result = metric(x, y)
    assert list(result.detail["features"]) == ["a"]
    left_out = result.detail["left_out"]
    assert set(left_out) == {"b", "extra", "other"}
    assert left_out["extra"] == "not measured on the reference"
    assert left_out["other"] == "not measured on the system"


def test_frechet_leaves_out_items_with_an_undefined_feature():
    x, y = normal(4, 30, 2), normal(5, 40, 2)
    holes = x.values.copy()
    holes[:5, 1] = NAN
    result = frechet_distance(FeatureTable(x.names, holes), y)
    assert value(result) == value(frechet_distance(FeatureTable(x.names, x.values[5:]), y))
    assert result.detail["n"] == 25


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_items_are_undefined(metric, n):
    x, y = normal(1, n), normal(2, 30)
    for a, b in ((x, y), (y, x)):
        result = metric(a, b)
        assert isinstance(result, Undefined)
        assert "a:" in result.reason or "2 are needed" in result.reason


@pytest.mark.parametrize("metric", [kl_divergence, wasserstein_distance, frechet_distance])
def test_a_feature_that_is_constant_in_the_reference_has_no_scale(metric):
    result = metric(table([1, 2, 3]), table([0.1 + 0.2, 0.3, 0.3]))
    assert isinstance(result, Undefined)
    assert "constant in the reference" in result.reason
    assert list(
        metric(table([1, 2, 3], [1, 2, 4]), table([5, 5, 5], [1, 2, 3])).detail["features"]
    ) == ["b"]


def test_overlap_with_a_constant_is_the_share_that_equals_it():
    assert value(overlap_area(table([5, 5, 5, 4]), table([5, 5, 5]))) == 0.75


@pytest.mark.parametrize("metric", ALL)
def test_a_constant_system_is_measured(metric):
    result = value(metric(table([5, 5, 5]), table([1, 2, 3, 4])))
    assert np.isfinite(result)
    assert result > 0


def test_misuse_is_told():
    x = normal(1)
    with pytest.raises(ValueError, match="no feature is called 'z'; there are: a"):
        overlap_area(x, x, feature="z")
    with pytest.raises(ValueError, match="bandwidth must be scott or silverman"):
        overlap_area(x, x, bandwidth="wide")
    with pytest.raises(ValueError, match="scale must be"):
        wasserstein_distance(x, x, scale="sd")
    with pytest.raises(ValueError, match="name it with feature=NAME"):
        wasserstein_distance(x, x, scale="none")
    with pytest.raises(ValueError, match="infinite"):
        kl_divergence(table([1, np.inf, 2]), x)


@pytest.mark.parametrize(("n", "d"), [(5, 3), (20, 30), (100, 7)])
def test_shrunk_covariances_equal_scikit_learns(n, d):
    from sklearn.covariance import ledoit_wolf, oas

    from concours.metrics.shrinkage import shrunk_covariance

    rows = np.random.default_rng(n).normal(size=(n, d)) * np.arange(1, d + 1)
    for theirs, rule in ((ledoit_wolf, "ledoit-wolf"), (oas, "oas")):
        covariance, amount = theirs(rows)
        ours = shrunk_covariance(rows, rule)
        assert ours.amount == pytest.approx(amount, abs=1e-12)
        np.testing.assert_allclose(ours.covariance, covariance, atol=1e-12)


def test_shrinkage_takes_the_bias_of_few_items_away():
    rng = np.random.default_rng(0)
    names = tuple(f"f{i}" for i in range(30))
    few, many = (FeatureTable(names, rng.normal(size=(n, 30))) for n in (20, 400))
    plain = frechet_distance(few, many)
    assert "mostly bias" in plain.detail["warning"]
    for rule in ("ledoit-wolf", "oas"):
        shrunk = frechet_distance(few, many, shrinkage=rule)
        assert shrunk.value < plain.value / 2
        assert 0 < shrunk.detail["shrinkage"][0] <= 1
        assert frechet_distance(many, many, shrinkage=rule).value == pytest.approx(0, abs=1e-9)
