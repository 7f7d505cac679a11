"""Metrics against ratings: agreement with scipy, planted and absent relations, refusals."""

import numpy as np
import pytest
from scipy import stats

from concours.eval.stats.correlate import (
    better_predictor,
    coefficients,
    correlation,
    disattenuated,
    mos_reliability,
)
from concours.eval.stats.multiplicity import benjamini_hochberg
from concours.metrics.spec import Undefined

SCIPY = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}


def clips(seed: int, systems: int = 4, each: int = 25):
    """(mos, system labels) with differences between systems."""
    rng = np.random.default_rng(seed)
    system = np.repeat([f"s{k}" for k in range(systems)], each)
    return np.repeat(rng.normal(size=systems), each) + rng.normal(size=systems * each), system


@pytest.mark.parametrize("kind", list(SCIPY))
def test_equals_scipy_with_ties(kind: str) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 8, 60).astype(float), rng.integers(0, 6, 60).astype(float)
    found = coefficients(x, y, np.ones((1, 60)), kind)[0]
    assert found == pytest.approx(SCIPY[kind](x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("kind", list(SCIPY))
def test_weights_are_the_same_as_drawing_the_rows(kind: str) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 9, 20).astype(float), rng.normal(size=20)
    rows = rng.integers(0, 20, 20)
    weights = np.bincount(rows, minlength=20)[None, :].astype(float)
    found = coefficients(x, y, weights, kind)[0]
    assert found == pytest.approx(SCIPY[kind](x[rows], y[rows]).statistic, abs=1e-12)


def test_a_planted_metric_is_found_first_and_noise_is_not() -> None:
    mos, system = clips(3)
    rng = np.random.default_rng(4)
    metrics = [mos + 0.8 * rng.normal(size=len(mos)), *rng.normal(size=(100, len(mos)))]
    p = [correlation(m, mos, system, scope="within", draws=50).p for m in metrics]
    adjusted = benjamini_hochberg(p)
    assert np.argmin(p) == 0
    assert adjusted[0] <= 0.05
    assert np.mean(adjusted[1:] <= 0.05) <= 0.05


def test_what_only_orders_systems_shows_at_clip_level_and_not_within() -> None:
    system = np.repeat([f"s{k}" for k in range(4)], 30)
    rng = np.random.default_rng(5)
    offset = np.repeat([0.0, 1, 2, 3], 30)
    mos, metric = offset + rng.normal(size=120), offset + rng.normal(size=120)
    assert correlation(metric, mos, system, scope="clip").ci_low > 0.3
    inside = correlation(metric, mos, system, scope="within")
    assert inside.ci_low < 0 < inside.ci_high


def test_no_interval_below_6_systems() -> None:
    mos, system = clips(6, systems=5)
    few = correlation(mos, mos, system, scope="system")
    assert (few.value, few.ci_low, few.n) == (1, None, 5)
    assert "needs 6" in few.reason
    assert few.p == pytest.approx(2 / 120)  # the order and its reverse, of 5!
    mos, system = clips(6, systems=6)
    assert (
        correlation(mos, mos + np.repeat(np.arange(6.0), 25), system, scope="system").ci_low
        is not None
    )


def test_a_constant_metric_is_undefined() -> None:
    mos, system = clips(7)
    assert isinstance(correlation(np.ones(len(mos)), mos, system), Undefined)


def test_the_sharper_of_two_metrics_is_told_whatever_its_sign() -> None:
    mos, system = clips(8)
    rng = np.random.default_rng(9)
    sharp, dull = -mos + 0.3 * rng.normal(size=100), mos + 3 * rng.normal(size=100)
    found = better_predictor(sharp, dull, mos, system)
    assert found.ci_low > 0
    assert found.p < 0.01
    same = better_predictor(sharp, sharp, mos, system)
    assert (same.difference, same.p) == (0, 1)


def test_reliability_and_disattenuation_undo_rating_noise() -> None:
    rng = np.random.default_rng(10)
    truth = rng.normal(size=400)
    groups = [t + rng.normal(size=5) for t in truth]
    reliability = mos_reliability(groups)
    assert reliability == pytest.approx(1 / (1 + 1 / 5), abs=0.03)
    mos = np.array([g.mean() for g in groups])
    r = float(np.corrcoef(truth, mos)[0, 1])
    assert disattenuated(r, reliability) == pytest.approx(1, abs=0.03)
    assert isinstance(disattenuated(0.5, Undefined("unknown")), Undefined)
