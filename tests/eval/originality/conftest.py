"""A small corpus of wandering tunes, and ways to plant passages of it in other pieces."""

from pathlib import Path

import numpy as np
import pytest

from concours.eval.baselines import write_midi
from concours.metrics.piece import Piece, make_piece

SCALE = np.array([0, 2, 4, 5, 7, 9, 11])
QUARTER = 480


def wander(seed: int, n: int = 80) -> np.ndarray:
    """(onset, pitch) of a tune that few others resemble."""
    rng = np.random.default_rng(seed)
    degree = np.abs((np.cumsum(rng.integers(-3, 4, n)) + 10) % 48 - 24)
    steps = rng.choice([QUARTER // 2, QUARTER, QUARTER, QUARTER * 3 // 2], n)
    onset = np.concatenate([[0], np.cumsum(steps)[:-1]])
    return np.stack([onset, 48 + 12 * (degree // 7) + SCALE[degree % 7]], axis=1)


def as_piece(line: np.ndarray) -> Piece:
    onset = line[:, 0]
    last = np.diff(onset, append=onset[-1] + QUARTER)
    return make_piece(
        onset=onset,
        end=onset + np.maximum(last, 1),
        pitch=np.clip(line[:, 1], 0, 127),
        ticks_per_quarter=QUARTER,
    )


def planted(host: np.ndarray, passage: np.ndarray, at: int = 30) -> np.ndarray:
    """The host with its notes from ``at`` on replaced by the passage, then going on."""
    inner = passage.copy()
    inner[:, 0] += host[at, 0] - inner[0, 0]
    rest = host[at + len(passage) :].copy()
    rest[:, 0] += inner[-1, 0] + QUARTER - rest[0, 0]
    return np.concatenate([host[:at], inner, rest])


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for i in range(30):
        write_midi(as_piece(wander(i)), folder / f"{i:02}.mid")
    return folder
