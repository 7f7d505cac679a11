"""What an embedding is: a function from sound to frames, and every choice that moves its numbers.

A distance between two sets is only meaningful within one :class:`EmbeddingSpec`; its
:attr:`~EmbeddingSpec.identity` goes into caches, reference statistics and results.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clip import Channels, Clip, Resampler, Samples
from concours.metrics.loudness import integrated_loudness
from concours.metrics.spec import Undefined

Frames = NDArray[np.float32]
Loudness = Literal["none", "peak", "lufs"]

PEAK = 10.0 ** (-1.0 / 20.0)
LUFS = -23.0


class TooShortError(ValueError):
    """The clip is shorter than the embedding's window; the message says by how much."""


@dataclass(frozen=True)
class EmbeddingSpec:
    """The settings of an embedding.

    ``name`` is what users write, ``model_id`` the checkpoint or algorithm. ``dimension`` d,
    ``sample_rate`` in Hz, ``window`` and ``hop`` in seconds. ``channels``, ``resampler`` and
    ``loudness`` say how a clip becomes mono samples at the rate; ``loudness`` is ``none`` (as it
    is), ``peak`` (-1 dBFS) or ``lufs`` (-23 LUFS, silence left alone). ``weights_hash`` is the
    sha256 of the checkpoint, "" where there is none. ``version`` counts changes of our
    preprocessing. ``note`` is what every reader of a number must be told.
    """

    name: str
    model_id: str
    dimension: int
    sample_rate: int
    window: float
    hop: float
    channels: Channels = "mix"
    resampler: Resampler = "HQ"
    loudness: Loudness = "none"
    weights_hash: str = ""
    version: int = 1
    note: str = ""

    @property
    def identity(self) -> str:
        """Hash of everything that moves a number, 32 hex digits."""
        settings: dict[str, Any] = asdict(self)
        for shown_only in ("name", "note"):
            del settings[shown_only]
        text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class Embedding(Protocol):
    """Takes mono samples of shape (n,) at a rate, and gives float32 frames of shape (k, d).

    It resamples nothing: it refuses another rate than its spec's. It raises
    :class:`TooShortError` where no frame fits.
    """

    @property
    def spec(self) -> EmbeddingSpec: ...

    def __call__(self, audio: Samples, sample_rate: int) -> Frames: ...


def embed(embedding: Embedding, clip: Clip) -> Frames:
    """The frames of a clip, mixed, resampled and levelled as the embedding's spec says.

    Raises:
        TooShortError: no frame fits.
        ValueError: the channel policy does not fit the clip, or the embedding broke its word.
    """
    spec = embedding.spec
    audio = clip.mono(spec.channels, spec.sample_rate, spec.resampler)
    frames = np.asarray(embedding(levelled(audio, clip, spec.loudness), spec.sample_rate))
    if frames.ndim != 2 or frames.shape[1] != spec.dimension or len(frames) == 0:
        raise ValueError(
            f"{spec.name} gave an array of shape {frames.shape}, not (frames, {spec.dimension})"
        )
    if not np.isfinite(frames).all():
        raise ValueError(f"{spec.name} gave NaN or infinity")
    return frames.astype(np.float32, copy=False)


def levelled(audio: Samples, clip: Clip, loudness: Loudness) -> Samples:
    """The mono samples at the level that the policy asks for; silence is left alone."""
    if loudness == "none":
        return audio
    if loudness == "peak":
        peak = float(np.abs(audio).max(initial=0.0))
        return audio * np.float32(PEAK / peak) if peak > 0 else audio
    if loudness == "lufs":
        level = integrated_loudness(clip)
        if isinstance(level, Undefined):
            return audio
        return audio * np.float32(10.0 ** ((LUFS - level) / 20.0))
    raise ValueError(f"loudness must be one of none, peak and lufs, not {loudness!r}")


def check_rate(spec: EmbeddingSpec, sample_rate: int) -> None:
    """Refuses samples at another rate than the spec's."""
    if sample_rate != spec.sample_rate:
        raise ValueError(
            f"{spec.name} takes {spec.sample_rate} Hz, not {sample_rate} Hz; resample first"
        )


def windows(audio: Samples, spec: EmbeddingSpec) -> NDArray[np.float32]:
    """Whole windows of the audio, (k, window), as a view; a rest shorter than a window is left.

    Raises:
        TooShortError: the audio is shorter than one window.
    """
    size, hop = round(spec.window * spec.sample_rate), round(spec.hop * spec.sample_rate)
    if len(audio) < size:
        raise TooShortError(
            f"{len(audio) / spec.sample_rate:.2f} s: {spec.name} needs {spec.window:g} s"
        )
    return np.lib.stride_tricks.sliding_window_view(audio, size)[::hop]
