"""Every screening rule on a planted offender, and on raters who did nothing wrong."""

import numpy as np
import pytest

from concours.eval.stats.ratings import Ratings, Table, make_ratings
from concours.eval.stats.screening import (
    bs1534,
    bt500,
    model_outliers,
    no_variance,
    stimulus_table,
    straight_lining,
    traps,
)
from concours.eval.stats.subject_model import subject_model


def rows(
    rater: str, values: list[float], system: str = "m"
) -> list[tuple[str, str, str, str, float]]:
    return [(rater, f"i{k}", system, "q", v) for k, v in enumerate(values)]


def ratings(*parts: list[tuple[str, str, str, str, float]]) -> Ratings:
    return make_ratings(*(list(c) for c in zip(*(x for p in parts for x in p), strict=True)))


def noisy(raters: int = 16, items: int = 30, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 50 + 15 * rng.normal(size=(1, items)) + 6 * rng.normal(size=(raters, items))


def with_erratic(values: np.ndarray) -> np.ndarray:
    """Rater 3 lies 15 points above and below the others by turns."""
    values[3] = values.mean(axis=0) + 15 * (-1.0) ** np.arange(values.shape[1])
    return values


def table(values: np.ndarray) -> Table:
    r, i = values.shape
    return Table(values, tuple(f"r{k:02d}" for k in range(r)), tuple(f"i{k}" for k in range(i)))


def test_one_miss_of_eight_is_allowed_and_two_are_not() -> None:
    data = ratings(
        rows("fine", [100] * 7 + [50], "ref"),
        rows("out", [100] * 6 + [50, 89], "ref"),
        rows("fine", [10] * 8),
    )
    (flag,) = bs1534(data, "ref")
    assert (flag.rater, flag.measured, flag.rule) == ("out", 0.25, "BS.1534-3 hidden reference")
    assert "2 of 8" in flag.detail


def test_a_mid_anchor_rated_as_the_reference_is_flagged() -> None:
    data = ratings(
        rows("deaf", [95] * 8, "mid"), rows("deaf", [100] * 8, "ref"), rows("ok", [40] * 8, "mid")
    )
    assert [f.rater for f in bs1534(data, "ref", mid_anchor="mid")] == ["deaf"]


def test_an_unknown_reference_is_an_error_that_lists_the_conditions() -> None:
    with pytest.raises(ValueError, match="'reference'; the conditions are m"):
        bs1534(ratings(rows("a", [1.0])), "reference")


def test_bt500_finds_the_rater_who_is_off_on_both_sides() -> None:
    values = with_erratic(noisy())
    found = bt500(table(values))
    assert max(found, key=lambda f: f.measured).rater == "r03"
    assert "r03" not in {f.rater for f in bt500(table(noisy()))}


def test_model_finds_bias_and_inconsistency_and_frees_the_mos_of_them() -> None:
    rng = np.random.default_rng(4)
    truth = 50 + 15 * rng.normal(size=30)
    bias = np.zeros(16)
    bias[2] = 20
    sigma = np.full(16, 4.0)
    sigma[5] = 25
    values = truth + bias[:, None] + sigma[:, None] * rng.normal(size=(16, 30))
    model = subject_model(table(values))
    assert model.bias[2] - np.median(model.bias) == pytest.approx(20, abs=3)
    assert model.inconsistency[5] == pytest.approx(25, rel=0.3)
    flagged = {(f.rater, f.rule) for f in model_outliers(model)}
    assert {("r02", "P.913 bias"), ("r05", "P.913 inconsistency")} <= flagged
    centred = truth - truth.mean()
    error = lambda mos: np.sqrt(np.mean((mos - mos.mean() - centred) ** 2))  # noqa: E731
    assert error(model.mos) < error(values.mean(axis=0))


def test_traps_count_only_those_that_were_seen() -> None:
    data = ratings(rows("good", [5, 1]), rows("bad", [5, 4]), [("unasked", "i9", "m", "q", 3.0)])
    assert [f.rater for f in traps(data, {"i1": (1, 2)})] == ["bad"]


def test_constant_answers_are_flagged_twice_over() -> None:
    data = ratings(
        rows("same", [3.0] * 12),
        rows("ok", [1.0, 5, 2, 4, 3, 1, 5, 2, 3, 4, 2, 1]),
        rows("short", [3.0] * 4),
    )
    assert [f.rater for f in no_variance(data)] == ["same"]
    assert [f.rater for f in straight_lining(data)] == ["same"]


def test_the_stimulus_table_keeps_systems_apart() -> None:
    data = ratings(rows("a", [1.0, 2]), rows("a", [3.0, 4], "n"))
    assert stimulus_table(data).values.shape == (1, 4)


class SurealDataset:
    """The shape of data set that sureal reads."""

    yuv_fmt, width, height, ref_score = "yuv420p", 1, 1, 5

    def __init__(self, values: np.ndarray) -> None:
        self.ref_videos = [
            {"content_id": k, "content_name": str(k), "path": ""} for k in range(values.shape[1])
        ]
        self.dis_videos = [
            {"content_id": k, "asset_id": k, "path": "", "os": list(values[:, k])}
            for k in range(values.shape[1])
        ]


@pytest.mark.filterwarnings("ignore")
def test_subject_model_and_bt500_equal_sureal() -> None:
    models = pytest.importorskip("sureal.subjective_model")
    readers = pytest.importorskip("sureal.dataset_reader")
    values = with_erratic(noisy(16, 25, seed=7))
    reader = readers.RawDatasetReader(SurealDataset(values))
    theirs = models.SubjectMLEModelProjectionSolver(reader).run_modeling()
    ours = subject_model(table(values))
    assert ours.mos == pytest.approx(theirs["quality_scores"], abs=1e-4)
    assert ours.bias == pytest.approx(theirs["observer_bias"], abs=1e-4)
    assert ours.inconsistency == pytest.approx(theirs["observer_inconsistency"], abs=1e-3)
    rejected = models.SubjrejMosModel(reader).run_modeling()["observer_rejected"]
    assert any(rejected)
    assert [f.rater for f in bt500(table(values))] == [
        f"r{k:02d}" for k in np.flatnonzero(rejected)
    ]
