"""Each layout is read, each fault is named with its row; published sets give their means."""

from pathlib import Path

import numpy as np
import pytest

from concours.eval.analysis import analyze_ratings
from concours.eval.ratings_import.read import read_participants, read_ratings
from concours.eval.stats.ratings import RatingsError

DATA = Path(__file__).parents[4] / "shared" / "data" / "listening"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared listening data is absent")


def written(folder: Path, text: str, name: str = "r.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_long_table_with_and_without_raters(tmp_path: Path) -> None:
    full = read_ratings(
        written(tmp_path, "rater,item,system,dimension,value\na,x,m,fun,4\nb,x,m,fun,5\n")
    )
    assert (full.raters, full.dimensions, full.value.tolist()) == (("a", "b"), ("fun",), [4, 5])
    bare = read_ratings(written(tmp_path, "item;system;rating\nx;m;4\nx;m;\n"))
    assert not bare.has_raters
    assert any("1 of 2 rows have no value" in n for n in bare.notes)
    assert any("doesn't say who rated" in n for n in bare.notes)


def test_a_column_partly_without_raters_weakens_everything_and_says_so(tmp_path: Path) -> None:
    found = read_ratings(written(tmp_path, "rater,item,system,value\na,x,m,4\n,x,m,5\n"))
    assert any("1 of 2 ratings have no rater" in n for n in found.notes)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the file is empty"),
        ("rater,item,system,value\na,x,m,good\n", "row 2, value: 'good' isn't a number"),
        ("rater,item,system,value\na,x,m\n", "row 2 has another number of cells"),
        ("rater,item,system,value,value\na,x,m,1,2\n", "names 'value' twice"),
        ("colour,shape\nred,round\n", "no reader knows the columns colour, shape"),
        ("item,system,value\n", "no row has a rating"),
        ("Submission id,Participant id,Status\n1,2,APPROVED\n", "Prolific's list of participants"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(RatingsError, match=complaint) as raised:
        read_ratings(written(tmp_path, text))
    assert str(raised.value).startswith(str(tmp_path / "r.csv"))


def test_a_missing_file_and_a_binary_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(RatingsError, match="No such file"):
        read_ratings(tmp_path / "absent.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RatingsError, match="not UTF-8"):
        read_ratings(tmp_path / "b.csv")


def test_webmushra_keeps_the_last_answer_of_a_trial(tmp_path: Path) -> None:
    text = (
        "session_test_id,email,age,trial_id,rating_stimulus,rating_score,rating_time,rating_comment\n"
        "t,a@b,30,song1,reference,100,5,\n"
        "t,a@b,30,song1,C1,20,5,\n"
        "t,a@b,30,song1,C1,35,9,\n"
        "t,c@d,41,song1,C1,50,7,\n"
    )
    found = read_ratings(written(tmp_path, text))
    assert len(found) == 3
    assert found.select(system="C1").value.tolist() == [35, 50]
    assert found.raters == ("a@b / 30", "c@d / 41")
    assert any("1 ratings were handed in again" in n for n in found.notes)


def test_wide_mushra_table(tmp_path: Path) -> None:
    found = read_ratings(
        written(
            tmp_path, "participant\ttrial\tcomment\tref\tlow\n1\ta\tok\t100\t20\n2\ta\tno\t90\t\n"
        )
    )
    assert found.systems == ("low", "ref")
    assert len(found) == 3
    assert any("comment" in n for n in found.notes)


def test_prolific_statuses_flag_and_exclude_when_told(tmp_path: Path) -> None:
    people = written(
        tmp_path,
        "Submission id,Participant id,Status,Age\ns1,a,APPROVED,30\ns2,b,RETURNED,31\n",
        "people.csv",
    )
    statuses = read_participants(people)
    assert statuses == {"a": "APPROVED", "b": "RETURNED"}
    rows = [f"{r},i{i},{s},{3 + i % 2}" for r in "abc" for i in range(4) for s in ("m", "n")]
    ratings = read_ratings(written(tmp_path, "rater,item,system,value\n" + "\n".join(rows)))
    flagged = analyze_ratings(ratings, participants=statuses).screening.flagged
    assert [(f.rater, f.detail) for f in flagged if f.rule == "Prolific status"] == [
        ("b", "returned"), ("c", "not in the list of participants")
    ]  # fmt: skip
    strict = analyze_ratings(ratings, participants=statuses, excluding_rules=["Prolific status"])
    assert strict.screening.n_ratings == 8
    with pytest.raises(RatingsError, match=r"r\.csv: a Prolific export has the columns"):
        read_participants(tmp_path / "r.csv")


@needs_data
def test_codec_mushra_loses_raters_6_and_17() -> None:
    ratings = read_ratings(DATA / "codec_mushra" / "ratings_formated.csv")
    filtered = read_ratings(DATA / "codec_mushra" / "ratings_formated_filtered.csv")
    found = analyze_ratings(ratings, method="mushra", hidden_reference="Reference")
    assert {f.rater for f in found.screening.excluded} == {"6", "17"}
    assert (found.screening.n_ratings_before, found.screening.n_ratings) == (1512, 1368)
    assert len(filtered) == 1368
    for s in found.systems:
        assert s.mean == pytest.approx(filtered.select(system=s.system).value.mean())
    both = {s.system: s.mean for s in found.screening.systems_before}
    assert both["Reference"] == pytest.approx(ratings.select(system="Reference").value.mean())


@needs_data
def test_aimgef_means_are_the_published_ones() -> None:
    found = analyze_ratings(read_ratings(DATA / "aimgef_cpi_ratings.csv"))
    own = {s.system: s for s in found.systems if s.dimension == "stylistic success"}
    means = {k: round(v.mean, 2) for k, v in own.items()}
    assert means == {"Orig": 4.67, "LiTr": 4.32, "MuTr": 2.95, "MVAE": 2.73}
    assert {(s.n_ratings, s.n_items, s.n_raters) for s in own.values()} == {(164, 25, 0)}
    assert "raters unknown" in own["Orig"].interval.method


@needs_data
def test_davda54_is_read_whole() -> None:
    found = read_ratings(DATA / "davda54_answers.csv")
    assert any("2930 answers of 293 users" in n for n in found.notes)
    rating = found.select(dimension="rating")
    assert (len(rating), len(rating.raters), len(set(rating.item.tolist()))) == (2906, 293, 104)
    assert len(found.select(dimension="guessed machine")) == 2890


@needs_data
def test_aes_pam_keeps_every_score() -> None:
    found = read_ratings(DATA / "audiobox_AES_PAM.jsonl")
    assert (len(found), len(found.systems), len(found.dimensions)) == (40_000, 10, 4)
    assert not found.has_raters
    music = found.select(system="music/real", dimension="production quality")
    assert (len(music), len(np.unique(music.item))) == (1000, 100)
