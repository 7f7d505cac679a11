"""Bradley-Terry and Davidson: the worked example, a second implementation, planted strengths."""

import numpy as np
import pytest

from concours.eval.stats.preference import Comparison, fit_preference
from concours.eval.stats.ratings import RatingsError
from concours.metrics.spec import Undefined

# rows beat columns; the worked example of the Bradley-Terry article of Wikipedia
WINS = np.array([[0, 2, 0, 1], [3, 0, 5, 0], [0, 3, 0, 1], [4, 0, 3, 0]])


def from_wins(wins: np.ndarray, rater: str = "") -> list[Comparison]:
    return [
        Comparison(rater, "ABCD"[i], "ABCD"[j], "first")
        for i in range(len(wins))
        for j in range(len(wins))
        for _ in range(wins[i, j])
    ]


def drawn(seed: int, raters: int, each: int, nu: float, spread: float = 0.0) -> list[Comparison]:
    rng = np.random.default_rng(seed)
    base = np.array([-0.6, -0.1, 0.2, 0.5])
    found = []
    for r in range(raters):
        own = base + spread * rng.normal(size=4)
        for _ in range(each):
            i, j = rng.choice(4, 2, replace=False)
            d = own[i] - own[j]
            p = np.array([np.exp(d / 2), nu, np.exp(-d / 2)])
            outcome = ("first", "tie", "second")[rng.choice(3, p=p / p.sum())]
            found.append(Comparison(f"r{r}", "ABCD"[i], "ABCD"[j], outcome))
    return found


def test_worked_example() -> None:
    found = fit_preference(from_wins(WINS))
    assert [round(s.strength, 3) for s in found.strengths] == [0.640, 1.043, 0.660, 2.270]
    assert found.tie is None
    assert "raters unknown" in found.method


def test_equals_choix() -> None:
    choix = pytest.importorskip("choix")
    pairs = [(i, j) for i in range(4) for j in range(4) for _ in range(WINS[i, j])]
    theirs = choix.opt_pairwise(4, pairs)
    ours = [s.log_strength for s in fit_preference(from_wins(WINS)).strengths]
    assert ours == pytest.approx(list(theirs - theirs.mean()), abs=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_equals_evalica() -> None:
    evalica = pytest.importorskip("evalica")
    games = from_wins(WINS)
    theirs = evalica.bradley_terry(
        [g.first for g in games], [g.second for g in games], [evalica.Winner.X] * len(games)
    ).scores
    ours = {s.system: s.log_strength for s in fit_preference(games).strengths}
    logs = np.log(theirs)
    for name, value in (logs - logs.mean()).items():
        assert ours[name] == pytest.approx(value, abs=1e-3)


def test_unconnected_systems_have_no_strength_and_are_named() -> None:
    found = fit_preference(
        [
            Comparison("r", "A", "B", "first"),
            Comparison("r", "B", "A", "first"),
            Comparison("r", "B", "C", "first"),
        ]
    )
    assert isinstance(found, Undefined)
    assert "A, B | C" in found.reason


def test_a_tie_connects_both_ways() -> None:
    found = fit_preference([Comparison("r", "A", "B", "tie"), Comparison("s", "A", "B", "first")])
    assert found.tie > 0
    assert found.strengths[0].strength > found.strengths[1].strength


def test_davidson_recovers_planted_strengths_and_ties() -> None:
    found = fit_preference(drawn(1, 200, 40, 0.8))
    assert [s.log_strength for s in found.strengths] == pytest.approx(
        [-0.6, -0.1, 0.2, 0.5], abs=0.08
    )
    assert found.tie == pytest.approx(0.8, abs=0.06)
    assert found.probability("D", "A") == pytest.approx(1 / (1 + np.exp(-1.1)), abs=0.03)


def test_clustering_widens_the_interval_when_raters_differ() -> None:
    games = drawn(2, 20, 40, 0.5, spread=0.8)
    clustered = fit_preference(games).strengths[0].se
    independent = fit_preference([g._replace(rater="") for g in games]).strengths[0].se
    assert clustered > 1.3 * independent


def test_order_of_the_pair_does_not_matter() -> None:
    games = drawn(3, 10, 20, 0.5)
    other = {"first": "second", "second": "first", "tie": "tie"}
    turned = [Comparison(g.rater, g.second, g.first, other[g.outcome]) for g in games]
    for a, b in zip(fit_preference(games).strengths, fit_preference(turned).strengths, strict=True):
        assert tuple(a[1:]) == pytest.approx(tuple(b[1:]), abs=1e-9)


def test_a_system_cannot_meet_itself() -> None:
    with pytest.raises(RatingsError, match="itself"):
        fit_preference([Comparison("r", "A", "A", "first")])
