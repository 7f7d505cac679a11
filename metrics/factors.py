"""The Lempel-Ziv factors of a sequence: the fewest copies of its own past that spell it.

Conventions
-----------
- The factors of 1976: each is the longest prefix of the rest that starts earlier in the sequence
  as well (it may run on into itself), or a single token that is new.
- Counted by following, for each factor, the chain of earlier places that start alike. Where
  that takes over ``PATIENCE`` steps a token, a suffix automaton counts in time and memory linear
  in the tokens (times the number of different tokens that follow one context).
"""

from __future__ import annotations

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Ints

PATIENCE = 64


def n_factors(tokens: Ints) -> int:
    """Number of Lempel-Ziv factors of a sequence of tokens; 0 for an empty one.

    >>> n_factors(np.array([0, 1, 0, 1, 0, 1, 2]))  # 0 | 1 | 0101 | 2
    4
    """
    tokens = np.ascontiguousarray(tokens, np.int64)
    count = int(chained_factors(tokens))
    return count if count >= 0 else n_factors_of_any(tokens)


def n_factors_of_any(tokens: Ints) -> int:
    """:func:`n_factors` by the automaton, for tokens on which :func:`chained_factors` gives up."""
    kinds, dense = np.unique(tokens, return_inverse=True)
    return int(_factors(dense.astype(np.int64).reshape(-1), len(kinds)))


@compiled
def chained_factors(tokens: Ints) -> int:
    """The number of factors, -1 where the chains are too long.

    Places are chained by a hash of their token and by one of their first two tokens.
    """
    n = len(tokens)
    room = 16
    while room < 2 * n:
        room *= 2
    one, two = np.empty(n, np.int32), np.empty(n, np.int32)
    after = 0
    for i in range(n - 1, -1, -1):
        mixed = (tokens[i] * 0x2545F4914F6CDD1D) >> 20
        one[i], two[i] = mixed & (room - 1), (31 * mixed ^ after) & (room - 1)
        after = mixed
    last_one, last_two = np.full(room, -1, np.int32), np.full(room, -1, np.int32)
    before_one, before_two = np.empty(n, np.int32), np.empty(n, np.int32)
    count, i, steps, placed = 0, 0, 0, 0
    while i < n:
        best = 0
        at = last_two[two[i]] if i + 1 < n else -1
        while at >= 0 and i + best < n:
            steps += 1
            if tokens[at] == tokens[i] and tokens[at + best] == tokens[i + best]:
                length = 1
                while i + length < n and tokens[at + length] == tokens[i + length]:
                    length += 1
                steps += length
                best = max(best, length)
            at = before_two[at]
        if best == 0:
            at = last_one[one[i]]
            while at >= 0 and tokens[at] != tokens[i]:
                steps += 1
                at = before_one[at]
            best = 1
        if steps > PATIENCE * n:
            return -1
        count += 1
        i += best
        while placed < i:
            before_one[placed], last_one[one[placed]] = last_one[one[placed]], placed
            before_two[placed], last_two[two[placed]] = last_two[two[placed]], placed
            placed += 1
    return count


@compiled
def _find(first: Ints, following: Ints, label: Ints, root: Ints, state: int, token: int) -> int:
    """The edge of ``state`` that carries ``token``, -1 if none; the root has a table."""
    if state == 0:
        found: int = root[token]
        return found
    edge: int = first[state]
    while edge >= 0 and label[edge] != token:
        edge = following[edge]
    return edge


@compiled
def _automaton(tokens: Ints, kinds: int) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    """The suffix automaton: per state its first edge and where its strings first end; per edge
    the next one of its state, label and target; and the root's edge for each token."""
    n = len(tokens)
    first = np.full(2 * n + 1, -1, np.int64)
    length = np.zeros(2 * n + 1, np.int64)
    link = np.full(2 * n + 1, -1, np.int64)
    ends = np.zeros(2 * n + 1, np.int64)  # where the state's strings first end
    label = np.empty(4 * n + 4, np.int64)
    target = np.empty(4 * n + 4, np.int64)
    following = np.empty(4 * n + 4, np.int64)
    root = np.full(kinds, -1, np.int64)
    states, edges, last = 1, 0, 0
    for i in range(n):
        token = tokens[i]
        new = states
        states += 1
        length[new], ends[new] = length[last] + 1, i
        p = last
        while p >= 0:
            e = _find(first, following, label, root, p, token)
            if e >= 0:
                break
            label[edges], target[edges], following[edges] = token, new, first[p]
            first[p] = edges
            if p == 0:
                root[token] = edges
            edges += 1
            p = link[p]
        if p < 0:
            link[new] = 0
        else:
            q = target[_find(first, following, label, root, p, token)]
            if length[p] + 1 == length[q]:
                link[new] = q
            else:
                clone = states
                states += 1
                length[clone], link[clone], ends[clone] = length[p] + 1, link[q], ends[q]
                e = first[q]
                while e >= 0:
                    label[edges], target[edges] = label[e], target[e]
                    following[edges], first[clone] = first[clone], edges
                    edges, e = edges + 1, following[e]
                while p >= 0:
                    e = _find(first, following, label, root, p, token)
                    if e < 0 or target[e] != q:
                        break
                    target[e] = clone
                    p = link[p]
                link[q], link[new] = clone, clone
        last = new
    return first, ends, following, label, target, root


@compiled
def _factors(tokens: Ints, kinds: int) -> int:
    first, ends, following, label, target, root = _automaton(tokens, kinds)
    n = len(tokens)
    count, i = 0, 0
    while i < n:
        state, at = 0, i
        while at < n:
            e = _find(first, following, label, root, state, tokens[at])
            if e < 0 or ends[target[e]] >= at:  # occurs no earlier than here
                break
            state = target[e]
            at += 1
        i = max(at, i + 1)
        count += 1
    return count
