"""Key finding: the correlation of a pitch-class profile with the profiles of 24 keys.

Conventions
-----------
- A profile of a key starts on its tonic; tonics are pitch classes (0 = C).
- Ties go to major, then to the tonic nearest above the given pitch class, so that a transposed
  piece gets the transposed key.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from concours.metrics.chroma import sounding_of
from concours.metrics.compiled import compiled
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.spec import Undefined

Profile = Literal["krumhansl-kessler", "temperley", "bellman-budge", "aarden-essen"]

PROFILES: dict[Profile, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "krumhansl-kessler": (
        (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
        (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
    ),
    "temperley": (
        (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
        (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
    ),
    "bellman-budge": (
        (16.80, 0.86, 12.95, 1.41, 13.49, 11.93, 1.25, 20.28, 1.80, 8.04, 0.62, 10.57),
        (18.16, 0.69, 12.99, 13.34, 1.07, 11.15, 1.38, 21.07, 7.49, 1.53, 0.92, 10.21),
    ),
    "aarden-essen": (
        (
            *(17.7661, 0.145624, 14.9265, 0.160186, 19.8049, 11.3587),
            *(0.291248, 22.062, 0.145624, 8.15494, 0.232998, 4.95122),
        ),
        (
            *(18.2648, 0.737619, 14.0499, 16.8599, 0.702494, 14.4362),
            *(0.702494, 18.6161, 4.56621, 1.93186, 7.37619, 1.75623),
        ),
    ),
}
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


class Key(NamedTuple):
    """``margin``: the correlation's lead over the second-best key, 0 or more."""

    tonic: int
    minor: bool
    correlation: float
    margin: float

    @property
    def name(self) -> str:
        return f"{NAMES[self.tonic]} {'minor' if self.minor else 'major'}"


def key_of(piece: Piece, profile: Profile = "krumhansl-kessler") -> Key | Undefined:
    """The key of a piece by the duration of its pitch classes, computed once a piece.

    >>> from concours.metrics.piece import make_piece
    >>> scale = [60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60]
    >>> at = [480 * i for i in range(11)]
    >>> key_of(make_piece(onset=at, end=[t + 480 for t in at], pitch=scale)).name
    'C major'
    """
    return piece.shared(("key", profile), lambda: _key(piece, profile))


def _key(piece: Piece, profile: Profile) -> Key | Undefined:
    pitch = piece.pitched.pitch
    start = int(pitch[0]) % 12 if len(pitch) else 0
    return find_key(sounding_of(piece).class_ticks, profile, start)


def find_key(
    weights: Ints, profile: Profile = "krumhansl-kessler", start: int = 0
) -> Key | Undefined:
    """The key whose profile correlates best with 12 whole weights (ticks or counts).

    ``start`` is the pitch class from which ties are broken.
    """
    major, minor = _profiles(profile)
    best, second, state = correlate(np.ascontiguousarray(weights, np.int64), major, minor, start)
    if state < 0:
        return Undefined("no pitch class sounds longer than another: no key stands out")
    return Key(state % 12, state >= 12, best, best - second)


@cache
def _profiles(profile: Profile) -> tuple[Floats, Floats]:
    major, minor = PROFILES[profile]
    return np.array(major), np.array(minor)


@compiled
def correlate(weights: Ints, major: Floats, minor: Floats, start: int) -> tuple[float, float, int]:
    """(best correlation, second best, 12 × minor + tonic); -1 where all weights are equal."""
    total = 0
    for weight in weights:
        total += weight
    mean = total / 12.0
    spread = 0.0
    for i in range(12):  # in the order of the scale degrees, so that rounding transposes too
        spread += (weights[(start + i) % 12] - mean) ** 2
    if spread == 0.0:
        return 0.0, 0.0, -1
    best, second, state = -2.0, -2.0, -1
    for mode in range(2):
        profile = major if mode == 0 else minor
        centre, square = 0.0, 0.0
        for value in profile:
            centre += value
        centre /= len(profile)
        for value in profile:
            square += (value - centre) ** 2
        norm = np.sqrt(square)
        for step in range(12):
            tonic = (start + step) % 12
            dot = 0.0
            for i in range(12):
                dot += (weights[(tonic + i) % 12] - mean) * (profile[i] - centre)
            r = dot / (norm * np.sqrt(spread))
            if r > best:
                best, second, state = r, best, 12 * mode + tonic
            elif r > second:
                second = r
    return best, second, state
