"""The leaderboard as LaTeX tables for a paper (booktabs; any engine that reads UTF-8)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from concours.eval.report import tables as layout
from concours.eval.report.model import Benchmark, Cell, Column, Report, System
from concours.eval.report.wording import cell_places, decimals, number, plain, share

ARROWS = {"higher": r"$\uparrow$", "lower": r"$\downarrow$", "reference": r"$\approx$", "none": ""}
TEXT_WIDTH = 345.0  # points: one column of LaTeX's article class
LETTER, SMALL_LETTER, GAP = 4.7, 3.7, 6.0  # points: in small and script size, between columns
FLOATS = 15  # tables that LaTeX can hold back at once
HEADER = 13  # letters a line where that can be
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "^": r"\textasciicircum{}",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
}


def to_latex(report: Report) -> str:
    """Tables no wider than a page, each value with its interval beside it in small type.

    Groups of systems that can't be told apart are superscript letters; bold is only what is
    significantly better than every other system of its column.
    The works behind the metrics follow as BibTeX, in comments.
    """
    lines = [r"% \usepackage{booktabs}"]
    count = 0
    for benchmark in report.benchmarks:
        for table in layout.tables(benchmark):
            parts = _parts(benchmark, table)
            for i, columns in enumerate(parts):
                title = table.title + (f", part {i + 1}" if len(parts) > 1 else "")
                if count and count % FLOATS == 0:
                    lines += ["", r"\clearpage"]
                count += 1
                lines += _table(benchmark, table, title, columns, counts=table.is_main and i == 0)
        lines += _overall(benchmark)
    from concours.eval.report.bibtex import to_bibtex

    works = to_bibtex(report).splitlines()
    if works:
        lines += ["", "% The works behind the metrics, for a .bib file:"]
        lines += [f"% {line}".rstrip() for line in works]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    r"""Text that LaTeX prints as it stands.

    >>> escaped("50%_of \\input{x}")
    '50\\%\\_of \\textbackslash{}input\\{x\\}'
    """
    return "".join(_SPECIAL.get(c, c) for c in plain(text))


def _parts(benchmark: Benchmark, table: layout.Table) -> list[tuple[Column, ...]]:
    """The columns in as many tables as the width of a page makes of them."""
    names = [_plain_label(s) for s in layout.ordered_systems(benchmark)]
    taken = LETTER * max(map(len, names), default=0)
    parts: list[tuple[Column, ...]] = []
    room = TEXT_WIDTH - taken - (2 * (LETTER * 6 + GAP) if table.is_main else 0.0)
    for column in table.columns:
        width = _width(benchmark, table, column)
        if parts and width <= room:
            parts[-1] += (column,)
        else:
            room = room if not parts else TEXT_WIDTH - taken
            parts.append((column,))
        room -= width
    return parts or [()]


def _width(benchmark: Benchmark, table: layout.Table, column: Column) -> float:
    """About how many points a column takes."""
    widest = LETTER * max(len(line) for line in _header_lines(table, column))
    for system in layout.ordered_systems(benchmark):
        cell = layout.cell(benchmark, system, column)
        if cell.value is None:
            continue
        places = cell_places(cell, decimals(column, benchmark))
        small = len(cell.group)
        if cell.ci_low is not None and cell.ci_high is not None:
            small += 4 + sum(len(number(end, places)) for end in (cell.ci_low, cell.ci_high))
        widest = max(widest, LETTER * len(number(cell.value, places)) + SMALL_LETTER * small + GAP)
    return widest + GAP


def _table(
    benchmark: Benchmark, table: layout.Table, title: str, columns: tuple[Column, ...], *,
    counts: bool,
) -> Iterator[str]:  # fmt: skip
    numbers = ["Items", "Failed"] if counts else []
    yield ""
    yield r"\begin{table}"
    yield r"  \centering\small\setlength{\tabcolsep}{3pt}"
    yield (
        rf"  \caption{{{escaped(benchmark.name)}: {escaped(title)}. Reference: "
        rf"{escaped(benchmark.reference)}. Brackets: {escaped(share(benchmark.confidence))} "
        rf"intervals. Systems of a column that share a letter do not differ significantly (all "
        rf"pairs, Holm); bold: significantly better than every other system.}}"
    )
    yield rf"  \begin{{tabular}}{{l{'r' * (len(numbers) + len(columns))}}}"
    yield r"    \toprule"
    yield "    " + " & ".join(["System", *numbers, *(_header(table, c) for c in columns)]) + r" \\"
    yield r"    \midrule"
    for system in layout.ordered_systems(benchmark):
        own = [str(len(system.items)), str(len(system.failed))] if counts else []
        cells = [_cell(layout.cell(benchmark, system, c), decimals(c, benchmark)) for c in columns]
        yield "    " + " & ".join([_label(system), *own, *cells]) + r" \\"
        if system.is_reference:
            yield r"    \midrule"
    if any(c.verdict for c in columns):
        verdicts = [rf"\textit{{{escaped(c.verdict or '--')}}}" for c in columns]
        yield r"    \midrule"
        yield (
            "    " + " & ".join([r"\textit{trust card}", *[""] * len(numbers), *verdicts]) + r" \\"
        )
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    yield r"\end{table}"


def _plain_label(system: System) -> str:
    return f"{system.name} (reference)" if system.is_reference else system.name


def _label(system: System) -> str:
    name = escaped(system.name)
    return rf"\textit{{{name}}} (reference)" if system.is_reference else name


def _header_lines(table: layout.Table, column: Column) -> list[str]:
    """The metric's name, broken behind its underscores, and its unit; unescaped."""
    lines = [""]
    for word in re.split(r"(?<=[_ ])", table.label(column)):
        if lines[-1] and len(lines[-1] + word) > HEADER:
            lines.append("")
        lines[-1] += word
    return [*lines, f"({column.unit})"] if column.unit else lines


def _header(table: layout.Table, column: Column) -> str:
    lines = [escaped(line.strip()) for line in _header_lines(table, column)]
    named = len(lines) - (1 if column.unit else 0)
    lines[named - 1] = f"{lines[named - 1]} {ARROWS[column.direction]}".strip()
    return lines[0] if len(lines) == 1 else r"\shortstack[r]{" + r" \\ ".join(lines) + "}"


def _cell(cell: Cell, places: int) -> str:
    if cell.value is None:
        return "failed" if cell.status == "failed" else "--"
    places = cell_places(cell, places)
    value = _math(number(cell.value, places))
    value = rf"\textbf{{{value}}}" if cell.leads else value
    value += rf"\textsuperscript{{{escaped(cell.group)}}}" if cell.group else ""
    if cell.ci_low is None or cell.ci_high is None:
        return value
    low, high = (_math(number(end, places)) for end in (cell.ci_low, cell.ci_high))
    return rf"{value} {{\scriptsize [{low}, {high}]}}"


def _overall(benchmark: Benchmark) -> Iterator[str]:
    found = benchmark.overall
    if found is None or not found.rows:
        return
    out = ", ".join(escaped(r.system) for r in found.refused)
    left_out = f" Left out for lack of a value in some column: {out}." if out else ""
    yield ""
    yield r"\begin{table}"
    yield r"  \centering"
    yield (
        rf"  \caption{{{escaped(benchmark.name)}: all {len(found.metrics)} ranked columns "
        rf"together.{left_out}}}"
    )
    yield r"  \begin{tabular}{lrr}"
    yield r"    \toprule"
    yield r"    System & Mean rank $\downarrow$ & Borda points $\uparrow$ \\"
    yield r"    \midrule"
    for row in found.rows:
        yield rf"    {escaped(row.system)} & {row.mean_rank:.2f} & {row.borda:g} \\"
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    yield r"\end{table}"


def _math(text: str) -> str:
    """A minus sign where there is a hyphen."""
    signed = text.replace("∞", r"\infty").replace("−", "-")
    return f"${signed}$" if signed.startswith("-") or "infty" in signed else signed
