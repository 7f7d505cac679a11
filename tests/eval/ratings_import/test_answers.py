"""Preferences, webMUSHRA's other tables and our own exports, from the file to the report."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from concours.eval.ratings_import.read import read_answers, read_ratings
from concours.eval.stats.ratings import RatingsError
from concours.listening_test.analyze_command import command


def written(folder: Path, lines: list[str], name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def analyzed(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["--ratings", str(path), *arguments])


def games(raters: int = 12, ties: bool = True) -> list[str]:
    """Raters who mostly prefer "good" to "fair" to "poor", each pair asked four times."""
    draw = np.random.default_rng(4)
    level = {"good": 0.8, "fair": 0.0, "poor": -0.8}
    lines = ["rater,system_a,system_b,choice"]
    for r in range(raters):
        for a, b in (("good", "fair"), ("fair", "poor"), ("poor", "good")) * 4:
            p = 1 / (1 + np.exp(level[b] - level[a]))
            tie = ties and draw.random() < 0.2
            lines.append(f"r{r},{a},{b},{'tie' if tie else 'a' if draw.random() < p else 'b'}")
    return lines


def test_a_table_of_pairs_becomes_strengths_in_every_format(tmp_path: Path) -> None:
    path = written(tmp_path, games())
    data = json.loads(analyzed(path, "--format", "json").stdout)
    (found,) = data["preferences"]
    strengths = {s["system"]: s["strength"] for s in found["strengths"]}
    assert strengths["good"] > strengths["fair"] > strengths["poor"]
    assert found["connected"]
    assert found["model"] == "Davidson"
    assert found["n_raters"] == 12
    pair = next(p for p in found["pairs"] if {p["first"], p["second"]} == {"good", "poor"})
    assert pair["p"] <= pair["p_holm"] < 0.05
    assert {s["system"] for s in data["systems"]} == set(strengths)
    for format_ in ("md", "latex", "html"):
        text = analyzed(path, "--format", format_).stdout
        assert all(name in text for name in strengths)
        assert "geometric mean 1" in text or format_ == "latex"


def test_without_ties_it_is_bradley_terry(tmp_path: Path) -> None:
    data = json.loads(analyzed(written(tmp_path, games(ties=False)), "--format", "json").stdout)
    assert data["preferences"][0]["model"] == "Bradley-Terry"


def test_the_worked_example_as_a_table_of_winners(tmp_path: Path) -> None:
    wins = {"A": "BBD", "B": "AAACCCCC", "C": "BBBD", "D": "AAAACCC"}
    lines = ["winner,loser", *(f"{w},{x}" for w, losers in wins.items() for x in losers)]
    (found,) = json.loads(analyzed(written(tmp_path, lines), "--format", "json").stdout)[
        "preferences"
    ]
    strengths = [round(s["strength"], 3) for s in found["strengths"]]
    assert strengths == [0.640, 1.043, 0.660, 2.270]
    assert "raters unknown" in found["method"]


def test_systems_that_never_met_have_no_strengths_and_are_named(tmp_path: Path) -> None:
    lines = ["first,second,winner", "a,b,a", "a,b,b", "c,d,c", "c,d,d"]
    path = written(tmp_path, lines)
    (found,) = json.loads(analyzed(path, "--format", "json").stdout)["preferences"]
    assert not found["connected"]
    assert "a, b | c, d" in found["reason"]
    text = analyzed(path).stdout
    assert "No strengths" in text
    assert "doesn't say who rated" in text


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["system_a,system_b,choice", "m,n,maybe"], "row 2, choice: 'maybe' is neither a side"),
        (["system_a,system_b,choice", ",n,a"], "row 2: a system is empty"),
        (["system_a,system_b,choice", "m,n,"], "no row has an answer"),
    ],
)
def test_faults_in_pairs_are_named(tmp_path: Path, lines: list[str], complaint: str) -> None:
    with pytest.raises(RatingsError, match=complaint):
        read_answers(written(tmp_path, lines))


def test_pairs_are_no_ratings(tmp_path: Path) -> None:
    with pytest.raises(RatingsError, match="preferences between pairs and no ratings"):
        read_ratings(written(tmp_path, games()))


def test_webmushra_paired_comparison(tmp_path: Path) -> None:
    head = (
        "session_test_id,email,age,trial_id,choice_reference,choice_non_reference,choice_answer,"
        "choice_time,choice_comment"
    )
    rows = [
        "t,ann@x,30,t1,reference,C1,correct,900,",
        "t,ann@x,30,t2,reference,C1,undecided,900,",
        "t,bob@x,31,t1,reference,C1,correct,900,",
        "t,bob@x,31,t1,reference,C1,incorrect,900,changed",
        "t,bob@x,31,t2,reference,C1,unknown,900,",
    ]
    found = read_answers(written(tmp_path, [head, *rows]))
    outcomes = [(c.rater, c.first, c.outcome) for c in found.preferences["preference"]]
    assert sorted(outcomes) == [
        ("ann@x / 30", "reference", "first"),
        ("ann@x / 30", "reference", "tie"),
        ("bob@x / 31", "reference", "second"),
    ]
    assert any("1 answers were handed in again" in n for n in found.notes)
    assert any("1 trials have no answer" in n for n in found.notes)


def test_webmushra_bs1116_and_likert(tmp_path: Path) -> None:
    two = read_ratings(
        written(
            tmp_path,
            [
                "session_test_id,email,trial_id,rating_reference,rating_non_reference,"
                "rating_reference_score,rating_non_reference_score,rating_time,choice_comment",
                "t,ann,t1,reference,C1,5,3.2,900,",
            ],
        )
    )
    assert dict(zip(two.system, two.value, strict=True)) == {"reference": 5.0, "C1": 3.2}
    likert = read_ratings(
        written(
            tmp_path,
            ["session_test_id,email,trial_id,stimuli_rating,stimuli,rating_time",
             't,ann,t1," 4 ",C1,900'],
        )
    )  # fmt: skip
    assert (likert.system.tolist(), likert.value.tolist()) == (["C1"], [4.0])


EXPORT = (
    "rater,assignment,position,trial,kind,submission,revision,submitted_at,elapsed,heard,comment,"
    "slot,stimulus_id,role,system,item,clip_sha256,dimension,frame,value,compared_with,"
    "compared_with_system,superseded"
)


def test_our_own_export_counts_what_the_study_counts(tmp_path: Path) -> None:
    def row(rater: int, kind: str, role: str, system: str, value: float, gone: int) -> str:
        sha = f"hash-{system or role}"
        return (
            f"{rater},x,0,1,{kind},s,1,2026-01-01,9,{{}},,0,id-{role},{role},{system},p1,{sha},"
            f"overall_quality,,{value},,,{gone}"
        )

    rows = [
        row(1, "test", "test", "m", 70, 0),
        row(1, "test", "test", "m", 20, 1),
        row(1, "training", "test", "m", 5, 0),
        row(1, "test", "hidden_ref", "", 98, 0),
        row(2, "test", "test", "m", 60, 0),
        row(2, "test", "hidden_ref", "", 95, 0),
    ]
    found = read_answers(written(tmp_path, [EXPORT, *rows], "ratings.csv"))
    assert found.ratings is not None
    assert found.ratings.raters == ("r1", "r2")
    assert sorted(found.ratings.value.tolist()) == [60, 70, 95, 98]
    assert set(found.ratings.systems) == {"m", "hidden reference"}
    assert found.hashes["m", "p1"] == "hash-m"
    assert found.is_mushra
    assert any("1 answers left out: from a training trial" in n for n in found.ratings.notes)


def test_a_hash_column_joins_and_prolific_columns_give_the_status(tmp_path: Path) -> None:
    found = read_answers(
        written(
            tmp_path,
            ["Submission id,Participant id,Status,item,system,rating,sha256",
             "1,p1,APPROVED,x,m,4,AB12", "2,p2,RETURNED,x,m,1,AB12"],
        )
    )  # fmt: skip
    assert found.ratings is not None
    assert found.ratings.raters == ("p1", "p2")
    assert found.hashes == {("m", "x"): "ab12"}
    assert found.participants == {"p1": "APPROVED", "p2": "RETURNED"}


def test_a_wide_table_leaves_out_ages_and_times(tmp_path: Path) -> None:
    found = read_ratings(
        written(tmp_path, ["rater,age,trial,Reference,C1,duration_ms", "a,33,t1,100,40,1800"])
    )
    assert found.systems == ("C1", "Reference")
    assert any("age, duration_ms" in n for n in found.notes)


def test_a_quoted_comment_may_hold_a_line_break(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text('item,system,value,comment\nx,m,4,"two\nlines"\ny,m,5,\n', encoding="utf-8")
    assert read_ratings(path).value.tolist() == [4, 5]
