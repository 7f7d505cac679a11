"""One short-time Fourier transform a clip, from which mel bands, chroma and flux are taken.

Conventions
-----------
- A clip is mixed to mono and resampled to 22,050 Hz (soxr HQ) unless a metric says otherwise.
- Frames are 2,048 samples under a periodic Hann window, one every 512 samples, centred on
  multiples of 512 with zeros beyond the ends; frame t is at t · 512 / 22,050 s.
- Mel bands are Slaney's (128, area-normalised, 0 Hz to half the rate); chroma starts at C, with
  A4 = 440 Hz and no estimate of the tuning, each frame divided by its largest bin.
These are librosa's defaults, and the numbers agree with librosa's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clip import Channels, Clip, Samples

Matrix = NDArray[np.float32]
Doubles = NDArray[np.float64]

SAMPLE_RATE = 22_050
FFT = 2_048
HOP = 512
BANDS = 128
BLOCK = 64
GROUP = 16
CHUNK = 128


@dataclass(frozen=True, eq=False)
class Spectra:
    """Power of the mel bands (128, frames) and of the chroma bins (12, frames), not in dB."""

    mel: Matrix
    chroma_power: Matrix
    sample_rate: int
    hop: int

    @property
    def frames(self) -> int:
        return int(self.mel.shape[1])

    @property
    def seconds_a_frame(self) -> float:
        return self.hop / self.sample_rate

    @property
    def chroma(self) -> Matrix:
        """Each frame divided by its largest bin; frames of silence stay 0."""
        peak = self.chroma_power.max(axis=0, initial=0.0)
        scale = np.where(peak > np.finfo(np.float32).tiny, peak, 1.0).astype(np.float32)
        return self.chroma_power / scale

    @property
    def mel_db(self) -> Matrix:
        """10 log10 of the mel power, at most 80 dB below the loudest value."""
        return decibel(self.mel)


def spectra(
    clip: Clip, channels: Channels = "mix", sample_rate: int = SAMPLE_RATE, hop: int = HOP
) -> Spectra:
    """The clip's mel bands and chroma, computed once."""
    return clip.shared(
        ("spectra", channels, sample_rate, hop),
        lambda: spectra_of(clip.mono(channels, sample_rate), sample_rate, hop),
    )


def spectra_of(x: Samples, sample_rate: int = SAMPLE_RATE, hop: int = HOP) -> Spectra:
    """The same for mono samples of shape (n,).

    >>> spectra_of(np.zeros(22050, np.float32)).mel.shape
    (128, 44)
    """
    from scipy.fft import rfft

    frames = 1 + len(x) // hop
    padded = np.zeros(len(x) + FFT, np.float32)
    padded[FFT // 2 : FFT // 2 + len(x)] = x
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::hop]
    window, filters = hann(FFT), _filters(sample_rate)
    banks = np.zeros((frames, BANDS + 12), np.float32)
    buffer = np.empty((BLOCK, FFT), np.float32)
    for start in range(0, frames, BLOCK):  # small blocks stay in the processor's cache
        count = min(BLOCK, frames - start)
        np.multiply(windows[start : start + count], window, out=buffer[:count])
        spectrum = rfft(buffer[:count], axis=1)
        power = spectrum.real**2
        power += spectrum.imag**2
        apply_pieces(power, filters, banks[start : start + count])
    mel = np.ascontiguousarray(banks[:, :BANDS].T)
    return Spectra(mel, np.ascontiguousarray(banks[:, BANDS:].T), sample_rate, hop)


def mfcc(clip: Clip, coefficients: int = 20, channels: Channels = "mix") -> Matrix:
    """Mel-frequency cepstral coefficients, shape (coefficients, frames).

    The orthonormal DCT-II over the bands of :attr:`Spectra.mel_db`, row 0 the loudness.
    """
    from scipy.fft import dct

    def compute() -> Matrix:
        every: Matrix = dct(spectra(clip, channels).mel_db, axis=0, type=2, norm="ortho")
        found: Matrix = np.asarray(every, dtype=np.float32)
        return found

    return clip.shared(("mfcc", channels), compute)[:coefficients]


def onset_strength(clip: Clip, channels: Channels = "mix") -> Doubles:
    """Rise of the mel bands in dB from frame to frame, averaged over bands; shape (frames,).

    mean over bands of max(0, S(t) - S(t - 1)), 0 in the first frame.
    """
    return clip.shared(("onset strength", channels), lambda: flux(spectra(clip, channels).mel_db))


def flux(bands: Matrix) -> Doubles:
    """The mean rise of bands of shape (bands, frames) at each frame."""
    rise = np.zeros(bands.shape[1])
    if bands.shape[1] > 1:
        rise[1:] = np.maximum(0.0, np.diff(bands, axis=1)).mean(axis=0)
    return rise


def decibel(power: NDArray[Any], floor: float = 1e-10, span: float = 80.0) -> Matrix:
    """10 log10(max(power, floor)), at most ``span`` dB below its maximum.

    >>> decibel(np.array([1.0, 0.01])).tolist()
    [0.0, -20.0]
    """
    found = 10.0 * np.log10(np.maximum(power, floor))
    if found.size:
        found = np.maximum(found, found.max() - span)
    level: Matrix = found.astype(np.float32)
    return level


@lru_cache(maxsize=8)
def hann(n: int) -> Matrix:
    """The periodic Hann window of n samples."""
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)).astype(np.float32)
    window.setflags(write=False)
    return window


class Piece(NamedTuple):
    """A part of a matrix of weights: from ``bins`` of the spectrum to ``columns`` of the result."""

    bins: slice
    columns: slice
    weights: Matrix


@lru_cache(maxsize=8)
def _filters(sample_rate: int) -> tuple[Piece, ...]:
    """Mel bands in the first columns, chroma in the last twelve."""
    mel = slaney_mel(sample_rate, FFT, BANDS)
    return (*in_pieces(mel, 0), *in_pieces(chroma_bank(sample_rate, FFT), BANDS))


def in_pieces(weights: Doubles, first_column: int) -> tuple[Piece, ...]:
    """Weights of shape (columns, bins) cut into pieces without those that are all zero.

    Neighbouring mel bands see few bins, so pieces save most of the products; and pieces of this
    size are too small for BLAS to start threads, which would cost more than they bring.
    """
    found = []
    for row in range(0, len(weights), GROUP):
        rows = weights[row : row + GROUP]
        seen = np.flatnonzero(rows.any(axis=0))
        for low in range(int(seen[0]), int(seen[-1]) + 1, CHUNK) if len(seen) else ():
            high = min(low + CHUNK, int(seen[-1]) + 1)
            part = np.ascontiguousarray(rows[:, low:high].T, dtype=np.float32)
            columns = slice(first_column + row, first_column + row + len(rows))
            found.append(Piece(slice(low, high), columns, part))
    return tuple(found)


def apply_pieces(power: Matrix, pieces: tuple[Piece, ...], out: Matrix) -> None:
    """Adds power (frames, bins) times the weights to ``out`` (frames, columns)."""
    for bins, columns, weights in pieces:
        out[:, columns] += power[:, bins] @ weights


def slaney_mel(
    sample_rate: int, fft: int, bands: int, low: float = 0.0, high: float | None = None
) -> Doubles:
    """Triangles of equal area on Slaney's mel scale, (bands, 1 + fft / 2).

    The scale is linear up to 1,000 Hz (15 mels) and logarithmic above, 27 mels to a factor 6.4.
    """
    edges = _slaney_hz(np.linspace(_slaney(low), _slaney(high or sample_rate / 2), bands + 2))
    weights = _triangles(edges, np.arange(1.0 + fft // 2) * (sample_rate / fft))
    area: Doubles = weights * (2.0 / (edges[2:] - edges[:-2]))[:, np.newaxis]
    return area


def _triangles(edges: Doubles, at: Doubles) -> Doubles:
    up = (at - edges[:-2, np.newaxis]) / np.diff(edges)[:-1, np.newaxis]
    down = (edges[2:, np.newaxis] - at) / np.diff(edges)[1:, np.newaxis]
    return np.maximum(0.0, np.minimum(up, down))


def _slaney(hz: float) -> float:
    if hz < 1000.0:
        return 3.0 * hz / 200.0
    return 15.0 + 27.0 * float(np.log(hz / 1000.0) / np.log(6.4))


def _slaney_hz(mel: Doubles) -> Doubles:
    return np.where(mel < 15.0, 200.0 * mel / 3.0, 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27))


def chroma_bank(sample_rate: int, fft: int) -> Doubles:
    """Gaussian bumps around each pitch class, C first, (12, 1 + fft / 2).

    A bin's share falls off over a width of one bin (in semitones, at least 1), is normalised over
    the twelve classes, and is weighted towards the octave of 5 above A0 (Ellis 2007).
    """
    frequency = np.arange(1, fft) * (sample_rate / fft)
    place = 12.0 * np.log2(frequency / 27.5)
    place = np.concatenate([[place[0] - 18.0], place])  # bin 0 has no pitch
    width = np.maximum(np.diff(place, append=place[-1] + 1.0), 1.0)
    away = np.remainder(place - np.arange(12.0)[:, np.newaxis] + 6.0 + 120.0, 12.0) - 6.0
    bumps = np.exp(-2.0 * (away / width) ** 2)
    bumps /= np.sqrt(np.square(bumps).sum(axis=0))
    bumps *= np.exp(-0.5 * ((place / 12.0 - 5.0) / 2.0) ** 2)
    from_c: Doubles = np.roll(bumps, -3, axis=0)[:, : 1 + fft // 2]
    return from_c
