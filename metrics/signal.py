"""Sound: what a clip's spectrum says of its rhythm, its harmony and its timbre.

Conventions: those of :mod:`concours.metrics.spectra` (22,050 Hz mono, frames of 2,048 samples every
512), except for the bandwidth, which is measured at the clip's own rate. A clip too short for a
metric is undefined with that reason, never padded until it fits.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clip import Clip
from concours.metrics.registry import metric
from concours.metrics.spec import Scored, Undefined
from concours.metrics.spectra import HOP, SAMPLE_RATE, hann, mfcc, onset_strength, spectra

Doubles = NDArray[np.float64]

FRAME_RATE = SAMPLE_RATE / HOP
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
# Krumhansl & Kessler 1982: how well each degree fits a key
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
SILENT = Undefined("silent")


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="Hz",
    range=(0, math.inf),
    citation="a definition of Concours",
)
def effective_bandwidth(clip: Clip, *, floor: float = -70.0) -> float | Undefined:
    """The frequency above which there is practically nothing.

    The highest bin of the average power spectrum (2,048 samples, Hann, at the clip's own rate)
    within ``floor`` dB of its highest. It shows a clip that was made at a lower rate, or a codec's
    low pass, behind the rate that the file states. Undefined below 2,048 samples and for silence.

    >>> from concours.metrics.clip import make_clip
    >>> sine = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    >>> 1000 <= effective_bandwidth(make_clip(sine, 16000)) < 1200
    True
    """
    from scipy.fft import rfft

    x, size = clip.mono(), 2_048
    if len(x) < size:
        return Undefined(f"shorter than {size} samples")
    windows = np.lib.stride_tricks.sliding_window_view(x, size)[:: size // 2]
    power = np.zeros(1 + size // 2)
    for start in range(0, len(windows), 64):
        power += np.square(np.abs(rfft(windows[start : start + 64] * hann(size), axis=1))).sum(0)
    if power.max() <= 0:
        return SILENT
    high = np.flatnonzero(power >= power.max() * 10.0 ** (floor / 10.0))
    return float(high[-1]) * clip.sample_rate / size


def _rhythm(clip: Clip, seconds: float) -> Doubles | Undefined:
    """The onset strength, where the clip is long enough and has any."""
    if clip.duration < seconds:
        return Undefined(f"shorter than {seconds:g} s")
    strength = onset_strength(clip)
    return strength if strength.max(initial=0.0) > 0 else Undefined("no onsets: the sound is even")


def _autocorrelation(strength: Doubles) -> Doubles:
    """Autocorrelation of the onset strength at each lag, 1 at lag 0."""
    from scipy.fft import irfft, rfft

    centred = strength - strength.mean()
    n = len(centred)
    raw = irfft(np.square(np.abs(rfft(centred, 2 * n))), 2 * n)[:n]
    found: Doubles = raw / raw[0]
    return found


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="beat per minute",
    range=(28, 310),
    citation="Ellis 2007, doi:10.1080/09298210701653344",
)
def audio_tempo(clip: Clip, *, prior: float = 120.0) -> float | Undefined:
    """Tempo of the strongest period of the onsets.

    The lag of 0.2 to 2 s that maximises the autocorrelation of the onset strength times a
    log-normal weight around ``prior`` (one octave wide), refined by a parabola. Tempo is ambiguous
    by octaves. Undefined below 4 s, without onsets, and where nothing repeats.

    >>> from concours.metrics.clip import make_clip
    >>> clicks = np.zeros(22050 * 8)
    >>> clicks[:: 22050 // 2] = 1.0
    >>> 118 < audio_tempo(make_clip(clicks, 22050)) < 122
    True
    """
    strength = _rhythm(clip, 4.0)
    if isinstance(strength, Undefined):
        return strength
    repeats = _autocorrelation(strength)
    lags = np.arange(math.ceil(0.2 * FRAME_RATE), math.floor(2.0 * FRAME_RATE) + 1)
    tempi = 60.0 * FRAME_RATE / lags
    score = np.maximum(repeats[lags], 0.0) * np.exp(-0.5 * np.log2(tempi / prior) ** 2)
    best = int(lags[score.argmax()])
    if score.max() <= 0:
        return Undefined("nothing repeats within 2 s")
    before, at, after = repeats[best - 1 : best + 2]
    bend = before - 2 * at + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(60.0 * FRAME_RATE / (best + float(np.clip(shift, -0.5, 0.5))))


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="correlation",
    range=(-1, 1),
    citation="Lartillot et al. 2008, Multi-feature modeling of pulse clarity (ISMIR)",
)
def pulse_clarity(clip: Clip) -> float | Undefined:
    """How strongly the onsets repeat.

    The largest autocorrelation of the onset strength at lags of 0.2 to 2 s: near 1 for a click,
    near 0 without a pulse. Undefined below 4 s and without onsets.

    >>> from concours.metrics.clip import make_clip
    >>> clicks = np.zeros(22050 * 8)
    >>> clicks[:: 22050 // 2] = 1.0
    >>> pulse_clarity(make_clip(clicks, 22050)) > 0.8
    True
    """
    strength = _rhythm(clip, 4.0)
    if isinstance(strength, Undefined):
        return strength
    low, high = math.ceil(0.2 * FRAME_RATE), math.floor(2.0 * FRAME_RATE)
    return float(_autocorrelation(strength)[low : high + 1].max())


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="onset per second",
    range=(0, math.inf),
    citation="Böck, Krebs & Schedl 2012, Evaluating the online capabilities of onset detection",
)
def audio_onset_density(clip: Clip, *, delta: float = 0.07) -> float | Undefined:
    """Onsets per second.

    Frames where the onset strength, scaled to 0-1, is the largest within 30 ms, exceeds its mean
    over 100 ms before and after by ``delta``, and lies at least 30 ms after the last one.
    Undefined below 1 s; an even sound has 0.

    >>> from concours.metrics.clip import make_clip
    >>> clicks = np.zeros(22050 * 4)
    >>> clicks[11025 :: 22050 // 2] = 1.0
    >>> audio_onset_density(make_clip(clicks, 22050))
    1.75
    """
    if clip.duration < 1.0:
        return Undefined("shorter than 1 s")
    return len(onset_frames(onset_strength(clip), delta)) / clip.duration


def onset_frames(strength: Doubles, delta: float = 0.07) -> NDArray[np.int64]:
    """The frames at which notes begin, from an onset strength of shape (frames,)."""
    span = float(np.ptp(strength)) if len(strength) else 0.0
    if span <= 0:
        return np.zeros(0, np.int64)
    scaled = (strength - strength.min()) / span
    near = max(1, math.floor(0.03 * FRAME_RATE))
    wide = max(1, math.floor(0.1 * FRAME_RATE))
    padded = np.pad(scaled, near, constant_values=-np.inf)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * near + 1).max(axis=1)
    total = np.concatenate([[0.0], np.cumsum(scaled)])
    first = np.maximum(np.arange(len(scaled)) - wide, 0)
    last = np.minimum(np.arange(len(scaled)) + wide + 1, len(scaled))
    mean = (total[last] - total[first]) / (last - first)
    found: list[int] = []
    for t in np.flatnonzero((scaled == highest) & (scaled >= mean + delta)).tolist():
        if not found or t - found[-1] > near:
            found.append(t)
    return np.array(found, dtype=np.int64)


def _profile(clip: Clip) -> Doubles | Undefined:
    """Mean power of the twelve pitch classes, C first."""
    if clip.duration < 0.1:
        return Undefined("shorter than 0.1 s")
    power = spectra(clip).chroma_power.mean(axis=1, dtype=np.float64)
    return power if power.sum() > 0 else SILENT


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="bit",
    range=(0, math.log2(12)),
    citation="the entropy of symbolic pitch classes (Wu & Yang 2020), on sound",
)
def chroma_entropy(clip: Clip) -> float | Undefined:
    """Entropy of the pitch classes of the sound.

    -Σ p log2 p over the twelve shares of the mean chroma, each frame divided by its largest bin
    first. Overtones and noise raise it, so it isn't comparable with the entropy of notes.
    Undefined below 0.1 s and for silence.

    >>> from concours.metrics.clip import make_clip
    >>> noise = np.random.default_rng(0).normal(size=22050) * 0.1
    >>> chroma_entropy(make_clip(noise, 22050)) > 3.5
    True
    """
    profile = _profile(clip)
    if isinstance(profile, Undefined):
        return profile
    shares = spectra(clip).chroma.mean(axis=1, dtype=np.float64)
    shares = shares[shares > 0] / shares.sum()
    return float(-(shares * np.log2(shares)).sum())


def _key_fits(clip: Clip) -> Doubles | Undefined:
    """Correlation of the pitch classes with 12 major, then 12 minor keys."""
    profile = _profile(clip)
    if isinstance(profile, Undefined):
        return profile
    keys = np.array([np.roll(mode, tonic) for mode in (MAJOR, MINOR) for tonic in range(12)])
    if np.ptp(profile) <= 0:
        return Undefined("all pitch classes are equally strong")
    fits: Doubles = np.corrcoef(np.vstack([profile, keys]))[0, 1:]
    return fits


def _key_name(index: int) -> str:
    return f"{NAMES[index % 12]} {'major' if index < 12 else 'minor'}"


@metric(
    level="clip",
    inputs="audio",
    direction="none",
    unit="key",
    range=(0, 23),
    citation="Krumhansl & Kessler 1982, doi:10.1037/0033-295X.89.4.334",
)
def audio_key(clip: Clip) -> Scored | Undefined:
    """The key that the sound fits best: 0-11 for C to B major, 12-23 for C to B minor.

    The largest correlation of the mean chroma power with Krumhansl and Kessler's 24 profiles; the
    detail holds its name and the correlation. Undefined below 0.1 s and for silence.

    >>> from concours.metrics.clip import make_clip
    >>> t = np.arange(44100) / 22050
    >>> notes = {440.0: 0.5, 554.37: 0.2, 659.26: 0.3}
    >>> chord = sum(level * np.sin(2 * np.pi * f * t) for f, level in notes.items())
    >>> audio_key(make_clip(chord, 22050)).detail["key"]
    'A major'
    """
    fits = _key_fits(clip)
    if isinstance(fits, Undefined):
        return fits
    best = int(fits.argmax())
    return Scored(float(best), {"key": _key_name(best), "correlation": float(fits[best])})


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="correlation",
    range=(0, 2),
    citation="Krumhansl & Kessler 1982, doi:10.1037/0033-295X.89.4.334",
)
def audio_key_margin(clip: Clip) -> float | Undefined:
    """How much better the best key fits than the second best.

    The difference of their correlations; near 0 where the key is unclear. Undefined as
    ``audio_key``.

    >>> from concours.metrics.clip import make_clip
    >>> t = np.arange(44100) / 22050
    >>> notes = {440.0: 0.5, 554.37: 0.2, 659.26: 0.3}
    >>> chord = sum(level * np.sin(2 * np.pi * f * t) for f, level in notes.items())
    >>> audio_key_margin(make_clip(chord, 22050)) > 0.05
    True
    """
    fits = _key_fits(clip)
    if isinstance(fits, Undefined):
        return fits
    second, first = np.sort(fits)[-2:]
    return float(first - second)


def _coefficient(clip: Clip, coefficient: int) -> NDArray[np.float32] | Undefined:
    if not 0 <= coefficient < 20:
        raise ValueError(f"coefficient must be 0 to 19, not {coefficient}")
    if clip.duration < 0.1:
        return Undefined("shorter than 0.1 s")
    if not clip.samples.any():
        return SILENT
    values: NDArray[np.float32] = mfcc(clip)[coefficient]
    return values


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="dB",
    citation="Davis & Mermelstein 1980, doi:10.1109/TASSP.1980.1163420",
)
def mfcc_mean(clip: Clip, *, coefficient: int = 1) -> float | Undefined:
    """Mean over time of one mel-frequency cepstral coefficient (0-19; 0 is the level).

    Coefficient 1 is the tilt of the spectrum: higher is darker. Undefined below 0.1 s and for
    silence.

    >>> from concours.metrics.clip import make_clip
    >>> bright = np.random.default_rng(0).normal(size=22050) * 0.1
    >>> mfcc_mean(make_clip(bright, 22050)) < mfcc_mean(make_clip(np.cumsum(bright) / 99, 22050))
    True
    """
    values = _coefficient(clip, coefficient)
    return values if isinstance(values, Undefined) else float(values.mean(dtype=np.float64))


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="dB",
    range=(0, math.inf),
    citation="Davis & Mermelstein 1980, doi:10.1109/TASSP.1980.1163420",
)
def mfcc_std(clip: Clip, *, coefficient: int = 1) -> float | Undefined:
    """Standard deviation over time of one mel-frequency cepstral coefficient (0-19).

    How much the timbre moves. Undefined below 0.1 s and for silence.

    >>> from concours.metrics.clip import make_clip
    >>> even = np.random.default_rng(0).normal(size=22050) * 0.1
    >>> mfcc_std(make_clip(even, 22050)) < mfcc_std(make_clip(np.append(even, even / 99), 22050))
    True
    """
    values = _coefficient(clip, coefficient)
    return values if isinstance(values, Undefined) else float(values.std(dtype=np.float64))
