"""The report as one offline HTML file: style, script, drawings and sound are all inside it.

The page loads nothing. A content security policy says so to the browser and lets only our own
script run, so that a name which slipped through the escaping could still do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from concours.eval.report import Keep, PieceOf, SoundOf
from concours.eval.report import wording as words
from concours.eval.report.bibtex import to_bibtex
from concours.eval.report.model import Report
from concours.eval.report.players import Hooks
from concours.eval.report.sounds import Sounds
from concours.eval.report.views import benchmark_view

TEMPLATES = Path(__file__).parent / "templates"
LEFT_OUT = {"command"}
_TREES = (Mapping, list, tuple)


def to_html(
    report: Report,
    *,
    pieces: PieceOf | None = None,
    sounds: SoundOf | None = None,
    audio: bool | Keep = True,
    originality: Mapping[str, str] | None = None,
) -> str:
    """The whole page; see :func:`concours.eval.report.render` for the arguments."""
    noted = Sounds(audio if callable(audio) else None) if audio else None
    views = [
        benchmark_view(b, i, hooks=Hooks(pieces, sounds, noted), links=originality or {})
        for i, b in enumerate(report.benchmarks)
    ]
    shown = [p for b in views for s in b.systems for p in s.players]
    text = page(
        "report.html",
        benchmarks=views,
        manifest=_provenance(report),
        bibtex=to_bibtex(report),
        has_sound=noted is not None and bool(noted.noted),
        seconds=noted.seconds_mark if noted else "",
        sound_beside=callable(audio),
        has_rolls=any(p.roll for p in shown),
        has_pictures=any(p.roll or p.picture for p in shown),
    )
    return noted.fill(text) if noted else text


def page(template: str, **content: object) -> str:
    """A page of its own from a template, with our style and script in it."""
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
    text = environment.get_template(template).render(
        script=Markup(script),
        style=Markup(style),
        script_hash=digest,
        **{"sound_beside": False, **content},
    )
    return text.strip("\n") + "\n"


def _provenance(report: Report) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """The manifest as sections of (name, text, whether it is long), sorted by name.

    Command lines are left out: they may hold paths of the machine that ran them.
    """
    sections: list[tuple[str, list[tuple[str, str, bool]]]] = []
    plain: list[tuple[str, str, bool]] = []
    for key in sorted(set(report.manifest) - LEFT_OUT):
        value = report.manifest[key]
        if isinstance(value, Mapping) and any(isinstance(v, Mapping) for v in value.values()):
            rows = [_fact(str(k), value[k]) for k in sorted(set(value) - LEFT_OUT, key=str)]
            sections.append((key, sorted(rows, key=lambda row: row[2])))
        else:
            plain.append(_fact(key, value))
    return [*([("", plain)] if plain else []), *sections]


def _fact(name: str, value: object) -> tuple[str, str, bool]:
    """A value on one line, or, where it is a tree, as indented JSON."""
    name = name.replace("_", " ")
    if isinstance(value, Mapping) and not any(isinstance(v, _TREES) for v in value.values()):
        return name, ", ".join(f"{k} {_text(value[k])}" for k in sorted(value, key=str)), False
    if isinstance(value, Mapping):
        return name, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False), True
    return name, _text(value), False


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
