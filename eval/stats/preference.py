"""Pairwise preference: Bradley-Terry strengths, Davidson's ties, intervals clustered by rater.

Model: with log strengths t, ``P(i beats j) : P(tie) : P(j beats i)`` is as
``exp((t_i - t_j) / 2) : nu : exp((t_j - t_i) / 2)`` (Davidson 1970, JASA 65(329)); without the
middle it is Bradley & Terry (1952). Strengths have geometric mean 1. There is no Elo: its numbers
depend on the order of the battles.

The maximum exists only if no group of systems won (or tied) nothing against the rest: the graph of
wins must be strongly connected (Ford 1957). Otherwise strengths are undefined and the groups named.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from concours.eval.stats.multiplicity import holm
from concours.eval.stats.ratings import Bools, Floats, Ints, RatingsError, codes
from concours.metrics.spec import Undefined

Outcome = Literal["first", "second", "tie"]


class Comparison(NamedTuple):
    """One answer: ``rater`` ("" if unknown) heard ``first`` and ``second``."""

    rater: str
    first: str
    second: str
    outcome: Outcome


class Strength(NamedTuple):
    """``strength`` is exp of the log strength; the interval is symmetric on the log scale."""

    system: str
    strength: float
    ci_low: float
    ci_high: float
    log_strength: float
    se: float


class PreferencePair(NamedTuple):
    """``log_ratio`` is first minus second; ``probability`` that first is preferred, ties aside,
    with the ends of its interval; ``p_holm`` is adjusted over all pairs."""

    first: str
    second: str
    probability: float
    ci_low: float
    ci_high: float
    log_ratio: float
    se: float
    p: float
    p_holm: float


@dataclass(frozen=True, eq=False)
class Preference:
    """``tie`` is Davidson's nu, None without ties; ``covariance`` is of the log strengths;
    ``df`` are the degrees of freedom of their intervals."""

    strengths: tuple[Strength, ...]
    tie: float | None
    covariance: Floats
    method: str
    n_comparisons: int
    n_raters: int
    df: float

    def pairs(self, level: float = 0.95) -> tuple[PreferencePair, ...]:
        """All pairs of systems by their Wald tests, p adjusted by Holm."""
        from scipy.stats import t

        half = float(t.ppf(0.5 + level / 2, self.df))
        found = []
        for i, j in itertools.combinations(range(len(self.strengths)), 2):
            a, b = self.strengths[i], self.strengths[j]
            gap = a.log_strength - b.log_strength
            c = self.covariance
            se = math.sqrt(max(float(c[i, i] + c[j, j] - 2 * c[i, j]), 0.0))
            p = float(2 * t.sf(abs(gap) / se, self.df)) if se else float(gap == 0)
            chance, low, high = (
                1 / (1 + math.exp(-g)) for g in (gap, gap - half * se, gap + half * se)
            )
            found.append(PreferencePair(a.system, b.system, chance, low, high, gap, se, p, p))
        adjusted = holm([p.p for p in found])
        return tuple(p._replace(p_holm=float(q)) for p, q in zip(found, adjusted, strict=True))

    def probability(self, first: str, second: str) -> float:
        """P(first is preferred), given that the answer isn't a tie."""
        logs = {s.system: s.log_strength for s in self.strengths}
        return float(1 / (1 + np.exp(logs[second] - logs[first])))


def components(wins: Bools) -> list[list[int]]:
    """Strongly connected components of the graph with an edge i -> j where ``wins[i, j]``.

    >>> components(np.array([[False, True], [False, False]]))
    [[0], [1]]
    """
    reach = wins | np.eye(len(wins), dtype=bool)
    for k in range(len(wins)):
        reach |= reach[:, [k]] & reach[[k], :]
    mutual = reach & reach.T
    seen: set[int] = set()
    found = []
    for i in range(len(wins)):
        if i not in seen:
            group = np.flatnonzero(mutual[i]).tolist()
            seen.update(group)
            found.append(group)
    return found


def fit_preference(
    comparisons: Sequence[Comparison], level: float = 0.95
) -> Preference | Undefined:
    """Maximum-likelihood strengths with a sandwich covariance clustered by rater.

    The covariance is ``G / (G - 1) H^-1 (sum_g s_g s_g') H^-1`` over the G raters' scores, the
    intervals use t with G - 1 degrees of freedom. With fewer than 2 known raters it is the inverse
    information, which takes answers for independent, and ``method`` says so. Undefined without
    comparisons and where the graph isn't strongly connected.

    Raises:
        RatingsError: a system compared with itself or an unknown outcome.
    """
    if not comparisons:
        return Undefined("no comparisons")
    for c in comparisons:
        if c.first == c.second:
            raise RatingsError(f"{c.first!r} is compared with itself")
        if c.outcome not in ("first", "second", "tie"):
            raise RatingsError(f"outcome {c.outcome!r}; it must be first, second or tie")
    both = codes(np.array([c.first for c in comparisons] + [c.second for c in comparisons]))
    n, systems = len(comparisons), both.labels
    first, second = both.code[:n], both.code[n:]
    outcome = np.array([("first", "tie", "second").index(c.outcome) for c in comparisons])
    wins = np.zeros((len(systems), len(systems)), dtype=bool)
    wins[first[outcome <= 1], second[outcome <= 1]] = True
    wins[second[outcome >= 1], first[outcome >= 1]] = True
    parts = components(wins)
    if len(parts) > 1:
        named = " | ".join(", ".join(systems[i] for i in part) for part in parts)
        return Undefined(
            f"the comparisons don't connect the systems both ways ({named}): one group never won "
            "against another or never met it; collect more comparisons between the groups"
        )
    return _fit(first, second, outcome, systems, [c.rater for c in comparisons], level)


def _fit(
    first: Ints,
    second: Ints,
    outcome: Ints,
    systems: tuple[str, ...],
    raters: list[str],
    level: float,
) -> Preference:
    from scipy.stats import norm, t

    n, k = len(first), len(systems)
    ties = bool(np.any(outcome == 1))
    # the logits of the three outcomes are linear: +-1/2 on the strengths, 1 on log nu
    features = np.zeros((n, 3, k + 1))
    row = np.arange(n)
    for place, sign in ((0, 0.5), (2, -0.5)):
        features[row, place, first] += sign
        features[row, place, second] -= sign
    features[:, 1, k] = 1.0
    theta = np.zeros(k + 1)
    scores = np.zeros((n, k + 1))
    information = np.eye(k + 1)
    for _ in range(200):
        logits = features @ theta
        if not ties:
            logits[:, 1] = -np.inf
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        expected = np.einsum("no,nof->nf", p, features)
        scores = features[row, outcome] - expected
        second_moment = np.einsum("no,nof,nog->fg", p, features, features)
        information = second_moment - expected.T @ expected
        step = np.linalg.pinv(information, rcond=1e-10) @ scores.sum(axis=0)
        theta = theta + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        if float(np.abs(step).max()) < 1e-11:
            break
    inverse = np.linalg.pinv(information, rcond=1e-10)
    known = "" not in raters and len(set(raters)) > 1
    if known:
        group = codes(np.array(raters))
        g = len(group.labels)
        sums = np.zeros((g, k + 1))
        np.add.at(sums, group.code, scores)
        covariance = g / (g - 1) * inverse @ sums.T @ sums @ inverse
        quantile, method = float(t.ppf(0.5 + level / 2, g - 1)), "sandwich clustered by rater"
    else:
        g = 0
        covariance, quantile = inverse, float(norm.ppf(0.5 + level / 2))
        method = "inverse information; raters unknown, so too narrow"
    logs = theta[:k] - theta[:k].mean()
    centre = np.eye(k) - 1 / k
    cov = centre @ covariance[:k, :k] @ centre
    se = np.sqrt(np.maximum(np.diag(cov), 0.0))
    strengths = tuple(
        Strength(
            name,
            float(np.exp(x)),
            float(np.exp(x - quantile * s)),
            float(np.exp(x + quantile * s)),
            float(x),
            float(s),
        )
        for name, x, s in zip(systems, logs, se, strict=True)
    )
    nu = float(np.exp(theta[k])) if ties else None
    return Preference(strengths, nu, cov, method, n, g, float(g - 1) if known else math.inf)
