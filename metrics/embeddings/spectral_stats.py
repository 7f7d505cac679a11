"""``spectral-stats-v1``: statistics of the spectrum, an embedding without weights.

101 dimensions for every 3 s of 22,050 Hz mono, one window every 1.5 s: 20 cepstra of 48 mel bands
in dB (mean, standard deviation, mean |change|), 12 chroma bins (mean, standard deviation) and
their motion, the spectrum's centroid, roll-off and flatness and the onset flux (mean, standard
deviation each), and the flux's autocorrelation at 8 lags.

Units are physical and fixed (dB, octaves, shares), never standardised over a data set, so a number
today is the same number in every other study. It is deterministic, it hears level, timbre,
harmony and pulse, and it knows nothing of what people like: no distance on it is comparable with a
published FAD.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clip import Samples
from concours.metrics.embeddings.protocol import (
    EmbeddingSpec,
    Frames,
    TooShortError,
    check_rate,
)
from concours.metrics.spectra import (
    FFT,
    HOP,
    Piece,
    apply_pieces,
    chroma_bank,
    flux,
    hann,
    in_pieces,
    slaney_mel,
)

Matrix = NDArray[np.float32]

BANDS = 48
CEPSTRA = 20
LAGS = 8
BLOCK = 64
FLOOR = 1e-8  # -80 dB below a full-scale sine
ROLLOFF = 0.85

SPEC = EmbeddingSpec(
    name="spectral-stats-v1",
    model_id="spectral-stats-v1",
    dimension=101,
    sample_rate=22_050,
    window=3.0,
    hop=1.5,
    note=(
        "statistics of the spectrum, without weights: not a perceptual metric, "
        "and not comparable with any published FAD"
    ),
)


class SpectralStats:
    """The embedding; see the module for its dimensions."""

    spec = SPEC

    def __call__(self, audio: Samples, sample_rate: int) -> Frames:
        """Frames of shape (k, 101), one for every whole window.

        Raises:
            TooShortError: shorter than 3 s.

        >>> SpectralStats()(np.zeros(22050 * 6, np.float32), 22050).shape
        (3, 101)
        """
        check_rate(SPEC, sample_rate)
        seconds = len(audio) / SPEC.sample_rate
        if seconds < SPEC.window:
            raise TooShortError(f"{seconds:.2f} s: {SPEC.name} needs {SPEC.window:g} s")
        tracks = _tracks(audio)
        count = 1 + int((seconds - SPEC.window) / SPEC.hop + 1e-9)
        per_second = SPEC.sample_rate / HOP
        size = int(SPEC.window * per_second)
        starts = [round(i * SPEC.hop * per_second) for i in range(count)]
        return np.stack([_statistics(*(t[..., s : s + size] for t in tracks)) for s in starts])


def _tracks(audio: Samples) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """Cepstra (20, t), chroma (12, t), shape of the spectrum (3, t) and flux (1, t)."""
    from scipy.fft import dct, rfft

    frames = 1 + (len(audio) - 1) // HOP
    padded = np.zeros((frames - 1) * HOP + FFT, np.float32)
    padded[: len(audio)] = audio[: len(padded)]
    view = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP]
    window = hann(FFT) * np.float32(4.0 / FFT)  # a full-scale sine has power 1
    weights, hertz = _banks()
    banks = np.zeros((frames, BANDS + 12), np.float32)
    shape = np.empty((frames, 3), np.float32)
    for start in range(0, frames, BLOCK):
        spectrum = rfft(view[start : start + BLOCK] * window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        rows = slice(start, start + len(power))
        apply_pieces(power, weights, banks[rows])
        power += np.float32(FLOOR / FFT)
        shape[rows] = _shape(power, hertz)
    decibels = 10.0 * np.log10(banks[:, :BANDS] + FLOOR)
    cepstra = dct(decibels, axis=1, norm="ortho")[:, :CEPSTRA] / np.sqrt(BANDS)
    pitch = banks[:, BANDS:] + FLOOR
    chroma = pitch / pitch.max(axis=1, keepdims=True)
    rise = flux(decibels.T)[np.newaxis]
    return (
        cepstra.T.astype(np.float32),
        chroma.T.astype(np.float32),
        shape.T,
        rise.astype(np.float32),
    )


def _shape(power: Matrix, hertz: Matrix) -> Matrix:
    """Centroid and roll-off in octaves from 1 kHz, and flatness in units of 10 dB; (t, 3)."""
    total = power.sum(axis=1, keepdims=True)
    centroid = np.log2((power @ hertz) / total[:, 0] / 1000.0)
    below = np.argmax(np.cumsum(power, axis=1) >= ROLLOFF * total, axis=1)
    rolloff = np.log2(np.maximum(hertz[below], hertz[1]) / 1000.0)
    flatness = np.log10(power).mean(axis=1) - np.log10(total[:, 0] / power.shape[1])
    return np.stack([centroid, rolloff, flatness], axis=1).astype(np.float32)


def _statistics(cepstra: Matrix, chroma: Matrix, shape: Matrix, rise: Matrix) -> Matrix:
    """The 101 numbers of one window."""
    parts = [
        cepstra.mean(axis=1) / 10.0,
        cepstra.std(axis=1) / 10.0,
        np.abs(np.diff(cepstra, axis=1)).mean(axis=1) / 10.0,
        chroma.mean(axis=1),
        chroma.std(axis=1),
        np.abs(np.diff(chroma, axis=1)).mean(keepdims=True)[0],
        np.stack([shape.mean(axis=1), shape.std(axis=1)]).T.ravel(),
        [rise.mean() / 10.0, rise.std() / 10.0],
        _autocorrelation(rise[0]),
    ]
    return np.concatenate(parts).astype(np.float32)


def _autocorrelation(rise: Matrix) -> NDArray[np.float64]:
    """The flux's autocorrelation at 8 lags from 0.1 to 1.5 s, evenly in octaves."""
    lags = np.round(np.geomspace(0.1, 1.5, LAGS) * SPEC.sample_rate / HOP).astype(np.int64)
    centred = rise.astype(np.float64) - rise.mean(dtype=np.float64)
    power = float(np.square(centred).sum())
    if power <= 1e-12:
        return np.zeros(LAGS)
    return np.array([float(centred[lag:] @ centred[:-lag]) / power for lag in lags])


@lru_cache(maxsize=1)
def _banks() -> tuple[tuple[Piece, ...], Matrix]:
    """The weights of the mel bands and of chroma after them, and the bins' frequencies."""
    hertz = np.arange(1 + FFT // 2, dtype=np.float32) * (SPEC.sample_rate / FFT)
    mel = slaney_mel(SPEC.sample_rate, FFT, BANDS)
    mel /= np.maximum(mel.max(axis=1, keepdims=True), 1e-12)
    chroma = chroma_bank(SPEC.sample_rate, FFT)
    return (*in_pieces(mel, 0), *in_pieces(chroma, BANDS)), hertz
