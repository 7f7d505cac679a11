"""Speed and memory of the n-gram index beside a Python set of tuples; run it by hand:

    python tests/benchmarks/originality_index.py 10_000_000

Tokens are drawn from the steps of Bach's chorales (an order-2 chain over them), so that passages
repeat as they do in music. Both answer the same question: does the corpus hold these 10 tokens?
"""

import resource
import sys
import time

import numpy as np

from concours.eval.corpora import corpus_files
from concours.eval.load import load
from concours.metrics.originality.suffix import longest_matches, suffix_array
from concours.metrics.originality.tokens import tokenize

N = 10
QUERIES = 1_000_000
PIECE = 500


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
    corpus, query = text(size, 0), text(QUERIES, 1)
    longest_matches(
        query[:10].astype(np.int32),
        corpus[:100],
        suffix_array(corpus[:100]),
        np.empty((0, 2), np.int64),
    )
    began = time.perf_counter()
    suffixes = suffix_array(corpus)
    built = time.perf_counter()
    found = longest_matches(query.astype(np.int32), corpus, suffixes, np.empty((0, 2), np.int64))
    asked = time.perf_counter()
    print(
        f"suffix array: {size} tokens, build {built - began:.1f} s, "
        f"{(asked - built) / QUERIES * 1e9:.0f} ns a query (longest match, every n), "
        f"{(suffixes.nbytes + corpus.nbytes) / size:.1f} bytes a token, "
        f"peak {_peak():.2f} GB",
        flush=True,
    )
    if not with_set:
        return
    began = time.perf_counter()
    rows = corpus.tolist()
    known = {tuple(rows[i : i + N]) for i in range(len(rows) - N + 1) if 0 not in rows[i : i + N]}
    built = time.perf_counter()
    rows = query.tolist()
    hits = [tuple(rows[i : i + N]) in known for i in range(len(rows) - N + 1)]
    asked = time.perf_counter()
    assert hits == (found.length[: len(hits)] >= N).tolist()
    print(
        f"set of tuples: build {built - began:.1f} s, {(asked - built) / QUERIES * 1e9:.0f} ns a "
        f"query (n = {N} only), peak {_peak():.2f} GB"
    )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main(int(sys.argv[1].replace("_", "")), "--no-set" not in sys.argv)
