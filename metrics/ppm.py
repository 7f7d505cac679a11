"""Prediction by partial match: what comes next, from contexts of every length at once.

The probability of token e after a context of k tokens, with n continuations of t kinds counted
there, c of them e (escape method C, interpolated):

    P_k(e) = (c + t × P_(k−1)(e)) / (n + t),    P_(−1)(e) = 1 / (K + 1)

K is the number of different tokens of the training set and the one over stands for any other.
A context that was never seen leaves P as it was. The probabilities of the K tokens and of "any
other" add up to 1 in every context.

Conventions
-----------
- The counts are a tree of n-grams laid out in arrays: node 0 is the empty n-gram, and node e + 1
  is the n-gram of node ``parent`` lengthened by ``token``, where
  ``keys[e] = parent × len(vocabulary) + token`` and keys ascend.
- Contexts do not reach over the ends of pieces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.metrics.piece import Floats, Ints


@dataclass(frozen=True, eq=False)
class Ppm:
    """A trained model. ``keys``, ``counts``: (n-grams,); ``vocabulary``: (K,), ascending;
    ``tokens``: the training set as indices, pieces laid end to end at ``starts`` (pieces + 1,);
    ``names``: (pieces,)."""

    order: int
    keys: Ints
    counts: Ints
    vocabulary: Ints
    tokens: Ints
    starts: Ints
    names: NDArray[np.str_]
    totals: Ints
    kinds: Ints

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The model as arrays that ``numpy.savez`` takes unpickled."""
        return {
            "order": np.array([self.order]),
            "keys": self.keys,
            "counts": self.counts,
            "vocabulary": self.vocabulary,
            "tokens": self.tokens,
            "starts": self.starts,
            "names": self.names,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Ppm:
        """The model that :meth:`to_arrays` took apart."""
        kept = {k: arrays[k] for k in ("keys", "counts", "vocabulary", "tokens", "starts", "names")}
        totals, kinds = _sums(kept["keys"], kept["counts"], len(kept["vocabulary"]))
        return cls(order=int(arrays["order"][0]), totals=totals, kinds=kinds, **kept)

    def excluding(self, name: str) -> Ppm:
        """The same without the counts of one piece of the training set."""
        found = np.flatnonzero(self.names == name)
        if not len(found):
            return self
        counts = self.counts.copy()
        for piece in found.tolist():
            own = self.tokens[self.starts[piece] : self.starts[piece + 1]]
            for nodes in self._walk(own):
                np.subtract.at(counts, nodes[nodes > 0] - 1, 1)
        totals, kinds = _sums(self.keys, counts, len(self.vocabulary))
        return replace(self, counts=counts, totals=totals, kinds=kinds)

    def bits(self, tokens: Ints) -> Floats:
        """−log₂ of each token's probability after those before it: shape (n,).

        >>> coin = train([np.array([0, 1] * 8)], ["coin"], order=1)
        >>> coin.bits(np.array([0, 1, 0])).round(2).tolist()
        [1.05, 0.09, 0.1]
        """
        n = len(tokens)
        if not len(self.vocabulary):
            return np.zeros(n)
        at = np.minimum(np.searchsorted(self.vocabulary, tokens), len(self.vocabulary) - 1)
        levels = self._walk(np.where(self.vocabulary[at] == tokens, at, -1))
        chance = np.full(n, 1.0 / (self.kinds[0] + 1.0))
        for k in range(min(self.order, n - 1) + 1 if n else 0):
            context = np.zeros(n, np.int64) if k == 0 else levels[k - 1][: n - k]
            longer = levels[k][: n - k]
            context = context[: n - k]
            seen = (context >= 0) & (self.totals[context] > 0)
            count = np.where(longer > 0, self.counts[longer - 1], 0)
            total, kinds = self.totals[context], self.kinds[context]
            into = chance[k:]
            mixed = (count + kinds * into) / np.maximum(total + kinds, 1)
            chance[k:] = np.where(seen, mixed, into)
        bits: Floats = -np.log2(chance)
        return bits

    def _walk(self, tokens: Ints) -> list[Ints]:
        """Per length from 1 to order + 1 the node of the n-gram at each place, -1 for none."""
        size = len(self.vocabulary)
        nodes = np.zeros(len(tokens), np.int64)
        levels = []
        for length in range(1, self.order + 2):
            token = np.full(len(tokens), -1, np.int64)
            token[: max(0, len(tokens) - length + 1)] = tokens[length - 1 :]
            wanted = np.where((nodes >= 0) & (token >= 0), nodes * size + token, -1)
            at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
            nodes = np.where((wanted >= 0) & (self.keys[at] == wanted), at + 1, -1)
            levels.append(nodes)
        return levels


def train(pieces: Sequence[Ints], names: Sequence[str], order: int) -> Ppm:
    """A model of contexts of 0 to ``order`` tokens, the same for any order of the pieces.

    Raises:
        ValueError: names and pieces differ in number, or a negative order.
    """
    if len(pieces) != len(names):
        raise ValueError(f"{len(pieces)} pieces but {len(names)} names")
    if order < 0:
        raise ValueError(f"order must be 0 or more, not {order}")
    by_name = sorted(range(len(names)), key=names.__getitem__)
    laid = [np.asarray(pieces[i], np.int64) for i in by_name]
    starts = np.concatenate([[0], np.cumsum([len(t) for t in laid])]).astype(np.int64)
    values = np.concatenate([np.empty(0, np.int64), *laid])
    vocabulary, tokens = np.unique(values, return_inverse=True)
    tokens = tokens.astype(np.int64).reshape(-1)
    left = np.repeat(starts[1:], np.diff(starts)) - np.arange(len(tokens))
    nodes, at = np.zeros(len(tokens), np.int64), np.arange(len(tokens))
    keys, counts, first = [], [], 1
    for length in range(1, order + 2):
        room = left[at] >= length
        nodes, at = nodes[room], at[room]
        grown, where, many = np.unique(
            nodes * len(vocabulary) + tokens[at + length - 1],
            return_inverse=True,
            return_counts=True,
        )
        keys.append(grown)
        counts.append(many)
        nodes = first + where.reshape(-1)
        first += len(grown)
    return Ppm.from_arrays(
        {
            "order": np.array([order]),
            "keys": np.concatenate(keys).astype(np.int64),
            "counts": np.concatenate(counts).astype(np.int64),
            "vocabulary": vocabulary,
            "tokens": tokens,
            "starts": starts,
            "names": np.array([names[i] for i in by_name], dtype=np.str_),
        }
    )


def _sums(keys: Ints, counts: Ints, size: int) -> tuple[Ints, Ints]:
    """Per node the number of its continuations, and of their kinds: shape (n-grams + 1,)."""
    parents = keys // max(1, size)
    totals = np.bincount(parents, weights=counts, minlength=len(keys) + 1)
    kinds = np.bincount(parents, weights=counts > 0, minlength=len(keys) + 1)
    return totals.astype(np.int64), kinds.astype(np.int64)
