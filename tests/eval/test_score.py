"""``concours score`` on folders, with and without a reference."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from concours.eval.cli import cli
from concours.eval.commands.score import split_metrics
from concours.eval.errors import UsageError
from concours.eval.score import score_paths
from concours.metrics.registry import MetricError, families


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["score", *arguments], catch_exceptions=False)


def test_json_has_the_promised_shape(music: Path) -> None:
    result = invoke(
        str(music / "mine"), "--reference", str(music / "corpus"), "--format", "json", "--quiet"
    )
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    items = {Path(i["path"]).name: i for i in found["items"]}
    assert len(items) == 8
    assert items["broken.mid"]["status"] == "failed"
    assert items["broken.mid"]["reason"]
    good = items["100.mid"]
    assert set(good) >= {"path", "sha256", "status", "reason", "warnings", "scores"}
    assert set(good["scores"]["pitch_entropy"]) >= {"value", "status", "reason"}
    assert 0 < good["scores"]["pitch_entropy"]["value"] < 7
    assert items["copied.mid"]["scores"]["ngram_overlap"]["value"] == 1
    (row,) = found["sets"]
    assert row["reference"] == str(music / "corpus")
    frechet = row["scores"]["frechet_distance"]
    assert set(frechet) >= {"value", "ci_low", "ci_high", "n", "status", "reason"}
    assert frechet["ci_low"] <= frechet["value"] <= frechet["ci_high"]
    assert frechet["n"] == 7


def test_the_table_names_failures(music: Path) -> None:
    result = invoke(str(music / "mine"), "--quiet")
    assert "pitch_entropy" in result.stdout
    assert "1 of 8 items could not be read" in result.stdout
    assert "broken.mid" in result.stdout


def test_the_table_names_shared_passages_with_their_bars(music: Path) -> None:
    folders = str(music / "mine"), "--reference", str(music / "corpus")
    result = invoke(*folders, "--metrics", "longest_shared_passage", "--quiet")
    line = next(x for x in result.stdout.splitlines() if "copied.mid" in x and "003.mid" in x)
    assert line.lstrip().startswith("48 notes: ")
    mine, source = line.split(" = ")
    assert mine.partition(", ")[2] == source.partition(", ")[2]


def test_single_files_stand_side_by_side(music: Path) -> None:
    files = [str(music / "corpus/000.mid"), str(music / "corpus/001.mid")]
    result = invoke(*files, "--metrics", "pitch_range,polyphony", "--quiet")
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if "pitch_range" in line]
    assert len(lines) == 1
    scores = score_paths(files, metrics=["pitch_range"], workers=1)
    for item in scores.items:
        assert f"{item.scores['pitch_range'].value:.4g}" in lines[0]


def test_csv_is_long_and_exact(music: Path) -> None:
    result = invoke(str(music / "corpus"), "--metrics", "pitch", "--format", "csv", "--quiet")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) == 12 * len(families()["pitch"])
    again = score_paths([str(music / "corpus")], metrics=["pitch"], workers=1)
    first = again.items[0].scores["pitch_entropy"].value
    assert float(next(r["value"] for r in rows if r["metric"] == "pitch_entropy")) == first


def test_parameters_are_part_of_the_name(music: Path) -> None:
    result = invoke(
        str(music / "corpus/000.mid"),
        "--metrics",
        "groove_consistency:steps_per_quarter=2,pitch_entropy:weighting=duration",
        "--format",
        "json",
        "--quiet",
    )
    (item,) = json.loads(result.stdout)["items"]
    assert list(item["scores"]) == [
        "groove_consistency:steps_per_quarter=2",
        "pitch_entropy:weighting=duration",
    ]


def test_splitting_metrics() -> None:
    assert split_metrics(("a:k=v,l=w,b", "c")) == ["a:k=v,l=w", "b", "c"]


def test_workers_change_nothing(music: Path) -> None:
    one, two = (score_paths([str(music / "mine")], workers=n) for n in (1, 2))
    assert one == two


def test_a_metric_that_needs_a_reference_says_so(music: Path) -> None:
    with pytest.raises(UsageError, match="add --reference"):
        score_paths([str(music / "mine")], metrics=["ngram_overlap"])


def test_set_metrics_alone_compare_all_features(music: Path) -> None:
    scores = score_paths(
        [str(music / "mine")],
        metrics=["frechet_distance"],
        reference=str(music / "corpus"),
        workers=1,
    )
    assert scores.sets[0].scores["frechet_distance"].score.value is not None
    assert scores.items[0].scores == {}


@pytest.mark.parametrize(
    ("path", "message"), [("none", "nothing there"), ("mine/README.txt", "reads no")]
)
def test_paths_without_music(music: Path, path: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        score_paths([str(music / path)])


def test_an_unknown_metric(music: Path) -> None:
    with pytest.raises(MetricError, match="did you mean pitch_range"):
        score_paths([str(music / "mine")], metrics=["pitch_rnge"])


def test_another_tools_numbers(music: Path) -> None:
    import muspy

    file = music / "corpus/000.mid"
    result = invoke(str(file), "--compat", "muspy", "--format", "json", "--quiet")
    (item,) = json.loads(result.stdout)["items"]
    theirs = muspy.read_midi(str(file))
    for name in ("pitch_range", "polyphony_rate", "empty_beat_rate"):
        assert item["scores"][name]["value"] == pytest.approx(
            getattr(muspy, name)(theirs), abs=1e-9
        )
    with pytest.raises(MetricError, match="no tool is called"):
        score_paths([str(file)], compat="musepy")


def test_breaches_are_explained() -> None:
    from concours.eval.corpora import corpus_files

    file = corpus_files("bach-chorales", "held-out")[3]
    result = invoke(str(file), "--metrics", "voice_crossing", "--explain", "--quiet")
    assert "bar 15, beat 1: Tenor and Bass" in result.stdout
