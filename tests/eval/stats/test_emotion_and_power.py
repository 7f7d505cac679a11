"""Concordance, quadrants, ellipses, ceilings; and study sizes."""

import numpy as np
import pytest

from concours.eval.stats.emotion import (
    ccc,
    ellipse,
    macro_f1,
    quadrant,
    quadrant_agreement,
    rater_ceiling,
)
from concours.eval.stats.mos import crossed_mos
from concours.eval.stats.power import (
    Components,
    components,
    expected_width,
    paired_t_size,
    plan,
)
from concours.eval.stats.ratings import Table, make_ratings
from concours.metrics.spec import Undefined


def test_ccc_by_hand() -> None:
    # shift of 1: 2 * 2/3 / (2/3 + 2/3 + 1)
    assert ccc([1, 2, 3], [2, 3, 4]) == pytest.approx(4 / 7)
    assert ccc([1, 2, 3], [2, 2, 2]) == 0
    assert isinstance(ccc([2, 2], [2, 2]), Undefined)


def test_ccc_is_at_most_pearsons_r() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    y = 0.5 * x + 0.3 + 0.2 * rng.normal(size=50)
    assert 0 < ccc(x, y) < np.corrcoef(x, y)[0, 1]


def test_quadrants_by_hand() -> None:
    assert quadrant([1, -1, -1, 1, 0], [1, 1, -1, -1, 1]).tolist() == [0, 1, 2, 3, 1]


def test_macro_f1_by_hand() -> None:
    # Q1: 1 hit of 2 intended and 1 rated: 2/3; Q2: 1 hit of 1 intended and 2 rated: 2/3
    found = quadrant_agreement(np.array([0, 0, 1]), np.array([0, 1, 1]))
    assert found.macro_f1 == pytest.approx(2 / 3)
    assert found.baseline_accuracy == pytest.approx(2 / 3)
    assert found.baseline_macro_f1 == pytest.approx(0.4)
    assert macro_f1(np.diag([3, 0, 0, 1])) == 1


def test_ellipse_covers_the_true_mean() -> None:
    rng = np.random.default_rng(1)
    root = np.array([[1.0, 0], [0.8, 0.5]])
    hits = 0
    for _ in range(400):
        e = ellipse(*(rng.normal(size=(12, 2)) @ root.T).T)
        c, s = np.cos(e.angle), np.sin(e.angle)
        along, across = -(e.centre[0] * c + e.centre[1] * s), e.centre[0] * s - e.centre[1] * c
        hits += (along / e.major) ** 2 + (across / e.minor) ** 2 <= 1
    assert hits / 400 == pytest.approx(0.95, abs=0.035)


def test_rater_ceiling_is_1_for_one_voice_and_near_0_for_noise() -> None:
    same = np.tile(np.arange(6.0), (4, 1))
    assert rater_ceiling(same).mean == pytest.approx(1)
    noise = np.random.default_rng(2).normal(size=(10, 200))
    assert abs(rater_ceiling(noise).mean) < 0.1


def test_34_raters_find_half_a_standard_deviation() -> None:
    assert paired_t_size(0.5) == 34
    assert paired_t_size(-0.5) == 34


def test_sample_size_equals_statsmodels() -> None:
    power = pytest.importorskip("statsmodels.stats.power")
    for effect in (0.3, 0.5, 0.8):
        assert paired_t_size(effect, 0.9) == np.ceil(
            power.TTestPower().solve_power(effect, alpha=0.05, power=0.9)
        )


def simulate(model: Components, raters: int, items: int, rng: np.random.Generator) -> Table:
    values = (
        np.sqrt(model.rater) * rng.standard_normal((raters, 1))
        + np.sqrt(model.item) * rng.standard_normal((1, items))
        + np.sqrt(model.error) * rng.standard_normal((raters, items))
    )
    return Table(values, tuple(map(str, range(raters))), tuple(map(str, range(items))))


def test_widths_are_those_of_whole_studies() -> None:
    model = Components(0.25, 0.2, 0.5)
    rng = np.random.default_rng(5)
    found = [crossed_mos(simulate(model, 12, 6, rng)) for _ in range(400)]
    halves = [(m.ci_high - m.ci_low) / 2 for m in found]
    design = expected_width(model, 12, 6, seed=0)
    assert design.half_width == pytest.approx(np.quantile(halves, 0.8), rel=0.06)
    assert design.median_half_width == pytest.approx(np.median(halves), rel=0.06)


def test_components_are_recovered_from_a_simulated_study() -> None:
    truth = Components(0.36, 0.25, 0.49)
    values = simulate(truth, 120, 80, np.random.default_rng(3)).values
    r, i = (np.char.add("x", g.ravel().astype(str)) for g in np.indices(values.shape))
    ratings = make_ratings(r, i, ["m"] * len(r), ["q"] * len(r), values.ravel())
    assert tuple(components(ratings)) == pytest.approx(tuple(truth), rel=0.35)


def test_more_raters_do_not_help_where_items_are_few() -> None:
    model = Components(0.25, 0.25, 0.5)
    wide = expected_width(model, 200, 5, seed=0, draws=150).half_width
    narrow = expected_width(model, 40, 40, seed=0, draws=150).half_width
    assert narrow < wide / 2


def test_the_plan_keeps_its_promise_or_says_it_cannot() -> None:
    model = Components(0.25, 0.2, 0.5)
    best = plan(model, 0.3, draws=100)[0]
    assert best.half_width <= 0.3
    assert expected_width(model, best.raters, best.items, seed=99, draws=300).half_width < 0.33
    assert isinstance(plan(model, 0.01, draws=20), Undefined)
