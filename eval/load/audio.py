"""Reading audio: soundfile for what libsndfile knows, the ffmpeg binary for MPEG-4 (m4a).

A file is decoded in blocks until it ends. Its header is asked for the sample rate and the number
of channels, which are believed, and for its length, which is not: a header that promises more
than the file holds costs no memory and is a warning.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.load.loaded import LoadError
from concours.metrics.clip import Clip, Samples, make_clip

BLOCK = 65_536
MAX_SECONDS = 3_600
MAX_CHANNELS = 64
FFMPEG_SECONDS = 100
_FORMATS = {"MPEG": "mp3"}
_CONVERT = "convert it to wav or flac"


@dataclass(frozen=True)
class LoadedAudio:
    """A clip, what was noticed while reading it, and the container its content showed
    ("wav", "flac", "ogg", "mp3", "aiff", "m4a" …)."""

    clip: Clip
    warnings: tuple[str, ...]
    format: str


def load_audio(path: Path, data: bytes | None = None) -> LoadedAudio:
    """Decodes a file (or ``data``, its bytes; the path then only names it).

    Raises:
        LoadError: not audio, damaged, empty, longer than an hour, at an impossible rate, with
            samples that are no numbers, or MPEG-4 where there is no ffmpeg.
    """
    if data is None:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise LoadError(f"cannot be read: {error.strerror or error}") from error
    if not data:
        raise LoadError("the file is empty (0 bytes)")
    if data[4:8] == b"ftyp":
        return _decoded(_through_ffmpeg(path, data), "m4a")
    return _decoded(data, None)


def _decoded(data: bytes, container: str | None) -> LoadedAudio:
    import soundfile

    try:
        file = soundfile.SoundFile(io.BytesIO(data))
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise LoadError(f"not audio that can be decoded ({_said(error)}); {_CONVERT}") from error
    with file:
        if not 1 <= file.channels <= MAX_CHANNELS:
            raise LoadError(f"{file.channels} channels; Concours reads 1 to {MAX_CHANNELS}")
        samples, broken = _blocks(file)
        promised, rate = file.frames, file.samplerate
        kind = container or _FORMATS.get(file.format, file.format.lower())
        subtype = file.subtype
    if broken:
        raise LoadError(
            f"damaged after {len(samples) / rate:.2f} s ({broken}); make it again from its source"
        )
    if len(samples) == 0:
        raise LoadError("no samples: the file has a header and no sound")
    try:
        clip = make_clip(samples, rate, {"codec": subtype})
    except ValueError as error:
        raise LoadError(str(error)) from error
    return LoadedAudio(clip, tuple(_warnings(clip, promised)), kind)


def _blocks(file: Any) -> tuple[Samples, str]:
    """All samples, and what went wrong after them ("" where nothing did)."""
    import soundfile

    parts: list[Samples] = []
    read, broken = 0, ""
    while True:
        try:
            block = file.read(BLOCK, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
            broken = _said(error)
            break
        if len(block) == 0:
            break
        parts.append(block)
        read += len(block)
        if read > MAX_SECONDS * file.samplerate:
            raise LoadError(f"longer than {MAX_SECONDS} s; cut it into parts")
    if not parts:
        return np.zeros((0, file.channels), np.float32), broken
    return np.concatenate(parts), broken


def _warnings(clip: Clip, promised: int) -> list[str]:
    found = []
    held = len(clip.samples)
    if promised != held:
        promise = f"{promised} samples" if 0 <= promised < 2**48 else "an impossible length"
        found.append(f"the header promises {promise}, the file holds {held}")
    if not clip.samples.any():
        found.append("every sample is zero")
    return found


def _said(error: Exception) -> str:
    text = str(error).removeprefix("Error opening <_io.BytesIO object").split(">: ")[-1].rstrip(".")
    # what libsndfile says where its MP3 decoder gives up: it looks for no file here
    lost = text.startswith("File does not exist")
    return "the MP3 decoder finds no sound in it" if lost else text


def _through_ffmpeg(path: Path, data: bytes) -> bytes:
    """The file's first audio stream as float WAV, at its own rate and with its own channels."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise LoadError(f"MPEG-4 audio needs the ffmpeg program: install it, or {_CONVERT}")
    with tempfile.TemporaryDirectory() as folder:
        # a file and not a pipe: an MPEG-4 index may lie at the end
        source = Path(folder, "audio.m4a")
        source.write_bytes(data)
        command = [program, "-nostdin", "-v", "error", "-i", str(source), "-map", "0:a:0",
                   "-t", str(MAX_SECONDS + 1), "-f", "wav", "-c:a", "pcm_f32le", "-"]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=FFMPEG_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise LoadError(f"ffmpeg took over {FFMPEG_SECONDS} s; {_CONVERT}") from error
    if done.returncode != 0 or not done.stdout:
        lines = done.stderr.decode(errors="replace").replace(str(source), path.name).split("\n")
        raise LoadError(f"ffmpeg cannot decode it ({next(filter(None, lines), 'no output')})")
    return done.stdout
