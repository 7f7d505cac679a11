"""The whole analysis on simulated studies: what is planted is found, and every format shows it."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from concours.eval.analysis import analyze_ratings
from concours.eval.errors import UsageError
from concours.eval.report.ratings_report import render_analysis
from concours.eval.stats.ratings import Ratings, make_ratings
from concours.listening_test.analyze_command import command
from concours.metrics.spec import Undefined

TRUTH = {"ref": 95.0, "good": 70.0, "same": 70.0, "bad": 40.0}


def mushra(seed: int = 0, raters: int = 12, items: int = 8) -> Ratings:
    """Twelve raters, of whom r3 doesn't hear the reference."""
    rng = np.random.default_rng(seed)
    strict, hard = 4 * rng.normal(size=raters), 4 * rng.normal(size=items)
    rows = []
    for r in range(raters):
        for i in range(items):
            for s, mean in TRUTH.items():
                if s == "ref":
                    value = 60.0 if r == 3 else 100 - abs(rng.normal())
                else:
                    value = mean + strict[r] + hard[i] + 5 * rng.normal()
                rows.append((f"r{r}", f"i{i}", s, "quality", value))
    return make_ratings(*(list(c) for c in zip(*rows, strict=True)))


def csv_of(ratings: Ratings, path: Path) -> Path:
    columns = (ratings.rater, ratings.item, ratings.system, ratings.dimension, ratings.value)
    lines = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    path.write_text(
        "rater,item,system,dimension,value\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    return path


def test_screening_keeps_the_ratings_and_shows_both_figures() -> None:
    found = analyze_ratings(mushra(), method="mushra", hidden_reference="ref")
    assert [f.rater for f in found.screening.excluded] == ["r3"]
    assert found.screening.n_ratings_before - found.screening.n_ratings == 32
    before = {s.system: s.mean for s in found.screening.systems_before}
    after = {s.system: s.mean for s in found.systems}
    assert after["ref"] > before["ref"] + 2


def test_systems_that_are_alike_share_a_group_and_others_do_not() -> None:
    (found,) = analyze_ratings(mushra(), method="mushra", hidden_reference="ref").comparisons
    assert set(found.groups[1]) == {"good", "same"}
    assert [set(g) for g in found.groups] == [{"ref"}, {"good", "same"}, {"bad"}]


def test_ranks_that_cannot_be_told_apart_have_an_interval() -> None:
    found = {s.system: s.rank for s in analyze_ratings(mushra()).systems}
    assert (found["good"].low, found["good"].high) == (2, 3)
    assert (found["bad"].low, found["bad"].high) == (4, 4)


def test_equivalence_within_a_margin() -> None:
    (found,) = analyze_ratings(mushra(raters=30), margin=10).comparisons
    pairs = {(p.first, p.second): p.equivalence for p in found.pairs}
    assert pairs["good", "same"].equivalent
    assert not pairs["bad", "good"].equivalent


def test_traps_exclude_and_stay_out_of_the_means() -> None:
    data = mushra()
    n = len(data.raters)
    answers = [3.0] * (n - 1) + [90.0]
    with_trap = make_ratings(
        *(
            np.concatenate([a, b])
            for a, b in zip(
                (data.rater, data.item, data.system, data.dimension),
                (data.raters, ["trap"] * n, ["good"] * n, ["quality"] * n),
                strict=True,
            )
        ),
        np.concatenate([data.value, answers]),
    )
    found = analyze_ratings(with_trap, trap_items={"trap": (0, 5)})
    assert [(f.rater, f.rule) for f in found.screening.excluded] == [(data.raters[-1], "trap")]
    assert {s.n_items for s in found.systems} == {8}


def test_power_plans_from_the_pilot() -> None:
    found = analyze_ratings(mushra(), half_width=4).power["quality"]
    assert not isinstance(found, Undefined)
    _, designs = found
    assert not isinstance(designs, Undefined)
    assert all(d.half_width <= 4 for d in designs)


def test_valence_and_arousal_get_ellipses_and_ceilings() -> None:
    rng = np.random.default_rng(1)
    rows = [
        (f"r{r}", f"i{i}", "m", d, sign * (i - 3) + 0.5 * rng.normal())
        for r in range(8)
        for i in range(7)
        for d, sign in (("valence", 1), ("arousal", -1))
    ]
    found = analyze_ratings(make_ratings(*(list(c) for c in zip(*rows, strict=True))))
    (emotion,) = found.emotion
    assert emotion.ceilings["valence"].mean > 0.9
    assert abs(emotion.ellipses["m"].centre[0]) < 0.3


def test_every_format_is_the_same_twice_and_names_the_systems() -> None:
    found, again = (
        analyze_ratings(mushra(), method="mushra", hidden_reference="ref") for _ in range(2)
    )
    for format_ in ("json", "md", "latex", "html"):
        text = render_analysis(found, format_)
        assert text == render_analysis(again, format_)
        assert all(name in text for name in TRUTH)


def test_html_escapes_and_loads_nothing() -> None:
    rows = mushra()
    evil = make_ratings(
        rows.rater,
        rows.item,
        np.where(rows.system == "bad", "<script>x</script>", rows.system),
        rows.dimension,
        rows.value,
    )
    page = render_analysis(analyze_ratings(evil), "html")
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_json_has_the_names_that_others_build_on(tmp_path: Path) -> None:
    path = csv_of(mushra(), tmp_path / "r.csv")
    run = CliRunner().invoke(
        command,
        [
            "--ratings",
            str(path),
            "--format",
            "json",
            "--method",
            "mushra",
            "--hidden-reference",
            "ref",
        ],
    )
    data = json.loads(run.stdout)
    assert {"systems", "reliability", "comparisons", "screening"} <= data.keys()
    assert {
        "system",
        "dimension",
        "mean",
        "ci_low",
        "ci_high",
        "method",
        "n_ratings",
        "n_raters",
        "n_items",
    } <= data["systems"][0].keys()
    (excluded,) = data["screening"]["excluded"]
    assert excluded["rater"] == "r3"
    assert excluded["rule"] == "BS.1534-3 hidden reference"
    assert data["reliability"][0]["icc21"]["value"] > 0.5


def test_keep_all_excludes_nobody_but_still_flags(tmp_path: Path) -> None:
    path = csv_of(mushra(), tmp_path / "r.csv")
    run = CliRunner().invoke(
        command,
        [
            "--ratings",
            str(path),
            "--format",
            "json",
            "--method",
            "mushra",
            "--hidden-reference",
            "ref",
            "--keep-all",
        ],
    )
    screening = json.loads(run.stdout)["screening"]
    assert screening["excluded"] == []
    assert "r3" in {f["rater"] for f in screening["flagged"]}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "name a study or give --ratings"),
        (["--method", "mushra"], "MUSHRA needs the name"),
        (["--hidden-reference", "reff"], "no condition is called 'reff'"),
        (["--trap", "i1"], "write ITEM=VALUE"),
        (["--margin", "-1"], "must be positive"),
    ],
)
def test_bad_usage_says_what_to_do(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    given = ["--ratings", str(csv_of(mushra(), tmp_path / "r.csv"))] if arguments else []
    run = CliRunner().invoke(command, [*given, *arguments])
    assert isinstance(run.exception, UsageError)
    assert complaint in str(run.exception)


def test_one_rating_of_each_system_is_told_and_not_made_up() -> None:
    lone = make_ratings(["a", "a"], ["x", "x"], ["m", "n"], ["q", "q"], [3, 4])
    found = analyze_ratings(lone)
    assert all(isinstance(s.interval, Undefined) for s in found.systems)
    assert isinstance(found.comparisons[0].pairs, Undefined)
    assert "null" in render_analysis(found, "json")


def test_rules_that_would_exclude_everybody_exclude_nobody_and_say_so() -> None:
    data = mushra()
    lone = data.where(data.rater == "r3")
    found = analyze_ratings(lone, method="mushra", hidden_reference="ref")
    assert found.screening.excluded == ()
    assert "r3" in {f.rater for f in found.screening.flagged}
    assert "would exclude every rater" in render_analysis(found, "md")
