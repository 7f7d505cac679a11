"""Sound made worse on purpose, by a known amount: the ladder that a metric of sound must climb.

``strength`` runs from 0 (nothing changes) to 1. Every function keeps the rate, the channels and
the length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from concours.metrics.clip import Clip, Samples, make_clip
from concours.metrics.spec import MetricSpec

SEGMENT = 0.5  # seconds
LEVEL_UNITS = ("LUFS", "dBTP", "dBFS", "dB", "full scale")
ABOUT_LEVEL = ("clipping_rate", "silence_rate")


def noise(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """White noise is added, 40 dB below the signal at strength 0 and as strong as it at 1."""
    x = clip.samples
    if strength == 0:
        return _changed(clip, x)
    level = float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) * 10 ** (2 * (strength - 1))
    return _changed(clip, x + level * rng.standard_normal(x.shape, dtype=np.float32))


def low_pass(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:  # noqa: ARG001
    """A filter of order 8 whose corner falls from half the rate by 4 octaves times ``strength``."""
    from scipy.signal import butter, sosfilt

    if strength == 0:
        return _changed(clip, clip.samples)
    sections = butter(8, min(2 ** (-4 * strength), 0.999), output="sos")
    return _changed(clip, sosfilt(sections, clip.samples, axis=0))


def scramble(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """A share ``strength`` of its half seconds change places; the rest at the end stays."""
    x = clip.samples
    step = max(1, round(SEGMENT * clip.sample_rate))
    n = len(x) // step
    chosen = np.sort(rng.permutation(n)[: round(strength * n)])
    source = np.arange(n)
    source[chosen] = rng.permutation(chosen)
    parts = [x[k * step : (k + 1) * step] for k in source]
    return _changed(clip, np.concatenate([*parts, x[n * step :]]))


def clipping(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:  # noqa: ARG001
    """It is driven ``30 * strength`` dB beyond its own peak, and cut there."""
    x = clip.samples
    peak = float(np.abs(x).max())
    limit = peak * 10 ** (-1.5 * strength)
    return _changed(clip, np.clip(x, -limit, limit) * (peak / limit if limit else 1.0))


def quieter(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:  # noqa: ARG001
    """It is turned down by ``12 * strength`` dB (a power of 2, so that no digit is lost)."""
    return _changed(clip, clip.samples * np.float32(2.0 ** (-2 * strength)))


SoundDegradation = Callable[[Clip, float, np.random.Generator], Clip]
SOUND_DEGRADATIONS: Mapping[str, SoundDegradation] = {
    "noise": noise,
    "low-pass": low_pass,
    "scramble": scramble,
    "clipping": clipping,
}


def ignores_gain(spec: MetricSpec) -> bool:
    """Whether a metric of sound is about something else than level, and so must ignore gain."""
    return spec.unit not in LEVEL_UNITS and spec.name not in ABOUT_LEVEL


def _changed(clip: Clip, samples: Samples) -> Clip:
    return make_clip(np.asarray(samples, dtype=np.float32), clip.sample_rate, clip.facts)
