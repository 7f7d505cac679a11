"""Looking up: equal to trying every place, whatever is blocked and whatever the tables hold."""

import numpy as np
import pytest

from concours.metrics.originality.lookup import longest_matches, stand_in
from concours.metrics.originality.lookup_tables import tables
from concours.metrics.originality.suffix import suffix_array


def longest(query, text, allowed) -> list[int]:
    found = []
    for i in range(len(query)):
        best = 0
        for j in np.flatnonzero(allowed).tolist():
            k = 0
            while (
                i + k < len(query)
                and j + k < len(text)
                and query[i + k] == text[j + k]
                and query[i + k] > 0
            ):
                k += 1
            best = max(best, k)
        found.append(best)
    return found


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
@pytest.mark.parametrize(("kinds", "size"), [(2, 300), (5, 400), (60, 400), (3, 1), (4, 0)])
def test_it_equals_trying_every_place(kinds, size, dtype):
    rng = np.random.default_rng(kinds * 1000 + size)
    scale = 7001 if dtype == np.int32 else 1  # symbols of more than 16 bits
    text = (rng.integers(0, kinds + 1, size) * scale).astype(dtype)
    query = (rng.integers(0, kinds + 2, 150) * scale).astype(np.int32)
    for k in range(0, 150, 40):  # copies of the corpus, so that there are long matches
        at = rng.integers(0, max(1, size - 30))
        part = text[at : at + 30]
        query[k : k + len(part)] = part[: 150 - k]
    suffixes = suffix_array(text)
    known = tables(text, suffixes)
    cut = np.sort(rng.integers(0, size + 1, 4)).reshape(2, 2)
    for blocked in (np.empty((0, 2), np.int64), cut, np.array([[0, size]])):
        allowed = np.ones(size, bool)
        for a, b in blocked:
            allowed[a:b] = False
        want = longest(query, text, allowed)
        found = longest_matches(query, text, suffixes, known, blocked)
        assert found.length.tolist() == want
        for i, (n, j) in enumerate(zip(*found, strict=True)):
            assert (j == -1) == (n == 0)
            assert query[i : i + n].tolist() == text[j : j + n].tolist()
        for length in (1, 3, 7, 8, 9, 12, 20):
            holds = stand_in(query, length, text, suffixes, known, blocked)
            assert holds.tolist() == [n >= length for n in want]


def test_the_tables_keep_within_two_bytes_a_symbol():
    rng = np.random.default_rng(1)
    for kinds in (3, 40, 4000):
        text = rng.integers(0, kinds, 100_000).astype(np.uint16)
        known = tables(text, suffix_array(text))
        assert sum(a.nbytes for a in known) <= 2 * len(text)


def test_frequent_runs_have_their_whole_range():
    text = np.ones(200_000, np.uint16)  # more places than the count of a slot can say
    text[-1] = 2
    suffixes = suffix_array(text)
    found = longest_matches(
        np.array([1, 1, 2, 1, 1], np.int32),
        text,
        suffixes,
        tables(text, suffixes),
        np.empty((0, 2), np.int64),
    )
    assert found.length.tolist() == [3, 2, 1, 2, 1]
