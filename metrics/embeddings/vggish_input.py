"""What VGGish hears: log mel patches of 0.96 s.

Conventions (Hershey et al. 2017; the AudioSet release): 16,000 Hz mono, magnitude spectra of 400
samples every 160 (periodic Hann, FFT 512), 64 mel bands from 125 to 7,500 Hz on the HTK scale,
ln(mel + 0.01), patches of 96 frames without overlap. A rest shorter than a patch is left out.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clip import Samples
from concours.metrics.embeddings.protocol import TooShortError
from concours.metrics.spectra import hann

Matrix = NDArray[np.float32]

SAMPLE_RATE = 16_000
WINDOW, HOP, FFT = 400, 160, 512
BANDS, LOW, HIGH = 64, 125.0, 7_500.0
OFFSET = 0.01
PATCH = 96
SHORTEST = (PATCH - 1) * HOP + WINDOW


def vggish_patches(audio: Samples) -> Matrix:
    """Patches of shape (k, 96, 64) from mono samples at 16,000 Hz.

    Raises:
        TooShortError: under 0.975 s, so no patch.

    >>> vggish_patches(np.zeros(32000, np.float32)).shape
    (2, 96, 64)
    """
    from scipy.fft import rfft

    if len(audio) < SHORTEST:
        raise TooShortError(
            f"{len(audio) / SAMPLE_RATE:.3f} s: vggish needs {SHORTEST / SAMPLE_RATE} s"
        )
    windows = np.lib.stride_tricks.sliding_window_view(audio, WINDOW)[::HOP]
    frames = len(windows) // PATCH * PATCH
    mel = np.empty((frames, BANDS), np.float32)
    for start in range(0, frames, PATCH):
        # float64, since ln(mel + 0.01) of quiet sound rests on small numbers
        block = windows[start : start + PATCH].astype(np.float64) * hann(WINDOW)
        mel[start : start + PATCH] = np.log(np.abs(rfft(block, FFT, axis=1)) @ _bank() + OFFSET)
    return mel.reshape(-1, PATCH, BANDS)


@lru_cache(maxsize=1)
def _bank() -> NDArray[np.float64]:
    """Triangles with straight edges on the HTK mel scale, (257, 64); the first bin is left out."""

    def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1127.0 * np.log1p(hertz / 700.0)

    bins = mel(np.arange(1.0 + FFT // 2) * (SAMPLE_RATE / FFT))[:, np.newaxis]
    low, high = mel(np.array([LOW, HIGH]))
    edges = np.linspace(low, high, BANDS + 2)
    up = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank: NDArray[np.float64] = np.maximum(0.0, np.minimum(up, down))
    bank[0] = 0.0
    return bank
