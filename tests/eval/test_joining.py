"""Scores find their ratings, and the metrics that were planted are the ones reported."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from concours.eval.analysis import analyze_ratings
from concours.eval.baselines import write_midi
from concours.eval.listeners.joining import Clip, join, match
from concours.eval.report.ratings_report import render_analysis
from concours.eval.stats.ratings import Ratings, RatingsError, make_ratings
from concours.listening_test.analyze_command import command
from concours.metrics.piece import make_piece

SHARED = Path(__file__).parents[3] / "shared" / "data"


def study(seed: int = 0, each: int = 20) -> tuple[Ratings, list[Clip]]:
    """Two systems; ``follows`` is the quality with noise, ``names`` knows the system only."""
    rng = np.random.default_rng(seed)
    rows, clips = [], []
    for s, offset in (("a", 0.0), ("b", 1.0)):
        for i in range(each):
            quality = offset + rng.normal()
            values = {
                "follows": quality + 0.5 * rng.normal(),
                "names": offset + 0.2 * rng.normal(),
                "noise": rng.normal(),
            }
            clips.append(Clip(f"music/{s}/{s}{i}.mid", f"hash-{s}{i}", values))
            rows += [(f"r{r}", f"{s}{i}", s, "fun", quality + 0.5 * rng.normal()) for r in range(6)]
    return make_ratings(*(list(c) for c in zip(*rows, strict=True))), clips


def test_planted_metrics_are_found_where_they_act() -> None:
    joined = join(*study())
    at = {
        (p.metric, p.correlation.scope): p
        for p in joined.predictors
        if p.correlation.kind == "spearman"
    }
    assert joined.n_clips == 40
    assert at["follows", "clip"].q <= 0.05
    assert at["follows", "within"].q <= 0.05
    assert at["names", "within"].q > 0.05
    assert at["noise", "clip"].q > 0.05
    assert (
        at["follows", "system"].correlation.ci_low is None if ("follows", "system") in at else True
    )
    contest = next(c for c in joined.contests if c.second == "noise")
    assert contest.first == "follows"
    assert contest.better.ci_low > 0
    assert at["follows", "clip"].disattenuated > at["follows", "clip"].correlation.value


def test_clips_are_found_by_hash_folder_or_name() -> None:
    clips = [Clip("x/a/1.mid", "h1", {}), Clip("x/b/1.mid", "h2", {}), Clip("x/b/2.mid", "h3", {})]
    ratings = make_ratings(
        ["r"] * 4, ["h1", "1", "2", "1"], ["q", "b", "q", "q"], ["d"] * 4, [1, 2, 3, 4]
    )
    found = match(ratings, clips)
    assert {k: c.sha256 for k, c in found.items()} == {
        ("q", "h1"): "h1", ("b", "1"): "h2", ("q", "2"): "h3"
    }  # fmt: skip


def test_nothing_in_common_is_an_error_that_says_what_to_do() -> None:
    ratings, _ = study()
    with pytest.raises(RatingsError, match="name files as the ratings do"):
        join(ratings, [Clip("z.mid", "h", {"follows": 1.0})])


def test_every_format_names_the_metric() -> None:
    ratings, clips = study()
    analysis, joined = analyze_ratings(ratings), join(ratings, clips)
    for format_ in ("json", "md", "latex", "html"):
        assert "follows" in render_analysis(analysis, format_, joined)


def test_the_command_scores_the_files_it_is_given(tmp_path: Path) -> None:
    lines = ["rater,item,system,value"]
    for k in range(8):
        n = 6 + 2 * k
        onset = np.arange(n) * 240
        piece = make_piece(
            onset=onset, end=onset + 240, pitch=60 + np.arange(n) % (k + 2),
            velocity=np.full(n, 80), track=np.zeros(n, int),
        )  # fmt: skip
        (tmp_path / "m").mkdir(exist_ok=True)
        write_midi(piece, tmp_path / "m" / f"p{k}.mid")
        lines += [f"r{r},p{k},m,{k + r % 2}" for r in range(3)]
    table = tmp_path / "r.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = CliRunner().invoke(
        command,
        ["--ratings", str(table), "--clips", str(tmp_path / "m"), "--metrics", "n_pitches_used",
         "--format", "json"],
    )  # fmt: skip
    data = json.loads(run.stdout)["metrics"]
    assert data["n_clips"] == 8
    best = next(p for p in data["predictors"] if p["kind"] == "spearman" and p["scope"] == "clip")
    assert (best["metric"], best["value"]) == ("n_pitches_used", pytest.approx(1))
