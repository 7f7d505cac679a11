"""The report of ratings as one offline HTML file without script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from concours.eval.analysis.results import EmotionReport
from concours.eval.report.ratings_parts import Bar, Section, Table
from concours.metrics.spec import Undefined

# Okabe and Ito's colours, which colour-blind readers tell apart; each ellipse is labelled as well
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999")


def to_html(title: str, lead: str, notes: Sequence[str], sections: Sequence[Section]) -> str:
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
    page = environment.get_template("ratings.html").render(
        title=title,
        lead=lead,
        notes=notes,
        sections=[_view(s) for s in sections],
        style=Markup(TEMPLATES.joinpath("report.css").read_text(encoding="utf-8")),
    )
    return page.rstrip("\n") + "\n"


def _view(s: Section) -> dict[str, Any]:
    from markupsafe import Markup

    return {
        "heading": s.heading,
        "before": s.before,
        "after": s.after,
        "drawing": Markup(s.drawing),
        "tables": [{"table": t, "bars": _bars(t), "ends": _ends(t.bars)} for t in s.tables],
    }


def _ends(bars: Sequence[Bar]) -> tuple[float, float]:
    known = [x for b in bars for x in b if x is not None]
    return (min(known), max(known)) if known else (0.0, 1.0)


def _bars(t: Table) -> list[tuple[float, float | None, float | None]]:
    """Positions in percent of the drawing's width."""
    low, high = _ends(t.bars)
    width = (high - low) or 1.0

    def place(x: float | None) -> float | None:
        return None if x is None else round(2 + 96 * (x - low) / width, 2)

    return [(place(b.value) or 0.0, place(b.low), place(b.high)) for b in t.bars]


def ellipse_drawing(e: EmotionReport) -> str:
    """The plane of valence and arousal with each system's ellipse and name, as SVG."""
    from markupsafe import escape

    found = {k: v for k, v in e.ellipses.items() if not isinstance(v, Undefined)}
    if not found:
        return ""
    reach = max(max(abs(x - e.neutral) for x in v.centre) + v.major for v in found.values())
    scale = 140 / (reach or 1.0)
    parts = [
        '<svg class="plane" viewBox="-170 -170 340 340" role="img" '
        'aria-label="Valence to the right, arousal upward">',
        '<path d="M-150 0H150M0-150V150" stroke="var(--line)" fill="none"/>',
        '<text x="150" y="-6" text-anchor="end">valence</text>',
        '<text x="6" y="-142">arousal</text>',
    ]
    for i, (system, v) in enumerate(found.items()):
        x, y = ((c - e.neutral) * scale for c in v.centre)
        colour = COLOURS[i % len(COLOURS)]
        turn = -math.degrees(v.angle)
        parts.append(
            f'<g transform="translate({x:.1f} {-y:.1f})"><ellipse rx="{v.major * scale:.1f}" '
            f'ry="{v.minor * scale:.1f}" transform="rotate({turn:.1f})" fill="{colour}" '
            f'fill-opacity=".18" stroke="{colour}"/><circle r="2.5" fill="{colour}"/>'
            f'<text x="5" y="-5">{escape(system)}</text></g>'
        )
    return "".join([*parts, "</svg>"])
