"""Speed and memory of the n-gram index beside a Python set of tuples; run it by hand:

    python tests/benchmarks/originality_index.py 10_000_000

Tokens are drawn from the steps of Bach's chorales (an order-2 chain over them), so that passages
repeat as they do in music. Both answer the same question for every position of a million notes:
does the corpus hold the 10 tokens from here? The set is asked as one would ask it, a tuple made for
each position; how much of its time the making takes is printed too. The index also answers a
harder question: how long is the longest match from here? Rounds are interleaved, in CPU time.
"""

import resource
import sys
import time

import numpy as np

from concours.eval.corpora import corpus_files
from concours.eval.load import load
from concours.metrics.originality.lookup import longest_matches, stand_in
from concours.metrics.originality.lookup_tables import tables
from concours.metrics.originality.suffix import suffix_array
from concours.metrics.originality.tokens import tokenize

N = 10
QUERIES = 1_000_000
PIECE = 500
ROUNDS = 5


def text(size: int, seed: int) -> np.ndarray:
    """Symbols of ``size`` notes in pieces of 500, from a chain over the chorales' steps."""
    code = np.concatenate(
        [tokenize(load(p).piece, view="interval-ioi").code for p in corpus_files("bach-chorales")]
    )
    kinds, symbol = np.unique(code[code >= 0], return_inverse=True)
    after = np.argsort(symbol[:-1], kind="stable")
    first = np.searchsorted(symbol[:-1][after], np.arange(len(kinds) + 1))
    rng = np.random.default_rng(seed)
    lines = size // PIECE
    now = rng.integers(0, len(kinds), lines)
    out = np.zeros((lines, PIECE), np.uint16)
    for i in range(PIECE - 1):
        out[:, i] = now + 1
        room = np.maximum(first[now + 1] - first[now], 1)
        now = symbol[1:][after[np.minimum(first[now] + rng.integers(0, room), len(after) - 1)]]
    return out.ravel()


def main(size: int, with_set: bool) -> None:
    corpus, query = text(size, 0), text(QUERIES, 1).astype(np.int32)
    everywhere = np.empty((0, 2), np.int64)
    small = suffix_array(corpus[:5000])  # compiles the kernels
    known = tables(corpus[:5000], small)
    longest_matches(query[:1000], corpus[:5000], small, known, everywhere)
    stand_in(query[:1000], N, corpus[:5000], small, known, everywhere)

    began = time.process_time()
    suffixes = suffix_array(corpus)
    sorted_ = time.process_time()
    known = tables(corpus, suffixes)
    built = time.process_time()
    held = suffixes.nbytes + corpus.nbytes + sum(a.nbytes for a in known)
    print(
        f"index: {size} tokens, suffix array {sorted_ - began:.1f} s, tables "
        f"{built - sorted_:.1f} s, {held / size:.2f} bytes a token, peak {_peak():.2f} GB",
        flush=True,
    )
    ask = {
        "index, does it hold these 10": lambda: stand_in(
            query, N, corpus, suffixes, known, everywhere
        ),
        "index, longest match (every n)": lambda: longest_matches(
            query, corpus, suffixes, known, everywhere
        ),
    }
    if with_set:
        rows = corpus.tolist()
        began = time.process_time()
        members = {
            tuple(rows[i : i + N]) for i in range(len(rows) - N + 1) if 0 not in rows[i : i + N]
        }
        print(f"set of tuples: build {time.process_time() - began:.1f} s, peak {_peak():.2f} GB")
        asked = query.tolist()
        ask["set of tuples, does it hold these 10"] = lambda: [
            tuple(asked[i : i + N]) in members for i in range(len(asked) - N + 1)
        ]
        ask["  of which making the tuples"] = lambda: [
            tuple(asked[i : i + N]) for i in range(len(asked) - N + 1)
        ]
    spent: dict[str, list[float]] = {name: [] for name in ask}
    answers = {}
    for _ in range(ROUNDS):
        for name, question in ask.items():
            began = time.process_time()
            answers[name] = question()
            spent[name].append((time.process_time() - began) / QUERIES * 1e9)
    for name, times in spent.items():
        print(f"{name}: {np.median(times):.0f} ns a query ({min(times):.0f}-{max(times):.0f})")
    member, longest, *others = answers.values()
    assert (member == (longest.length >= N)).all()
    if with_set:
        assert others[0] == member[: len(others[0])].tolist()
        by_set, by_index = (
            np.median(spent[k])
            for k in ("set of tuples, does it hold these 10", "index, does it hold these 10")
        )
        print(f"the set takes {by_set / by_index:.1f} times as long per query")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main(int(sys.argv[1].replace("_", "")), "--no-set" not in sys.argv)
