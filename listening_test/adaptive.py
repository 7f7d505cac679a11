"""Which trial next: the least rated, or the pair of systems that tells most about the ranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.eval.store.study import Candidate, Outcome

Floats = NDArray[np.float64]

_PRIOR_VARIANCE = 4.0
_NEWTON_STEPS = 25


class Strengths(NamedTuple):
    """Posterior of Bradley-Terry strengths: ``mean`` (n,), ``covariance`` (n, n)."""

    systems: tuple[str, ...]
    mean: Floats
    covariance: Floats


def least_rated(candidates: Sequence[Candidate], _: Sequence[Outcome] = ()) -> Candidate | None:
    """The trial given least often; of equals the first in the study's order."""
    return min(candidates, key=lambda c: (c.given, c.number), default=None)


def bradley_terry(systems: Sequence[str], outcomes: Sequence[Outcome]) -> Strengths:
    """Laplace approximation under independent normal priors of variance 4.

    A tie counts half a win for each; both-bad says nothing about the order and is left out.
    """
    index = {s: i for i, s in enumerate(systems)}
    wins = np.zeros((len(systems), len(systems)))
    for outcome in outcomes:
        if outcome.a not in index or outcome.b not in index or outcome.choice == "both_bad":
            continue
        a, b = index[outcome.a], index[outcome.b]
        share = {"a": 1.0, "b": 0.0, "tie": 0.5}[outcome.choice]
        wins[a, b] += share
        wins[b, a] += 1 - share
    games = wins + wins.T
    mean = np.zeros(len(systems))
    precision = np.eye(len(systems)) / _PRIOR_VARIANCE
    for _ in range(_NEWTON_STEPS):
        p = 1 / (1 + np.exp(mean[None, :] - mean[:, None]))
        weight = games * p * (1 - p)
        precision = np.diag(weight.sum(axis=1)) - weight + np.eye(len(systems)) / _PRIOR_VARIANCE
        slope = (wins - games * p).sum(axis=1) - mean / _PRIOR_VARIANCE
        step = np.linalg.solve(precision, slope)
        mean = mean + step
        if np.abs(step).max() < 1e-9:
            break
    covariance = np.asarray(np.linalg.inv(precision), np.float64)
    return Strengths(tuple(systems), np.asarray(mean, np.float64), covariance)


def most_informative_pair(
    candidates: Sequence[Candidate], outcomes: Sequence[Outcome]
) -> Candidate | None:
    """The candidate whose answer is expected to shrink the posterior most.

    The gain of comparing i and j is ½ log(1 + p (1 - p) Var(s_i - s_j)), the D-optimal step under
    the Laplace approximation. Of equals, the least given trial.
    """
    pairs = [c for c in candidates if len(c.systems) == 2]
    if not pairs:
        return None
    systems = sorted({s for c in pairs for s in c.systems} | {o.a for o in outcomes})
    found = bradley_terry(systems, outcomes)
    index = {s: i for i, s in enumerate(found.systems)}

    def gain(candidate: Candidate) -> float:
        i, j = (index[s] for s in candidate.systems)
        p = 1 / (1 + np.exp(found.mean[j] - found.mean[i]))
        variance = found.covariance[i, i] + found.covariance[j, j] - 2 * found.covariance[i, j]
        return float(0.5 * np.log1p(p * (1 - p) * variance))

    return min(pairs, key=lambda c: (-round(gain(c), 9), c.given, c.number))
