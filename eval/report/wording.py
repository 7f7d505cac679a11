"""Numbers and states in words: one way of writing them for every format.

A value is shown with as many decimals as its 95% interval supports (the half-width keeps one
significant digit), the same number down a column; JSON and CSV carry the full value instead.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from statistics import median

from concours.eval.report.model import Benchmark, Cell, Column, Heard
from concours.metrics.spec import Direction, Level

ARROWS: dict[Direction, str] = {"higher": "↑", "lower": "↓", "reference": "≈", "none": ""}
DIRECTIONS: dict[Direction, str] = {
    "higher": "higher is better",
    "lower": "lower is better",
    "reference": "closer to the reference is better",
    "none": "neither higher nor lower is better",
}
LEVELS: dict[Level, str] = {
    "clip": "each item by itself; the table shows the mean over the items",
    "pair": "each item with its ground truth, target or prompt; the table shows the mean",
    "set": "all items of a system together, against the reference",
    "corpus": "each item against all pieces of the reference; the table shows the mean",
}
NOTHING = "–"
_MAX_DECIMALS = 4


def decimals(column: Column, benchmark: Benchmark) -> int:
    """Decimals for a whole column, from the median width of its intervals."""
    cells = [c for s in benchmark.systems if (c := benchmark.cells.get((s.name, column.key)))]
    halves = [half for c in cells if (half := _half_width(c))]
    sizes = [abs(c.value) for c in cells if c.value]
    if halves:
        return _places(median(halves))
    if sizes:
        return _clamped(2 - _exponent(median(sizes)))
    return 2


def _half_width(cell: Cell) -> float | None:
    """Half the width of the interval; None where it has none or is a point."""
    if cell.ci_low is None or cell.ci_high is None:
        return None
    half = (cell.ci_high - cell.ci_low) / 2
    return half if 0 < half < math.inf else None


def _exponent(size: float) -> int:
    return math.floor(math.log10(size)) if math.isfinite(size) else 0


def _places(half: float) -> int:
    """Decimals that leave one significant digit of a half-width, two where it starts with 1."""
    exponent = _exponent(half)
    return _clamped(-exponent + (half < 2 * 10.0**exponent))


def _clamped(places: int) -> int:
    return min(_MAX_DECIMALS, max(0, places))


def number(value: float | None, places: int) -> str:
    """A value with fixed decimals; more of them, or an exponent, where those would show 0.

    >>> number(2.714, 2), number(0.00042, 2), number(None, 2), number(3.1e9, 0)
    ('2.71', '0.00042', '–', '3.1e+09')
    """
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞"
    if value != 0 and (abs(value) >= 1e7 or abs(value) < 1e-6):
        return f"{value:.3g}"
    if value != 0 and abs(value) < 0.5 * 10.0**-places:
        places = 1 - math.floor(math.log10(abs(value)))
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def cell_places(cell: Cell, places: int) -> int:
    """The column's decimals; more where this cell's interval is narrower than they can show."""
    half = _half_width(cell)
    return places if half is None else max(places, _places(half))


def interval(cell: Cell, places: int) -> str:
    """``[low, high]``, or nothing where there is no interval."""
    if cell.ci_low is None or cell.ci_high is None:
        return ""
    places = cell_places(cell, places)
    return f"[{number(cell.ci_low, places)}, {number(cell.ci_high, places)}]"


def value(cell: Cell, places: int) -> str:
    """The value alone, or the state of a cell without one."""
    if cell.value is None:
        return "failed" if cell.status == "failed" else NOTHING
    return number(cell.value, cell_places(cell, places))


def value_text(cell: Cell, places: int) -> str:
    """``2.71 [2.65, 2.77]``, the value alone, or the state of a cell without one."""
    return " ".join(filter(None, (value(cell, places), interval(cell, places))))


def place(cell: Cell) -> str:
    """``#2 (1–3) ab``: the rank, its interval, and the groups; "" where nothing ranks the cell."""
    if cell.rank is None:
        return ""
    return " ".join(filter(None, (f"#{cell.rank}", rank_interval(cell), cell.group)))


def rank_interval(cell: Cell) -> str:
    """``(1–3)``; "" where the rank is certain, or has no interval."""
    low, high = cell.rank_low, cell.rank_high
    return "" if low is None or high is None or low == high else f"({low}–{high})"


def share(confidence: float) -> str:
    """``95%``.

    >>> share(0.95), share(0.999)
    ('95%', '99.9%')
    """
    return f"{100 * confidence:.4g}%"


def heard_text(heard: Heard) -> str:
    """``0.42 [0.20, 0.60]``: a correlation with its interval."""
    if heard.ci_low is None or heard.ci_high is None:
        return f"{heard.value:.2f}"
    return f"{heard.value:.2f} [{heard.ci_low:.2f}, {heard.ci_high:.2f}]"


def plain(text: str, keep: str = "") -> str:
    """Names and paths on one line: control characters, which could steer a terminal or hide
    what follows, become ``�``; those in ``keep`` stay.

    >>> plain("a\\x1b[31m" + "b")
    'a�[31mb'
    """
    return "".join(
        c if c in keep or (unicodedata.category(c) not in _UNSEEN and c not in _BIDI) else "�"
        for c in text
    )


_UNSEEN = frozenset(("Cc", "Zl", "Zp"))
_BIDI = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def shortened(text: str, length: int) -> str:
    """At most ``length`` characters, with the middle left out.

    >>> shortened("a-very-long-name", 9)
    'a-ve…name'
    """
    if len(text) <= length:
        return text
    keep = length - 1
    return f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}"


def breakable(text: str) -> list[str]:
    """The parts of a key, a name or a path between which a line may break.

    >>> breakable("groove_consistency:steps=4")
    ['groove_', 'consistency:', 'steps=', '4']
    """
    return re.findall(r"[^_:=,./]*[_:=,./]+|[^_:=,./]+", text)


def counted(n: int, one: str, many: str = "") -> str:
    """``1 item``, ``2 items``.

    >>> counted(1, "item"), counted(0, "item"), counted(2, "entry", "entries")
    ('1 item', '0 items', '2 entries')
    """
    return f"{n} {one if n == 1 else many or one + 's'}"


def listed(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *start, last = list(words) or [""]
    return f"{', '.join(start)} and {last}" if start else last
