"""Two clips side by side: a generated one and the music that it should be like.

Conventions: the first clip is the generated one, the second its target (a ground truth, or the
melody that it was conditioned on). Frames are compared at equal times from the start, over the
length of the shorter clip; a difference in length is not punished here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clip import Clip
from concours.metrics.registry import metric
from concours.metrics.spec import Undefined
from concours.metrics.spectra import SAMPLE_RATE, hann, slaney_mel, spectra

Doubles = NDArray[np.float64]

SHORT = Undefined("shorter than 0.1 s")
WINDOWS = (256, 512, 1024, 2048)


def _frames(clip: Clip, target: Clip) -> int:
    return min(spectra(clip).frames, spectra(target).frames)


@metric(
    level="pair",
    inputs="audio",
    direction="higher",
    unit="cosine",
    range=(0, 1),
    citation="chroma cosine similarity, Copet et al. 2023 (MusicGen), arXiv:2306.05284",
)
def chroma_cosine(clip: Clip, target: Clip) -> float | Undefined:
    """How alike the harmonies of two clips are, frame by frame.

    Mean over frames of the cosine between their chroma vectors, over frames in which neither is
    silent. 1 for the same chroma; unrelated tonal music is at about 0.7. Undefined below 0.1 s and
    where one of the two is silent.

    >>> from concours.metrics.clip import make_clip
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    >>> round(chroma_cosine(make_clip(tone, 22050), make_clip(tone / 2, 22050)), 6)
    1.0
    """
    if min(clip.duration, target.duration) < 0.1:
        return SHORT
    n = _frames(clip, target)
    a, b = (spectra(c).chroma[:, :n].astype(np.float64) for c in (clip, target))
    lengths = np.sqrt(np.square(a).sum(axis=0) * np.square(b).sum(axis=0))
    heard = lengths > 0
    if not heard.any():
        return Undefined("no frame in which both clips sound")
    return float(((a * b).sum(axis=0)[heard] / lengths[heard]).mean())


@metric(
    level="pair",
    inputs="audio",
    direction="higher",
    unit="share",
    range=(0, 1),
    citation="melody accuracy, Wu et al. 2023 (Music ControlNet), arXiv:2311.07069",
)
def melody_accuracy(clip: Clip, target: Clip) -> float | Undefined:
    """Share of the frames in which the loudest pitch class is the target's.

    Over frames whose target is within 40 dB of its loudest frame; octaves don't count. Chance is
    about 1/12. Undefined below 0.1 s and for a silent target.

    >>> from concours.metrics.clip import make_clip
    >>> t = np.arange(22050) / 22050
    >>> a, e = (make_clip(np.sin(2 * np.pi * f * t), 22050) for f in (440.0, 659.26))
    >>> melody_accuracy(a, a), melody_accuracy(e, a)
    (1.0, 0.0)
    """
    if min(clip.duration, target.duration) < 0.1:
        return SHORT
    n = _frames(clip, target)
    a, b = (spectra(c).chroma_power[:, :n] for c in (clip, target))
    level = b.sum(axis=0)
    heard = (level > 0) & (level >= level.max(initial=0.0) * 1e-4)
    if not heard.any():
        return Undefined("the target is silent")
    sounds = a.sum(axis=0) > 0
    return float(((a.argmax(axis=0) == b.argmax(axis=0)) & sounds)[heard].mean())


@metric(
    level="pair",
    inputs="audio",
    direction="lower",
    unit="dB",
    range=(0, math.inf),
    citation="multi-scale mel distance, Kumar et al. 2023 (DAC), arXiv:2306.06546",
)
def mel_distance(clip: Clip, target: Clip, *, bands: int = 64) -> float | Undefined:
    """How far apart two clips are in time and frequency, at four resolutions.

    Mean over windows of 256, 512, 1,024 and 2,048 samples (22,050 Hz mono, Hann, hops of a
    quarter) of the mean |difference| of mel bands in dB, each no lower than 80 dB below the
    target's loudest. With ``bands`` bands for the longest window and half as many for each shorter
    one. It hears level and phase-free timing, not musical likeness. Undefined below 2,048 samples
    and for a silent target.

    >>> from concours.metrics.clip import make_clip
    >>> noise = np.random.default_rng(0).normal(size=22050) * 0.1
    >>> round(mel_distance(make_clip(noise / 10, 22050), make_clip(noise, 22050)), 4)
    20.0
    """
    x, y = (c.mono(sample_rate=SAMPLE_RATE) for c in (clip, target))
    n = min(len(x), len(y))
    if n < WINDOWS[-1]:
        return Undefined(f"shorter than {WINDOWS[-1]} samples at {SAMPLE_RATE} Hz")
    gaps = []
    for size in WINDOWS:
        filters = slaney_mel(SAMPLE_RATE, size, max(4, bands * size // WINDOWS[-1]))
        a, b = (_mel(v[:n], size, filters) for v in (x, y))
        floor = b.max() * 1e-8
        if floor <= 0:
            return Undefined("the target is silent")
        ratio = np.log10(np.maximum(a, floor)) - np.log10(np.maximum(b, floor))
        gaps.append(float(np.abs(10.0 * ratio).mean()))
    return float(np.mean(gaps))


def _mel(x: NDArray[np.float32], size: int, filters: Doubles) -> Doubles:
    from scipy.fft import rfft

    windows = np.lib.stride_tricks.sliding_window_view(x, size)[:: size // 4]
    found = [
        np.square(np.abs(rfft(windows[i : i + 64] * hann(size), axis=1))) @ filters.T
        for i in range(0, len(windows), 64)
    ]
    return np.concatenate(found).astype(np.float64)
