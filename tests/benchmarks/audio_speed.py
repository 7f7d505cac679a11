"""Audio side by side with librosa, scipy and fadtk's scheme: milliseconds, and the ratio.

With one BLAS thread and the processor's own kernels, all of it or some parts:

    env -u OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS=1 python tests/benchmarks/audio_speed.py
    … python tests/benchmarks/audio_speed.py features loading statistics frames infinity kernel

Every line is measured in one process, ours and the peer's turn by turn, and shows the median of the
processor's time, which others on the machine disturb less than the clock on the wall.
"""

from __future__ import annotations

import io
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile
from scipy import linalg

from concours.eval.load.audio import load_audio
from concours.metrics.clip import make_clip
from concours.metrics.frechet import GaussianStats, frechet_distance, frechet_distance_infinity
from concours.metrics.kernel import kernel_audio_distance
from concours.metrics.spectra import mfcc, spectra

RATE = 22_050


def side_by_side(name: str, ours: Callable[[], Any], theirs: Callable[[], Any], turns: int) -> None:
    """Prints the median times and their ratio."""
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for turn in range(turns + 1):
        for who, call in (("ours", ours), ("theirs", theirs)):
            start = time.process_time()
            call()
            if turn:  # the first is a warm-up
                times[who].append(1e3 * (time.process_time() - start))
    a, b = (float(np.median(times[w])) for w in ("ours", "theirs"))
    print(f"{name}: {a:.2f} ms against {b:.2f} ms, {b / a:.1f} times", flush=True)


def features() -> None:
    x = np.random.default_rng(0).normal(size=10 * RATE).astype(np.float32) * 0.1

    def ours() -> None:
        clip = make_clip(x, RATE)
        _ = spectra(clip).mel_db, mfcc(clip), spectra(clip).chroma

    def three_calls() -> None:
        librosa.power_to_db(librosa.feature.melspectrogram(y=x))
        librosa.feature.mfcc(y=x)
        librosa.feature.chroma_stft(y=x, tuning=0)

    def one_transform() -> None:
        power = np.abs(librosa.stft(x)) ** 2
        bands = librosa.power_to_db(librosa.feature.melspectrogram(S=power))
        librosa.feature.mfcc(S=bands)
        librosa.feature.chroma_stft(S=power, tuning=0)

    side_by_side("log-mel + MFCC + chroma, 10 s, three librosa calls", ours, three_calls, 30)
    side_by_side("log-mel + MFCC + chroma, 10 s, one librosa STFT", ours, one_transform, 30)


def loading() -> None:
    stereo = np.random.default_rng(0).normal(size=(441_000, 2)).astype(np.float32) * 0.1
    stream = io.BytesIO()
    soundfile.write(stream, stereo, 44_100, format="WAV", subtype="PCM_16")
    data = stream.getvalue()

    def ours() -> None:
        load_audio(Path("a.wav"), data).clip.mono(sample_rate=RATE)

    side_by_side(
        "10 s of stereo at 44,100 Hz to 22,050 Hz mono, librosa.load",
        ours, lambda: librosa.load(io.BytesIO(data), sr=RATE), 30,
    )  # fmt: skip


def by_root(x: np.ndarray, y: np.ndarray) -> float:
    """The Fréchet distance as the peers compute it."""
    return between(x.mean(0), np.cov(x, rowvar=False), y.mean(0), np.cov(y, rowvar=False))


def between(mean: np.ndarray, a: np.ndarray, other: np.ndarray, b: np.ndarray) -> float:
    shift = mean - other
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = np.real(linalg.sqrtm(a @ b))
    return float(shift @ shift + np.trace(a) + np.trace(b) - 2 * np.trace(root))


def frames() -> None:
    """From frames: covariances and all, on both sides."""
    random = np.random.default_rng(0)
    for d, n, turns in (
        (128, 5_000, 9), (512, 500, 5), (512, 1_000, 5), (512, 2_000, 5), (512, 5_000, 5),
        (768, 5_000, 3), (2048, 500, 1),
    ):  # fmt: skip
        x, y = random.normal(size=(n, d)), random.normal(size=(n, d)) * 1.1
        name = f"Fréchet distance, d = {d}, n = {n}, scipy's sqrtm"
        side_by_side(name, lambda: frechet_distance(x, y), lambda: by_root(x, y), turns)  # noqa: B023


def statistics() -> None:
    """From mean and covariance, which both sides are given."""
    random = np.random.default_rng(0)
    for d in (128, 512, 768):
        x, y = random.normal(size=(5_000, d)), random.normal(size=(5_000, d)) * 1.1
        a, b = GaussianStats.from_frames(x), GaussianStats.from_frames(y)
        side_by_side(
            f"Fréchet distance from mean and covariance, d = {d}, scipy's sqrtm",
            lambda: frechet_distance(a, b),  # noqa: B023
            lambda: linalg.sqrtm(a.covariance @ b.covariance), 5,  # noqa: B023
        )  # fmt: skip


def infinity() -> None:
    random = np.random.default_rng(0)
    for d in (128, 512):
        x, y = random.normal(size=(5_000, d)), random.normal(size=(5_000, d)) * 1.1

        def fadtk_scheme() -> None:
            mean, covariance = y.mean(0), np.cov(y, rowvar=False)  # noqa: B023
            for size in np.linspace(500, len(x), 25).astype(int):  # noqa: B023
                drawn = x[random.choice(len(x), size, replace=True)]  # noqa: B023
                between(drawn.mean(0), np.cov(drawn, rowvar=False), mean, covariance)

        side_by_side(
            f"FAD∞, d = {d}, n = 5,000, fadtk's scheme",
            lambda: frechet_distance_infinity(x, y), fadtk_scheme, 3 if d < 512 else 1,  # noqa: B023
        )  # fmt: skip


def kernel() -> None:
    random = np.random.default_rng(0)
    x, y = (random.normal(size=(10_000, 512)).astype(np.float32) for _ in range(2))
    start = time.process_time()
    kernel_audio_distance(x, y)
    seconds = time.process_time() - start
    tracemalloc.start()
    kernel_audio_distance(x, y)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"KAD, n = 10,000, d = 512: {seconds:.2f} s, {peak:.0f} MB beyond the frames")


PARTS = {
    "features": features, "loading": loading, "statistics": statistics, "frames": frames,
    "infinity": infinity, "kernel": kernel,
}  # fmt: skip

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
