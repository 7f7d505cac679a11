"""The kernel distance against 50-digit sums, known expectations and its invariances."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from concours.metrics.kernel import kernel_audio_distance, median_bandwidth

Array = NDArray[np.float64]
SMALL = [(128, 50), (512, 500)]
LARGE = [(d, n) for d in (128, 512, 768, 2048) for n in (50, 500, 5000) if (d, n) not in SMALL]


def test_fifty_digits() -> None:
    mpmath = pytest.importorskip("mpmath")
    random = np.random.default_rng(0)
    x, y = random.normal(size=(7, 3)), random.normal(size=(9, 3)) + 0.5
    with mpmath.workdps(50):
        mp = mpmath

        def mean(a: Array, b: Array, own: bool) -> object:
            terms = [
                mp.exp(-sum((mp.mpf(u) - mp.mpf(v)) ** 2 for u, v in zip(p, q, strict=True)) / 2)
                for i, p in enumerate(a.tolist())
                for j, q in enumerate(b.tolist())
                if not (own and i == j)
            ]
            return mp.fsum(terms) / len(terms)

        exact = 100 * (mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False))  # type: ignore[operator]
    assert kernel_audio_distance(x, y, bandwidth=1.0) == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize(
    ("d", "n"), [*SMALL, *(pytest.param(*c, marks=pytest.mark.slow) for c in LARGE)]
)
def test_distance_of_two_known_gaussians(d: int, n: int) -> None:
    """E k(x, y) for isotropic Gaussians is known, so the unbiased estimate must lie around it."""
    random = np.random.default_rng(d * n)
    width, spread, shift = np.sqrt(2.0 * d), 1.2, 0.2
    x = random.normal(size=(n, d)) * spread + shift
    y = random.normal(size=(n, d))

    def expected(variance: float, gap: float) -> float:
        ratio = width**2 / (width**2 + variance)
        return float(ratio ** (d / 2) * np.exp(-d * gap**2 / (2 * (width**2 + variance))))

    truth = 100 * (
        expected(2 * spread**2, 0) + expected(2.0, 0) - 2 * expected(spread**2 + 1, shift)
    )
    found = kernel_audio_distance(x, y, bandwidth=float(width))
    assert found == pytest.approx(truth, abs=100 * 3 / n)
    mixed = kernel_audio_distance(random.permutation(x), random.permutation(y), float(width))
    assert mixed == found


@pytest.mark.slow
def test_blocks_add_up() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2100, 4)), random.normal(size=(1500, 4)) + 0.3
    kernel = np.exp(-np.square(x[:, None] - y[None]).sum(-1) / 2)
    own = [np.exp(-np.square(v[:, None] - v[None]).sum(-1) / 2) for v in (x, y)]
    within = [(k.sum() - len(k)) / (len(k) * (len(k) - 1)) for k in own]
    assert kernel_audio_distance(x, y, 1.0) == pytest.approx(
        100 * (sum(within) - 2 * kernel.mean()), rel=1e-10
    )


def test_alike_is_about_zero_and_may_be_negative() -> None:
    found = [
        kernel_audio_distance(*np.random.default_rng(s).normal(size=(2, 60, 4)), bandwidth=2.0)
        for s in range(40)
    ]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(40)
    assert min(found) < 0 < max(found)


def test_bandwidth_is_the_references() -> None:
    random = np.random.default_rng(0)
    x, other, y = random.normal(size=(3, 80, 5))
    width = median_bandwidth(y)
    gaps = [np.linalg.norm(y[i] - y[j]) for i in range(80) for j in range(i)]
    assert width == pytest.approx(np.median(gaps), rel=1e-12)
    for evaluated in (x, 10 * other):
        assert kernel_audio_distance(evaluated, y) == kernel_audio_distance(evaluated, y, width)


def test_bandwidth_of_a_large_reference_is_the_same_in_any_order() -> None:
    y = np.random.default_rng(0).normal(size=(2500, 3))
    width = median_bandwidth(y)
    assert width == median_bandwidth(np.random.default_rng(1).permutation(y))
    assert width == pytest.approx(median_bandwidth(y[:2000]), rel=0.05)


def test_far_from_the_origin() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 50, 4))
    base = kernel_audio_distance(x, y, 1.0)
    assert kernel_audio_distance(x + 1e5, y + 1e5, 1.0) == pytest.approx(base, rel=1e-5)


def test_refuses_what_has_no_distance() -> None:
    with pytest.raises(ValueError, match="at least two"):
        kernel_audio_distance(np.zeros((1, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="most frames"):
        kernel_audio_distance(np.zeros((3, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="positive"):
        kernel_audio_distance(np.zeros((3, 2)), np.ones((3, 2)), bandwidth=-1.0)


@pytest.mark.slow
def test_ten_thousand_frames_need_under_100_megabytes() -> None:
    random = np.random.default_rng(0)
    x, y = (random.normal(size=(10_000, 512)).astype(np.float32) for _ in range(2))
    tracemalloc.start()
    try:
        kernel_audio_distance(x, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100e6
