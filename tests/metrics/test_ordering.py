"""The fast order of notes is the seven-key sort."""

import numpy as np
import pytest

from concours.metrics.ordering import note_order


def slow(onset, drums, pitch, end, track, program, velocity):
    return np.lexsort((velocity, program, track, end, pitch, drums, onset))


@pytest.mark.parametrize("ticks", [1, 4, 50, 10_000, 1 << 58])
@pytest.mark.parametrize("n", [0, 1, 2, 40, 400])
def test_equals_lexsort(n, ticks):
    rng = np.random.default_rng(n)
    onset = rng.integers(0, ticks, n)
    columns = [onset, rng.random(n) < 0.3, rng.integers(60, 64, n), onset + rng.integers(0, 3, n)]
    columns += [rng.integers(0, 3, n) for _ in range(3)]
    np.testing.assert_array_equal(note_order(*columns), slow(*columns))
