"""Channel policies, resampling and what a clip refuses."""

from __future__ import annotations

import numpy as np
import pytest

from concours.metrics.clip import make_clip


def test_channel_policies() -> None:
    x = np.array([[1.0, 0.5, 0.0], [0.25, -0.25, 0.3]])
    clip = make_clip(x, 8000)
    np.testing.assert_allclose(clip.mono("mix"), x.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(clip.mono("left"), x[:, 0], rtol=1e-6)
    np.testing.assert_allclose(clip.mono("mid"), (x[:, 0] + x[:, 1]) / 2, rtol=1e-6)
    np.testing.assert_allclose(clip.mono("side"), (x[:, 0] - x[:, 1]) / 2, rtol=1e-6)
    with pytest.raises(ValueError, match="no side"):
        make_clip(x[:, 0], 8000).mono("side")


def test_resampling_keeps_a_tone() -> None:
    t = np.arange(44_100) / 44_100
    clip = make_clip(np.sin(2 * np.pi * 440 * t), 44_100)
    found = clip.mono(sample_rate=22_050)
    assert len(found) == 22_050
    expected = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050)
    assert np.abs(found - expected)[200:-200].max() < 1e-3
    assert clip.mono(sample_rate=22_050) is found  # computed once


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros((2, 2, 2)), 8000, "shape"),
        (np.zeros(4, np.int16), 8000, "floats"),
        (np.zeros(4), 1, "outside"),
        (np.array([0.0, np.nan]), 8000, "NaN"),
    ],
)
def test_refuses(samples: np.ndarray, rate: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_clip(samples, rate)
