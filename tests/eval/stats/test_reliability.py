"""Intraclass correlations and Krippendorff's alpha against published tables and oracles."""

import numpy as np
import pytest

from concours.eval.stats.ratings import Table
from concours.eval.stats.reliability import icc, icc2_interval, icc_mixed, krippendorff_alpha
from concours.metrics.spec import Undefined

# Shrout & Fleiss 1979, table 2: 6 targets (rows) x 4 judges
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
).T

N = np.nan
# Krippendorff 2011, section C: 4 observers x 12 units
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
        [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
    ]
)


def table(values: np.ndarray) -> Table:
    r, i = values.shape
    return Table(values, tuple(f"r{k}" for k in range(r)), tuple(f"i{k}" for k in range(i)))


def test_shrout_and_fleiss() -> None:
    found = icc(table(SHROUT_FLEISS))
    assert [round(v, 2) for v in found[:6]] == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]


def test_variance_components_equal_mean_squares_on_a_complete_table() -> None:
    values = SHROUT_FLEISS
    rater, target = (np.char.add("x", g.astype(str)) for g in np.indices(values.shape))
    mixed = icc_mixed(values.ravel(), rater.ravel(), target.ravel())
    exact = icc(table(values))
    assert mixed.icc21 == pytest.approx(exact.icc21, abs=1e-4)
    assert mixed.icc2k == pytest.approx(exact.icc2k, abs=1e-4)


@pytest.mark.parametrize(
    ("measurement", "published"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_krippendorff_textbook(measurement: str, published: float) -> None:
    assert krippendorff_alpha(KRIPPENDORFF, measurement) == pytest.approx(published, abs=5e-4)


def test_alpha_ignores_the_order_of_raters_and_units() -> None:
    rng = np.random.default_rng(1)
    mixed = KRIPPENDORFF[rng.permutation(4)][:, rng.permutation(12)]
    assert krippendorff_alpha(mixed, "ordinal") == pytest.approx(
        krippendorff_alpha(KRIPPENDORFF, "ordinal"), abs=1e-12
    )


def test_agreement_is_undefined_without_two_of_each() -> None:
    assert isinstance(icc(table(np.ones((1, 4)))), Undefined)
    assert isinstance(icc(table(KRIPPENDORFF)), Undefined)
    assert isinstance(krippendorff_alpha(np.ones((3, 4)), "interval"), Undefined)
    assert isinstance(
        krippendorff_alpha(np.diag([1.0, 2, 3]) + N * ~np.eye(3, dtype=bool), "nominal"), Undefined
    )


def test_ratio_level_refuses_negative_values() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        krippendorff_alpha(np.array([[-1.0, 1], [1, 1]]), "ratio")


@pytest.mark.parametrize("measurement", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_equals_the_krippendorff_package(measurement: str) -> None:
    oracle = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(3)
    values = rng.integers(1, 8, (6, 40)).astype(float)
    values[rng.random(values.shape) < 0.3] = N
    assert krippendorff_alpha(values, measurement) == pytest.approx(
        oracle.alpha(values, level_of_measurement=measurement), abs=1e-10
    )


@pytest.mark.filterwarnings("ignore")
def test_icc_and_intervals_equal_pingouin() -> None:
    pingouin = pytest.importorskip("pingouin")
    import pandas as pd

    rng = np.random.default_rng(4)
    values = rng.normal(size=(7, 1)) * 0.6 + rng.normal(size=(1, 15)) + rng.normal(size=(7, 15))
    rows = [(r, i, values[r, i]) for r in range(7) for i in range(15)]
    frame = pd.DataFrame(rows, columns=["rater", "item", "value"])
    theirs = pingouin.intraclass_corr(frame, "item", "rater", "value").set_index("Type")
    ours = icc(table(values))
    for name, value in (
        ("ICC(A,1)", ours.icc21),
        ("ICC(A,k)", ours.icc2k),
        ("ICC(1,1)", ours.icc11),
        ("ICC(C,k)", ours.icc3k),
    ):
        assert theirs.loc[name, "ICC"] == pytest.approx(value, abs=1e-9)
    for name, average in (("ICC(A,1)", False), ("ICC(A,k)", True)):
        column = next(c for c in theirs.columns if c.startswith("CI95"))
        found = icc2_interval(table(values), average)
        assert list(theirs.loc[name, column]) == pytest.approx(
            [found.ci_low, found.ci_high], abs=0.0051
        )
