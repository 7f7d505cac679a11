"""Level: how loud a clip is, and what is wrong with its samples.

Conventions: all channels count, at the clip's own rate; full scale is 1.0 and dBFS are relative to
it; nothing is mixed, resampled or normalised first.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clip import Clip, Samples
from concours.metrics.compiled import compiled
from concours.metrics.registry import metric
from concours.metrics.spec import Undefined

Doubles = NDArray[np.float64]

BLOCK_SECONDS = 0.4
BLOCK = 1024
UNDER = 10  # samples on each side of a place between samples that count for it
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
SURROUND = (1.0, 1.0, 1.0, 0.0, 1.41, 1.41)  # L R C LFE Ls Rs
EMPTY = Undefined("no samples")


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="LUFS",
    range=(ABSOLUTE_GATE, math.inf),
    citation="ITU-R BS.1770-4; EBU Tech 3341",
)
def integrated_loudness(clip: Clip) -> float | Undefined:
    """Loudness of the whole clip as a listener hears it, quiet parts left out.

    -0.691 + 10 log10 Σ over channels of G · mean square of the K-weighted signal, over blocks of
    0.4 s with 75% overlap that exceed -70 LUFS and then -10 LU relative to the rest. G is 1, in
    5.1 (six channels) 1.41 for the surrounds and 0 for the LFE. Undefined below 0.4 s and where
    no block exceeds -70 LUFS.

    >>> from concours.metrics.clip import make_clip
    >>> sine = np.sin(2 * np.pi * 997 * np.arange(96000) / 48000)
    >>> round(integrated_loudness(make_clip(sine, 48000)), 2)
    -3.01
    """
    if clip.duration < BLOCK_SECONDS:
        return Undefined(f"shorter than {BLOCK_SECONDS} s")
    found = loudness_of(clip.samples, clip.sample_rate)
    return Undefined("silent: no block exceeds -70 LUFS") if found is None else found


def loudness_of(samples: NDArray[np.floating[Any]], rate: int) -> float | None:
    """The same of samples of shape (n, channels), full scale 1; None where it is undefined.

    >>> sine = np.sin(2 * np.pi * 997 * np.arange(96000) / 48000)
    >>> round(loudness_of(np.stack([sine, sine], axis=1), 48000), 2)
    0.0
    """
    power = _block_power(samples, rate)
    loud = power[_loudness(power) > ABSOLUTE_GATE]
    if len(loud) == 0:
        return None
    gate = float(_loudness(loud.mean())) + RELATIVE_GATE
    return float(_loudness(loud[_loudness(loud) > gate].mean()))


def _loudness(power: NDArray[np.float64] | float) -> Doubles:
    found: Doubles = -0.691 + 10.0 * np.log10(np.maximum(power, 1e-30))
    return found


def _block_power(x: NDArray[np.floating[Any]], rate: int) -> Doubles:
    """Weighted mean square of each 0.4 s block, one every 0.1 s."""
    from scipy.signal import sosfilt

    channels = x.shape[1]
    weights = SURROUND if channels == 6 else (1.0,) * channels
    sections = k_weighting(rate)
    blocks = int(np.floor((len(x) / rate - BLOCK_SECONDS) / 0.1 + 1e-9)) + 1
    starts = np.arange(max(0, blocks)) * 0.1
    first = np.round(starts * rate).astype(np.int64)
    last = np.minimum(np.round((starts + BLOCK_SECONDS) * rate).astype(np.int64), len(x))
    power = np.zeros(len(starts))
    for c, weight in enumerate(weights):
        if weight:
            weighted = sosfilt(sections, x[:, c].astype(np.float64))
            energy = np.concatenate([[0.0], np.cumsum(np.square(weighted))])
            power += weight * (energy[last] - energy[first]) / (last - first)
    return power


def k_weighting(rate: int) -> Doubles:
    """The two filters of BS.1770 at any rate, as second-order sections (2, 6).

    A shelf of +4 dB above 1.7 kHz and a high pass at 38 Hz; at 48 kHz they are the standard's own
    coefficients, at other rates the same analogue filters under the bilinear transform.

    >>> k_weighting(48000)[0].round(5).tolist()
    [1.53512, -2.6917, 1.19839, 1.0, -1.69066, 0.73248]
    """
    gain, quality, corner = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    k, high = math.tan(math.pi * corner / rate), 10 ** (gain / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / quality + k * k
    shelf = [
        (high + band * k / quality + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / quality + k * k) / a0,
        1.0,
        2 * (k * k - 1) / a0,
        (1 - k / quality + k * k) / a0,
    ]
    quality, corner = 0.5003270373238773, 38.13547087602444
    k = math.tan(math.pi * corner / rate)
    a0 = 1 + k / quality + k * k
    passing = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / quality + k * k) / a0]
    return np.array([shelf, passing])


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="dBTP",
    citation="ITU-R BS.1770-4, annex 2",
)
def true_peak(clip: Clip) -> float | Undefined:
    """Peak of the waveform between the samples, too.

    20 log10 of the largest magnitude after 4 times oversampling (2 times from 96 kHz on, none
    from 192 kHz on), over all channels. Undefined for silence.

    >>> from concours.metrics.clip import make_clip
    >>> sine = np.sin(2 * np.pi * 12000 * np.arange(4800) / 48000 + np.pi / 4)  # sampled at ±0.707
    >>> abs(true_peak(make_clip(sine, 48000))) < 0.4
    True
    """
    if len(clip.samples) == 0:
        return EMPTY
    factor = 4 if clip.sample_rate < 96_000 else 2 if clip.sample_rate < 192_000 else 1
    peak = float(np.abs(clip.samples).max())
    if factor > 1:
        peak = max(peak, *(_peak_between(clip.samples[:, c], factor) for c in range(clip.channels)))
    return 20.0 * math.log10(peak) if peak > 0 else Undefined("silent")


def _peak_between(x: Samples, factor: int) -> float:
    """The largest magnitude of x, (n,), oversampled as :func:`scipy.signal.resample_poly` does."""
    from scipy.signal import firwin

    taps = firwin(2 * UNDER * factor + 1, 1 / factor, window=("kaiser", 5.0)) * factor
    phases = np.zeros((factor, 2 * UNDER + 1), np.float32)
    for phase in range(factor):
        under = taps[phase::factor][::-1]
        phases[phase, -len(under) :] = under
    padded = np.pad(x.astype(np.float32), UNDER)
    return float(_largest_product(padded, phases))


@compiled
def _largest_product(x: Samples, phases: Samples) -> float:
    """The largest magnitude of the sums of x times a row of ``phases``, wherever the row fits."""
    width = phases.shape[1]
    total = len(x) - width + 1
    sums = np.empty(BLOCK, np.float32)
    largest = np.float32(0.0)
    for start in range(0, total, BLOCK):
        n = min(BLOCK, total - start)
        for phase in range(len(phases)):
            sums[:n] = 0.0
            for k in range(width):
                tap, under = phases[phase, k], x[start + k : start + k + n]
                for i in range(n):
                    sums[i] += tap * under[i]
            for i in range(n):
                size = abs(sums[i])
                largest = size if size > largest else largest
    return float(largest)


@metric(
    level="clip",
    inputs="audio",
    direction="lower",
    unit="share",
    range=(0, 1),
    citation="a definition of Concours",
)
def clipping_rate(clip: Clip, *, level: float = 0.999, run: int = 3) -> float | Undefined:
    """Share of the samples that are cut off at full scale.

    Samples in runs of at least ``run`` neighbours of one channel with magnitude at or above
    ``level``, over all samples. A single peak at full scale is no clipping. Undefined for a clip
    without samples.

    >>> from concours.metrics.clip import make_clip
    >>> clipping_rate(make_clip([0.0, 1.0, 1.0, 1.0, 0.5, 1.0, 0.0, 0.0], 8000))
    0.375
    """
    if len(clip.samples) == 0:
        return EMPTY
    clipped = 0
    for c in range(clip.channels):
        at = (np.abs(clip.samples[:, c]) >= level).astype(np.int8)
        edges = np.flatnonzero(np.diff(at, prepend=0, append=0))
        lengths = edges[1::2] - edges[0::2]
        clipped += int(lengths[lengths >= run].sum())
    return clipped / clip.samples.size


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="a definition of Concours",
)
def silence_rate(clip: Clip, *, threshold: float = -60.0) -> float | Undefined:
    """Share of the clip in which nothing can be heard.

    Blocks of 50 ms whose root mean square over all channels lies below ``threshold`` dBFS, over
    all whole blocks. Undefined below 50 ms.

    >>> from concours.metrics.clip import make_clip
    >>> silence_rate(make_clip(np.repeat([0.5, 0.0], 4000), 8000))
    0.5
    """
    size = round(0.05 * clip.sample_rate)
    blocks = len(clip.samples) // size
    if blocks == 0:
        return Undefined("shorter than 50 ms")
    power = np.zeros(blocks)
    for c in range(clip.channels):
        rows = clip.samples[: blocks * size, c].reshape(blocks, size)
        power += np.square(rows, dtype=np.float64).mean(axis=1)
    quiet = power / clip.channels < 10.0 ** (threshold / 10.0)
    return float(np.count_nonzero(quiet)) / blocks


@metric(
    level="clip",
    inputs="audio",
    direction="lower",
    unit="full scale",
    range=(0, 1),
    citation="a definition of Concours",
)
def dc_offset(clip: Clip) -> float | Undefined:
    """How far the waveform's middle lies from 0: the largest |mean| of a channel.

    Undefined for a clip without samples.

    >>> from concours.metrics.clip import make_clip
    >>> dc_offset(make_clip([0.5, 0.0, 0.5, 0.0], 8000))
    0.25
    """
    if len(clip.samples) == 0:
        return EMPTY
    return max(abs(_mean(clip.samples[:, c])) for c in range(clip.channels))


def _mean(x: Samples) -> float:
    return float(x.mean(dtype=np.float64))


@metric(
    level="clip",
    inputs="audio",
    direction="reference",
    unit="share",
    range=(0, 1),
    citation="a definition of Concours",
)
def stereo_width(clip: Clip) -> float | Undefined:
    """Share of the power that lies in the difference of the first two channels.

    S / (M + S), the mean squares of half the difference and of half the sum: 0 for two equal
    channels, 1/2 for unrelated ones, 1 for opposite ones. Undefined for mono and for silence.

    >>> from concours.metrics.clip import make_clip
    >>> stereo_width(make_clip([[1.0, 0.0], [0.0, 1.0]], 8000))
    0.5
    """
    if clip.channels < 2:
        return Undefined("mono")
    side, mid = clip.mono("side"), clip.mono("mid")
    s = float(np.square(side, dtype=np.float64).sum())
    m = float(np.square(mid, dtype=np.float64).sum())
    return s / (s + m) if s + m > 0 else Undefined("silent")
