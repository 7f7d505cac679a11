"""The leaderboard as LaTeX tables for a paper (booktabs; any engine that reads UTF-8)."""

from __future__ import annotations

from collections.abc import Iterator

from concours.eval.report import tables as layout
from concours.eval.report.model import Benchmark, Cell, Column, Report, System
from concours.eval.report.wording import cell_places, decimals, number, plain, share

ARROWS = {"higher": r"$\uparrow$", "lower": r"$\downarrow$", "reference": r"$\approx$", "none": ""}
COLUMNS_A_TABLE = 5
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
    """Tables of at most five metrics, each with its interval beside the value in small type.

    Groups of systems that can't be told apart are superscript letters; bold is only what is
    significantly better than every other system of its column.
    The works behind the metrics follow as BibTeX, in comments.
    """
    lines = [r"% \usepackage{booktabs}"]
    for benchmark in report.benchmarks:
        for table in layout.tables(benchmark):
            for start in range(0, max(1, len(table.columns)), COLUMNS_A_TABLE):
                columns = table.columns[start : start + COLUMNS_A_TABLE]
                lines += _table(benchmark, table, columns, counts=table.is_main and start == 0)
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


def _table(
    benchmark: Benchmark, table: layout.Table, columns: tuple[Column, ...], *, counts: bool
) -> Iterator[str]:
    numbers = ["Items", "Failed"] if counts else []
    yield ""
    yield r"\begin{table}"
    yield r"  \centering"
    yield (
        rf"  \caption{{{escaped(benchmark.name)}: {escaped(table.title)}. Reference: "
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


def _label(system: System) -> str:
    name = escaped(system.name)
    return rf"\textit{{{name}}} (reference)" if system.is_reference else name


def _header(table: layout.Table, column: Column) -> str:
    arrow = ARROWS[column.direction]
    unit = f"({escaped(column.unit)})" if column.unit else ""
    return " ".join(filter(None, (escaped(table.label(column)), arrow, unit)))


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
