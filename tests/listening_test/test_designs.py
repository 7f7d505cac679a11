"""Balanced designs: what the definitions promise, counted."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from concours.eval.store.study import Candidate, Outcome
from concours.listening_test import designs
from concours.listening_test.adaptive import bradley_terry, least_rated, most_informative_pair
from concours.listening_test.power import plan, simulate_power


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 9, 12])
def test_williams_balances_places_and_neighbours(n: int) -> None:
    rows = designs.williams_square(n)
    for place in range(n):
        assert set(Counter(row[place] for row in rows).values()) == {len(rows) // n}
    follows = Counter(pair for row in rows for pair in pairwise(row))
    assert len(follows) == n * (n - 1)
    assert set(follows.values()) == {len(rows) // n}


def test_rows_do_not_change_when_more_are_drawn() -> None:
    assert designs.williams_rows(6, 20, 3)[:7] == designs.williams_rows(6, 7, 3)
    assert designs.incomplete_rows(9, 4, 20, 3)[:7] == designs.incomplete_rows(9, 4, 7, 3)
    assert designs.williams_rows(6, 7, 3) != designs.williams_rows(6, 7, 4)


@pytest.mark.parametrize(("v", "k"), [(7, 3), (13, 4), (11, 5), (21, 5), (15, 7)])
def test_balanced_incomplete_blocks_are_balanced(v: int, k: int) -> None:
    rows = designs.incomplete_rows(v, k, v, 1)
    found = designs.balance(rows, v)
    assert found.trial == (k, k)
    assert found.pair == (k * (k - 1) // (v - 1),) * 2


@pytest.mark.parametrize(("v", "k", "rows"), [(10, 4, 25), (24, 6, 13), (8, 3, 11), (5, 5, 4)])
def test_other_sizes_differ_by_one_at_most(v: int, k: int, rows: int) -> None:
    found = designs.balance(designs.incomplete_rows(v, k, rows, 1), v)
    assert found.trial[1] - found.trial[0] <= 1


def test_each_slot_comes_first_equally_often() -> None:
    first = Counter(designs.slot_order(4, t, 9)[0] for t in range(8))
    assert set(first.values()) == {2}


def candidate(number: int, a: str, b: str, given: int = 0) -> Candidate:
    return Candidate(str(number), number, "test", (a, b), "item", given)


def test_least_rated_first() -> None:
    assert least_rated([candidate(0, "a", "b", 2), candidate(1, "a", "c", 1)]) == candidate(
        1, "a", "c", 1
    )
    assert least_rated([]) is None


def test_bradley_terry_orders_by_wins() -> None:
    outcomes = [Outcome("a", "b", "a")] * 8 + [Outcome("b", "c", "a")] * 8
    found = bradley_terry(["a", "b", "c"], outcomes)
    assert found.mean[0] > found.mean[1] > found.mean[2]
    assert abs(found.mean.sum()) < 1e-6


def test_the_next_pair_is_the_undecided_one() -> None:
    decided = [Outcome("a", "c", "a")] * 30 + [Outcome("b", "c", "a")] * 30
    pairs = [candidate(0, "a", "c"), candidate(1, "b", "c"), candidate(2, "a", "b")]
    assert most_informative_pair(pairs, decided) == pairs[2]


def test_adaptive_pairs_rank_better_than_chance_order() -> None:
    """With equal budgets the posterior of the adaptive order is at least as narrow."""
    strength = np.array([0.0, 0.3, 2.5, 2.8, 5.0])
    names = [f"s{i}" for i in range(5)]
    pairs = [
        candidate(i, names[a], names[b])
        for i, (a, b) in enumerate((a, b) for a in range(5) for b in range(a))
    ]

    def width(adaptive: bool) -> float:
        draw = np.random.default_rng(5)
        outcomes: list[Outcome] = []
        for step in range(120):
            chosen = most_informative_pair(pairs, outcomes) if adaptive else pairs[step % 10]
            assert chosen is not None
            a, b = chosen.systems
            p = 1 / (1 + np.exp(strength[int(b[1])] - strength[int(a[1])]))
            outcomes.append(Outcome(a, b, "a" if draw.random() < p else "b"))
        return float(np.linalg.slogdet(bradley_terry(names, outcomes).covariance)[1])

    assert width(adaptive=True) < width(adaptive=False)


def test_power_of_pure_rater_noise_is_the_paired_t_test() -> None:
    """d = .5 with 34 raters has power .8; the taste of the two systems gives sd √2 · taste."""
    from concours.listening_test.power import Variances

    spread = Variances(rater=1, item=0, taste=1 / np.sqrt(2), error=1e-3)
    found = simulate_power(34, 8, 0.5, spread=spread, simulations=4000, seed=1)
    assert found.power == pytest.approx(0.807, abs=0.03)


def test_no_difference_is_found_at_the_stated_rate() -> None:
    found = simulate_power(20, 8, 0.0, simulations=3000, seed=2)
    assert found.power < 0.07


def test_more_items_need_fewer_raters() -> None:
    few, many = plan(0.8, items=(8, 32), seed=1)
    assert few.raters >= many.raters
    assert min(few.power, many.power) >= 0.8


def test_few_items_cannot_be_made_up_for_by_raters() -> None:
    assert plan(0.2, items=(2,), seed=1) == []
