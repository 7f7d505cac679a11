"""Self-BLEU and the Vendi score: direct counting, limits, and what more copying does to them."""

from collections import Counter

import numpy as np
import pytest

from concours.metrics.originality.diversity import self_bleu, vendi_score
from concours.metrics.originality.tokens import tokenize
from concours.metrics.piece import make_piece


def tune(seed, kinds=4, n=40):
    rng = np.random.default_rng(seed)
    return tokenize(
        make_piece(
            onset=range(n),
            end=range(1, n + 1),
            pitch=60 + rng.integers(0, kinds, n),
            track=np.arange(n) * 2 // n,
        )
    )


def runs(tokens, n):
    return [
        tuple(tokens.code[i : i + n].tolist())
        for i in range(len(tokens) - n + 1)
        if (tokens.code[i : i + n] >= 0).all()
    ]


def bleu(piece, references, n=4):
    """BLEU from its definition."""
    logs = []
    for k in range(1, n + 1):
        own = Counter(runs(piece, k))
        most = Counter()
        for r in references:
            most |= Counter(runs(r, k))
        matched = sum((own & most).values())
        if not matched:
            return 0.0
        logs.append(np.log(matched / sum(own.values())))
    size = len(runs(piece, 1))
    nearest = min((len(runs(r, 1)) for r in references), key=lambda x: (abs(x - size), x))
    return min(1.0, np.exp(1 - nearest / size)) * np.exp(np.mean(logs))


def test_self_bleu_equals_its_definition():
    pieces = [tune(i, kinds=2, n=30 + 4 * i) for i in range(6)]
    want = [bleu(p, pieces[:i] + pieces[i + 1 :]) for i, p in enumerate(pieces)]
    assert 0 < np.mean(want) < 1
    assert self_bleu(pieces) == pytest.approx(np.mean(want))


def test_vendi_equals_the_entropy_of_the_eigenvalues():
    pieces = [tune(i, kinds=2) for i in range(5)]
    sets = [set(runs(p, 4)) for p in pieces]
    kernel = np.array([[len(a & b) / np.sqrt(len(a) * len(b)) for b in sets] for a in sets])
    share = np.linalg.eigvals(kernel / 5).real
    want = np.exp(-sum(x * np.log(x) for x in share if x > 1e-12))
    assert vendi_score(pieces) == pytest.approx(want)


def test_copies_add_no_variety_and_strangers_add_one_each():
    one = tune(0, kinds=30)
    assert vendi_score([one] * 5) == pytest.approx(1.0)
    assert self_bleu([one] * 5) == pytest.approx(1.0)
    strangers = [tune(i, kinds=60) for i in range(5)]
    assert vendi_score(strangers) == pytest.approx(5.0, abs=0.01)
    assert self_bleu(strangers) == 0.0


def test_more_copying_is_less_diverse():
    fresh = [tune(i, kinds=3) for i in range(8)]
    mixed = [fresh[i % k] for k in (8, 4, 2, 1) for i in range(8)]
    sets = [mixed[8 * j : 8 * j + 8] for j in range(4)]
    bleus, variety = [self_bleu(s) for s in sets], [vendi_score(s) for s in sets]
    assert bleus == sorted(bleus)
    assert variety == sorted(variety, reverse=True)


def test_too_little_is_none():
    short = tokenize(make_piece(onset=[0, 1], end=[1, 2], pitch=[60, 61]))
    assert self_bleu([short, short]) is None
    assert self_bleu([tune(0)]) is None
    assert vendi_score([short]) is None
    assert vendi_score([]) is None
