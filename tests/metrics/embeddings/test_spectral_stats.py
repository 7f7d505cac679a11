"""The default embedding: its size, its hearing, and that every byte repeats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from concours.eval.load import load
from concours.eval.load.audio import load_audio
from concours.eval.render import render_audio
from concours.metrics.clip import make_clip
from concours.metrics.embeddings.protocol import TooShortError, embed
from concours.metrics.embeddings.spectral_stats import SPEC, SpectralStats
from concours.metrics.frechet import frechet_distance

RATE = SPEC.sample_rate
Sound = NDArray[np.float32]
EMBEDDING = SpectralStats()


def test_one_frame_every_hop() -> None:
    for seconds, frames in ((3.0, 1), (4.4, 1), (4.5, 2), (30.0, 19)):
        x = np.random.default_rng(0).normal(size=round(seconds * RATE)).astype(np.float32) * 0.1
        assert EMBEDDING(x, RATE).shape == (frames, 101)
    with pytest.raises(TooShortError, match=r"2\.90 s: spectral-stats-v1 needs 3 s"):
        EMBEDDING(np.zeros(round(2.9 * RATE), np.float32), RATE)
    with pytest.raises(ValueError, match="resample"):
        EMBEDDING(np.zeros(3 * RATE, np.float32), 44_100)


def test_silence_and_extremes_are_finite_and_bytes_repeat() -> None:
    for x in (np.zeros(3 * RATE), np.ones(3 * RATE), np.sign(np.sin(np.arange(3.0 * RATE)))):
        clip = make_clip(x, RATE)
        first = embed(EMBEDDING, clip)
        assert first.dtype == np.float32
        assert np.isfinite(first).all()
        assert np.abs(first).max() < 50
        assert first.tobytes() == embed(SpectralStats(), make_clip(x, RATE)).tobytes()


def test_level_policies() -> None:
    from dataclasses import replace

    class Levelled:
        def __init__(self, loudness: str) -> None:
            self.spec = replace(SPEC, loudness=loudness)  # type: ignore[arg-type]

        def __call__(self, audio: Sound, sample_rate: int) -> Sound:
            return EMBEDDING(audio, sample_rate)

    x = np.random.default_rng(0).normal(size=4 * RATE).astype(np.float32) * 0.1
    loud, soft = make_clip(x, RATE), make_clip(x / 4, RATE)
    assert np.abs(embed(EMBEDDING, loud) - embed(EMBEDDING, soft)).max() > 0.5
    for policy in ("peak", "lufs"):
        model = Levelled(policy)
        np.testing.assert_allclose(embed(model, loud), embed(model, soft), atol=1e-3)
        assert model.spec.identity != SPEC.identity


def _recorded(shared_data: Path) -> list[Sound]:
    files = sorted((shared_data / "audio" / "reference" / "real_clips").rglob("*.*"))
    clips = [load_audio(f).clip for f in files[::3]]
    return [c.mono(sample_rate=RATE) for c in clips if c.duration >= 3.0]


def _rendered(shared_data: Path) -> list[Sound]:
    """20 s of piano pieces by people and of songs with a band, through the bundled soundfont."""
    symbolic = shared_data / "symbolic"
    piano = sorted((symbolic / "systems" / "aimgef_cpi" / "Orig").glob("*.mid"))[::4]
    songs = sorted((symbolic / "reference" / "pop909").rglob("*.mid"))[::50]
    pieces = [load(f).piece for f in (*piano, *songs)]
    sounds = [render_audio(p, RATE).mean(axis=1)[: 20 * RATE] for p in pieces]
    assert len(sounds) >= 9
    return sounds


@pytest.fixture(scope="module", params=[_recorded, _rendered], ids=["recorded", "rendered"])
def music(request: pytest.FixtureRequest, shared_data: Path) -> list[Sound]:
    found: list[Sound] = request.param(shared_data)
    return found


def _noise(x: Sound, level: float) -> Sound:
    return x + np.random.default_rng(0).normal(size=len(x)) * level


def _low_pass(x: Sound, hertz: float) -> Sound:
    from scipy.signal import butter, sosfilt

    return np.asarray(sosfilt(butter(8, hertz, fs=RATE, output="sos"), x))


def _pitch(x: Sound, semitones: float) -> Sound:
    import soxr

    return np.asarray(soxr.resample(x, RATE * 2 ** (semitones / 12), RATE))


def _scramble(x: Sound, seconds: float) -> Sound:
    size = int(seconds * RATE)
    order = np.random.default_rng(0).permutation(len(x) // size)
    return np.concatenate([x[i * size : (i + 1) * size] for i in order])


def _clip(x: Sound, gain: float) -> Sound:
    peak = np.abs(x).max()
    return np.clip(x * gain, -peak, peak)


@pytest.mark.parametrize(
    ("damage", "levels"),
    [
        (_noise, [0.001, 0.003, 0.01, 0.03, 0.1]),
        (_low_pass, [8000, 4000, 2000, 1000, 500]),
        (_pitch, [0.5, 1, 2, 3, 5]),
        (_scramble, [1, 0.5, 0.25, 0.1, 0.05]),
        (_clip, [1.5, 2, 4, 8, 16]),
    ],
)
def test_distance_rises_with_damage(
    damage: Callable[[Sound, float], Sound], levels: list[float], music: list[Sound]
) -> None:
    def frames(sounds: list[Sound]) -> Sound:
        ready = (np.ascontiguousarray(x, dtype=np.float32) for x in sounds)
        return np.concatenate([EMBEDDING(x, RATE) for x in ready if len(x) >= 3 * RATE])

    reference = frames(music)
    found = [
        frechet_distance(frames([damage(x, level) for x in music]), reference) for level in levels
    ]
    assert found == sorted(found)
    assert found[0] > 0  # of rendered pianos there is next to nothing above 4 kHz
    assert found[-1] > 0.1
