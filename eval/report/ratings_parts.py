"""What a report of ratings is made of, whatever the format: sections of sentences and tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Column(NamedTuple):
    name: str
    is_number: bool = True


class Cell(NamedTuple):
    text: str
    bold: bool = False


class Bar(NamedTuple):
    """Where a mean and its interval lie, in scale units; a drawing beside the row."""

    value: float
    low: float | None
    high: float | None


class Table(NamedTuple):
    """``folded``: shown on request in HTML, left out of LaTeX."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    bars: tuple[Bar, ...] = ()
    folded: bool = False


class Section(NamedTuple):
    """``before`` and ``after`` are sentences around the tables; ``drawing`` is SVG, for HTML."""

    heading: str
    before: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    after: tuple[str, ...] = ()
    drawing: str = ""


def table(
    caption: str,
    columns: Sequence[str | Column],
    rows: Iterable[Sequence[str | Cell]],
    *,
    folded: bool = False,
    bars: Sequence[Bar] = (),
) -> Table:
    """A table whose first column is text and whose others are numbers, unless they say otherwise.

    >>> table("t", ["system", "mean"], [["m", "4.0"]]).rows[0][1].text
    '4.0'
    """
    heads = tuple(c if isinstance(c, Column) else Column(c, i > 0) for i, c in enumerate(columns))
    body = tuple(tuple(c if isinstance(c, Cell) else Cell(c) for c in row) for row in rows)
    return Table(caption, heads, body, tuple(bars), folded)


def number(value: float | None, digits: int = 2) -> str:
    """With so many decimals, a dash for what isn't known."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def probability(p: float | None) -> str:
    """A p value to two digits, and no smaller than anyone believes.

    >>> probability(0.00001), probability(0.0313)
    ('< .001', '0.031')
    """
    if p is None or math.isnan(p):
        return "–"
    return "< .001" if p < 0.001 else f"{p:.2g}"


def span(low: float | None, high: float | None, digits: int = 2) -> str:
    if low is None or high is None:
        return "–"
    return f"{number(low, digits)}, {number(high, digits)}"
