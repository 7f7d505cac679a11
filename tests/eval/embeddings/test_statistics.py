"""Statistics on disk: ours back and forth, fadtk's, mismatches and damage refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from concours.eval.embeddings.statistics import (
    ReferenceStatistics,
    read_statistics,
    write_fadtk,
    write_statistics,
)
from concours.eval.errors import UsageError
from concours.metrics.frechet import GaussianStats, frechet_distance

FRAMES = np.random.default_rng(0).normal(size=(200, 6))
OTHER = np.random.default_rng(1).normal(size=(150, 6)) * 1.3 + 0.2
STATS = GaussianStats.from_frames(FRAMES)
EXPECTED = frechet_distance(OTHER, FRAMES)


def test_ours_comes_back_byte_for_byte(tmp_path: Path) -> None:
    file = tmp_path / "reference.npz"
    write_statistics(ReferenceStatistics(STATS, 1.5, "vggish", "abc123"), file)
    found = read_statistics(file, "abc123")
    assert (found.stats.n, found.bandwidth, found.embedding) == (200, 1.5, "vggish")
    assert found.stats.scatter.tobytes() == STATS.scatter.tobytes()
    assert [f.name for f in tmp_path.iterdir()] == ["reference.npz"]
    with pytest.raises(UsageError, match="another embedding or checkpoint"):
        read_statistics(file, "def456")


def test_others_formats(tmp_path: Path) -> None:
    write_fadtk(STATS, tmp_path / "fadtk.npz", "clap:music")
    with np.load(tmp_path / "fadtk.npz") as held:
        np.testing.assert_allclose(held["clap-laion-music.cov"], np.cov(FRAMES.T), rtol=1e-12)
    np.savez(tmp_path / "prefixed.npz", **{"vggish.mu": STATS.mean, "vggish.cov": STATS.covariance})
    np.savez(tmp_path / "ref.npz", mu_ref=STATS.mean, sigma_ref=STATS.covariance)
    (tmp_path / "folder").mkdir()
    np.save(tmp_path / "folder" / "mu.npy", STATS.mean)
    np.save(tmp_path / "folder" / "cov.npy", STATS.covariance)
    for name in ("fadtk.npz", "prefixed.npz", "ref.npz", "folder"):
        found = read_statistics(tmp_path / name)
        assert frechet_distance(OTHER, found.stats) == pytest.approx(EXPECTED, rel=1e-9), name


def test_what_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no statistics")
    np.savez(tmp_path / "shape.npz", mu=np.zeros(3), cov=np.zeros((2, 2)))
    np.savez(tmp_path / "nan.npz", mu=np.zeros(2), cov=np.full((2, 2), np.nan))
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    np.savez(tmp_path / "part.npz", scatter=np.zeros((2, 2)), version=1)
    for name, message in (
        ("text", "can be read"), ("shape", "a mean of 3"), ("nan", "NaN"), ("other", "this has a"),
        ("part", "incomplete"), ("missing", "can be read"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=message):
            read_statistics(tmp_path / f"{name}.npz")
