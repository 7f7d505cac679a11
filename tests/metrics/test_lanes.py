"""Sixteen numbers at once, beside numpy's, also from a place that is not aligned."""

import numpy as np
import pytest

from concours.metrics.compiled import compiled
from concours.metrics.lanes import LANES, aligned, larger, load, plus, spread, store, times


@compiled
def _mixed(x, y, at, factor, out):
    """max(factor · x, y) + x for ``LANES`` numbers from ``at`` on, left in the order of ``x``."""
    one = load(x, at)
    store(out, at, plus(larger(times(spread(factor), one), load(y, at)), one))


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.float32])
@pytest.mark.parametrize("at", [0, 1, 7])
def test_lanes_are_numbers_side_by_side(kind, at):
    rng = np.random.default_rng(at)
    x, y = rng.integers(-1000, 1000, (2, LANES + 10)).astype(kind)
    out = np.zeros(LANES + 10, kind)
    _mixed(x, y, at, kind(-3), out)
    expected = np.maximum(-3 * x, y) + x
    assert (out[at : at + LANES] == expected[at : at + LANES]).all()
    assert not out[:at].any()
    assert not out[at + LANES :].any()


@compiled
def _aligned(array):
    return aligned(array)


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.float32])
@pytest.mark.parametrize("first", range(4))
def test_an_aligned_array_begins_where_lanes_fill_lines_of_the_cache(kind, first):
    array = np.arange(3 * LANES, dtype=kind)[first:]
    found = _aligned(array)
    assert found.ctypes.data % (LANES * array.itemsize) == 0
    assert 0 <= len(array) - len(found) < LANES
    assert (found == array[len(array) - len(found) :]).all()
