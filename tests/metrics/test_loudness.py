"""Level against the signals of EBU Tech 3341 and 3342, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from concours.metrics.clip import make_clip
from concours.metrics.loudness import (
    clipping_rate,
    dc_offset,
    integrated_loudness,
    silence_rate,
    stereo_width,
    true_peak,
)
from concours.metrics.spec import Undefined

RATE = 48_000


def _tone(*parts: tuple[float, float], hz: float = 1000.0, rate: int = RATE) -> np.ndarray:
    """A stereo sine in parts of (dBFS peak, seconds)."""
    level = np.concatenate([np.full(round(s * rate), 10 ** (db / 20)) for db, s in parts])
    one = level * np.sin(2 * np.pi * hz * np.arange(len(level)) / rate)
    return np.stack([one, one], axis=1)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [  # EBU Tech 3341, table 1, cases 1 to 5: tolerance 0.1 LU
        ([(-23, 20)], -23.0),
        ([(-33, 20)], -33.0),
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
    ],
)
@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_ebu_conformance(parts: list[tuple[float, float]], expected: float, rate: int) -> None:
    found = integrated_loudness(make_clip(_tone(*parts, rate=rate), rate))
    assert found == pytest.approx(expected, abs=0.1)


def test_surround_weights() -> None:
    # EBU Tech 3341, case 6: 5.0 with -28, -24 and -30 dBFS in front, centre and surround
    gains = 10 ** (np.array([-28, -28, -24, -np.inf, -30, -30]) / 20)
    one = np.sin(2 * np.pi * 1000 * np.arange(20 * RATE) / RATE)
    clip = make_clip(one[:, np.newaxis] * gains, RATE)
    assert integrated_loudness(clip) == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("gain", [0.5, 0.1])
def test_loudness_follows_the_gain(gain: float) -> None:
    noise = np.random.default_rng(0).normal(size=(4 * RATE, 2)) * 0.1
    loud = integrated_loudness(make_clip(noise, RATE))
    soft = integrated_loudness(make_clip(noise * gain, RATE))
    assert isinstance(loud, float)
    assert soft == pytest.approx(loud + 20 * np.log10(gain), abs=1e-4)


def test_true_peak_lies_between_samples() -> None:
    # a quarter of the rate, sampled 45 degrees off its peaks
    sine = np.sin(2 * np.pi * 12_000 * np.arange(RATE) / RATE + np.pi / 4)
    clip = make_clip(sine * 0.5, RATE)
    assert 20 * np.log10(np.abs(clip.samples).max()) == pytest.approx(-9.03, abs=0.01)
    assert true_peak(clip) == pytest.approx(-6.02, abs=0.4)  # EBU Tech 3341 allows +0.2, -0.4


def test_clipping_counts_runs() -> None:
    t = np.arange(RATE) / RATE
    sine = 2.0 * np.sin(2 * np.pi * 100 * t)
    expected = np.mean(np.abs(sine) >= 0.999)
    assert clipping_rate(make_clip(np.clip(sine, -1, 1), RATE)) == pytest.approx(expected, abs=1e-3)
    assert clipping_rate(make_clip(sine * 0.49, RATE)) == 0.0
    assert clipping_rate(make_clip(np.clip(sine, -0.5, 0.5), RATE), level=0.5) > 0.5


def test_silence_offset_and_width() -> None:
    noise = np.random.default_rng(0).normal(size=(RATE, 2)) * 0.1
    assert silence_rate(make_clip(noise, RATE)) == 0.0
    assert silence_rate(make_clip(noise * 1e-5, RATE)) == 1.0
    assert dc_offset(make_clip(noise + np.array([0.0, -0.2]), RATE)) == pytest.approx(0.2, abs=0.01)
    assert stereo_width(make_clip(noise, RATE)) == pytest.approx(0.5, abs=0.02)
    assert stereo_width(make_clip(noise * [1, -1], RATE)) == pytest.approx(0.5, abs=0.02)
    same = np.repeat(noise[:, :1], 2, axis=1)
    assert stereo_width(make_clip(same, RATE)) == 0.0
    assert stereo_width(make_clip(same * [1, -1], RATE)) == 1.0


def test_undefined() -> None:
    short = make_clip(np.ones(100), RATE)
    silent = make_clip(np.zeros((RATE, 2)), RATE)
    nothing = make_clip(np.zeros((0, 2)), RATE)
    assert integrated_loudness(short) == Undefined("shorter than 0.4 s")
    assert isinstance(integrated_loudness(silent), Undefined)
    assert true_peak(silent) == Undefined("silent")
    assert stereo_width(short) == Undefined("mono")
    assert stereo_width(silent) == Undefined("silent")
    for metric in (true_peak, clipping_rate, silence_rate, dc_offset, stereo_width):
        assert isinstance(metric(nothing), Undefined), metric.__name__
