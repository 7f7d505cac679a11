"""Clips on frames: odd ones, influence, targets, songs, statistics as references, presets."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from concours.eval.cli import cli
from concours.eval.embeddings import frames as frames_module
from concours.eval.embeddings.catalogue import open_embedding
from concours.eval.embeddings.frames import FrameFiles, read_set
from concours.eval.errors import UsageError
from concours.metrics.audio_sets import fad
from concours.metrics.registry import MetricError, expand, request

soundfile = pytest.importorskip("soundfile")

RATE = 22_050


def _sound(seed: int, pitch: float, noise: float, seconds: float = 6.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    steps = random.integers(0, 12, int(2 * seconds) + 1).repeat(RATE // 2)[: len(t)]
    tone = np.sin(2 * np.pi * np.cumsum(pitch * 2 ** (steps / 12)) / RATE) * 0.3
    return tone + noise * random.normal(size=len(t))


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``ref``: four songs of three cuts each; ``gen``: five clips, the last one noise."""
    root = tmp_path_factory.mktemp("music")
    for folder in ("ref", "gen", "truth"):
        (root / folder).mkdir()
    for song in range(4):
        for cut in range(3):
            x = _sound(10 * song + cut, 220 * 1.2**song, 0.001)
            soundfile.write(root / "ref" / f"song{song}_{cut:02d}.wav", x, RATE)
    for i in range(5):
        x = _sound(100 + i, 220, 0.3 if i == 4 else 0.001)
        soundfile.write(root / "gen" / f"{i}.wav", x, RATE)
        if i != 3:
            soundfile.write(root / "truth" / f"{i}.flac", _sound(100 + i, 220, 0.001), RATE)
    return root


def _score(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(
        cli, ["score", *arguments, "--format", "json", "--workers", "1", "--quiet"],
        catch_exceptions=False,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_odd_clips_songs_and_what_a_result_says(music: Path) -> None:
    found = _score(str(music / "gen"), "--reference", str(music / "ref"),
                   "--metrics", "fad,clip_fad,fad_influence")  # fmt: skip
    by_name = {Path(i["path"]).name: i["scores"] for i in found["items"]}
    for metric in ("clip_fad", "fad_influence"):
        values = {n: s[metric]["value"] for n, s in by_name.items()}
        assert max(values, key=lambda n: values[n]) == "4.wav", metric
    detail = found["sets"][0]["scores"]["fad"]["detail"]
    assert (detail["clips"], detail["songs"]) == (5, 5)
    assert (detail["reference_clips"], detail["reference_songs"]) == (12, 4)
    assert (detail["frames"], detail["dimensions"]) == (15, 101)
    assert detail["preprocessing"]["sample_rate"] == 22_050
    assert len(detail["reference_id"]) == len(detail["embedding_id"]) == 32
    assert by_name["4.wav"]["clip_fad"]["detail"]["reference_id"] == detail["reference_id"]
    whole = found["sets"][0]["scores"]["fad"]["value"]
    assert by_name["0.wav"]["fad_influence"]["detail"]["set"] == pytest.approx(whole, rel=1e-9)


def test_a_table_of_songs(music: Path, tmp_path: Path) -> None:
    table = tmp_path / "songs.csv"
    rows = [f"gen/{i}.wav,{'a' if i < 2 else i}" for i in range(5)]
    table.write_text("\n".join(["path,song", *rows]))
    found = _score(str(music / "gen"), "--reference", str(music / "ref"), "--metrics", "fad",
                   "--groups", str(table))  # fmt: skip
    assert found["sets"][0]["scores"]["fad"]["detail"]["songs"] == 4
    table.write_text("path,song\nnothing.wav,a\n")
    with pytest.raises(UsageError, match=r"no item is called nothing\.wav"):
        _score(str(music / "gen"), "--metrics", "dc_offset", "--groups", str(table))


def test_targets_that_are_recordings(music: Path) -> None:
    names = "clap_audio_score:embedding=spectral-stats-v1", "chroma_cosine,mel_distance"
    kl = [f"kl_{d}:embedding=spectral-stats-v1"
          for d in ("reference_to_generated", "generated_to_reference")]  # fmt: skip
    found = _score(str(music / "gen"), "--ground-truth", str(music / "truth"),
                   "--metrics", ",".join([*names, *kl]))  # fmt: skip
    for i, item in enumerate(found["items"]):
        scores = {k.partition(":")[0]: v for k, v in item["scores"].items()}
        if i == 3:
            assert {s["status"] for s in scores.values()} == {"undefined"}
            assert scores["clap_audio_score"]["reason"] == "no target recording"
        elif i == 4:
            assert scores["clap_audio_score"]["value"] < 0.99
            assert scores["kl_reference_to_generated"]["value"] > 0.01
        else:
            assert scores["clap_audio_score"]["value"] == pytest.approx(1.0, abs=1e-4)
            assert scores["kl_generated_to_reference"]["value"] < 1e-4
            assert scores["mel_distance"]["value"] < 1.0


def test_statistics_stand_for_the_reference(music: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ref.npz", tmp_path / "fadtk.npz"
    for out, layout in ((ours, "concours"), (theirs, "fadtk")):
        done = CliRunner().invoke(
            cli, ["index", "build", str(music / "ref"), "--embedding", "spectral-stats-v1",
                  "--out", str(out), "--layout", layout, "--workers", "1", "--quiet"],
            catch_exceptions=False,
        )  # fmt: skip
        assert done.stdout.strip() == str(out)
    with np.load(theirs) as held:
        assert set(held.files) == {"spectral-stats-v1.mu", "spectral-stats-v1.cov"}
    values = []
    for reference in (music / "ref", ours, theirs):
        found = _score(str(music / "gen"), "--reference", str(reference), "--metrics", "fad,kad")
        scores = found["sets"][0]["scores"]
        values.append(scores["fad"]["value"])
        assert (scores["kad"]["status"] == "ok") == (reference == music / "ref")
    assert values[1:] == pytest.approx([values[0]] * 2, rel=1e-7)
    with np.load(theirs) as held:
        mean, covariance = held["spectral-stats-v1.mu"], held["spectral-stats-v1.cov"]
    several = {"vggish.mu": np.zeros(128), "vggish.cov": np.eye(128),
               "spectral-stats-v1.mu": mean, "spectral-stats-v1.cov": covariance}  # fmt: skip
    np.savez(tmp_path / "several.npz", **several)
    assert _fad_of_a_config(tmp_path, music, "several.npz") == pytest.approx(values[0], rel=1e-7)
    assert _fad_of_a_config(tmp_path, music, "ref.npz") == pytest.approx(values[0], rel=1e-9)
    np.savez(
        tmp_path / "lacking.npz", **{k.replace("spectral", "x"): v for k, v in several.items()}
    )
    with pytest.raises(
        UsageError, match=r"lacking\.npz: statistics of vggish, x-stats-v1, and none"
    ):
        _fad_of_a_config(tmp_path, music, "lacking.npz")
    with np.load(ours) as held:
        arrays = {**held, "identity": np.str_("0" * 32), "embedding": np.str_("vggish")}
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(UsageError, match="made with vggish"):
        _score(str(music / "gen"), "--reference", str(tmp_path / "other.npz"), "--metrics", "fad")


def _fad_of_a_config(root: Path, music: Path, reference: str) -> float:
    """The FAD of a run whose reference is a file of statistics, from its report."""
    config = root / f"{reference}.yaml"
    config.write_text(
        f"store: sqlite:///{root}/{reference}.db\nreferences: {{r: {{path: {reference}}}}}\n"
        f"systems: {{s: {{path: {music / 'gen'}}}}}\n"
        "benchmarks: {b: {reference: r, systems: [s], metrics: [fad]}}\n"
    )
    for arguments in (["run", str(config), "--no-html", "--workers", "1"],
                      ["report", str(config), "--format", "json"]):  # fmt: skip
        result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["benchmarks"][0]["rows"]
    (value,) = (r["value"] for r in rows if (r["system"], r["metric"]) == ("s", "fad"))
    return float(value)


def test_large_sets_are_read_one_file_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    for i in range(60):
        x = random.normal(size=(40, 101)).astype(np.float32) * (1 + i / 60)
        np.save(tmp_path / f"{i:02d}.npy", x)
    files = tuple(sorted(str(f) for f in tmp_path.glob("*.npy")))
    songs = tuple(f"s{i // 2}" for i in range(60))
    whole = read_set(FrameFiles("spectral-stats-v1", files, songs))
    other = read_set(FrameFiles("spectral-stats-v1", files[:30], songs[:30]))
    monkeypatch.setattr(frames_module, "MAX_BYTES", 200_000)
    read_set.cache_clear()
    streamed = read_set(FrameFiles("spectral-stats-v1", files, songs))
    again = read_set.__wrapped__(FrameFiles("spectral-stats-v1", files, songs))
    read_set.cache_clear()
    assert whole.n == streamed.n == 2400
    assert 0 < len(streamed.frames) < 2400
    assert 4 <= streamed.units <= 20
    a, b = fad(whole, other), fad(streamed, other)
    assert b.value == pytest.approx(a.value, rel=1e-9)  # type: ignore[union-attr]
    assert b.detail["clips"] == 60  # type: ignore[union-attr]
    for block, same in zip(streamed.blocks, again.blocks, strict=True):
        assert block.scatter.tobytes() == same.scatter.tobytes()
    half = streamed.of_units(np.arange(streamed.units // 2))
    assert half.n == sum(x.n for x in streamed.blocks[: streamed.units // 2])


def test_presets_are_named_after_papers() -> None:
    assert [r.key for r in expand(["gui2023"])] == [
        "fad_infinity:embedding=clap:music", "fad:embedding=clap:music",
        "clip_fad:embedding=clap:music",
    ]  # fmt: skip
    names = [r.name for r in expand(["musicgen"])]
    assert names == ["fad", "kl_reference_to_generated", "clap_score"]
    assert expand(["stable-audio"])[2].parameters["embedding"] == "clap:630k-fusion"
    with pytest.raises(MetricError, match="musicgen"):
        expand(["musicgenn"])


def test_a_preset_names_all_that_it_misses_at_once(
    music: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONCOURS_WEIGHTS", str(tmp_path))
    with pytest.raises(UsageError) as raised:
        _score(str(music / "gen"), "--reference", str(music / "ref"), "--metrics", "musicgen")
    lines = str(raised.value).split("\n")
    for line, file in zip(lines, (
        "vggish-10086976.pth", "passt.onnx", "music_speech_audioset_epoch_15_esc_89.98.pt",
        "roberta-base",
    ), strict=True):  # fmt: skip
        assert f"{file}; get it with: " in line or f"{file}; " in line
        assert str(tmp_path) in line
    config = tmp_path / "preset.yaml"
    config.write_text(
        f"references: {{r: {{path: {music / 'ref'}}}}}\nsystems: {{s: {{path: {music / 'gen'}}}}}\n"
        "benchmarks: {b: {reference: r, systems: [s], metrics: [stable-audio]}}\n"
    )
    with pytest.raises(UsageError, match=r"openl3\.onnx(?s:.)*passt\.onnx(?s:.)*fusion-best\.pt"):
        CliRunner().invoke(cli, ["run", str(config), "--no-html"], catch_exceptions=False)


@pytest.mark.parametrize("engine", ["laion-clap", "frechet-audio-distance"])
def test_a_peers_engine_says_what_it_needs(
    engine: str, music: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert request(f"fad:engine={engine}").parameters["engine"] == engine
    monkeypatch.setenv("CONCOURS_WEIGHTS", str(tmp_path))
    with pytest.raises(UsageError, match="is not at"):
        _score(str(music / "gen"), "--reference", str(music / "ref"),
               "--metrics", f"fad:embedding=clap:music,engine={engine}")  # fmt: skip
    with pytest.raises(MetricError, match="engine must be one of"):
        request("fad:engine=other")
    (tmp_path / "clap").mkdir()
    (tmp_path / "clap" / "music_audioset_epoch_15_esc_90.14.pt").write_bytes(b"stands here")
    if find_spec(engine.replace("-", "_")) is None:
        with pytest.raises(UsageError, match="an environment of its own"):
            open_embedding(f"{engine}/clap:music")
