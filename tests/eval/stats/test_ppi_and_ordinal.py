"""Prediction-powered MOS, and the proportional-odds model against statsmodels."""

import numpy as np
import pytest

from concours.eval.stats.ordinal import fit_ordinal
from concours.eval.stats.ppi import ppi_mos
from concours.eval.stats.ratings import Ratings, RatingsError, make_ratings
from concours.metrics.spec import Undefined


def rated_items(seed: int, follows: float, raters: int = 10, rated: int = 20, more: int = 300):
    """Ratings of some items, and a score of all that correlates ``follows`` with their quality."""
    rng = np.random.default_rng(seed)
    quality = 0.6 * rng.normal(size=rated + more)
    noise = rng.normal(size=rated + more)
    score = 40 + 10 * (follows * quality / 0.6 + np.sqrt(1 - follows**2) * noise)
    values = (
        3
        + 0.2 * rng.normal(size=(raters, 1))
        + quality[None, :rated]
        + 0.5 * rng.normal(size=(raters, rated))
    )
    r, i = (g.ravel() for g in np.indices(values.shape))
    ratings = make_ratings(
        [f"r{k}" for k in r], [f"i{k}" for k in i], ["m"] * len(r), ["q"] * len(r), values.ravel()
    )
    return ratings, {f"i{k}": float(s) for k, s in enumerate(score)}


def test_a_metric_that_follows_listeners_saves_ratings() -> None:
    several = [ppi_mos(*rated_items(seed, 0.95)) for seed in range(12)]
    ratios = [f.interval.se / f.ratings_only.se for f in several]
    assert np.mean(ratios) < 0.7
    assert np.median([f.saved for f in several]) > 100  # of 200 ratings
    assert all(f.slope > 0 for f in several)


def test_noise_saves_nothing_and_costs_little() -> None:
    ratios = []
    for seed in range(20):
        ratings, scores = rated_items(seed, 0.0)
        found = ppi_mos(ratings, scores)
        ratios.append(found.interval.se / found.ratings_only.se)
    assert 0.95 < np.mean(ratios) < 1.1


def test_the_scale_and_sign_of_the_score_do_not_matter() -> None:
    ratings, scores = rated_items(2, 0.8)
    one = ppi_mos(ratings, scores).interval
    other = ppi_mos(ratings, {k: 7 - 3 * v for k, v in scores.items()}).interval
    assert tuple(one[:5]) == pytest.approx(tuple(other[:5]), rel=1e-6)


def test_a_score_that_is_off_for_the_whole_system_does_not_bias() -> None:
    ratings, scores = rated_items(3, 0.9)
    assert ppi_mos(
        ratings, {k: v + 1000 for k, v in scores.items()}
    ).interval.mean == pytest.approx(ppi_mos(ratings, scores).interval.mean)


def test_too_little_is_undefined_and_a_gap_is_an_error() -> None:
    ratings, scores = rated_items(4, 0.9, rated=4)
    assert isinstance(ppi_mos(ratings, scores), Undefined)
    ratings, scores = rated_items(4, 0.9)
    with pytest.raises(RatingsError, match="1 rated items have no score, 'i3'"):
        ppi_mos(ratings, {k: v for k, v in scores.items() if k != "i3"})
    assert isinstance(ppi_mos(ratings, dict.fromkeys(scores, 1.0)), Undefined)


def opinions(seed: int, effect: float, raters: int = 20, items: int = 10) -> Ratings:
    rng = np.random.default_rng(seed)
    rows = [
        (
            f"r{r}",
            f"i{i}",
            s,
            "q",
            float(np.digitize(shift + rng.logistic(), [-1.5, -0.5, 0.5, 1.5])),
        )
        for s, shift in (("a", 0.0), ("b", effect))
        for r in range(raters)
        for i in range(items)
    ]
    return make_ratings(*(list(c) for c in zip(*rows, strict=True)))


def test_a_planted_shift_of_the_odds_is_recovered() -> None:
    (found,) = fit_ordinal(opinions(1, 0.9, raters=60)).effects
    assert found.effect == pytest.approx(0.9, abs=0.2)
    assert found.p < 1e-4


def test_renaming_the_categories_changes_nothing_but_their_names() -> None:
    data = opinions(2, 0.5)
    renamed = make_ratings(data.rater, data.item, data.system, data.dimension, data.value**3 + 7)
    assert fit_ordinal(data).effects[0].effect == pytest.approx(
        fit_ordinal(renamed).effects[0].effect, abs=1e-9
    )


@pytest.mark.filterwarnings("ignore")
def test_ordinal_model_equals_statsmodels() -> None:
    ordinal = pytest.importorskip("statsmodels.miscmodels.ordinal_model")
    data = opinions(3, 0.7)
    theirs = ordinal.OrderedModel(
        data.value, (data.system == "b").astype(float)[:, None], distr="logit"
    ).fit(method="bfgs", disp=False)
    ours = fit_ordinal(data)
    assert ours.effects[0].effect == pytest.approx(theirs.params[0], abs=1e-4)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-5)


def test_what_has_no_finite_effect_is_undefined() -> None:
    data = opinions(4, 0.5)
    top = np.where(data.system == "b", data.value.max(), data.value)
    found = fit_ordinal(make_ratings(data.rater, data.item, data.system, data.dimension, top))
    assert isinstance(found, Undefined)
    assert "b has only" in found.reason
