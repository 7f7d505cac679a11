"""Recordings through the command line: excerpts on both sides, the index, the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from concours.eval.baselines import write_midi
from concours.eval.cli import cli
from concours.eval.errors import UsageError
from concours.metrics.piece import make_piece

soundfile = pytest.importorskip("soundfile")

RATE = 11_025


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


def report(system: Path, reference: Path, *more: Any) -> dict[str, Any]:
    done = run("originality", system, "--against", reference, "--format", "json", "--quiet", *more)
    assert done.exit_code == 0, (done.output, done.exception)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def reference(tmp_path_factory, tune) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    for i in range(8):
        soundfile.write(folder / f"song {chr(97 + i)}.flac", tune(i), RATE)
    soundfile.write(folder / "cut_00.wav", tune(50, 24)[: 12 * RATE], RATE)
    soundfile.write(folder / "cut_01.wav", tune(50, 24)[12 * RATE :], RATE)
    return folder


@pytest.fixture(scope="module")
def system(tmp_path_factory, tune) -> Path:
    folder = tmp_path_factory.mktemp("system")
    source = tune(3)
    noise = np.random.default_rng(0).normal(size=7 * RATE)
    excerpt = source[2 * RATE : 9 * RATE]
    noisy = excerpt + noise * np.sqrt((excerpt**2).mean()) * 0.3
    soundfile.write(folder / "noisy.wav", np.concatenate([tune(90, 4), noisy * 0.25]), RATE)
    soundfile.write(folder / "lossy.mp3", np.concatenate([tune(91, 4), excerpt, tune(92, 4)]), RATE)
    soundfile.write(folder / "cover.ogg", tune(5, 11, 4, 1.05, 2), RATE)
    soundfile.write(folder / "own.wav", tune(93), RATE)
    soundfile.write(folder / "own again.wav", np.concatenate([tune(94, 3), tune(93)[: 6 * RATE]]),
                    RATE)  # fmt: skip
    soundfile.write(folder / "silent.wav", np.zeros(RATE), RATE)
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEnonsense")
    return folder


@pytest.fixture(scope="module")
def found(system: Path, reference: Path) -> dict[str, Any]:
    return report(system, reference)


@pytest.fixture(scope="module")
def items(found: dict[str, Any]) -> dict[str, Any]:
    return {i["path"]: i for i in found["items"]}


@pytest.mark.parametrize(("name", "start"), [("noisy.wav", 4), ("lossy.mp3", 4)])
def test_a_planted_excerpt_has_times_on_both_sides(items, name, start) -> None:
    item = items[name]
    passage = item["passages"][0]
    assert (passage["kind"], passage["source"]) == ("landmarks", "song d.flac")
    assert passage["seconds"] == pytest.approx([start, start + 7], abs=1)
    assert passage["source_seconds"] == pytest.approx([2, 9], abs=1)
    assert passage["percentile"] == 100
    assert item["percentile"] == 100
    assert item["longest"] == passage["length"] == pytest.approx(7, abs=1.5)
    assert item["coverage"]["5"] == pytest.approx(passage["length"] / item["seconds"], abs=0.03)


def test_a_cover_is_found_by_chroma_alone(items) -> None:
    item = items["cover.ogg"]
    passage = item["passages"][0]
    assert (passage["kind"], passage["source"]) == ("chroma", "song f.flac")
    assert passage["transposition"] == 4
    assert passage["tempo_factor"] == pytest.approx(1.05, abs=0.05)
    assert item["longest"] == 0
    assert item["coverage"]["1"] == 0


def test_unrelated_silent_and_broken_recordings(items) -> None:
    assert items["own.wav"]["passages"] == []
    assert {n["kind"] for n in items["own.wav"]["nearest"]} >= {"chroma", "embedding"}
    assert items["silent.wav"]["status"] == "undefined"
    assert "silence" in items["silent.wav"]["reason"]
    assert items["broken.wav"]["status"] == "failed"
    assert items["broken.wav"]["reason"]


def test_copies_within_the_set(items) -> None:
    again = items["own again.wav"]["within_set"]
    assert again["passage"]["source"] == "own.wav"
    assert again["longest"] == pytest.approx(6, abs=1.5)


def test_the_calibration_and_what_was_searched(found) -> None:
    audio = found["calibration"]["audio"]
    assert audio["recordings"] == 9
    assert audio["cuts_of_one_recording"] == [["cut_00.wav", "cut_01.wav"]]
    for kind in ("landmarks", "chroma", "embedding"):
        null = audio["kinds"][kind]
        assert len(null["values"]) == null["clips"] == 10
        assert null["level"] > 0
    searched = found["searched"]["audio"]
    assert (searched["clips"], searched["seconds"]) == (10, 120)
    assert len(searched["corpus_sha256"]) == 64
    assert searched["left_out"]


def test_a_reference_finds_itself(reference) -> None:
    for item in report(reference, reference)["items"]:
        passage = item["passages"][0]
        assert passage["source"] == item["path"]
        assert passage["seconds"] == passage["source_seconds"]
        assert item["coverage"]["10"] > 0.9
        nearest = {n["kind"]: n for n in item["nearest"]}
        assert {n["source"] for n in nearest.values()} == {item["path"]}
        assert nearest["embedding"]["score"] == pytest.approx(0, abs=1e-3)


def test_an_index_is_built_described_and_added_to(reference, system, found, tmp_path) -> None:
    folder, music = tmp_path / "index", tmp_path / "music"
    music.mkdir()
    for file in sorted(reference.iterdir())[:9]:
        (music / file.name).write_bytes(file.read_bytes())
    assert run("index", "build", music, "--out", folder, "--quiet").stdout.strip() == str(folder)
    first = {f: f.read_bytes() for f in sorted((folder / "audio").rglob("*.npy"))}
    last = sorted(reference.iterdir())[9]
    (music / last.name).write_bytes(last.read_bytes())
    assert run("index", "build", music, "--out", folder, "--quiet").exit_code == 0
    assert {f: f.read_bytes() for f in first} == first
    info = json.loads(run("index", "info", folder, "--format", "json").stdout)["audio"]
    assert (info["clips"], info["shards"]) == (10, 2)
    assert info["corpus_sha256"] == found["searched"]["audio"]["corpus_sha256"]
    assert "10 recordings" in run("index", "info", folder).stdout
    assert report(system, folder)["items"][1]["passages"] == found["items"][1]["passages"]
    done = run("originality", system, "--against", folder, "--embedding", "vggish")
    assert isinstance(done.exception, UsageError)
    assert "its embedding is spectral-stats-v1" in str(done.exception)


def test_a_damaged_index_is_refused(reference, tmp_path) -> None:
    folder = tmp_path / "index"
    assert run("index", "build", reference, "--out", folder, "--quiet").exit_code == 0
    file = folder / "audio" / "000" / "landmarks" / "key.npy"
    whole = file.read_bytes()
    for data, told in ((whole[:-4], "bytes instead of"), (whole[:-1] + b"\xff", "has changed")):
        file.write_bytes(data)
        done = run("originality", reference, "--against", folder)
        assert isinstance(done.exception, UsageError)
        assert told in str(done.exception)
        assert "key.npy" in str(done.exception)


def test_notes_and_recordings_in_one_folder(reference, tmp_path, tune) -> None:
    onset = np.arange(40) * 240
    piece = make_piece(onset=onset, end=onset + 240, pitch=60 + np.arange(40) * 7 % 12)
    mixed, system = tmp_path / "mixed", tmp_path / "system"
    for folder in (mixed, system):
        folder.mkdir()
        write_midi(piece, folder / "m.mid")
        soundfile.write(folder / "z.wav", tune(3), RATE)
        soundfile.write(folder / "a.wav", tune(60), RATE)
    found = report(system, mixed)
    assert [i["path"] for i in found["items"]] == ["a.wav", "m.mid", "z.wav"]
    assert found["items"][1]["passages"][0]["bars"]
    assert found["items"][2]["passages"][0]["source_seconds"]
    assert found["searched"]["pieces"] == 1
    assert found["searched"]["audio"]["clips"] == 2
    lost = report(system, reference)["items"][1]
    assert (lost["status"], lost["reason"]) == (
        "undefined", "notes, and the reference holds only recordings")  # fmt: skip
    table = run("originality", system, "--against", mixed, "--quiet").stdout
    assert "2 recordings" in table
    assert "1 pieces" in table
    page = run("originality", system, "--against", mixed, "--format", "html", "--quiet",
               "--out", tmp_path / "page.html")  # fmt: skip
    assert page.exit_code == 0


def test_the_page_draws_and_plays_both_sides(reference, system, tmp_path) -> None:
    file = tmp_path / "page.html"
    assert run("originality", system, "--against", reference, "--format", "html", "--out", file,
               "--quiet").exit_code == 0  # fmt: skip
    page = file.read_text()
    passages = sum(len(i["passages"]) for i in report(system, reference)["items"])
    assert page.count("data:audio/mpeg;base64,") == 2 * passages
    assert page.count('class="wave"') == 2 * passages
    assert page.count('class="matrix"') >= 1
    assert "Not searched:" in page
    assert "http" not in page.replace("http-equiv", "")


def test_vectors_of_ones_own(tmp_path) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(30, 6))
    np.save(tmp_path / "reference.npy", rows)
    np.save(tmp_path / "system.npy", np.concatenate([rows[[4]], random.normal(size=(2, 6)) + 9]))
    items = report(tmp_path / "system.npy", tmp_path / "reference.npy")["items"]
    assert items[0]["nearest"][0]["source"] == "reference.npy#4"
    assert (items[0]["percentile"], items[2]["percentile"]) == (100, 0)
    np.save(tmp_path / "other.npy", rows[:, :3])
    done = run("originality", tmp_path / "other.npy", "--against", tmp_path / "reference.npy")
    assert "a vector of 3 dimensions, an index of 6" in str(done.exception)
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    done = run("originality", tmp_path / "a.wav", "--against", tmp_path / "reference.npy")
    assert "on both sides" in str(done.exception)


def test_metrics_of_recordings_against_a_reference(system, reference) -> None:
    done = run("score", system, "--reference", reference, "--metrics", "audio_originality",
               "--format", "json", "--workers", "1")  # fmt: skip
    scores = {Path(i["path"]).name: i["scores"] for i in json.loads(done.stdout)["items"]}
    reuse = scores["noisy.wav"]["audio_reuse"]
    assert reuse["value"] == pytest.approx(7, abs=1.5)
    assert reuse["detail"]["source"] == "song d.flac"
    assert scores["own.wav"]["audio_reuse"]["value"] == 0
    cover = scores["cover.ogg"]["cover_similarity"]
    assert cover["detail"]["source"] == "song f.flac"
    assert cover["value"] > 1.5 * scores["own.wav"]["cover_similarity"]["value"]
    assert scores["own.wav"]["embedding_novelty"]["value"] > 0
    assert scores["silent.wav"]["audio_reuse"]["status"] == "undefined"
