"""Gaussian kernel densities of two samples of one number, with one bandwidth on one lattice.

Conventions
-----------
- The lattice is an eighth of the bandwidth wide and has a point wherever either sample has a
  value within five bandwidths, so its size goes with the number of values and not with their span.
- A value counts on every point within 8.5 bandwidths; beyond that it is below 2e-16 of its peak.
- Values are taken in ascending order, so a density is the same bytes for any order of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CELLS_PER_BANDWIDTH = 8
REACH = 5
FAR = 68  # cells: 8.5 bandwidths


class Lattice(NamedTuple):
    """``points`` of shape (n,), ascending, ``step`` apart where they are neighbours; ``cells``
    numbers them from ``origin``, in steps."""

    points: Floats
    cells: Ints
    origin: float
    step: float
    bandwidth: float

    def density(self, values: Floats) -> Floats:
        """The density of the values, (m,), at each point: their Gaussians' mean, shape (n,)."""
        total = _summed(self.cells, (np.sort(values) - self.origin) / self.step)
        density: Floats = total / (len(values) * self.bandwidth * np.sqrt(2 * np.pi))
        return density


def lattice(x: Floats, y: Floats, bandwidth: float) -> Lattice:
    """The lattice around the values of both samples; y's mean is one of its points' places.

    >>> grid = lattice(np.zeros(2), np.zeros(2), 1.0)
    >>> len(grid.points), float(grid.points[0]), round(float(grid.density(np.zeros(3)).max()), 4)
    (81, -5.0, 0.3989)
    """
    step = bandwidth / CELLS_PER_BANDWIDTH
    origin = float(y.mean())
    cells = _around(np.sort(np.rint((np.concatenate([x, y]) - origin) / step).astype(np.int64)))
    return Lattice(origin + cells.astype(np.float64) * step, cells, origin, step, bandwidth)


@compiled
def _around(sorted_cells: Ints) -> Ints:
    """Every cell within reach of one of these, once, ascending."""
    reach = REACH * CELLS_PER_BANDWIDTH
    found = np.empty(len(sorted_cells) * (2 * reach + 1), np.int64)
    n = 0
    for cell in sorted_cells:
        first = cell - reach
        if n > 0 and found[n - 1] >= first:
            first = found[n - 1] + 1
        for at in range(first, cell + reach + 1):
            found[n] = at
            n += 1
    return found[:n].copy()


@compiled
def _summed(cells: Ints, places: Floats) -> Floats:
    """The sum of exp(-z²/2) over ascending places, given in steps, at each cell.

    With the nearest cell c and the place c + e, cell c + k lies z = (k - e) / 8 bandwidths off:
    exp(-z²/2) is exp(-e²/128), times exp(e/64) to the k-th power, times exp(-k²/128), a table.
    """
    width = 2 * CELLS_PER_BANDWIDTH * CELLS_PER_BANDWIDTH
    fall = np.empty(FAR + 1)
    for k in range(FAR + 1):
        fall[k] = np.exp(-k * k / width)
    total = np.zeros(len(cells))
    powers = np.empty(2 * FAR + 1)
    first = 0
    for place in places:
        nearest = np.int64(np.rint(place))
        e = place - nearest
        up, down = np.exp(2 * e / width), np.exp(-2 * e / width)
        powers[FAR] = np.exp(-e * e / width)
        for k in range(1, FAR + 1):
            powers[FAR + k] = powers[FAR + k - 1] * up
            powers[FAR - k] = powers[FAR - k + 1] * down
        while first < len(cells) and cells[first] < nearest - FAR:
            first += 1
        i = first
        while i < len(cells) and cells[i] <= nearest + FAR:
            k = cells[i] - nearest
            total[i] += powers[FAR + k] * fall[abs(k)]
            i += 1
    return total
