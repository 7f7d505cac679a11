"""Integrated loudness by ITU-R BS.1770-4: K-weighting, 400 ms blocks, two gates.

Conventions: signals have shape (n, channels) with one or two channels, full scale 1. The
K-weighting is derived for any sample rate from the analogue prototypes behind the coefficients
that the standard prints for 48 kHz.
"""

from __future__ import annotations

from math import pi, tan

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
_BLOCK = 0.4
_STEP = 0.1


def integrated_loudness(signal: Samples, rate: int) -> float | None:
    """Loudness in LUFS, shape (n, channels); None for silence or under 0.4 s.

    >>> t = np.arange(48000 * 3) / 48000
    >>> tone = np.stack([np.sin(2 * np.pi * 997 * t)] * 2, axis=1) * 10 ** (-23 / 20)
    >>> round(integrated_loudness(tone, 48000), 1)
    -23.0
    """
    from scipy.signal import lfilter

    weighted = signal
    for numerator, denominator in (_shelf(rate), _high_pass(rate)):
        weighted = lfilter(numerator, denominator, weighted, axis=0)
    size, step = round(_BLOCK * rate), round(_STEP * rate)
    if len(signal) < size:
        return None
    squares = np.concatenate([np.zeros((1, signal.shape[1])), np.cumsum(weighted**2, axis=0)])
    starts = np.arange(0, len(signal) - size + 1, step)
    power = ((squares[starts + size] - squares[starts]) / size).sum(axis=1)
    kept = power[_lufs(power) > ABSOLUTE_GATE]
    if len(kept) == 0:
        return None
    gate = float(_lufs(np.array([kept.mean()]))[0]) + RELATIVE_GATE
    return float(_lufs(np.array([kept[_lufs(kept) > gate].mean()]))[0])


def _lufs(power: Samples) -> Samples:
    loud: Samples = -0.691 + 10 * np.log10(np.maximum(power, 1e-20))
    return loud


def _shelf(rate: int) -> tuple[list[float], list[float]]:
    """The first stage: +4 dB above about 1.7 kHz, for the acoustics of a head."""
    gain, quality, frequency = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    k = tan(pi * frequency / rate)
    high = 10 ** (gain / 20)
    band = high**0.4996667741545416
    scale = 1 + k / quality + k * k
    return (
        [
            (high + band * k / quality + k * k) / scale,
            2 * (k * k - high) / scale,
            (high - band * k / quality + k * k) / scale,
        ],
        [1.0, 2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale],
    )


def _high_pass(rate: int) -> tuple[list[float], list[float]]:
    """The second stage: a high-pass at about 38 Hz."""
    quality, frequency = 0.5003270373238773, 38.13547087602444
    k = tan(pi * frequency / rate)
    scale = 1 + k / quality + k * k
    return [1.0, -2.0, 1.0], [1.0, 2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale]
