"""MOS intervals: hand-worked numbers, the ladder of methods, agreement with statsmodels."""

import numpy as np
import pytest

from concours.eval.stats.mixed import fit_mixed
from concours.eval.stats.mos import (
    cluster_robust,
    crossed_bootstrap,
    crossed_mos,
    item_clustered,
    item_mos,
    mixed_mos,
    system_mos,
)
from concours.eval.stats.ratings import RatingsError, Table, crossed_table, make_ratings
from concours.eval.stats.sos import sos_parameter
from concours.metrics.spec import Undefined


def study(values: np.ndarray, keep: np.ndarray | None = None):
    kept = np.ones(values.shape, bool) if keep is None else keep
    r, i = np.nonzero(kept)
    n = len(r)
    return make_ratings(
        [f"r{k:02d}" for k in r], [f"i{k:02d}" for k in i], ["m"] * n, ["q"] * n, values[kept]
    )


def simulated(seed: int = 5, raters: int = 12, items: int = 9) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (
        3
        + 0.6 * rng.normal(size=(raters, 1))
        + 0.5 * rng.normal(size=(1, items))
        + 0.7 * rng.normal(size=(raters, items))
    )


def test_item_mos_by_hand() -> None:
    # mean 3, s = 1, t(4, .975) = 2.776, half = 2.776 * 1.5811 / 2.236
    found = item_mos([1, 2, 3, 4, 5])
    assert found.mean == 3
    assert found.ci_high - 3 == pytest.approx(2.776445 * np.sqrt(2.5) / np.sqrt(5), abs=1e-5)


def test_crossed_variance_by_hand() -> None:
    # rows 2,4 / 4,8: MS_R = 9, MS_I = 9, MS_E = 1, so V = (9 + 9 - 1) / 4
    found = crossed_mos(Table(np.array([[2.0, 4], [4, 8]]), ("a", "b"), ("x", "y")))
    assert found.mean == 4.5
    assert found.se == pytest.approx(np.sqrt(17 / 4))
    assert found.df == pytest.approx(17**2 / (81 + 81 + 1))


def test_crossed_interval_is_wider_than_the_independent_one() -> None:
    values = simulated()
    crossed = crossed_mos(crossed_table(study(values)))
    naive = item_mos(values.ravel())
    assert crossed.ci_high - crossed.ci_low > 1.5 * (naive.ci_high - naive.ci_low)


def test_mixed_model_equals_the_two_way_variance_on_complete_tables() -> None:
    ratings = study(simulated())
    mixed = mixed_mos(ratings.value, ratings.rater, ratings.item)
    crossed = crossed_mos(crossed_table(ratings))
    assert mixed.mean == pytest.approx(crossed.mean, abs=1e-6)
    assert mixed.se == pytest.approx(crossed.se, rel=1e-4)
    assert mixed.df == pytest.approx(crossed.df, rel=0.02)


def test_bootstrap_has_the_crossed_width_and_a_seed() -> None:
    table = crossed_table(study(simulated()))
    one = crossed_bootstrap(table, seed=1)
    assert one == crossed_bootstrap(table, seed=1)
    assert one != crossed_bootstrap(table, seed=2)
    crossed = crossed_mos(table)
    assert one.ci_high - one.ci_low == pytest.approx(crossed.ci_high - crossed.ci_low, rel=0.08)


def test_shifting_and_scaling_the_scale_moves_the_interval_with_it() -> None:
    base = study(simulated())
    for method in (
        lambda r: crossed_mos(crossed_table(r)),
        lambda r: cluster_robust(r.value, r.rater, r.item),
        lambda r: mixed_mos(r.value, r.rater, r.item),
        lambda r: crossed_bootstrap(crossed_table(r), seed=3),
        lambda r: item_clustered(r.value, r.item),
    ):
        first, moved = method(base), method(study(10 * simulated() + 7))
        assert moved.mean == pytest.approx(10 * first.mean + 7, abs=1e-4)
        assert moved.ci_low == pytest.approx(10 * first.ci_low + 7, abs=1e-2)


def test_the_ratings_choose_the_method() -> None:
    values = simulated()
    rng = np.random.default_rng(2)
    holes = rng.random(values.shape) > 0.3
    assert system_mos(study(values)).method == "crossed two-way variance"
    assert system_mos(study(values, holes)).method == "mixed model"
    assert system_mos(study(values[:, :1])).method == "t over raters of one item"
    anonymous = study(values)
    anonymous = make_ratings(
        [""] * len(anonymous),
        anonymous.item,
        anonymous.system,
        anonymous.dimension,
        anonymous.value,
    )
    assert "raters unknown" in system_mos(anonymous).method


def test_repeated_trials_go_to_the_model_and_not_into_a_table() -> None:
    once = study(simulated())
    twice = make_ratings(
        *(np.concatenate([c, c[:3]]) for c in (once.rater, once.item, once.system, once.dimension)),
        np.concatenate([once.value, once.value[:3] + 0.5]),
    )
    with pytest.raises(RatingsError, match="2 times"):
        crossed_table(twice)
    assert system_mos(twice).method == "mixed model"


def test_too_little_is_undefined_with_a_reason() -> None:
    assert isinstance(item_mos([3]), Undefined)
    assert isinstance(crossed_mos(Table(np.ones((1, 5)), ("a",), tuple("vwxyz"))), Undefined)
    same = study(np.full((4, 4), 3.0))
    assert "vary" in mixed_mos(same.value, same.rater, same.item).reason


def test_sos_of_simulated_opinions() -> None:
    means = np.array([1.5, 2, 3, 4, 4.5])
    assert sos_parameter(means, 0.2 * (5 - means) * (means - 1), 1, 5) == pytest.approx(0.2)
    with pytest.raises(ValueError, match="outside the scale"):
        sos_parameter([6.0], [1.0], 1, 5)


def test_rows_that_cannot_be_ratings_are_refused() -> None:
    with pytest.raises(RatingsError, match="row 2"):
        make_ratings(["a", "b"], ["x", "x"], ["m", "m"], ["q", "q"], [1, np.nan])
    with pytest.raises(RatingsError, match="row 1: system is empty"):
        make_ratings(["a"], ["x"], [""], ["q"], [1])
    with pytest.raises(RatingsError, match="no ratings"):
        make_ratings([], [], [], [], [])


@pytest.mark.filterwarnings("ignore")
def test_mixed_model_equals_statsmodels() -> None:
    sm = pytest.importorskip("statsmodels.formula.api")
    import pandas as pd

    rng = np.random.default_rng(8)
    ratings = study(simulated(), rng.random((12, 9)) > 0.25)
    ours = fit_mixed(
        ratings.value, np.ones((len(ratings), 1)), {"rater": ratings.rater, "item": ratings.item}
    )
    frame = pd.DataFrame({"y": ratings.value, "rater": ratings.rater, "item": ratings.item, "g": 1})
    parts = {"rater": "0 + C(rater)", "item": "0 + C(item)"}
    theirs = sm.mixedlm("y ~ 1", frame, groups="g", re_formula="0", vc_formula=parts).fit(reml=True)
    assert ours.coefficients[0] == pytest.approx(theirs.fe_params.iloc[0], abs=1e-4)
    assert ours.residual == pytest.approx(theirs.scale, rel=1e-3)
    # statsmodels sorts the components by name: item, rater
    assert [ours.variances["item"], ours.variances["rater"]] == pytest.approx(
        list(theirs.vcomp), rel=5e-3
    )
    assert np.sqrt(ours.covariance[0, 0]) == pytest.approx(theirs.bse_fe.iloc[0], rel=1e-3)
