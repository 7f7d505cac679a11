"""The analysis of ratings as JSON, Markdown, LaTeX or one offline HTML file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Literal

from concours.eval.analysis.results import Analysis
from concours.eval.listeners.joining import Joined
from concours.eval.listeners.powered import PoweredMean
from concours.eval.report import latex, markdown
from concours.eval.report.ratings_further import (
    emotion_sections,
    power_sections,
    preference_sections,
    reading_sections,
    screening_sections,
    screening_summary,
)
from concours.eval.report.ratings_html import ellipse_drawing, to_html
from concours.eval.report.ratings_json import analysis_data
from concours.eval.report.ratings_metrics import metric_sections, powered_sections
from concours.eval.report.ratings_parts import Section, Table
from concours.eval.report.ratings_systems import dimension_sections

RatingsFormat = Literal["json", "md", "latex", "html"]
TITLE = "What listeners said"
WIDE = 8


def render_analysis(
    analysis: Analysis,
    format_: RatingsFormat,
    joined: Joined | None = None,
    powered: Sequence[PoweredMean] = (),
) -> str:
    """The report; the same analysis gives the same bytes.

    With ``joined`` it also says which metrics follow the listeners, with ``powered`` the means
    that lean on one.
    """
    if format_ == "json":
        data = analysis_data(analysis, joined, powered)
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    sections = [
        *dimension_sections(analysis),
        *preference_sections(analysis),
        *(
            s._replace(drawing=ellipse_drawing(e))
            for s, e in zip(emotion_sections(analysis), analysis.emotion, strict=True)
        ),
        *powered_sections(powered),
        *metric_sections(joined),
        *power_sections(analysis),
        *screening_sections(analysis),
        *reading_sections(analysis),
    ]
    lead = screening_summary(analysis)
    if format_ == "html":
        return to_html(TITLE, lead, analysis.notes, sections)
    lines = _latex(sections) if format_ == "latex" else _markdown(lead, analysis.notes, sections)
    return "\n".join(lines).rstrip("\n") + "\n"


def _markdown(lead: str, notes: Sequence[str], sections: Sequence[Section]) -> Iterator[str]:
    text = markdown.escaped
    yield f"# {TITLE}"
    yield ""
    yield text(lead)
    if notes:
        yield ""
    for note in notes:
        yield f"- {text(note)}"
    for s in sections:
        yield ""
        yield f"## {text(s.heading)}"
        for sentence in s.before:
            yield ""
            yield text(sentence)
        for t in s.tables:
            yield ""
            yield text(t.caption)
            yield ""
            yield from _markdown_table(t)
        for sentence in s.after:
            yield ""
            yield text(sentence)


def _markdown_table(t: Table) -> Iterator[str]:
    text = markdown.escaped
    yield f"| {' | '.join(text(c.name) for c in t.columns)} |"
    yield f"| {' | '.join('---:' if c.is_number else ':---' for c in t.columns)} |"
    for row in t.rows:
        cells = (f"**{text(c.text)}**" if c.bold else text(c.text) for c in row)
        yield f"| {' | '.join(cells)} |"


def _latex(sections: Sequence[Section]) -> Iterator[str]:
    """The tables for a paper; what HTML folds away is left out."""
    text = latex.escaped
    yield r"% \usepackage{booktabs}"
    for s in sections:
        for t in s.tables:
            if t.folded:
                continue
            alignment = "".join("r" if c.is_number else "l" for c in t.columns)
            yield ""
            yield r"\begin{table}"
            yield r"  \centering"
            yield rf"  \caption{{{text(t.caption)}}}"
            if len(t.columns) > WIDE:
                yield r"  \footnotesize"
            yield rf"  \begin{{tabular}}{{{alignment}}}"
            yield r"    \toprule"
            yield rf"    {' & '.join(text(c.name) for c in t.columns)} \\"
            yield r"    \midrule"
            for row in t.rows:
                cells = (
                    rf"\textbf{{{text(c.text)}}}" if c.bold else _latex_cell(c.text) for c in row
                )
                yield rf"    {' & '.join(cells)} \\"
            yield r"    \bottomrule"
            yield r"  \end{tabular}"
            yield r"\end{table}"


def _latex_cell(text: str) -> str:
    """An interval gets its brackets back, a dash LaTeX's own."""
    if text == "–":
        return "--"
    low, comma, high = text.partition(", ")
    if comma and _is_number(low) and _is_number(high):
        return f"[{latex.escaped(text)}]"
    return latex.escaped(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
