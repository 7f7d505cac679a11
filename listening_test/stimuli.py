"""Clips prepared blind: one container, rate, length, fade, loudness and no tags at all.

Every clip of a study becomes a PCM WAV file of exactly the same size: cut or padded to one length,
faded at both ends, brought to one loudness, without any chunk but format and samples. A little
triangular dither of its own makes the bytes of two copies differ (a hidden reference cannot be
found by comparing files) and is inaudible.
"""

from __future__ import annotations

import hashlib
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from concours.eval.errors import UsageError
from concours.eval.items import Item
from concours.listening_test.config import Audio
from concours.metrics.loudness import loudness_of

Samples = NDArray[np.float64]

PEAK_LIMIT = 10 ** (-1 / 20)
SILENCE = 1e-3
ANCHOR_LOW_HZ = 3500.0
MARGIN_SECONDS = 0.5
ANCHOR_MID_HZ = 7000.0


@dataclass(frozen=True, eq=False)
class Clip:
    """Samples of shape (n, channels) at the study's rate; ``sha256`` is that of the source."""

    samples: Samples
    sha256: str
    source: str
    lufs: float | None
    padded: bool
    gain_db: float = 0.0


def read_clip(item: Item, audio: Audio) -> Clip:
    """An excerpt of a piece, at the study's rate, channels and length, not yet levelled.

    Symbolic pieces are rendered with the soundfont. Silence at the start is left out.

    Raises:
        UsageError: the file cannot be read, or holds no sound.
    """
    if item.sha256 is None:
        raise UsageError(f"{item.location}: {item.reason}")
    samples, rate = _sound_of(item, audio)
    if not np.isfinite(samples).all():
        raise UsageError(f"{item.location}: the samples hold NaN or infinity")
    loud = np.flatnonzero(np.abs(samples).max(axis=1) > SILENCE * max(np.abs(samples).max(), 1e-9))
    if len(loud) == 0:
        raise UsageError(f"{item.location}: silence; leave it out of the study")
    samples = samples[loud[0] + round(audio.start * rate) :]
    # a little more than the excerpt, so that the resampler's edge is cut off
    samples = samples[: round((audio.seconds + MARGIN_SECONDS) * rate)]
    if len(samples) == 0:
        raise UsageError(f"{item.location}: shorter than audio.start, {audio.start} s")
    samples = _to_channels(samples, audio.channels)
    if rate != audio.rate:
        import soxr

        samples = np.asarray(soxr.resample(samples, rate, audio.rate), np.float64)
    return shape(samples.reshape(-1, audio.channels), item.sha256, str(item.location), audio)


def shape(samples: Samples, sha256: str, source: str, audio: Audio) -> Clip:
    """The samples cut or padded to the study's length, with its fades."""
    length = round(audio.seconds * audio.rate)
    padded = len(samples) < length
    cut = samples[:length].copy()
    fade = min(len(cut) // 2, round(audio.fade * audio.rate))
    if fade:
        ramp = (0.5 - 0.5 * np.cos(np.pi * np.arange(fade) / fade))[:, None]
        cut[:fade] *= ramp
        cut[-fade:] *= ramp[::-1]
    if padded:
        cut = np.concatenate([cut, np.zeros((length - len(cut), audio.channels))])
    return Clip(cut, sha256, source, loudness_of(cut, audio.rate), padded)


def level(clips: Sequence[Clip], audio: Audio) -> tuple[list[Clip], float]:
    """All clips at one loudness, and that loudness in LUFS.

    It is the study's, or less where a clip would otherwise exceed -1 dBFS: then all are equally
    quieter, because a limiter would change the music and single gains would tell systems apart.
    A clip shorter than a loudness block is levelled by its peak.
    """
    target = audio.lufs
    for clip in clips:
        peak = float(np.abs(clip.samples).max())
        if clip.lufs is not None and peak > 0:
            target = min(target, clip.lufs + 20 * float(np.log10(PEAK_LIMIT / peak)))
    levelled = []
    for clip in clips:
        peak = float(np.abs(clip.samples).max())
        gain = (
            target - clip.lufs
            if clip.lufs is not None
            else 20 * float(np.log10(0.1 / max(peak, 1e-9)))
        )
        samples = clip.samples * 10 ** (gain / 20)
        levelled.append(replace(clip, samples=samples, gain_db=gain))
    return levelled, target


def wav_bytes(samples: Samples, rate: int, seed: int) -> bytes:
    """A WAV file of 16 bits with triangular dither of one step drawn from ``seed``."""
    draw = np.random.default_rng(seed)
    dither = draw.random(samples.shape) - draw.random(samples.shape)
    steps = np.clip(np.round(samples * 32767 + dither), -32768, 32767).astype("<i2")
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(steps.tobytes())
    return stream.getvalue()


def anchor(clip: Clip, rate: int, cutoff: float) -> Clip:
    """A MUSHRA anchor: the clip low-passed at ``cutoff`` Hz (BS.1534: 3.5 and 7 kHz)."""
    from scipy.signal import butter, sosfiltfilt

    sections = butter(10, min(cutoff, 0.45 * rate), fs=rate, output="sos")
    samples = np.asarray(sosfiltfilt(sections, clip.samples, axis=0), np.float64)
    return _made(clip, samples, rate, f"low-passed at {cutoff:g} Hz")


def trap(clip: Clip, rate: int, seed: int) -> Clip:
    """A clip that nobody attentive rates high: noise, ring modulation and drop-outs over it."""
    draw = np.random.default_rng(seed)
    n = len(clip.samples)
    ring = np.sin(2 * np.pi * 173.0 * np.arange(n) / rate)[:, None]
    gate = np.repeat(draw.random(n // (rate // 10) + 1) > 0.4, rate // 10)[:n, None]
    scale = float(np.sqrt((clip.samples**2).mean()))
    noise = draw.normal(0, scale, clip.samples.shape)
    samples = (np.sign(clip.samples * ring) * np.abs(clip.samples) ** 0.5 * gate) * scale + noise
    return _made(clip, samples, rate, f"spoilt with seed {seed}")


def _made(clip: Clip, samples: Samples, rate: int, how: str) -> Clip:
    """A clip made from another: content of its own, which joins no scores of the file's."""
    return replace(
        clip,
        samples=samples,
        sha256=hashlib.sha256(f"{how}: {clip.sha256}".encode()).hexdigest(),
        source=f"{clip.source}, {how}",
        lufs=loudness_of(samples, rate),
    )


def example_music(audio: Audio, seed: int) -> Clip:
    """A made melody for the training trial where no further item is left."""
    draw = np.random.default_rng([seed, 77])
    n = round(audio.seconds * audio.rate)
    step = round(0.25 * audio.rate)
    sound = np.zeros(n)
    for start in range(0, n, step):
        pitch = 60 + int(draw.choice([0, 2, 4, 7, 9, 12]))
        t = np.arange(min(step, n - start)) / audio.rate
        tone: Samples = np.zeros(len(t))
        for k in (1, 2, 3):
            tone += np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * k * t) / k**2
        sound[start : start + step] += tone * np.exp(-5 * t) * np.minimum(1, t * 400)
    samples = np.repeat(sound[:, None], audio.channels, axis=1)
    digest = hashlib.sha256(samples.tobytes()).hexdigest()
    return shape(samples * 0.2, digest, "made for training", audio)


def _sound_of(item: Item, audio: Audio) -> tuple[Samples, int]:
    from concours.eval.load import LoadError
    from concours.eval.render import RenderError, excerpt_span, render_audio
    from concours.eval.subject import read_subject

    try:
        subject = read_subject(item.kind, item.fragment, Path(item.location), item.sha256 or "")
        if subject.piece is not None:
            first, _ = excerpt_span(subject.piece)
            until = first + audio.start + audio.seconds + MARGIN_SECONDS
            return np.asarray(
                render_audio(subject.piece, audio.rate, until), np.float64
            ), audio.rate
    except (LoadError, RenderError) as error:
        raise UsageError(f"{item.location}: {error}") from error
    return np.asarray(subject.clip.samples, np.float64), subject.clip.sample_rate


def _to_channels(samples: Samples, channels: int) -> Samples:
    if channels == 1:
        return np.asarray(samples.mean(axis=1, keepdims=True), np.float64)
    return samples[:, :2] if samples.shape[1] >= 2 else np.repeat(samples, 2, axis=1)
