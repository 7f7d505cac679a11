"""Small folders of music, written by the tests themselves."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from concours.eval.baselines import write_midi
from concours.metrics.piece import Piece, make_piece


def tune(seed: int, notes: int = 48) -> Piece:
    """A random walk on the C major scale over a bass, in 4/4."""
    rng = np.random.default_rng(seed)
    scale = np.array([60, 62, 64, 65, 67, 69, 71, 72, 74, 76])
    steps = np.clip(np.cumsum(rng.integers(-2, 3, notes)) + 4, 0, len(scale) - 1)
    lengths = rng.choice([240, 480, 960], notes)
    ends = np.cumsum(lengths)
    bass_onset = np.arange(0, ends[-1], 1920)
    bass = rng.choice([36, 41, 43], len(bass_onset))
    return make_piece(
        onset=np.concatenate([ends - lengths, bass_onset]),
        end=np.concatenate([ends, bass_onset + 1920]),
        pitch=np.concatenate([scale[steps], bass]),
        velocity=np.full(notes + len(bass), 70 + seed % 20),
        track=np.repeat([0, 1], [notes, len(bass)]),
    )


def write_folder(folder: Path, seeds: range) -> Path:
    folder.mkdir(parents=True)
    for seed in seeds:
        write_midi(tune(seed), folder / f"{seed:03d}.mid")
    return folder


@pytest.fixture
def more_music() -> Callable[[Path, range], Path]:
    """Writes a folder of tunes, one for each seed."""
    return write_folder


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """``corpus`` (12 pieces), ``mine`` (8, one of them broken, one copied from the corpus)."""
    write_folder(tmp_path / "corpus", range(12))
    mine = write_folder(tmp_path / "mine", range(100, 106))
    (mine / "broken.mid").write_bytes(b"MThd, but not much more")
    (mine / "copied.mid").write_bytes((tmp_path / "corpus/003.mid").read_bytes())
    (mine / "README.txt").write_text("not music")
    return tmp_path


CONFIG = """\
references: {corpus: {path: corpus}}
systems:
  mine: {path: mine, card: {model: walker}}
  chain: {baseline: markov, order: 2, train_on: corpus, count: 6}
benchmarks:
  small: {reference: corpus, systems: [mine, chain], resamples: 200}
"""


@pytest.fixture
def benchmark_file(music: Path) -> Path:
    file = music / "benchmarks.yaml"
    file.write_text(CONFIG)
    return file
