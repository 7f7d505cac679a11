"""The analysis of ratings as JSON, Markdown, LaTeX or one offline HTML file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal, NamedTuple

from concours.eval.analysis import Analysis, Comparisons
from concours.eval.joining import Joined
from concours.eval.report import latex, markdown, predictors
from concours.eval.report.ratings_rows import Line, analysis_data, lines
from concours.metrics.spec import Undefined

RatingsFormat = Literal["json", "md", "latex", "html"]


def render_analysis(
    analysis: Analysis, format_: RatingsFormat, joined: Joined | None = None
) -> str:
    """The report; the same analysis gives the same bytes.

    With ``joined`` it also says which metrics follow the listeners.
    """
    if format_ == "json":
        return json.dumps(analysis_data(analysis, joined), indent=2, ensure_ascii=False) + "\n"
    if format_ == "md":
        lines_ = [*_markdown(analysis), *predictors.markdown_lines(joined)]
        return "\n".join(lines_).rstrip("\n") + "\n"
    if format_ == "latex":
        lines_ = [*_latex(analysis), *predictors.latex_lines(joined)]
        return "\n".join(lines_).rstrip("\n") + "\n"
    return _html(analysis, joined)


def dimensions(analysis: Analysis) -> list[str]:
    return list(dict.fromkeys(s.dimension for s in analysis.systems))


def methods(analysis: Analysis, dimension: str) -> str:
    """How the intervals of a dimension were made, in words."""
    found = {
        s.interval.method
        for s in analysis.systems
        if s.dimension == dimension and not isinstance(s.interval, Undefined)
    }
    return "; ".join(sorted(found)) or "no intervals"


def group_text(comparison: Comparisons) -> list[str]:
    """The groups of systems that can't be told apart, as sentences."""
    if isinstance(comparison.pairs, Undefined):
        return [f"Systems were not compared: {comparison.pairs.reason}."]
    several = [g for g in comparison.groups if len(g) > 1]
    if not several:
        return [f"Every pair of systems differs (Holm, {comparison.alpha:.2g})."]
    return [f"Can't be told apart (Holm, {comparison.alpha:.2g}): {', '.join(g)}." for g in several]


def agreement_text(analysis: Analysis, dimension: str) -> str:
    r = next(r for r in analysis.reliability if r.dimension == dimension)
    parts = []
    if not isinstance(r.icc21, Undefined):
        parts.append(f"ICC(2,1) {r.icc21.value:.2f} [{r.icc21.ci_low:.2f}, {r.icc21.ci_high:.2f}]")
    elif not isinstance(r.components, Undefined):
        c = r.components
        parts.append(f"ICC(2,1) {c.icc21:.2f}, ICC(2,k) {c.icc2k:.2f} at k = {c.k:.1f}")
    if not isinstance(r.icc2k, Undefined):
        parts.append(f"ICC(2,k) {r.icc2k.value:.2f}")
    alphas = [
        f"{level} {value:.2f}" for level, value in r.alpha.items() if isinstance(value, float)
    ]
    if alphas:
        parts.append(f"Krippendorff's alpha {', '.join(alphas)}")
    if isinstance(r.sos, float):
        parts.append(f"SOS a {r.sos:.2f}")
    return "; ".join(parts) or "agreement is undefined here"


class Screened(NamedTuple):
    rater: str
    rule: str
    detail: str
    excluded: bool


def screened(analysis: Analysis) -> list[Screened]:
    s = analysis.screening
    return [Screened(f.rater, f.rule, f.detail, True) for f in s.excluded] + [
        Screened(f.rater, f.rule, f.detail, False) for f in s.flagged
    ]


def screening_summary(analysis: Analysis) -> str:
    s = analysis.screening
    raters = len({f.rater for f in s.excluded})
    if not s.n_ratings:
        return "There are preferences and no ratings."
    if not raters:
        spared = [n for n in s.notes if n.startswith("The rules would")]
        return " ".join([f"No rater was excluded; {s.n_ratings} ratings were analysed.", *spared])
    return (
        f"{raters} rater{'s' * (raters > 1)} excluded by rule; {s.n_ratings} of "
        f"{s.n_ratings_before} ratings were analysed. The figures with everybody stand beside."
    )


def before_means(analysis: Analysis, dimension: str) -> dict[str, str]:
    """Each system's mean with everybody in, at the same number of decimals."""
    shown = {line.system: line.mean for line in lines(analysis, dimension)}
    found = {}
    for s in analysis.screening.systems_before:
        if s.dimension == dimension:
            digits = len(shown.get(s.system, "0.00").partition(".")[2])
            found[s.system] = f"{s.mean:.{digits}f}"
    return found


def preference_lines(analysis: Analysis) -> dict[str, list[tuple[str, str, str]] | str]:
    """(system, strength, interval) by dimension, strongest first, or why there is none."""
    found: dict[str, list[tuple[str, str, str]] | str] = {}
    for dimension, p in analysis.preferences.items():
        if isinstance(p, Undefined):
            found[dimension] = f"No strengths: {p.reason}."
            continue
        ordered = sorted(p.strengths, key=lambda s: (-s.strength, s.system))
        found[dimension] = [
            (s.system, f"{s.strength:.2f}", f"{s.ci_low:.2f}, {s.ci_high:.2f}") for s in ordered
        ]
    return found


def _markdown(analysis: Analysis) -> Iterator[str]:
    text = markdown.escaped
    yield "# Ratings"
    yield ""
    yield screening_summary(analysis)
    yield ""
    for note in analysis.notes:
        yield f"- {text(note)}"
    has_before = bool(analysis.screening.excluded)
    for dimension in dimensions(analysis):
        yield ""
        yield f"## {text(dimension)}"
        yield ""
        extra = (" with everybody |", " ---: |") if has_before else ("", "")
        interval = f"{analysis.level:.0%} interval"
        yield f"| system | mean | {interval} | rank | ratings | raters | items |{extra[0]}"
        yield f"| :--- | ---: | :---: | :---: | ---: | ---: | ---: |{extra[1]}"
        before = before_means(analysis, dimension)
        for line in lines(analysis, dimension):
            mean = f"**{line.mean}**" if line.best else line.mean
            last = f" {before.get(line.system, '–')} |" if has_before else ""
            yield (
                f"| {text(line.system)} | {mean} | {line.interval} | {line.rank} | {line.ratings} "
                f"| {line.raters} | {line.items} |{last}"
            )
        yield ""
        yield f"Intervals: {text(methods(analysis, dimension))}."
        comparison = next(c for c in analysis.comparisons if c.dimension == dimension)
        for sentence in group_text(comparison):
            yield text(sentence)
        yield f"Agreement: {text(agreement_text(analysis, dimension))}."
    for dimension, rows in preference_lines(analysis).items():
        yield ""
        yield f"## Preference: {text(dimension)}"
        yield ""
        if isinstance(rows, str):
            yield text(rows)
            continue
        yield "| system | strength | interval |"
        yield "| :--- | ---: | :---: |"
        for system, strength, interval in rows:
            yield f"| {text(system)} | {strength} | {interval} |"
    flags = screened(analysis)
    if flags:
        yield ""
        yield "## Screening"
        yield ""
        yield "| rater | rule | what was found | excluded |"
        yield "| :--- | :--- | :--- | :--- |"
        for f in flags:
            yes = "yes" if f.excluded else "no"
            yield f"| {text(f.rater)} | {text(f.rule)} | {text(f.detail)} | {yes} |"


def _latex(analysis: Analysis) -> Iterator[str]:
    text = latex.escaped
    for dimension, rows in preference_lines(analysis).items():
        if isinstance(rows, str):
            yield f"% {text(dimension)}: {text(rows)}"
            continue
        yield r"\begin{table}"
        yield r"  \centering"
        yield rf"  \caption{{Preference, {text(dimension)}: strengths with geometric mean 1.}}"
        yield r"  \begin{tabular}{lrl}"
        yield r"    \toprule"
        yield r"    System & Strength & Interval \\"
        yield r"    \midrule"
        for system, strength, interval in rows:
            yield rf"    {text(system)} & {strength} & [{interval}] \\"
        yield r"    \bottomrule"
        yield r"  \end{tabular}"
        yield r"\end{table}"
    yield r"% \usepackage{booktabs}"
    for dimension in dimensions(analysis):
        comparison = next(c for c in analysis.comparisons if c.dimension == dimension)
        bold = "bold: not told apart from the best (Holm)." if len(comparison.groups) > 1 else ""
        yield ""
        yield r"\begin{table}"
        yield r"  \centering"
        yield (
            rf"  \caption{{Listening test, {text(dimension)}: means with "
            rf"{analysis.level * 100:.0f}\% intervals ({text(methods(analysis, dimension))})"
            rf"{'; ' if bold else '.'}{bold}}}"
        )
        yield r"  \begin{tabular}{lrlrrr}"
        yield r"    \toprule"
        yield r"    System & Mean & Interval & Ratings & Raters & Items \\"
        yield r"    \midrule"
        for line in lines(analysis, dimension):
            yield f"    {_latex_row(line)}"
        yield r"    \bottomrule"
        yield r"  \end{tabular}"
        yield r"\end{table}"


def _latex_row(line: Line) -> str:
    mean = rf"\textbf{{{line.mean}}}" if line.best else line.mean
    interval = "--" if line.interval == "–" else f"[{line.interval}]"
    raters = "--" if line.raters == "?" else line.raters
    return (
        rf"{latex.escaped(line.system)} & {mean} & {interval} & {line.ratings} & {raters} "
        rf"& {line.items} \\"
    )


class Bar(NamedTuple):
    """Positions in percent of the drawing's width, for the mean and its interval."""

    line: Line
    at: float
    low: float | None
    high: float | None
    before: str


def _bars(analysis: Analysis, dimension: str) -> tuple[list[Bar], float, float]:
    own = {s.system: s for s in analysis.systems if s.dimension == dimension}
    ends = [s.mean for s in own.values()]
    for s in own.values():
        if not isinstance(s.interval, Undefined):
            ends += [s.interval.ci_low, s.interval.ci_high]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    before = before_means(analysis, dimension) if analysis.screening.excluded else {}

    def place(x: float) -> float:
        return round(2 + 96 * (x - low) / span, 2)

    bars = []
    for line in lines(analysis, dimension):
        s = own[line.system]
        known = s.interval if not isinstance(s.interval, Undefined) else None
        bars.append(
            Bar(
                line,
                place(s.mean),
                place(known.ci_low) if known else None,
                place(known.ci_high) if known else None,
                before.get(line.system, ""),
            )
        )
    return bars, low, high


def _html(analysis: Analysis, joined: Joined | None) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from concours.eval.report.html import TEMPLATES

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = []
    for dimension in dimensions(analysis):
        bars, low, high = _bars(analysis, dimension)
        comparison = next(c for c in analysis.comparisons if c.dimension == dimension)
        sections.append(
            {
                "name": dimension,
                "bars": bars,
                "low": f"{low:.3g}",
                "high": f"{high:.3g}",
                "methods": methods(analysis, dimension),
                "groups": group_text(comparison),
                "agreement": agreement_text(analysis, dimension),
                "pairs": () if isinstance(comparison.pairs, Undefined) else comparison.pairs,
            }
        )
    page = environment.get_template("ratings.html").render(
        sections=sections,
        summary=screening_summary(analysis),
        notes=analysis.notes,
        flags=screened(analysis),
        preferences=preference_lines(analysis),
        predictors=predictors.rows(joined),
        predictors_note=predictors.NOTE,
        level=f"{analysis.level:.0%}",
        style=Markup(TEMPLATES.joinpath("report.css").read_text(encoding="utf-8")),
    )
    return page.rstrip("\n") + "\n"
