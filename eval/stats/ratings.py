"""Ratings as columns: who gave which value to which stimulus.

Conventions
-----------
- A row is one answer: ``rater`` gave ``value`` on ``dimension`` to the stimulus
  (``system``, ``item``). An empty rater means that the source doesn't say who it was.
- Two systems that share an item name answer the same prompt or process the same signal; paired
  comparisons rest on that. Items that only one system has are simply named apart.
- Rows keep the order of the source, which the screening of straight-lining takes for the order
  of presentation.
- Nothing is averaged on the way in. A second row of one rater on one stimulus and dimension is a
  repeated trial; a correction must have replaced its predecessor before it gets here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from concours.eval.errors import UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Strings = NDArray[np.str_]


class RatingsError(UsageError):
    """Ratings that can't be read or don't fit what is asked of them."""


@dataclass(frozen=True, eq=False)
class Ratings:
    """Columns of equal length n; build it with :func:`make_ratings`.

    ``notes`` say what the importer left out or assumed, in sentences for the report.
    """

    rater: Strings
    item: Strings
    system: Strings
    dimension: Strings
    value: Floats
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.value)

    @property
    def systems(self) -> tuple[str, ...]:
        return names(self.system)

    @property
    def dimensions(self) -> tuple[str, ...]:
        return names(self.dimension)

    @property
    def raters(self) -> tuple[str, ...]:
        """The raters that are known by name."""
        return tuple(r for r in names(self.rater) if r)

    @property
    def has_raters(self) -> bool:
        """Whether every row says who rated."""
        return bool(np.all(self.rater != ""))

    @property
    def stimulus(self) -> Strings:
        """One name for each (system, item)."""
        return np.char.add(np.char.add(self.system, "\x1f"), self.item)

    def where(self, keep: Bools) -> Ratings:
        """The rows at which ``keep``, shape (n,), is true."""
        return replace(
            self,
            rater=self.rater[keep],
            item=self.item[keep],
            system=self.system[keep],
            dimension=self.dimension[keep],
            value=self.value[keep],
        )

    def select(self, *, system: str | None = None, dimension: str | None = None) -> Ratings:
        """The rows of one system, one dimension, or both."""
        keep = np.ones(len(self), dtype=bool)
        if system is not None:
            keep &= self.system == system
        if dimension is not None:
            keep &= self.dimension == dimension
        return self.where(keep)

    def without(self, raters: Collection[str]) -> Ratings:
        """The rows of everybody but ``raters``."""
        return self.where(~np.isin(self.rater, list(raters)))


class Table(NamedTuple):
    """Ratings crossed: ``values`` has shape (raters, items), NaN where nobody rated."""

    values: Floats
    raters: tuple[str, ...]
    items: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not bool(np.isnan(self.values).any())


class Codes(NamedTuple):
    """``code``: (n,) index into ``labels``, which are sorted."""

    code: Ints
    labels: tuple[str, ...]


def names(column: Strings) -> tuple[str, ...]:
    """The distinct values of a column, sorted; numbers by size."""
    return tuple(sorted({str(v) for v in column}, key=_natural))


def _natural(name: str) -> tuple[int, float, str]:
    return (0, float(name), name) if name.isdigit() else (1, 0.0, name)


def codes(column: Strings) -> Codes:
    """The column as indices into its sorted distinct values.

    >>> codes(np.array(["b", "a", "b"])).code.tolist()
    [1, 0, 1]
    """
    labels = names(column)
    index = {label: i for i, label in enumerate(labels)}
    return Codes(np.array([index[str(v)] for v in column], dtype=np.int64), labels)


def make_ratings(
    rater: Sequence[str] | Strings,
    item: Sequence[str] | Strings,
    system: Sequence[str] | Strings,
    dimension: Sequence[str] | Strings,
    value: ArrayLike,
    notes: Sequence[str] = (),
) -> Ratings:
    """Ratings from five columns of one length n.

    Raises:
        RatingsError: no rows, columns of different length, a value that isn't finite, or an
            empty item, system or dimension.

    >>> make_ratings(["ann", "bob"], ["x", "x"], ["m", "m"], ["mos", "mos"], [4, 5]).raters
    ('ann', 'bob')
    """
    columns = [np.asarray(c, dtype=np.str_) for c in (rater, item, system, dimension)]
    values = np.asarray(value, dtype=np.float64)
    lengths = {c.shape for c in columns} | {values.shape}
    if len(lengths) != 1 or values.ndim != 1:
        raise RatingsError(
            f"the columns must be flat and of one length; their shapes are {sorted(lengths)}"
        )
    if not len(values):
        raise RatingsError("no ratings: the source has no row with a value")
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise RatingsError(
            f"row {bad[0] + 1}: the value is {values[bad[0]]}; leave out rows without a rating"
        )
    for name, column in zip(("item", "system", "dimension"), columns[1:], strict=True):
        empty = np.flatnonzero(column == "")
        if len(empty):
            raise RatingsError(f"row {empty[0] + 1}: {name} is empty")
    return Ratings(columns[0], columns[1], columns[2], columns[3], values, tuple(notes))


def cross(rater: Strings, column: Strings, value: Floats) -> Table:
    """Raters against the values of any column (items, stimuli, systems).

    Raises:
        RatingsError: a rater is unknown, or one has two values in a cell.
    """
    if np.any(rater == ""):
        raise RatingsError("a crossed table needs to know who gave each rating")
    r, i = codes(rater), codes(column)
    flat = r.code * len(i.labels) + i.code
    cells, first, count = np.unique(flat, return_index=True, return_counts=True)
    if np.any(count > 1):
        row = first[np.argmax(count)]
        raise RatingsError(
            f"rater {rater[row]!r} rated {str(column[row]).replace(chr(31), '/')!r} "
            f"{count.max()} times; repeated trials need a model, not a table"
        )
    values = np.full(len(r.labels) * len(i.labels), np.nan)
    values[cells] = value[first]
    return Table(values.reshape(len(r.labels), len(i.labels)), r.labels, i.labels)


def has_repeats(ratings: Ratings) -> bool:
    """Whether a known rater rated one stimulus on one dimension more than once."""
    known = ratings.where(ratings.rater != "")
    rows = list(zip(known.rater, known.item, known.system, known.dimension, strict=True))
    return len(set(rows)) < len(rows)


def crossed_table(ratings: Ratings) -> Table:
    """The table raters × items of ratings that hold one system and one dimension.

    Raises:
        RatingsError: several systems or dimensions, unknown raters, or repeated cells.
    """
    for name, found in (("system", ratings.systems), ("dimension", ratings.dimensions)):
        if len(found) > 1:
            raise RatingsError(f"a table holds one {name}, and these are {', '.join(found)}")
    return cross(ratings.rater, ratings.item, ratings.value)
