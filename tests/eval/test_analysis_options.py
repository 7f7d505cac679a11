"""What the command offers beside means: models, intervals, emotion, study sizes, powered means."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from concours.eval.errors import UsageError
from concours.eval.listeners.joining import Clip
from concours.eval.listeners.powered import powered_means
from concours.eval.stats.ppi import PredictionPowered
from concours.eval.stats.ratings import RatingsError, make_ratings
from concours.listening_test.analyze_command import command
from concours.metrics.spec import Undefined


def long_table(path: Path, rows: list[tuple[Any, ...]]) -> Path:
    lines = ["rater,item,system,dimension,value", *(",".join(map(str, r)) for r in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def ratings(tmp_path: Path, raters: int = 8, items: int = 5, hole: float = 0.0) -> Path:
    draw = np.random.default_rng(6)
    strict, hard = 0.4 * draw.normal(size=raters), 0.4 * draw.normal(size=items)
    rows = [
        (f"r{r}", f"i{i}", s, "fun",
         int(np.clip(round(mean + strict[r] + hard[i] + 0.7 * draw.normal()), 1, 5)))
        for s, mean in (("high", 4.0), ("low", 2.5))
        for r in range(raters) for i in range(items)
        if draw.random() >= hole
    ]  # fmt: skip
    return long_table(tmp_path / "r.csv", rows)


def told(path: Path, *arguments: str) -> dict[str, Any]:
    run = CliRunner().invoke(command, ["--ratings", str(path), "--format", "json", *arguments])
    assert run.exception is None, run.exception
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_every_interval_and_both_models_are_told(tmp_path: Path) -> None:
    found = told(ratings(tmp_path), "--scale", "1:5", "--margin", "0.2")
    first = found["systems"][0]
    assert [i["method"] for i in first["intervals"]] == [
        "crossed two-way variance", "crossed bootstrap", "mixed model", "cluster-robust",
    ]  # fmt: skip
    assert set(first["quartiles"]) == {"hazen", "linear"}
    assert len(found["items"]) == 10
    item = found["items"][0]
    assert item["ci_low"] < item["mean"] < item["ci_high"]
    assert (item["method"], item["n_ratings"]) == ("t", 8)
    (c,) = found["comparisons"]
    effects = {e["system"]: e["estimate"] for e in c["mixed_model"]["effects"]}
    assert effects["high"] - effects["low"] == pytest.approx(
        first["mean"] - found["systems"][1]["mean"], abs=1e-6
    )
    assert {"rater", "stimulus", "item", "rater:system"} <= c["mixed_model"]["variances"].keys()
    (effect,) = c["ordinal_model"]["effects"]
    assert (effect["system"], effect["baseline"]) == ("high", "low")
    assert effect["ci_low"] > 0
    (pair,) = c["pairs"]
    for name in ("rank_test", "permutation", "equivalence"):
        assert pair[name]["p"] <= pair[name]["p_holm"]
    assert not pair["equivalence"]["equivalent"]


def test_the_interval_can_be_chosen(tmp_path: Path) -> None:
    path = ratings(tmp_path, hole=0.1)
    robust = told(path, "--interval", "cluster-robust")["systems"][0]
    assert robust["method"] == "cluster-robust"
    crossed = told(path, "--interval", "crossed")["systems"][0]
    assert crossed["ci_low"] is None
    assert "cells are empty" in crossed["reason"]


def test_screening_shows_agreement_with_and_without(tmp_path: Path) -> None:
    path = ratings(tmp_path)
    lines = path.read_text(encoding="utf-8")
    path.write_text(lines + "bad,i0,high,fun,1\nbad,i0,low,fun,5\nbad,i1,high,fun,1\n",
                    encoding="utf-8")  # fmt: skip
    trap = ["--trap", "i1=2:5"]
    found = told(path, *trap)
    assert "bad" in {f["rater"] for f in found["screening"]["excluded"]}
    before = found["screening"]["reliability_before"][0]["krippendorff_alpha"]["interval"]
    assert found["reliability"][0]["krippendorff_alpha"]["interval"] > before
    text = CliRunner().invoke(command, ["--ratings", str(path), *trap]).stdout
    assert "Agreement with everybody" in text
    assert "Mean with everybody" in text


def test_study_sizes_are_in_every_format(tmp_path: Path) -> None:
    path = ratings(tmp_path)
    for format_ in ("md", "html", "latex"):
        run = CliRunner().invoke(
            command, ["--ratings", str(path), "--half-width", "0.5", "--format", format_]
        )
        assert "Study sizes for ±0.5" in run.stdout


def test_a_scale_that_the_ratings_leave_is_refused(tmp_path: Path) -> None:
    for given, complaint in (("1:4", "outside the scale"), ("5:1", "lower end comes first")):
        run = CliRunner().invoke(command, ["--ratings", str(ratings(tmp_path)), "--scale", given])
        assert isinstance(run.exception, UsageError)
        assert complaint in str(run.exception)


def emotional(tmp_path: Path) -> Path:
    """Eight clips in the four corners of a scale from 1 to 9, heard as they were meant."""
    draw = np.random.default_rng(8)
    corners = [(8, 8), (2, 8), (2, 2), (8, 2)]
    rows = []
    for k in range(8):
        for r in range(6):
            for name, at in zip(("valence (felt)", "arousal (felt)"), corners[k % 4], strict=True):
                value = int(np.clip(round(at + draw.normal()), 1, 9))
                rows.append((f"r{r}", f"c{k}.mid", "m", name, value))
    return long_table(tmp_path / "e.csv", rows)


def test_intended_emotion_is_held_against_the_rated_one(tmp_path: Path) -> None:
    path = emotional(tmp_path)
    meant = tmp_path / "meant.csv"
    points = ["8,8", "2,8", "2,2", "8,2"]
    meant.write_text(
        "item,valence,arousal\n" + "\n".join(f"c{k},{points[k % 4]}" for k in range(7)) + "\n",
        encoding="utf-8",
    )
    arguments = ["--intended", str(meant), "--neutral", "5"]
    (e,) = told(path, *arguments)["emotion"]
    assert (e["frame"], e["neutral"]) == ("felt", 5)
    assert e["ellipses"]["m"]["major"] > 0
    i = e["intended"]
    assert (i["n_items"], i["without_intention"]) == (7, 1)
    assert i["axes"]["valence"]["ccc"] > 0.9
    assert i["axes"]["valence"]["baseline_ccc"] == 0
    assert i["axes"]["valence"]["ceiling"]["mean"] > 0.8
    q = i["quadrants"]
    assert q["confusion"] == [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]]
    assert (q["accuracy"], q["macro_f1"]) == (1, 1)
    assert q["baseline_accuracy"] == pytest.approx(2 / 7)
    for format_, drawn in (("html", "<ellipse"), ("latex", "Intended")):
        run = CliRunner().invoke(command, ["--ratings", str(path), "--format", format_, *arguments])
        assert "Intended" in run.stdout
        assert drawn in run.stdout


def test_a_quadrant_or_a_word_is_an_intention_too(tmp_path: Path) -> None:
    meant = tmp_path / "meant.csv"
    words = ["happy", "Q2", "sad", "calm"]
    meant.write_text(
        "item,emotion\n" + "\n".join(f"c{k},{words[(k + 1) % 4]}" for k in range(8)) + "\n",
        encoding="utf-8",
    )
    path = emotional(tmp_path)
    (e,) = told(path, "--intended", str(meant), "--neutral", "5")["emotion"]
    assert e["intended"]["quadrants"]["accuracy"] == 0
    assert e["intended"]["axes"] == {}
    meant.write_text("item,emotion\nc0,purple\n", encoding="utf-8")
    run = CliRunner().invoke(command, ["--ratings", str(path), "--intended", str(meant)])
    assert isinstance(run.exception, RatingsError)
    assert "'purple' is no quadrant" in str(run.exception)


def planted(follows: float) -> tuple[Any, list[Clip]]:
    """12 of 150 clips rated by 10 raters; ``follows`` is how the score correlates with quality."""
    draw = np.random.default_rng(9)
    quality = draw.normal(size=150)
    score = follows * quality + np.sqrt(1 - follows**2) * draw.normal(size=150)
    clips = [Clip(f"m/{k}.wav", f"h{k}", {"score": float(s)}) for k, s in enumerate(score)]
    rows = [
        (f"r{r}", f"{k}", "m", "fun", 3 + quality[k] + 0.3 * draw.normal())
        for k in range(12) for r in range(10)
    ]  # fmt: skip
    return make_ratings(*(list(c) for c in zip(*rows, strict=True))), clips


def test_powered_means_are_narrower_where_the_metric_earns_it() -> None:
    (good,) = powered_means(*planted(0.95), metrics=["score"])
    (useless,) = powered_means(*planted(0.0), metrics=["score"])
    assert isinstance(good.found, PredictionPowered)
    assert isinstance(useless.found, PredictionPowered)
    assert good.found.interval.se < 0.7 * good.found.ratings_only.se
    assert good.found.saved > 60
    assert good.found.n_scored == 138
    assert useless.found.interval.se > 0.85 * useless.found.ratings_only.se


def test_powered_means_say_why_there_are_none() -> None:
    data, clips = planted(0.9)
    (few,) = powered_means(data, clips[:12], metrics=["score"])
    assert isinstance(few.found, Undefined)
    assert "0 unrated" in few.found.reason
    with pytest.raises(RatingsError, match="no clip has a value of 'other'; the metrics are score"):
        powered_means(data, clips, metrics=["other"])


def test_scores_are_needed_for_powered_means(tmp_path: Path) -> None:
    run = CliRunner().invoke(
        command, ["--ratings", str(ratings(tmp_path)), "--powered-by", "pitch_range"]
    )
    assert isinstance(run.exception, UsageError)
    assert "--clips or --benchmark" in str(run.exception)
