"""A complete simulated study whose truth is known: ``study analyze`` finds it again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from simulated_raters import answer_all, build, clips_of, write_music

from concours.eval.cli import cli
from concours.eval.store import open_store, study
from concours.listening_test.status import status_of

TRUTH = {"a": 2.2, "b": 3.0, "c": 3.8}
RATERS = 30


def analyzed(url: str, *arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(
        cli,
        ["study", "analyze", "pilot", "--store", url, "--format", "json", *arguments],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_ratings_of_biased_and_noisy_raters(tmp_path: Path, store_url: str) -> None:
    """Systems at 2.2, 3 and 3.8, raters with a bias of their own, items that differ, noise: each
    interval holds its truth, in the analysis and at every look of the status, and a rater who
    answers at random is flagged."""
    draw = np.random.default_rng(3)
    bias = draw.normal(0, 0.4, RATERS)
    with open_store(store_url) as store:
        live = build(write_music(tmp_path), store, method="mos", seed=5, traps=1)
        clips = clips_of(live)
        # effects of the drawn items that add up to nothing, so that the truth stays the truth
        effects = {s: dict(zip(names, (-0.3, -0.1, 0.1, 0.3), strict=True)) for s, names in (
            (s, sorted(r["item"] for r in clips.values() if r["system"] == s and r["item"]))
            for s in TRUTH)}  # fmt: skip

        def value(rater: int, given: study.Assignment, _: Any) -> int:
            clip = clips[given.slots[0].stimulus_id]
            if clip["role"] == "trap":
                return 5 if rater == 7 else 1
            if rater == 7:
                return int(draw.integers(1, 6))
            mean = TRUTH[clip["system"]] + bias[rater] + effects[clip["system"]][clip["item"]]
            return int(np.clip(round(mean + draw.normal(0, 0.6)), 1, 5))

        answer_all(live, value, raters=RATERS)
        found = status_of(live)
    assert found.counts.n_ratings == RATERS * 13
    assert found.counts.trial_given == (RATERS, RATERS)
    assert found.flagged == {8: ("trap",)}
    # rounding and clipping to the scale move a true mean by less than 0.1 here
    for row in found.systems:
        assert row.interval.n == RATERS
        assert row.interval.low - 0.1 < TRUTH[row.system] < row.interval.high + 0.1
    gaps = {(d.first, d.second): d.interval for d in found.differences}
    assert gaps["a", "c"].high < 0
    report = analyzed(store_url)
    means = {s["system"]: s for s in report["systems"]}
    assert set(means) == set(TRUTH)
    for name, mean in TRUTH.items():
        assert means[name]["mean"] == pytest.approx(mean, abs=0.25)
        assert means[name]["ci_low"] - 0.1 < mean < means[name]["ci_high"] + 0.1
        assert means[name]["n_raters"] >= RATERS - 1
    groups = report["comparisons"][0]["groups"]
    assert [set(g) for g in groups] == [{"c"}, {"b"}, {"a"}]


def test_preferences_of_noisy_raters(tmp_path: Path) -> None:
    """Strengths 0, 0.8 and 1.6 under an adaptive design: the order and the odds come back."""
    draw = np.random.default_rng(4)
    strength = {"a": 0.0, "b": 0.8, "c": 1.6}
    url = f"sqlite:///{tmp_path}/s.db"
    with open_store(url) as store:
        live = build(
            write_music(tmp_path), store, method="pairwise", design="adaptive-pairs",
            trials_per_rater=8,
        )  # fmt: skip
        clips = clips_of(live)

        def value(_: int, given: study.Assignment, __: Any) -> str:
            one, two = (strength[clips[s.stimulus_id]["system"]] for s in given.slots)
            return "a" if draw.random() < 1 / (1 + np.exp(two - one)) else "b"

        answer_all(live, value, raters=25)
    (preferences,) = analyzed(url)["preferences"]
    found = {s["system"]: s["strength"] for s in preferences["strengths"]}
    # strengths are odds: 0.8 apart is a factor of 2.2
    assert np.log(found["b"] / found["a"]) == pytest.approx(0.8, abs=0.5)
    assert np.log(found["c"] / found["a"]) == pytest.approx(1.6, abs=0.6)


def test_mushra_of_biased_raters(tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    truth = {"hidden_ref": 98, "anchor_low": 15, "anchor_mid": 35, "b": 55, "c": 75}
    bias = draw.normal(0, 5, 12)
    url = f"sqlite:///{tmp_path}/s.db"
    with open_store(url) as store:
        live = build(write_music(tmp_path), store, method="mushra", reference="a")
        clips = clips_of(live)

        def value(rater: int, given: study.Assignment, question: Any) -> int:
            clip = clips[given.slots[question["slot"]].stimulus_id]
            if clip["role"] == "hidden_ref":
                return int(draw.integers(96, 101))
            mean = truth[clip["system"] if clip["role"] == "test" else clip["role"]]
            return int(np.clip(round(mean + bias[rater] + draw.normal(0, 6)), 0, 100))

        answer_all(live, value, raters=12)
    means = {s["system"]: s for s in analyzed(url)["systems"]}
    for name, mean in {"b": 55, "c": 75, "anchor 3.5 kHz": 15, "anchor 7 kHz": 35}.items():
        assert means[name]["ci_low"] - 1 < mean < means[name]["ci_high"] + 1
