"""Landmark fingerprints of sound: the same recording found again in noise, and where.

Conventions
-----------
- A clip is mixed to mono and resampled to 11,025 Hz (soxr HQ). Frames are 1,024 samples under a
  periodic Hann window, one every 256 (23 ms).
- A *peak* is a point of the log spectrogram that is the largest of its surroundings (20 bins and
  10 frames on either side) and stands 6 dB above their mean. Only the rank of levels counts, so
  gain does not show.
- A *landmark* is a pair of peaks: the first one's bin, the distance to the second in bins (at most
  63) and in frames (2 to 65), hashed into 23 bits. A clip of the reference pairs each peak with
  the next 5, a query with the next 15 and on two grids of frames half a hop apart: peaks that noise
  puts between cost nothing, and the reference stays small.
- Evidence (:mod:`concours.metrics.originality.landmark_index`) is what lies on one line of time:
  the *score* of a shared excerpt is the number of peaks of the query, each counted once, whose
  landmarks stand in one clip of the reference at one delay (within one frame). An excerpt ends
  where nothing falls on its line for 3 s.

What is found is the same sound at the same speed and pitch. Source: Wang 2003, An industrial-
strength audio search algorithm; the layout of the hash follows Ellis 2009, Robust landmark-based
audio fingerprinting.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clip import Clip, Samples
from concours.metrics.compiled import compiled
from concours.metrics.spectra import hann

VERSION = 1
SAMPLE_RATE = 11_025
FFT = 1_024
HOP = 256
SECONDS_A_FRAME = HOP / SAMPLE_RATE
NEAR_BINS, NEAR_FRAMES = 20, 10
STANDS_OUT = 6.0 * np.log(10.0) / 20.0
QUIET = 80.0 * np.log(10.0) / 20.0
LOWEST_BIN = 6  # 65 Hz; below lies rumble
LEAST_FRAMES, MOST_FRAMES, MOST_BINS = 2, 65, 63
FAN_OUT, QUERY_FAN_OUT = 5, 15

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


class Constellation(NamedTuple):
    """The peaks of a clip on both grids: ``frame`` and ``bin`` (n,), ``late_frame`` and
    ``late_bin`` (m,) on the grid half a hop later; ``frames`` is the clip's length."""

    frame: NDArray[np.int32]
    bin: NDArray[np.int16]
    late_frame: NDArray[np.int32]
    late_bin: NDArray[np.int16]
    frames: int


class Landmarks(NamedTuple):
    """Landmarks: ``key`` (n,), and the ``frame`` (n,) and number (n,) of their first ``peak``."""

    key: NDArray[np.uint32]
    frame: NDArray[np.int32]
    peak: NDArray[np.int32]


def constellation(clip: Clip) -> Constellation:
    """The peaks of a clip, found once.

    >>> from concours.metrics.clip import make_clip
    >>> constellation(make_clip(np.zeros(11025, np.float32), 11025)).frame.shape
    (0,)
    """

    def compute() -> Constellation:
        audio = clip.mono("mix", SAMPLE_RATE)
        one, other = peaks(audio), peaks(audio[HOP // 2 :])
        columns = (*one, *other)
        kinds = (np.int32, np.int16, np.int32, np.int16)
        a, b, c, d = (x.astype(k) for x, k in zip(columns, kinds, strict=True))
        return Constellation(a, b, c, d, 1 + len(audio) // HOP)

    return clip.shared("constellation", compute)


def reference_landmarks(found: Constellation) -> Landmarks:
    """The landmarks by which a clip of the reference is known."""
    return _landmarks(found.frame, found.bin, FAN_OUT)


def query_landmarks(found: Constellation) -> Landmarks:
    """Those by which a clip is looked for, from both grids of frames.

    A peak that both grids have, within a frame and a bin, has one number.
    """
    a = _landmarks(found.frame, found.bin, QUERY_FAN_OUT)
    b = _landmarks(found.late_frame, found.late_bin, QUERY_FAN_OUT)
    same = _same_peaks(
        *(x.astype(np.int64) for x in (found.frame, found.bin, found.late_frame, found.late_bin))
    )
    peak = np.concatenate([a.peak, same[b.peak].astype(np.int32)])
    return Landmarks(np.concatenate([a.key, b.key]), np.concatenate([a.frame, b.frame]), peak)


def _landmarks(frame: NDArray[Any], bin_: NDArray[Any], fan_out: int) -> Landmarks:
    frame, bin_ = frame.astype(np.int64), bin_.astype(np.int64)
    first, second = _pairs(frame, bin_, fan_out)
    apart, interval = frame[second] - frame[first], bin_[second] - bin_[first]
    key = (bin_[first] << 14) | ((interval + 64) << 7) | apart
    return Landmarks(key.astype(np.uint32), frame[first].astype(np.int32), first.astype(np.int32))


def _same_peaks(frame: Ints, bin_: Ints, other_frame: Ints, other_bin: Ints) -> Ints:
    """For each other peak the number of the peak beside it, or a number of its own."""
    number = len(frame) + np.arange(len(other_frame))
    known = frame * FFT + bin_
    order = np.argsort(known)
    for df in (-1, 0, 1):
        for db in (-1, 0, 1):
            near = (other_frame + df) * FFT + other_bin + db
            at = np.searchsorted(known, near, sorter=order)
            at[at == len(known)] = 0
            hit = known[order[at]] == near if len(known) else np.zeros(len(near), np.bool_)
            number[hit] = order[at[hit]]
    return number


def peaks(audio: Samples) -> tuple[Ints, Ints]:
    """Frame and bin of the peaks of mono samples at 11,025 Hz, in order of time, then bin."""
    from scipy.ndimage import maximum_filter, uniform_filter

    level = _log_spectrogram(audio)
    size = (2 * NEAR_FRAMES + 1, 2 * NEAR_BINS + 1)
    top = level == maximum_filter(level, size, mode="nearest")
    top &= level > uniform_filter(level, size, mode="nearest") + np.float32(STANDS_OUT)
    top &= level > level.max(initial=-np.inf) - np.float32(QUIET)
    top[:, :LOWEST_BIN] = False
    frame, bin_ = np.nonzero(top)
    return frame.astype(np.int64), bin_.astype(np.int64)


def _log_spectrogram(audio: Samples) -> Floats:
    """Natural log of the magnitude, (frames, bins without the highest)."""
    from scipy.fft import rfft

    frames = 1 + len(audio) // HOP
    padded = np.zeros(len(audio) + FFT, np.float32)
    padded[FFT // 2 : FFT // 2 + len(audio)] = audio
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:frames]
    level = np.empty((frames, FFT // 2), np.float32)
    for start in range(0, frames, 256):
        part = rfft(windows[start : start + 256] * hann(FFT), axis=1)[:, : FFT // 2]
        level[start : start + 256] = np.abs(part)
    # a floor far below any sound: digital silence has no peaks
    found: Floats = np.log(np.maximum(level, np.float32(1e-6)))
    return found


@compiled
def _pairs(frame: Ints, bin_: Ints, fan_out: int) -> tuple[Ints, Ints]:
    """Each peak with the next ``fan_out`` that lie in its target zone."""
    n = len(frame)
    first = np.empty(n * fan_out, np.int64)
    second = np.empty(n * fan_out, np.int64)
    count = 0
    for i in range(n):
        taken = 0
        for j in range(i + 1, n):
            apart = frame[j] - frame[i]
            if apart > MOST_FRAMES or taken == fan_out:
                break
            if apart >= LEAST_FRAMES and abs(bin_[j] - bin_[i]) <= MOST_BINS:
                first[count], second[count] = i, j
                count += 1
                taken += 1
    return first[:count].copy(), second[:count].copy()
