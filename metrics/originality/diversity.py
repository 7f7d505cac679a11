"""How different the pieces of a set are from each other: Self-BLEU and the Vendi score.

Both compare pieces by the tokens of their voices (the default view: transposition and tempo do not
count), not by how they sound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from concours.metrics.originality.tokens import Tokens

MOST_N = 4

Grams = Counter[tuple[int, ...]]


def self_bleu(pieces: Sequence[Tokens], n: int = MOST_N) -> float | None:
    """The mean BLEU of each piece with the others as references (Zhu et al. 2018, Texygen).

    ``BLEU = min(1, exp(1 - r / c)) · (p1 · … · pn)^(1 / n)``, where pk is the share of the piece's
    k-grams of tokens that a reference holds at least as often (clipped by the reference that holds
    most), c the piece's number of tokens and r that of the reference nearest in length. A k-gram
    order with no match gives 0.

    Range 0-1; lower is more diverse. None for fewer than 2 pieces that have n tokens in a voice.

    >>> from concours.metrics.originality.tokens import tokenize
    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=range(8), end=range(1, 9), pitch=[60, 62, 64, 60, 65, 67, 60, 71])
    >>> self_bleu([tokenize(piece), tokenize(piece)])
    1.0
    """
    lines = [_lines(p) for p in pieces]
    lines = [found for found in lines if any(len(line) >= n for line in found)]
    if len(lines) < 2:
        return None
    sizes = np.array([sum(map(len, found)) for found in lines])
    precision = np.array([_precisions(lines, k) for k in range(1, n + 1)])
    scores = []
    for i, size in enumerate(sizes.tolist()):
        others = np.delete(sizes, i)
        nearest = int(min(others.tolist(), key=lambda r: (abs(r - size), r)))
        brevity = min(1.0, float(np.exp(1 - nearest / size)))
        p = precision[:, i]
        scores.append(brevity * float(np.exp(np.mean(np.log(p)))) if (p > 0).all() else 0.0)
    return float(np.mean(scores))


def vendi_score(pieces: Sequence[Tokens], n: int = MOST_N) -> float | None:
    """How many pieces' worth of variety a set holds (Friedman & Dieng 2023).

    ``exp(-sum λ log λ)`` over the eigenvalues λ of K / m, where m is the number of pieces and K
    the cosine similarity of their sets of n-grams of tokens.

    Range 1 (all alike) to m (nothing shared); read it beside m. None where no piece has an n-gram.

    >>> from concours.metrics.originality.tokens import tokenize
    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=range(8), end=range(1, 9), pitch=[60, 62, 64, 60, 65, 67, 60, 71])
    >>> round(vendi_score([tokenize(piece), tokenize(piece)]), 6)
    1.0
    """
    found = [set(_grams(_lines(p), n)) for p in pieces]
    found = [f for f in found if f]
    if not found:
        return None
    kinds = {gram: i for i, gram in enumerate(sorted(set().union(*found)))}
    column = np.concatenate([[kinds[g] for g in f] for f in found])
    row = np.repeat(np.arange(len(found)), [len(f) for f in found])
    return _effective_number(_cosine(row, column, len(found), len(kinds)))


def _cosine(
    row: NDArray[np.int64], column: NDArray[np.int64], rows: int, columns: int
) -> NDArray[np.float64]:
    from scipy.sparse import csr_matrix

    table = csr_matrix((np.ones(len(row)), (row, column)), shape=(rows, columns))
    shared = (table @ table.T).toarray()
    size = np.sqrt(np.diag(shared))
    similarity: NDArray[np.float64] = shared / size[:, None] / size[None, :]
    return similarity


def _effective_number(similarity: NDArray[np.float64]) -> float:
    share = np.linalg.eigvalsh(similarity / len(similarity))
    share = share[share > 1e-12]
    return float(np.exp(-(share * np.log(share)).sum()))


def _lines(tokens: Tokens) -> list[list[int]]:
    """The tokens of each voice."""
    lines: dict[int, list[int]] = {}
    for voice, code in zip(tokens.voice.tolist(), tokens.code.tolist(), strict=True):
        if code >= 0:
            lines.setdefault(voice, []).append(code)
    return list(lines.values())


def _grams(lines: Sequence[Sequence[int]], n: int) -> Grams:
    return Counter(tuple(line[i : i + n]) for line in lines for i in range(len(line) - n + 1))


def _precisions(pieces: Sequence[Sequence[Sequence[int]]], n: int) -> list[float]:
    """The clipped n-gram precision of each piece with the others as references."""
    grams = [_grams(lines, n) for lines in pieces]
    # the two highest counts of each n-gram over the pieces: the others' highest for everyone
    top: dict[tuple[int, ...], tuple[int, int]] = {}
    for g in grams:
        for gram, count in g.items():
            first, second = top.get(gram, (0, 0))
            top[gram] = (count, first) if count > first else (first, max(second, count))
    found = []
    for g in grams:
        clipped = 0
        for gram, count in g.items():
            first, second = top[gram]
            clipped += min(count, second if count == first else first)
        found.append(clipped / max(1, sum(g.values())))
    return found
