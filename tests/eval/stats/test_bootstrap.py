"""Intervals: degenerate inputs, agreement with scipy, and the coverage they promise."""

import numpy as np
import pytest
from scipy import stats

from concours.eval.stats.bootstrap import Interval, half_sample_intervals, mean_interval


def test_one_value_has_no_interval() -> None:
    assert mean_interval(np.array([1.0])) is None
    assert mean_interval(np.array([])) is None


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert mean_interval(np.full(9, 0.25)) == Interval(0.25, 0.25)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).normal(size=30)
    assert mean_interval(values, seed=3) == mean_interval(values, seed=3)
    assert mean_interval(values, seed=3) != mean_interval(values, seed=4)


def test_close_to_the_t_interval_on_normal_data() -> None:
    values = np.random.default_rng(1).normal(10, 2, size=40)
    found = mean_interval(values, resamples=20_000)
    assert found is not None
    half = stats.t.ppf(0.975, 39) * values.std(ddof=1) / np.sqrt(40)
    assert found.low == pytest.approx(values.mean() - half, abs=0.04)
    assert found.high == pytest.approx(values.mean() + half, abs=0.04)


def test_many_values_fit_into_memory() -> None:
    assert mean_interval(np.arange(100_000.0), resamples=100) is not None


@pytest.mark.parametrize(("n", "skewed"), [(10, False), (50, False), (50, True)])
def test_the_mean_is_covered(n: int, skewed: bool) -> None:
    rng = np.random.default_rng(n)
    covered = 0
    for seed in range(600):
        values = rng.exponential(1.0, n) if skewed else rng.normal(1.0, 1.0, n)
        interval = mean_interval(values, resamples=400, seed=seed)
        assert interval is not None
        covered += interval.low <= 1.0 <= interval.high
    # 600 tries put ±1.8% around a true 95%; skewed data loses about 2% at n = 50
    assert 0.915 <= covered / 600 <= 0.975


def test_half_samples_cover_the_expected_distance() -> None:
    """The difference of means between sets of 40 and 60: its standard error is known."""
    rng = np.random.default_rng(5)
    covered = 0
    for seed in range(400):
        x, y = rng.normal(0, 1, 40), rng.normal(3, 1, 60)
        found = half_sample_intervals(
            lambda a, b, x=x, y=y: {"d": float(abs(x[a].mean() - y[b].mean()))},
            (40, 60),
            {"d": float(abs(x.mean() - y.mean()))},
            bounds=(0, np.inf),
            seed=seed,
        )
        covered += found["d"].low <= 3.0 <= found["d"].high
    assert 0.91 <= covered / 400 <= 0.98


def test_half_samples_need_four_of_each() -> None:
    assert half_sample_intervals(lambda *_: {"d": 0.0}, (3, 50), {"d": 0.0}, bounds=(0, 1)) == {}


def test_half_samples_stay_in_the_range() -> None:
    rng = np.random.default_rng(0)
    found = half_sample_intervals(
        lambda *_: {"d": rng.random()}, (8, 8), {"d": 0.01}, bounds=(0, 1)
    )
    assert found["d"].low == 0


def test_mostly_undefined_halves_give_no_interval() -> None:
    assert half_sample_intervals(lambda *_: {}, (8, 8), {"d": 0.5}, bounds=(0, 1)) == {}
