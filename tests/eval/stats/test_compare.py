"""Paired tests against scipy and hand-worked cases; groups, equivalence, multiplicity."""

import numpy as np
import pytest
from scipy import stats

from concours.eval.stats.compare import friedman, groups, permutation, tost, unpaired, wilcoxon
from concours.eval.stats.multiplicity import benjamini_hochberg, holm
from concours.eval.stats.pairs import compare_systems, overall_test
from concours.eval.stats.quantiles import quartiles
from concours.eval.stats.ranks import borda, mean_rank, rank_intervals
from concours.eval.stats.ratings import Ratings, make_ratings
from concours.metrics.spec import Undefined


def rated(
    effects: dict[str, float],
    *,
    shared: bool = True,
    seed: int = 1,
    raters: int = 14,
    hole: float = 0.0,
) -> Ratings:
    """Ratings of systems whose true means are ``effects``, over 8 items each."""
    rng = np.random.default_rng(seed)
    strict, hard = 0.5 * rng.normal(size=raters), 0.4 * rng.normal(size=8)
    rows = [
        (
            f"r{r}",
            f"i{i}" if shared else f"{s}-i{i}",
            s,
            "q",
            3 + e + strict[r] + hard[i] + 0.4 * rng.normal(),
        )
        for s, e in effects.items()
        for r in range(raters)
        for i in range(8)
        if rng.random() >= hole
    ]
    return make_ratings(*(list(c) for c in zip(*rows, strict=True)))


def test_friedman_equals_scipy_with_ties() -> None:
    rng = np.random.default_rng(0)
    blocks = rng.integers(1, 5, (15, 4)).astype(float)
    ours, theirs = friedman(blocks), stats.friedmanchisquare(*blocks.T)
    assert (ours.statistic, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue), abs=1e-10)


def test_kendall_w_is_1_when_all_blocks_rank_alike() -> None:
    assert friedman(np.tile([1.0, 2, 3], (6, 1))).kendall_w == pytest.approx(1)


def test_wilcoxon_effect_is_1_when_all_differences_agree() -> None:
    found = wilcoxon([1.0, 2, 3, 4, 5])
    assert found.effect == 1
    assert found.p == pytest.approx(2 / 2**5)
    assert wilcoxon([-1.0, -2, -3, -4, -5]).effect == -1


def test_exact_sign_flips_by_hand() -> None:
    # of the 8 patterns only +++ and --- reach |sum| = 6
    assert permutation([1.0, 2, 3], seed=0).p == 2 / 8
    assert permutation([1.0, -1.0], seed=0).p == 1


def test_random_sign_flips_agree_with_t_on_normal_data() -> None:
    d = np.random.default_rng(2).normal(0.4, 1, 40)
    assert permutation(d, seed=1).p == pytest.approx(stats.ttest_1samp(d, 0).pvalue, abs=0.01)


def test_sign_flips_keep_their_level() -> None:
    rng = np.random.default_rng(3)
    p = [permutation(rng.normal(size=10), seed=0).p for _ in range(300)]
    assert np.mean(np.array(p) <= 0.05) < 0.09


def test_cliffs_delta_by_hand() -> None:
    assert unpaired([3.0, 4], [1, 2]).effect == 1
    assert unpaired([1.0, 4], [2, 3]).effect == 0


def test_equivalence_needs_a_narrow_interval_and_not_a_large_p() -> None:
    assert tost(0.05, 0.05, 30, margin=0.3).equivalent
    assert not tost(0.05, 1.0, 30, margin=0.3).equivalent
    with pytest.raises(ValueError, match="positive"):
        tost(0, 1, 10, margin=0)


@pytest.mark.parametrize(("ours", "name"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_adjustment_equals_statsmodels(ours, name) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(4).random(25) ** 3
    assert ours(p) == pytest.approx(multitest.multipletests(p, method=name)[1], abs=1e-12)


def test_a_test_that_could_not_run_does_not_count() -> None:
    assert holm([0.01, np.nan, 0.04])[[0, 2]].tolist() == [0.02, 0.04]


def test_groups_overlap_where_difference_is_not_transitive() -> None:
    apart = [("a", "c"), ("a", "d"), ("b", "d")]
    assert groups(["a", "b", "c", "d"], apart) == [["a", "b"], ["b", "c"], ["c", "d"]]
    assert groups(["a", "b"], []) == [["a", "b"]]
    assert groups(["a", "b"], [("b", "a")]) == [["a"], ["b"]]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("hole", [0.0, 0.1, 0.3])
def test_planted_differences_are_found_and_absent_ones_are_not(shared: bool, hole: float) -> None:
    found = compare_systems(rated({"a": 0, "b": 0, "c": 1.5}, shared=shared, hole=hole), seed=0)
    p = {(x.first, x.second): x for x in found}
    assert p["a", "b"].p_holm > 0.05
    assert p["a", "c"].p_holm < 0.01
    assert p["a", "c"].ci_low < -1.5 < p["a", "c"].ci_high
    expected = {
        (True, 0.0): "crossed two-way variance of differences",
        (True, 0.1): "mixed model of differences",
    }
    assert p["a", "c"].method == expected.get((shared, hole), "mixed model of all systems")


def test_unknown_raters_are_compared_by_items_and_told() -> None:
    known = rated({"a": 0, "b": 1}, shared=False)
    anonymous = make_ratings(
        [""] * len(known), known.item, known.system, known.dimension, known.value
    )
    (pair,) = compare_systems(anonymous, seed=0)
    assert "raters unknown" in pair.method
    means = [
        [known.value[known.item == i].mean() for i in sorted({*known.select(system=s).item})]
        for s in "ab"
    ]
    assert pair.p == pytest.approx(stats.ttest_ind(*means, equal_var=False).pvalue, rel=1e-9)


def test_crossed_difference_equals_the_mixed_model_without_holes() -> None:
    complete = rated({"a": 0, "b": 0.4})
    crossed = compare_systems(complete, seed=0)[0]
    one_short = complete.where(np.arange(len(complete)) != 0)
    mixed = compare_systems(one_short, seed=0)[0]
    assert mixed.method == "mixed model of differences"
    assert mixed.difference == pytest.approx(crossed.difference, abs=0.02)
    assert mixed.se == pytest.approx(crossed.se, rel=0.1)


def test_friedman_over_raters_needs_three_systems() -> None:
    assert overall_test(rated({"a": 0, "b": 1, "c": 2})).p < 1e-4
    assert isinstance(overall_test(rated({"a": 0, "b": 1})), Undefined)


def test_ranks_refuse_missing_cells() -> None:
    cells = np.array([[3.0, 1], [2, np.nan], [1, 3]])
    refused = mean_rank(cells, [True, True], ["a", "b", "c"])
    assert isinstance(refused, Undefined)
    assert "b lack" in refused.reason
    assert isinstance(borda(cells, [True, True], ["a", "b", "c"]), Undefined)
    assert mean_rank(cells[[0, 2]], [True, False], ["a", "c"]).tolist() == [1, 2]


def test_rank_intervals_span_what_the_resamples_do() -> None:
    rng = np.random.default_rng(1)
    draws = np.array([5.0, 3.0, 3.1]) + 0.2 * rng.normal(size=(2000, 3))
    best, second, third = rank_intervals([5.0, 3.0, 3.1], draws)
    assert best == (1.0, 1, 1)
    assert (second.low, second.high, third.low, third.high) == (2, 3, 2, 3)


def test_quartile_methods_differ_as_named() -> None:
    # Hazen: position 0.25 n + 0.5 = 3 of 10; numpy: 1 + 0.25 * 9 = 3.25
    values = list(range(1, 11))
    assert quartiles(values).q1 == 3
    assert quartiles(values, "linear").q1 == 3.25
