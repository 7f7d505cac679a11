"""Every container, every policy, every damaged file: decoded, or failed with its reason."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from concours.eval.load.audio import load_audio
from concours.eval.load.loaded import LoadError

soundfile = pytest.importorskip("soundfile")

RATE = 44_100
SOUND = (0.3 * np.sin(np.arange(RATE // 2) / np.array([[20.0], [30.0]]))).T.astype(np.float32)

# file → (format, samples, a word of its warning) or (a part of its error)
BAD: dict[str, tuple[str, int, str] | str] = {
    "106-invalid-streaminfo.flac": "not audio that can be decoded",
    "52-overwritten-metadata.flac": "damaged after 0.00 s",
    "8k-4ch-1s-silence.aif": ("aiff", 8_000, "zero"),
    "bad-xing.mp3": ("mp3", 4_608, "promises 18078"),
    "empty.ogg": ("ogg", 162_496, "zero"),
    "lame397v9short.mp3": "no samples",
    "silence-44-s.flac": ("flac", 162_496, ""),
    "symlink_text_named.ogg": "not audio that can be decoded",
    "too-short.mp3": "the MP3 decoder finds no sound in it",
    "variable-block.flac": "damaged after 0.00 s",
}


def _bytes(kind: str, subtype: str | None = None, sound: np.ndarray = SOUND) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, sound, RATE, format=kind, subtype=subtype)
    return stream.getvalue()


@pytest.mark.parametrize("name", BAD)
def test_files_that_try_to_break_a_decoder(
    name: str, shared_data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = shared_data / "bad" / "audio" / name
    outcome = BAD[name]
    if isinstance(outcome, str):
        with pytest.raises(LoadError, match=outcome) as error:
            load_audio(path)
        assert "\n" not in str(error.value)
    else:
        kind, samples, warning = outcome
        loaded = load_audio(path)
        assert (loaded.format, len(loaded.clip.samples)) == (kind, samples)
        assert warning in " ".join(loaded.warnings)
    capfd.readouterr()  # mpg123 writes to the terminal


def test_every_bad_file_is_listed_here(shared_data: Path) -> None:
    assert {p.name for p in (shared_data / "bad" / "audio").iterdir()} == set(BAD)


@pytest.mark.parametrize(
    ("kind", "subtype", "named", "exact"),
    [
        ("WAV", "PCM_16", "wav", 1e-4),
        ("WAV", "FLOAT", "wav", 0),
        ("FLAC", "PCM_24", "flac", 1e-6),
        ("AIFF", "PCM_24", "aiff", 1e-6),
        ("OGG", "VORBIS", "ogg", None),
        ("MP3", "MPEG_LAYER_III", "mp3", None),
    ],
)
def test_containers(kind: str, subtype: str, named: str, exact: float | None) -> None:
    loaded = load_audio(Path("sound"), _bytes(kind, subtype))
    assert loaded.format == named
    assert (loaded.clip.sample_rate, loaded.clip.channels) == (RATE, 2)
    assert loaded.clip.duration == pytest.approx(0.5, abs=0.06)
    if exact is not None:
        np.testing.assert_allclose(loaded.clip.samples, SOUND, atol=exact)
        assert loaded.warnings == ()


def test_a_header_that_promises_everything_costs_nothing() -> None:
    data = bytearray(_bytes("WAV", "PCM_16"))
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 0xFFFF_FFF0)
    loaded = load_audio(Path("sound.wav"), bytes(data))
    assert len(loaded.clip.samples) == len(SOUND)


def test_a_file_cut_off_is_read_or_refused_but_never_crashes() -> None:
    for kind, subtype in (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")):
        whole = _bytes(kind, subtype)
        for share in (0.0, 0.01, 0.3, 0.9):
            try:
                loaded = load_audio(Path("sound"), whole[: int(share * len(whole))])
            except LoadError:
                continue
            assert 0 < len(loaded.clip.samples) <= len(SOUND)


def test_samples_that_are_no_numbers() -> None:
    sound = SOUND.copy()
    sound[7, 1] = np.nan
    with pytest.raises(LoadError, match="NaN"):
        load_audio(Path("sound.wav"), _bytes("WAV", "FLOAT", sound))


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="0 bytes"):
        load_audio(tmp_path, b"")
    with pytest.raises(LoadError, match="cannot be read"):
        load_audio(tmp_path / "missing.wav")
    with pytest.raises(LoadError, match="no samples"):
        load_audio(tmp_path, _bytes("WAV", "PCM_16", np.zeros((0, 2), np.float32)))


def test_longer_than_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("concours.eval.load.audio.MAX_SECONDS", 0.2)
    with pytest.raises(LoadError, match="longer than"):
        load_audio(Path("sound.wav"), _bytes("WAV", "PCM_16"))


def test_mpeg4_without_ffmpeg_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(LoadError, match="install it"):
        load_audio(Path("sound.m4a"), b"\0\0\0\x20ftypM4A ")


def test_mpeg4_through_ffmpeg(tmp_path: Path) -> None:
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("no ffmpeg on this machine")
    source, target = tmp_path / "a.wav", tmp_path / "a.m4a"
    source.write_bytes(_bytes("WAV", "PCM_16"))
    subprocess.run([program, "-v", "error", "-i", source, target], check=True)
    loaded = load_audio(target)
    assert (loaded.format, loaded.clip.sample_rate, loaded.clip.channels) == ("m4a", RATE, 2)
    assert loaded.clip.duration == pytest.approx(0.5, abs=0.06)
    with pytest.raises(LoadError, match="ffmpeg cannot decode it"):
        load_audio(target, target.read_bytes()[:200])
