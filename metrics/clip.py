"""A clip of audio as samples: the one input of every audio metric.

Conventions
-----------
- Samples are float32 of shape (n, channels), full scale at -1 and 1, at the rate that the file
  states. Nothing is resampled, mixed or scaled unless a metric says so in its parameters.
- Channels: ``mix`` is the mean of all, ``left`` the first, ``mid`` and ``side`` half the sum and
  half the difference of the first two. A mono clip is its own mix, left and mid, and has no side.
- Resampling is done by soxr in its ``HQ`` (default) or ``VHQ`` quality, on the mixed channel.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeVar, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Samples = NDArray[np.float32]
Channels = Literal["mix", "left", "mid", "side"]
Resampler = Literal["HQ", "VHQ"]

RATES = (1_000, 768_000)

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Clip:
    """One clip; build it with :func:`make_clip`, which checks it.

    ``samples``: (n, channels) float32. ``sample_rate`` in Hz. ``facts`` are what the loader knows
    and no metric needs, such as the codec.
    """

    samples: Samples
    sample_rate: int
    facts: Mapping[str, str | int | float] = field(default_factory=lambda: MappingProxyType({}))
    _shared: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @property
    def channels(self) -> int:
        return int(self.samples.shape[1])

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate

    def shared(self, key: Hashable, compute: Callable[[], T]) -> T:
        """An intermediate result that several metrics use, computed once a clip."""
        if key not in self._shared:
            self._shared[key] = compute()
        return cast(T, self._shared[key])

    def mono(
        self,
        channels: Channels = "mix",
        sample_rate: int | None = None,
        resampler: Resampler = "HQ",
    ) -> Samples:
        """One channel, shape (n,), at ``sample_rate`` (the clip's own by default).

        Raises:
            ValueError: an unknown policy, or the side of a mono clip.

        >>> stereo = make_clip([[1.0, 0.0], [0.5, 0.5]], 8000)
        >>> stereo.mono("mix").tolist(), stereo.mono("side").tolist()
        ([0.5, 0.5], [0.5, 0.0])
        """
        rate = sample_rate or self.sample_rate
        return self.shared(
            ("mono", channels, rate, resampler),
            lambda: resampled(self._one(channels), self.sample_rate, rate, resampler),
        )

    def _one(self, channels: Channels) -> Samples:
        if channels not in get_args(Channels):
            raise ValueError(f"channels must be one of mix, left, mid and side, not {channels!r}")
        x = self.samples
        if channels == "side":
            if self.channels < 2:
                raise ValueError("a mono clip has no side channel")
            return (x[:, 0] - x[:, 1]) * np.float32(0.5)
        if channels == "left" or self.channels == 1:
            return np.ascontiguousarray(x[:, 0])
        used = 2 if channels == "mid" else self.channels
        one = x[:, 0] + x[:, 1]  # adding slices is far faster than a mean over interleaved samples
        for c in range(2, used):
            one += x[:, c]
        one *= np.float32(1.0 / used)
        return one


def make_clip(
    samples: ArrayLike, sample_rate: int, facts: Mapping[str, str | int | float] | None = None
) -> Clip:
    """A checked :class:`Clip` from samples of shape (n,) or (n, channels).

    Raises:
        ValueError: another shape, a sample that is NaN or infinite, integers (whose full scale
            is unknown), or a rate outside 1,000 to 768,000 Hz.

    >>> make_clip([0.0, 0.5], 8000).samples.shape
    (2, 1)
    """
    given = np.asarray(samples)
    if given.ndim == 1:
        given = given[:, np.newaxis]
    if given.ndim != 2 or given.shape[1] == 0:
        raise ValueError(f"samples must have the shape (n,) or (n, channels), not {given.shape}")
    if not np.issubdtype(given.dtype, np.floating):
        raise ValueError(f"samples must be floats with full scale at 1, not {given.dtype}")
    if not RATES[0] <= sample_rate <= RATES[1]:
        raise ValueError(f"a sample rate of {sample_rate} Hz is outside {RATES[0]} to {RATES[1]}")
    checked = given.astype(np.float32, copy=False)
    if not np.isfinite(checked).all():
        raise ValueError("a sample is NaN or infinite")
    return Clip(checked, int(sample_rate), MappingProxyType(dict(facts or {})))


def resampled(x: Samples, source: int, target: int, resampler: Resampler = "HQ") -> Samples:
    """``x`` of shape (n,) at another rate."""
    if source == target or len(x) == 0:
        return x
    import soxr

    return np.asarray(soxr.resample(x, source, target, quality=resampler), dtype=np.float32)
