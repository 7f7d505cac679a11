"""What LAION's CLAP hears: log mel spectra of 10 s at 48,000 Hz.

Conventions: FFT 1,024 (periodic Hann, centred with mirrored ends), hop 480, power, 64 mel bands
from 50 to 14,000 Hz, 10 log10(max(mel, 1e-10)). The mel scale is Slaney's with equal areas for
checkpoints without fusion, and HTK's without normalisation for those with. Audio shorter than 10 s
is repeated as often as it fits whole and then padded with zeros. Longer audio is cut into windows
at fixed places, never at random ones, so a clip has one embedding.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clip import Samples
from concours.metrics.embeddings.protocol import TooShortError
from concours.metrics.spectra import hann, slaney_mel

Matrix = NDArray[np.float32]
Doubles = NDArray[np.float64]

SAMPLE_RATE = 48_000
SECONDS = 10
LENGTH = SAMPLE_RATE * SECONDS
FFT, HOP, BANDS = 1_024, 480, 64
LOW, HIGH = 50.0, 14_000.0


def clap_windows(audio: Samples, hop: float) -> list[Samples]:
    """Windows of 10 s every ``hop`` seconds; the last one ends with the audio.

    Audio of at most 10 s is one window, repeated and padded.

    Raises:
        TooShortError: no sample.

    >>> [len(w) for w in clap_windows(np.ones(48000 * 12, np.float32), hop=1.0)]
    [480000, 480000, 480000]
    """
    if len(audio) == 0:
        raise TooShortError("no samples")
    if len(audio) <= LENGTH:
        return [repeated(audio)]
    step = round(hop * SAMPLE_RATE)
    starts = list(range(0, len(audio) - LENGTH + 1, step))
    if starts[-1] != len(audio) - LENGTH:
        starts.append(len(audio) - LENGTH)
    return [audio[s : s + LENGTH] for s in starts]


def repeated(audio: Samples) -> Samples:
    """10 s of the audio, repeated whole and then padded with zeros."""
    whole = np.tile(audio, LENGTH // len(audio))
    return np.concatenate([whole, np.zeros(LENGTH - len(whole), np.float32)])


def clap_mel(window: Samples, fusion: bool) -> Matrix:
    """The log mel spectrum of one window of 10 s, shape (1001, 64)."""
    from scipy.fft import rfft

    padded = np.pad(window, FFT // 2, mode="reflect")
    view = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP]
    bank = _bank(fusion)
    mel = np.empty((len(view), BANDS))
    for start in range(0, len(view), 64):
        spectrum = rfft(view[start : start + 64].astype(np.float64) * hann(FFT), axis=1)
        mel[start : start + 64] = (spectrum.real**2 + spectrum.imag**2) @ bank
    decibel: Matrix = (10.0 * np.log10(np.maximum(mel, 1e-10))).astype(np.float32)
    return decibel


@lru_cache(maxsize=2)
def _bank(fusion: bool) -> Doubles:
    if not fusion:
        return slaney_mel(SAMPLE_RATE, FFT, BANDS, LOW, HIGH).T

    def mel(hertz: float) -> float:
        return 2595.0 * float(np.log10(1.0 + hertz / 700.0))

    edges = 700.0 * (10.0 ** (np.linspace(mel(LOW), mel(HIGH), BANDS + 2) / 2595.0) - 1.0)
    bins = (np.arange(1.0 + FFT // 2) * (SAMPLE_RATE / FFT))[:, np.newaxis]
    up = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(up, down))
