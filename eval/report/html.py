"""The report as one offline HTML file: style, script, drawings and sound are all inside it.

The page loads nothing. A content security policy says so to the browser and lets only our own
script run, so that a name which slipped through the escaping could still do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from concours.eval.report import PieceOf
from concours.eval.report import wording as words
from concours.eval.report.model import Report
from concours.eval.report.views import benchmark_view

TEMPLATES = Path(__file__).parent / "templates"


def to_html(report: Report, *, pieces: PieceOf | None = None, audio: bool = True) -> str:
    """The whole page; see :func:`concours.eval.report.render` for the arguments."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(words=words, wbr=Markup("<wbr>"))
    script = TEMPLATES.joinpath("report.js").read_text(encoding="utf-8")
    style = TEMPLATES.joinpath("report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = environment.get_template("report.html").render(
        benchmarks=[
            benchmark_view(b, i, report=report, pieces=pieces, audio=audio)
            for i, b in enumerate(report.benchmarks)
        ],
        manifest=_provenance(report),
        script=Markup(script),
        style=Markup(style),
        script_hash=digest,
        has_sound=pieces is not None and audio,
        has_rolls=pieces is not None,
    )
    return page.rstrip("\n") + "\n"


def _provenance(report: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    """The manifest as sections of (name, value), sorted by name."""
    sections: list[tuple[str, list[tuple[str, str]]]] = []
    plain: list[tuple[str, str]] = []
    for key in sorted(report.manifest):
        value = report.manifest[key]
        title = key.replace("_", " ")
        if isinstance(value, dict) and value:
            sections.append((title, [(str(k), _text(value[k])) for k in sorted(value, key=str)]))
        else:
            plain.append((title, _text(value)))
    return [*([("", plain)] if plain else []), *sections]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
