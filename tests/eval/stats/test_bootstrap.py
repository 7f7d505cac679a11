"""Intervals: degenerate inputs, agreement with scipy, and the coverage they promise."""

import numpy as np
import pytest
from scipy import stats

from concours.eval.stats.bootstrap import Interval, mean_interval
from concours.eval.stats.halves import half_sample_draws, half_sample_interval, joint_halves


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


def test_items_of_one_song_count_once() -> None:
    """20 cuts of each of 8 songs: the interval is that of 8 means, and it covers the mean."""
    rng = np.random.default_rng(2)
    names = np.repeat([f"song {i}" for i in range(8)], 20).tolist()
    covered, naive = 0, 0
    for seed in range(300):
        values = np.repeat(rng.normal(size=8), 20) + rng.normal(0, 0.3, 160)
        found = mean_interval(values, clusters=names, resamples=400, seed=seed)
        alone = mean_interval(values, resamples=400, seed=seed)
        assert found is not None
        assert alone is not None
        covered += found.low <= 0 <= found.high
        naive += alone.low <= 0 <= alone.high
    assert covered / 300 >= 0.9
    assert naive / 300 < 0.5
    assert mean_interval(np.arange(5.0), clusters=["one song"] * 5) is None


def test_clusters_of_one_item_change_nothing() -> None:
    values = np.random.default_rng(0).normal(size=12)
    names = [f"i{k}" for k in range(12)]
    assert mean_interval(values, clusters=names) == mean_interval(values)


def items(kind: str, n: int) -> list[str]:
    return [f"{kind}{i}" for i in range(n)]


def test_half_samples_cover_the_expected_distance() -> None:
    """The difference of means between sets of 40 and 60: its standard error is known."""
    rng = np.random.default_rng(5)
    covered = 0
    for seed in range(400):
        x, y = rng.normal(0, 1, 40), rng.normal(3, 1, 60)
        draws = half_sample_draws(
            lambda a, b, x=x, y=y: {"d": float(abs(x[a].mean() - y[b].mean()))},
            (items("x", 40), items("y", 60)),
            ["d"],
            seed=seed,
        )
        value = float(abs(x.mean() - y.mean()))
        found = half_sample_interval(value, draws["d"], bounds=(0, np.inf))
        assert found is not None
        covered += found.low <= 3.0 <= found.high
    assert 0.91 <= covered / 400 <= 0.98


def test_half_samples_need_four_of_each() -> None:
    three, many = items("x", 3), items("y", 50)
    assert half_sample_draws(lambda *_: {"d": 0.0}, (three, many), ["d"]) == {}
    cuts = ["song a", "song b", "song c"] * 9
    assert half_sample_draws(lambda *_: {"d": 0.0}, (cuts, many), ["d"]) == {}


def test_half_samples_stay_in_the_range() -> None:
    draws = np.random.default_rng(0).random(100)
    found = half_sample_interval(0.01, draws, bounds=(0, 1))
    assert found is not None
    assert found.low == 0


def test_mostly_undefined_halves_give_no_interval() -> None:
    draws = half_sample_draws(lambda *_: {}, (items("x", 8), items("y", 8)), ["d"])
    assert half_sample_interval(0.5, draws["d"], bounds=(0, 1)) is None


def test_sets_that_share_clusters_share_halves() -> None:
    prompts = items("prompt ", 10)
    here = joint_halves(prompts, draws=20, seed=1)
    there = joint_halves(prompts[::-1], draws=20, seed=1)
    for a, b in zip(here, there, strict=True):
        assert {prompts[i] for i in a} == {prompts[::-1][i] for i in b}
        assert len(a) == 5
    assert any(set(a) != set(here[0]) for a in here)
    songs = joint_halves(["p", "p", "q", "q"], draws=20, seed=1)
    assert all(tuple(rows) in {(0, 1), (2, 3)} for rows in songs)
