"""Fréchet distances against closed forms, 50-digit arithmetic and each other."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from concours.metrics.frechet import (
    GaussianStats,
    frechet_distance,
    frechet_distance_infinity,
    rank_warning,
)
from concours.metrics.frechet_clips import clip_distances, clip_influence, frechet_interval
from concours.metrics.gaussians import merge_all

Array = NDArray[np.float64]
SMALL = [(d, n) for d in (128, 512) for n in (50, 500)]
LARGE = [(d, n) for d in (128, 512, 768, 2048) for n in (50, 500, 5000) if (d, n) not in SMALL]
ALL = [*SMALL, *(pytest.param(*case, marks=pytest.mark.slow) for case in LARGE)]


def _orthonormal(random: np.random.Generator, rows: int, columns: int) -> Array:
    return np.linalg.qr(random.normal(size=(rows, columns)))[0]


def _with_known_distance(d: int, n: int, seed: int = 0) -> tuple[Array, Array, float]:
    """Two sets whose sample covariances have eigenvectors turned by a known angle.

    In each plane of two axes, Σ₁ = diag(a², b²) and Σ₂ = R diag(c², e²) Rᵀ; for 2 x 2 matrices
    tr √(Σ₁Σ₂) = √(tr Σ₁Σ₂ + 2 √(det Σ₁ det Σ₂)), so the distance is known in closed form.
    """
    random = np.random.default_rng(seed)
    planes = min(d // 2, (n - 1) // 2)
    axes = _orthonormal(random, d, 2 * planes)
    sd1, sd2 = random.uniform(0.1, 3.0, (2, 2 * planes))
    angle = random.uniform(0, np.pi, planes)
    turned = np.empty_like(axes)
    turned[:, 0::2] = np.cos(angle) * axes[:, 0::2] + np.sin(angle) * axes[:, 1::2]
    turned[:, 1::2] = -np.sin(angle) * axes[:, 0::2] + np.cos(angle) * axes[:, 1::2]
    shift = random.normal(size=d)
    sets = []
    for sd, directions in ((sd1, axes), (sd2, turned)):
        centred = random.normal(size=(n, 2 * planes))
        centred -= centred.mean(axis=0)
        scores = np.linalg.qr(centred)[0] * np.sqrt(n - 1)
        sets.append((scores * sd) @ directions.T)
    (a, b), (c, e) = (sd1[0::2], sd1[1::2]), (sd2[0::2], sd2[1::2])
    cos2, sin2 = np.cos(angle) ** 2, np.sin(angle) ** 2
    trace = a**2 * (c**2 * cos2 + e**2 * sin2) + b**2 * (c**2 * sin2 + e**2 * cos2)
    cross = np.sqrt(trace + 2 * a * b * c * e).sum()
    known = shift @ shift + np.square(sd1).sum() + np.square(sd2).sum() - 2 * cross
    return sets[0], sets[1] + shift, float(known)


@pytest.mark.parametrize(("d", "n"), ALL)
def test_closed_form(d: int, n: int) -> None:
    x, y, known = _with_known_distance(d, n)
    assert frechet_distance(x, y) == pytest.approx(known, rel=1e-11)
    statistics = [GaussianStats.from_frames(v) for v in (x, y)]
    assert frechet_distance(*statistics) == pytest.approx(known, rel=1e-7)


@pytest.mark.parametrize(("d", "n"), ALL)
def test_no_distance_to_itself(d: int, n: int) -> None:
    x = np.random.default_rng(d + n).normal(size=(n, d)).astype(np.float32)
    shuffled = np.random.default_rng(1).permutation(x)
    assert frechet_distance(x, shuffled) <= 1e-9
    assert frechet_distance(GaussianStats.from_frames(x), shuffled) <= 1e-9


@pytest.mark.parametrize(("d", "n"), [(6, 4), (6, 9), (8, 40)])
def test_fifty_digits(d: int, n: int) -> None:
    mpmath = pytest.importorskip("mpmath")
    random = np.random.default_rng(3)
    x = random.normal(size=(n, d)) * np.geomspace(1e-3, 10, d)
    y = random.normal(size=(n + 3, d)) @ random.normal(size=(d, d)) + 0.3
    with mpmath.workdps(50):
        expected = _exact(mpmath, x, y)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-13)


def _exact(mp, x: Array, y: Array) -> float:  # type: ignore[no-untyped-def]
    means, centred = [], []
    for v in (x, y):
        m = mp.matrix(v.tolist())
        mean = [mp.fsum(m[i, j] for i in range(m.rows)) / m.rows for j in range(m.cols)]
        root = mp.sqrt(m.rows - 1)
        rows = [[(m[i, j] - mean[j]) / root for j in range(m.cols)] for i in range(m.rows)]
        means.append(mean)
        centred.append(mp.matrix(rows))
    singular = mp.svd_r(centred[0] * centred[1].T, compute_uv=False)
    trace = sum(mp.fsum(v**2 for v in c) for c in centred)
    shift = mp.fsum((a - b) ** 2 for a, b in zip(*means, strict=True))
    return float(shift + trace - 2 * mp.fsum(singular))


def test_agrees_with_the_square_root_of_the_product() -> None:
    linalg = pytest.importorskip("scipy.linalg")
    random = np.random.default_rng(5)
    x, y = random.normal(size=(400, 24)), random.normal(size=(300, 24)) * 1.4 + 0.2
    a, b = np.cov(x.T), np.cov(y.T)
    root = np.real(linalg.sqrtm(a @ b))
    shift = x.mean(0) - y.mean(0)
    assert frechet_distance(x, y) == pytest.approx(
        shift @ shift + np.trace(a + b - 2 * root), rel=1e-10
    )


def test_the_order_of_frames_shows_in_no_byte() -> None:
    random = np.random.default_rng(0)
    for n, d in ((40, 64), (100, 64), (700, 64)):
        x, y = random.normal(size=(2, n, d))
        mixed = frechet_distance(random.permutation(x), random.permutation(y))
        assert mixed == frechet_distance(x, y)
        a, b = (GaussianStats.from_frames(v) for v in (x, random.permutation(x)))
        assert a.scatter.tobytes() == b.scatter.tobytes()
        assert a.mean.tobytes() == b.mean.tobytes()


def test_clips_merged_in_their_order_give_the_same_bytes_from_any_number_of_workers() -> None:
    random = np.random.default_rng(0)
    clips = {f"{i:03d}": random.normal(size=(1 + i % 7, 16)) + 100.0 for i in range(60)}
    results = set()
    for workers in (1, 2, 3, 7):
        made = {}
        for w in range(workers):  # each worker takes every w-th clip
            for name in sorted(clips)[w::workers]:
                made[name] = GaussianStats.from_frames(clips[name])
        merged = merge_all(made[name] for name in sorted(made))
        results.add((merged.n, merged.mean.tobytes(), merged.scatter.tobytes()))
    assert len(results) == 1


def test_merging_single_frames_is_as_exact_as_seeing_all_at_once() -> None:
    x = np.random.default_rng(0).normal(size=(300, 8)) + 1e4
    whole = GaussianStats.from_frames(x)
    merged = merge_all(GaussianStats.from_frames(row[np.newaxis]) for row in x)
    assert merged.n == 300
    np.testing.assert_allclose(merged.covariance, np.cov(x.T), rtol=1e-9, atol=1e-9)
    assert frechet_distance(merged, whole) <= 1e-9


def test_a_clip_of_one_frame_does_not_spoil_the_others() -> None:
    x, y, known = _with_known_distance(8, 40)
    parts = [GaussianStats.from_frames(x[:39]), GaussianStats.from_frames(x[39:])]
    assert frechet_distance(merge_all(parts), y) == pytest.approx(known, rel=1e-10)


def test_one_frame_is_a_point() -> None:
    y = np.random.default_rng(0).normal(size=(50, 3))
    gap = y.mean(0)
    expected = gap @ gap + np.trace(np.cov(y.T))
    assert frechet_distance(np.zeros((1, 3)), y) == pytest.approx(expected, rel=1e-12)


def test_scaling_and_rotation() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 60, 12))
    y = y * 1.5 + 1
    base = frechet_distance(x, y)
    turn = _orthonormal(random, 12, 12)
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(base, rel=1e-11)
    assert frechet_distance(3 * x, 3 * y) == pytest.approx(9 * base, rel=1e-11)
    assert frechet_distance(x + 1e5, y + 1e5) == pytest.approx(base, rel=1e-6)
    assert frechet_distance(y, x) == pytest.approx(base, rel=1e-12)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(3), "shape"),
        (np.zeros((0, 3)), "no frames"),
        (np.array([[1.0, np.nan, 0.0]]), "1 of 1 frames"),
        (np.zeros((4, 2)), "dimensions"),
    ],
)
def test_refuses_what_has_no_distance(x: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frechet_distance(x, np.ones((5, 3)))


def test_extrapolation_is_nearer_to_the_truth_than_the_plug_in() -> None:
    d, scale = 16, 1.3
    truth = d * (scale - 1) ** 2
    y = np.random.default_rng(99).normal(size=(20_000, d))
    plug_in, infinity = [], []
    for seed in range(8):
        x = np.random.default_rng(seed).normal(size=(400, d)) * scale
        plug_in.append(frechet_distance(x, y))
        fitted = frechet_distance_infinity(x, y, seed=seed)
        infinity.append(fitted.value)
        assert 0.5 < fitted.r2 <= 1
        assert float(fitted) == fitted.value
    # a third of the bias is left at most, over eight draws
    assert abs(np.mean(infinity) - truth) < (np.mean(plug_in) - truth) / 3


def test_extrapolation_depends_on_the_seed_and_on_nothing_else() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(120, 6)), random.normal(size=(90, 6))
    first = frechet_distance_infinity(x, y, seed=1)
    assert first == frechet_distance_infinity(random.permutation(x), y, seed=1)
    assert first != frechet_distance_infinity(x, y, seed=2)
    assert first.distances[-1] == pytest.approx(frechet_distance(x, y), rel=1e-10)
    with pytest.raises(ValueError, match="at least 20"):
        frechet_distance_infinity(x[:19], y)


def test_the_clip_that_is_noise_has_the_influence() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=(300, 5))
    x = random.normal(size=(100, 5))
    x[40:50] += 6
    clips = [f"clip{i // 10}" for i in range(100)]
    influence = clip_influence(x, y, clips)
    assert max(influence, key=lambda c: influence[c]) == "clip4"
    without = np.delete(x, slice(40, 50), axis=0)
    assert influence["clip4"] == pytest.approx(
        frechet_distance(x, y) - frechet_distance(without, y), rel=1e-9
    )
    distances = clip_distances(x, y, clips)
    assert max(distances, key=lambda c: distances[c]) == "clip4"
    assert distances["clip0"] == pytest.approx(frechet_distance(x[:10], y), rel=1e-9)


def test_interval_widens_with_fewer_and_larger_clusters() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=(2000, 4))
    song = np.repeat(np.arange(40), 10)
    x = random.normal(size=(40, 4))[song] + 0.3 * random.normal(size=(400, 4))
    clustered = frechet_interval(x, y, song.tolist())
    naive = frechet_interval(x, y, list(range(400)))
    assert clustered is not None
    assert naive is not None
    assert clustered.standard_error > 2 * naive.standard_error
    assert clustered.low < frechet_distance(x, y) < clustered.high
    assert (clustered.clusters, naive.blocks) == (40, 50)
    assert frechet_interval(x[:40], y, song[:40].tolist()) is None


def test_warns_of_few_frames() -> None:
    assert "no full rank" in rank_warning(100, 128)
    assert "inflated" in rank_warning(1000, 128)
    assert rank_warning(1280, 128) == ""
