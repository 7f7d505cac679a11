"""What every registered metric of pairs, sets and corpora promises, walked over the registry."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from changed_pieces import (
    EXTREMES,
    broken_pair_promises,
    broken_promises,
    mannered,
    value_of,
    with_changes,
)

from concours.metrics.features import FeatureTable
from concours.metrics.piece import Piece, make_piece
from concours.metrics.registry import catalogue

SYMBOLIC = {n: s for n, s in catalogue().items() if s.inputs == "symbolic"}
CLIP = {n: s for n, s in SYMBOLIC.items() if s.level == "clip"}
PAIR = {n: s for n, s in SYMBOLIC.items() if s.level == "pair"}
CORPUS = {n: s for n, s in SYMBOLIC.items() if s.level == "corpus"}
SETS = {n: s for n, s in catalogue().items() if s.level == "set" and s.inputs == "features"}


@pytest.fixture(scope="module")
def pieces(random_piece: Callable[..., Piece], chorales: list[tuple[object, Piece]]) -> list[Piece]:
    """Two random pieces and two chorales."""
    return [random_piece(11), random_piece(12), chorales[0][1], chorales[1][1]]


@pytest.mark.parametrize("name", PAIR)
def test_declared_invariances_of_pairs_hold(name: str, pieces: list[Piece]) -> None:
    twos = [(pieces[0], pieces[1]), (pieces[2], pieces[3]), (pieces[3], pieces[3])]
    broken = [b for piece, other in twos for b in broken_pair_promises(PAIR[name], piece, other)]
    assert not broken, "\n".join(broken)


def test_every_metric_of_notes_declares_what_it_is_blind_to() -> None:
    """The order of notes and tracks in a file is never music, and that of items no property."""
    for spec in (*CLIP.values(), *PAIR.values(), *CORPUS.values()):
        assert {"note-order", "track-order"} <= spec.invariant, spec.name
    for spec in SETS.values():
        assert "item-order" in spec.invariant, spec.name


SMALL = [n for n in EXTREMES if n not in ("ten hours", "200,000 notes")]
PARTNER = make_piece(
    onset=[0, 480, 960, 1920], end=[480, 960, 1920, 3840], pitch=[60, 64, 67, 72], program=[5] * 4
)


@pytest.mark.parametrize("name", PAIR)
def test_pairs_have_a_value_in_range_or_a_reason(name: str) -> None:
    """Every edge case as the output, as what it is held against, and against itself."""
    spec = PAIR[name]
    cases = [EXTREMES[n] for n in SMALL]
    twos = [(c, PARTNER) for c in cases] + [(PARTNER, c) for c in cases] + [(c, c) for c in cases]
    for piece, other in twos:
        mannered(spec, spec.function(piece, other))


@pytest.mark.parametrize("name", PAIR)
@pytest.mark.parametrize("case", ["ten hours", "200,000 notes"])
def test_pairs_survive_long_and_large_pieces(name: str, case: str) -> None:
    spec = PAIR[name]
    mannered(spec, spec.function(EXTREMES[case], PARTNER))
    mannered(spec, spec.function(PARTNER, EXTREMES[case]))


@pytest.mark.parametrize("name", CORPUS)
def test_corpus_metrics_have_a_value_in_range_or_a_reason(name: str) -> None:
    spec = CORPUS[name]
    assert spec.corpus is not None
    parameters = {k: spec.parameters[k] for k in spec.corpus.parameters}
    cases = {n: EXTREMES[n] for n in SMALL}
    for held in ({"one": PARTNER}, cases):
        extracts = [spec.corpus.extract(p, parameters) for p in held.values()]
        model = spec.corpus.open(spec.corpus.fit(extracts, list(held), parameters))
        for piece in cases.values():
            mannered(spec, spec.function(piece, model))


@pytest.mark.parametrize("name", CORPUS)
def test_declared_invariances_of_corpus_metrics_hold(name: str, pieces: list[Piece]) -> None:
    spec = CORPUS[name]
    assert spec.corpus is not None
    parameters = {k: spec.parameters[k] for k in spec.corpus.parameters}
    held = [pieces[0], pieces[2]]
    extracts = [spec.corpus.extract(p, parameters) for p in held]
    model = spec.corpus.open(spec.corpus.fit(extracts, ["a", "b"], parameters))
    against = replace(spec, function=lambda p: spec.function(p, model))
    broken = [b for p in pieces for b in broken_promises(against, p, with_changes(p))]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("name", SETS)
def test_the_order_of_items_never_shows(name: str) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(40, 3)), rng.normal(0.5, 1.2, size=(35, 3))
    names = ("x", "y", "z")
    home = value_of(SETS[name].function(FeatureTable(names, a), FeatureTable(names, b)))
    turned = FeatureTable(names, a[rng.permutation(40)]), FeatureTable(names, b[::-1].copy())
    assert value_of(SETS[name].function(*turned)) == pytest.approx(home, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("case", ["copies", "constant", "one", "empty", "holes", "far"])
def test_sets_have_a_value_in_range_or_a_reason(name: str, case: str) -> None:
    rng = np.random.default_rng(4)
    plain = rng.normal(size=(32, 2))
    other = {
        "copies": np.repeat(plain[:16], 2, axis=0),
        "constant": np.ones((32, 2)),
        "one": plain[:1],
        "empty": plain[:0],
        "holes": np.where(rng.random((32, 2)) < 0.3, np.nan, plain),
        "far": plain + 1e6,
    }[case]
    tables = [FeatureTable(("x", "y"), v) for v in (plain, other)]
    for first, second in (tables, tables[::-1], [tables[1], tables[1]]):
        mannered(SETS[name], SETS[name].function(first, second))
