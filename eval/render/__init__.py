"""From notes to sound: a piece rendered with a General MIDI soundfont, whole or as a short clip.

Conventions
-----------
- The soundfont is TimGM6mb.sf2, which pretty_midi installs; it is found without importing
  pretty_midi. (symusic's synthesizer is not used: with this soundfont it plays most piano notes at
  a wrong pitch and every note at one loudness.)
- Sound starts at the first note: silence before it is left out of a clip, and kept in a whole
  rendering, where time 0 is tick 0 of the piece.
- The notes are played as the piece states them; a piece carries no pedal and no controllers.
"""

from __future__ import annotations

import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.eval.render.soundfont import SoundFont, read_soundfont
from concours.metrics.piece import Piece

Samples = NDArray[np.float32]

SOUNDFONT = "TimGM6mb.sf2"
RENDERING = 2  # raise it with every change of what a piece sounds like: audio scores depend on it
RENDER_RATE = 44100
CLIP_RATE = 22050
CLIP_BYTES_PER_SECOND = 4000
MAX_SECONDS = 3600.0
TAIL_SECONDS = 1.0
FADE_SECONDS = 1.5
PEAK = 0.89
_MP3_LEVEL = 0.85


class RenderError(RuntimeError):
    """A piece that cannot be turned into sound; the message says why and what to do."""


class Clip(NamedTuple):
    """A short rendering: ``data`` is an MP3 file that covers ``seconds`` of the piece from
    ``start`` (seconds from tick 0)."""

    data: bytes
    start: float
    seconds: float


def soundfont() -> Path:
    """The soundfont that pretty_midi installs.

    Raises:
        RenderError: pretty_midi, or the soundfont in it, is missing.
    """
    found = find_spec("pretty_midi")
    folders = list(found.submodule_search_locations or ()) if found else []
    for folder in folders:
        path = Path(folder, SOUNDFONT)
        if path.is_file():
            return path
    where = "pretty_midi is not installed" if found is None else f"pretty_midi has no {SOUNDFONT}"
    raise RenderError(
        f"{where}; audio needs its soundfont: pip install --force-reinstall pretty_midi"
    )


def render_audio(piece: Piece, sample_rate: int = 44100, seconds: float | None = None) -> Samples:
    """The whole piece, or its first ``seconds``, as stereo sound, shape (samples, 2), float32.

    Time 0 is tick 0; the last note rings for up to a second. The samples are divided by their
    peak where that exceeds 1, and are otherwise as loud as the notes ask for. A piece without
    notes gives shape (0, 2).

    Raises:
        RenderError: the piece lasts over an hour (most likely a corrupt time in its file), or
            the soundfont is missing.

    >>> from concours.metrics.piece import make_piece
    >>> sound = render_audio(make_piece(onset=[0], end=[480], pitch=[60]), sample_rate=8000)
    >>> sound.shape[1], len(sound) >= 4000
    (2, True)
    """
    start, end = piece.to_seconds(piece.onset), piece.to_seconds(piece.end)
    if seconds is None:
        return _played(piece, start, end, np.ones(piece.n_notes, np.bool_), sample_rate)
    # a note that ends past the cut ends there, and its ringing is cut off
    sound = _played(piece, start, np.minimum(end, seconds), start < seconds, sample_rate)
    return sound[: round(seconds * sample_rate)]


def excerpt_span(piece: Piece, longest: float = 20.0) -> tuple[float, float]:
    """(first second, length in seconds) of the excerpt that a clip plays and a roll draws.

    It starts with the first note and ends with the last, or after ``longest`` seconds.

    >>> from concours.metrics.piece import make_piece
    >>> excerpt_span(make_piece(onset=[960], end=[1440], pitch=[60]))
    (1.0, 0.5)
    """
    if piece.n_notes == 0:
        return 0.0, 0.0
    first = float(piece.to_seconds(piece.onset[:1])[0])
    return first, min(longest, piece.seconds - first)


def clip(piece: Piece, longest: float = 20.0) -> Clip:
    """The start of a piece as a mono MP3 of about 4 kB a second, the same bytes every time.

    It covers :func:`excerpt_span`; a cut excerpt fades out over its last 1.5 seconds. Clips are
    scaled to one peak so that systems can be compared by ear.

    Raises:
        RenderError: the piece has no notes, or the soundfont is missing.
    """
    start, seconds = excerpt_span(piece, longest)
    if seconds <= 0:
        raise RenderError("there is nothing to play: the piece has no notes that last")
    onset = piece.to_seconds(piece.onset) - start
    end = np.minimum(piece.to_seconds(piece.end) - start, seconds)
    rate = 2 * CLIP_RATE
    mono = _resampled(_played(piece, onset, end, onset < seconds, rate).mean(axis=1), rate)
    return Clip(_finished(mono, seconds, cut=piece.seconds - start > seconds), start, seconds)


def sound_clip(samples: NDArray[np.floating], sample_rate: int, longest: float = 20.0) -> Clip:
    """The start of a recording as a clip like that of :func:`clip`.

    ``samples`` have the shape (n,) or (n, channels); channels are averaged.

    Raises:
        RenderError: there are no samples, or one is not finite.
    """
    total = len(samples) / sample_rate
    seconds = min(longest, total)
    start = np.asarray(samples[: round(seconds * sample_rate)], np.float32)
    if not len(start) or not np.isfinite(start).all():
        raise RenderError("there is nothing to play: the sound is empty or holds no finite numbers")
    mono = _resampled(start.mean(axis=1) if start.ndim == 2 else start, sample_rate)
    return Clip(_finished(mono, seconds, cut=total > seconds), 0.0, seconds)


def _finished(mono: Samples, seconds: float, *, cut: bool) -> bytes:
    """Cut to length, faded out where music goes on, scaled to the common peak, as MP3."""
    mono = mono[: max(1, round(seconds * CLIP_RATE))].copy()
    if cut:
        fade = min(len(mono), round(FADE_SECONDS * CLIP_RATE))
        mono[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    loudest = float(np.abs(mono).max())
    return _mp3(mono * np.float32(PEAK / loudest) if loudest > 0 else mono)


def _played(piece: Piece, start: Any, end: Any, keep: Any, sample_rate: int) -> Samples:
    """The kept notes, at these seconds, through the synthesizer; shape (samples, 2)."""
    if not keep.any():
        return np.zeros((0, 2), np.float32)
    if (last := float(end[keep].max())) > MAX_SECONDS:
        raise RenderError(
            f"the piece lasts {last:.0f} s, and audio stops at {MAX_SECONDS:.0f} s: "
            "look for a corrupt time or tempo in its file"
        )
    from concours.eval.render.synth import Sounding, play

    columns = (start, end, piece.pitch, piece.velocity, piece.program, piece.is_drum)
    notes = [Sounding(*row) for row in zip(*(c[keep].tolist() for c in columns), strict=True)]
    sound = play(_font(), notes, round((last + TAIL_SECONDS) * sample_rate), sample_rate)
    peak = float(np.abs(sound).max(initial=0.0))
    return sound / np.float32(peak) if peak > 1 else sound


@cache
def _font() -> SoundFont:
    return read_soundfont(soundfont())


def _resampled(sound: Samples, sample_rate: int) -> Samples:
    """The sound at the rate of clips."""
    import soxr

    if sample_rate == CLIP_RATE:
        return sound
    changed: Samples = soxr.resample(sound, sample_rate, CLIP_RATE, quality="HQ")
    return changed


def _mp3(mono: Samples) -> bytes:
    import soundfile

    stream = io.BytesIO()
    soundfile.write(
        stream,
        mono,
        CLIP_RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=_MP3_LEVEL,
    )
    return stream.getvalue()
