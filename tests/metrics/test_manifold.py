"""Shapes of sets: hand-worked cases, brute force, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest

from concours.metrics.manifold import (
    mauve_divergence,
    mauve_of_shares,
    precision_recall_density_coverage,
    vendi_score,
)


def test_hand_worked() -> None:
    # balls of y with k = 1: radius 1 around 0 and 1, radius 9 around 10
    y = np.array([[0.0], [1.0], [10.0]])
    x = np.array([[0.5], [1.5], [100.0]])
    found = precision_recall_density_coverage(x, y, k=1)
    assert found.precision == pytest.approx(2 / 3)  # 0.5 and 1.5
    assert found.density == pytest.approx(4 / 3)  # 0.5 in two balls, 1.5 in those of 1 and 10
    assert found.coverage == 1.0
    # balls of x: radius 1 around 0.5 and 1.5, 98.5 around 100: 10 lies 90 from it
    assert found.recall == 1.0


def test_brute_force() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(70, 4)) * 0.7, random.normal(size=(90, 4))
    k = 3
    across = np.linalg.norm(x[:, None] - y[None], axis=-1)

    def radii(v):  # type: ignore[no-untyped-def]
        return np.sort(np.linalg.norm(v[:, None] - v[None], axis=-1), axis=1)[:, k]

    in_y = across <= radii(y)
    found = precision_recall_density_coverage(x, y, k=k)
    assert found.precision == in_y.any(1).mean()
    assert found.recall == (across <= radii(x)[:, None]).any(0).mean()
    assert found.density == pytest.approx(in_y.sum() / (k * 70))
    assert found.coverage == in_y.any(0).mean()


def test_a_collapsed_set_keeps_precision_and_loses_recall() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=(200, 3))
    collapsed = 0.01 * random.normal(size=(200, 3))
    found = precision_recall_density_coverage(collapsed, y)
    assert found.precision > 0.9
    assert found.recall < 0.1
    assert found.coverage < 0.3
    assert vendi_score(y) > 2.5 > vendi_score(collapsed + 1)


def test_vendi_by_hand() -> None:
    assert vendi_score(np.eye(5)) == pytest.approx(5.0)
    assert vendi_score(np.ones((9, 4))) == pytest.approx(1.0)
    # cosine 1/2: eigenvalues 3/4 and 1/4
    pair = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
    assert vendi_score(pair) == pytest.approx(np.exp(-0.75 * np.log(0.75) - 0.25 * np.log(0.25)))
    many = np.random.default_rng(0).normal(size=(50, 6))
    unit = many / np.linalg.norm(many, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(unit @ unit.T / 50)
    values = values[values > 1e-12]
    assert vendi_score(many) == pytest.approx(np.exp(-(values * np.log(values)).sum()))


def test_mauve_of_shares() -> None:
    assert mauve_of_shares([0.5, 0.5], [0.5, 0.5]) == pytest.approx(1.0)
    p, q = [0.6, 0.4], [0.4, 0.6]
    assert mauve_of_shares(p, q) == pytest.approx(mauve_of_shares(q, p))
    assert 0 < mauve_of_shares(p, q, scaling=10) < mauve_of_shares(p, q) < 1
    # shares without overlap: KL(q|r) = -ln(1 - w), so the curve is ((1 - w)^c, w^c), and its area
    # is that of a fine grid
    w = np.linspace(0, 1, 20001)
    across, height = (1 - w) ** 2, w**2
    fine = abs(((height[1:] + height[:-1]) / 2 * np.diff(across)).sum())
    assert mauve_of_shares([1.0, 0.0], [0.0, 1.0], scaling=2) == pytest.approx(fine, rel=0.01)


def test_mauve_orders_shifts_and_ignores_the_order_of_frames() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=(300, 6)) + 1
    found = [mauve_divergence(random.normal(size=(300, 6)) + 1 - s, y) for s in (0, 0.7, 2)]
    assert found[0].divergence < found[1].divergence < found[2].divergence
    assert found[0].clusters == 30
    x = random.normal(size=(300, 6))
    assert mauve_divergence(x, y) == mauve_divergence(random.permutation(x), random.permutation(y))


def test_refuses_what_has_no_shape() -> None:
    with pytest.raises(ValueError, match="k = 5"):
        precision_recall_density_coverage(np.zeros((5, 2)), np.ones((9, 2)))
    with pytest.raises(ValueError, match="zeros"):
        vendi_score(np.zeros((5, 2)))
    with pytest.raises(ValueError, match="zeros"):
        mauve_divergence(np.zeros((5, 2)), np.ones((5, 2)))
