"""On real music the baselines stand where theory puts them."""

import numpy as np
import pytest

from concours.eval.baselines import generate
from concours.eval.corpora import corpus_files
from concours.eval.load import load
from concours.metrics.originality.ngram import NgramIndex, longest_shared_passage, ngram_overlap
from concours.metrics.originality.tokens import tokenize

COUNT = 25


@pytest.fixture(scope="module")
def table() -> dict[str, tuple[float, float]]:
    """Mean overlap and median longest passage of each system against the reference."""
    paths = corpus_files("bach-chorales", "reference")
    train = [load(p).piece for p in paths]
    human = [load(p).piece for p in corpus_files("bach-chorales", "held-out", limit=COUNT)]
    index = NgramIndex.build([tokenize(p) for p in train], [p.name for p in paths])
    systems = {
        "human": human,
        "copycat": list(generate("copycat", train=train, count=COUNT, seed=0)),
        "shuffled": list(generate("shuffled", train=human, count=COUNT, seed=0)),
        "random": list(generate("random", train=train, count=COUNT, seed=0)),
    }
    for order in (1, 3, 8):
        systems[f"markov-{order}"] = list(
            generate("markov", train=train, count=COUNT, seed=0, order=order)
        )
    return {
        name: (
            float(np.mean([ngram_overlap(p, index).value for p in pieces])),
            float(np.median([longest_shared_passage(p, index).value for p in pieces])),
        )
        for name, pieces in systems.items()
    }


def test_copycat_and_long_chains_lose_on_originality(table):
    assert table["copycat"][0] == 1.0
    assert table["markov-8"][0] > 0.85
    assert table["human"][0] < 0.05
    order = ["random", "shuffled", "markov-1", "human", "markov-3", "markov-8", "copycat"]
    assert [table[s][0] for s in order] == sorted(table[s][0] for s in order)


def test_the_longest_passage_puts_them_in_the_same_order(table):
    order = ["random", "shuffled", "markov-1", "human", "markov-3", "markov-8"]
    assert [table[s][1] for s in order] == sorted(table[s][1] for s in order)
    assert table["markov-8"][1] > 3 * table["human"][1]
