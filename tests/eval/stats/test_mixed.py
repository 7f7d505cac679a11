"""The mixed model: dense and sparse elimination agree, and both with direct algebra."""

import numpy as np
import pytest

from concours.eval.stats import mixed
from concours.eval.stats.mixed import fit_mixed


def unbalanced(seed: int = 0) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    rows = [(r, i, s) for r in range(9) for i in range(5) for s in range(2) if rng.random() < 0.7]
    r, i, s = np.array(rows).T
    y = 0.5 * rng.normal(size=9)[r] + 0.6 * rng.normal(size=5)[i] + 0.4 * s
    y = y + 0.7 * rng.normal(size=len(r))
    x = (s[:, None] == np.arange(2)).astype(float)
    groups = {"rater": r.astype(str), "item": i.astype(str)}
    groups["rater:system"] = np.char.add(np.char.add(groups["rater"], "-"), s.astype(str))
    return y, x, groups


def test_sparse_and_dense_elimination_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = fit_mixed(*unbalanced())
    monkeypatch.setattr(mixed, "SPARSE", 0)
    sparse = fit_mixed(*unbalanced())
    assert list(dense.variances) == ["rater", "item", "rater:system"]
    assert dict(sparse.variances) == pytest.approx(dict(dense.variances), abs=1e-7)
    a, b = (f.contrast(np.array([1.0, -1.0])) for f in (dense, sparse))
    assert tuple(b) == pytest.approx(tuple(a), rel=1e-5)


def test_the_gradient_is_that_of_the_deviance() -> None:
    y, x, groups = unbalanced(1)
    problem = mixed._Problem(y, x, [mixed.codes(g).code for g in groups.values()])
    for at in (np.array([0.3, 0.8, 0.1]), np.array([0.3, 0.0, 0.2])):
        value, slope = problem.profiled(at)
        for k in range(3):
            h = 1e-6
            up = at.copy()
            up[k] += h
            assert (problem.profiled(up)[0] - value) / h == pytest.approx(slope[k], abs=2e-3)


def test_estimates_solve_the_equations_of_generalised_least_squares() -> None:
    y, x, groups = unbalanced(2)
    fit = fit_mixed(y, x, groups)
    v = fit.residual * np.eye(len(y))
    for name, column in groups.items():
        v += fit.variances[name] * (column[:, None] == column[None, :])
    inverse = np.linalg.inv(v)
    covariance = np.linalg.inv(x.T @ inverse @ x)
    assert fit.covariance == pytest.approx(covariance, rel=1e-5)
    assert fit.coefficients == pytest.approx(covariance @ x.T @ inverse @ y, rel=1e-5)
