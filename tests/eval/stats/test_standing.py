"""Ranks, their intervals and groups from the tests of pairs; distances on shared half-samples."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from concours.eval.stats.halves import joint_halves
from concours.eval.stats.standing import Place, distance_difference, places, transport_draws
from concours.metrics.spec import Undefined


def test_groups_may_overlap_and_ranks_follow_the_tests() -> None:
    merits = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 9.0}
    apart = [("a", "c"), ("d", "a"), ("d", "b"), ("d", "c")]
    found = places(merits, apart)
    assert found == {
        "a": Place(1, 1, 2, "a"),
        "b": Place(2, 1, 3, "ab"),
        "c": Place(3, 2, 3, "b"),
        "d": Place(4, 4, 4, "c"),
    }
    assert not found["a"].leads


def test_only_the_certainly_best_leads() -> None:
    assert places({"a": 1.0, "b": 2.0}, [("a", "b")])["a"].leads
    assert not places({"a": 1.0, "b": 2.0}, [])["a"].leads
    assert places({"a": 1.0}, [])["a"] == Place(1, 1, 1, "")
    assert not places({"a": 1.0}, [])["a"].leads


def test_equal_merits_share_a_rank() -> None:
    found = places({"a": 1.0, "b": 1.0, "c": 2.0}, [("a", "c"), ("b", "c")])
    assert [found[s].rank for s in "abc"] == [1, 1, 3]
    assert (found["c"].low, found["c"].high) == (3, 3)


def test_transport_on_halves_is_scipys_distance() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=21), rng.normal(1, 2, size=50)
    here = joint_halves([f"x{i}" for i in range(21)], draws=6, seed=0)
    there = joint_halves([f"y{i // 3}" for i in range(50)], draws=6, seed=0)
    found = transport_draws(x, here, y, there)
    assert found == pytest.approx(
        [wasserstein_distance(x[a], y[b]) for a, b in zip(here, there, strict=True)]
    )


def test_what_both_share_cancels() -> None:
    rng = np.random.default_rng(1)
    shared = rng.normal(0, 1, 100)
    joint = distance_difference(5.0, 5.5, shared, shared + rng.normal(0, 0.1, 100), 40, 40)
    apart = distance_difference(5.0, 5.5, shared, rng.normal(0, 1, 100), 40, 40)
    assert not isinstance(joint, Undefined)
    assert not isinstance(apart, Undefined)
    assert joint.p < 0.001
    assert apart.p > 0.3
    assert joint.ci_low < 0.5 < joint.ci_high


def test_a_system_never_differs_from_itself() -> None:
    draws = np.random.default_rng(0).random(100)
    same = distance_difference(1.0, 1.0, draws, draws, 40, 40)
    assert not isinstance(same, Undefined)
    assert same.p == 1.0
    nothing = np.full(100, np.nan)
    assert isinstance(distance_difference(1.0, 2.0, nothing, draws, 4, 4), Undefined)


SIMULATED = 1500


@pytest.mark.slow
def test_equal_systems_are_rarely_told_apart() -> None:
    """Both lie equally far off: some 7% of tests at 5% say otherwise, by 6,000 others like it."""
    rng = np.random.default_rng(0)
    wrong = 0
    for k in range(SIMULATED):
        home, one, two = rng.normal(size=150), rng.normal(0.5, 1, 50), rng.normal(0.5, 1, 50)
        halves = [
            joint_halves([f"{kind}{k}-{i}" for i in range(n)], draws=200, seed=0)
            for kind, n in (("r", 150), ("a", 50), ("b", 50))
        ]
        draws = [
            transport_draws(x, h, home, halves[0]) for x, h in ((one, halves[1]), (two, halves[2]))
        ]
        values = [wasserstein_distance(x, home) for x in (one, two)]
        found = distance_difference(*values, *draws, 50, 50)
        assert not isinstance(found, Undefined)
        wrong += found.p < 0.05
    assert wrong / SIMULATED <= 0.085
