"""Tables of ground truths, targets and prompts: CSV or JSON, row by row, and targets as text."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from concours.eval.errors import UsageError
from concours.metrics.target import Target
from concours.metrics.target_table import field_named

ROW_KEYS = ("path", "item", "file", "name", "prompt", "ground_truth", "truth", "reference")


class Row(NamedTuple):
    """One row: ``place`` says where it stands, for messages."""

    place: str
    values: Mapping[str, Any]


def read_rows(table: Path) -> list[Row]:
    """The rows of a CSV file with a header, or of a JSON file.

    JSON may be a list of objects, one object, or objects (or texts, as prompts) by path.

    Raises:
        UsageError: the file is missing or holds something else.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{table}: cannot be read: {error}") from error
    if table.suffix.lower() == ".json":
        return _json_rows(table, text)
    rows = list(csv.DictReader(text.splitlines()))
    if any(None in r for r in rows):
        raise UsageError(f"{table}: a row has more cells than the header; quote cells with commas")
    return [
        Row(f"{table}:{n}", {k: v or "" for k, v in r.items()}) for n, r in enumerate(rows, start=2)
    ]


def _json_rows(table: Path, text: str) -> list[Row]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{table}: no JSON: {error}") from error
    if isinstance(found, list) and all(isinstance(r, dict) for r in found):
        return [Row(f"{table}, row {n}", r) for n, r in enumerate(found, start=1)]
    if isinstance(found, dict):
        if any(field_named(k) or k in ROW_KEYS for k in found):
            return [Row(str(table), found)]
        if all(isinstance(v, dict | str) for v in found.values()):
            return [
                Row(f"{table}, {k}", {"path": k, **({"prompt": v} if isinstance(v, str) else v)})
                for k, v in found.items()
            ]
    raise UsageError(
        f"{table}: write a table of attributes, a list of them with a path each, or a mapping "
        "from paths to them"
    )


def target_text(own: Target, prompt: Target | None = None) -> str:
    """A target as canonical JSON; what ``own`` leaves open is taken from the prompt's."""
    if prompt is not None:
        open_ones = [f.name for f in fields(Target) if getattr(own, f.name) is None]
        repeat = prompt.chords_repeat if own.chords is None else own.chords_repeat
        taken = {name: getattr(prompt, name) for name in open_ones}
        own = replace(own, **taken, chords_repeat=repeat)
    plain = {f.name: _plain(getattr(own, f.name)) for f in fields(Target)}
    stated = {k: v for k, v in plain.items() if v not in (None, False)}
    return json.dumps(stated, sort_keys=True, separators=(",", ":"))


def target_from_text(text: str) -> Target:
    """The target that :func:`target_text` wrote."""
    stated: dict[str, Any] = json.loads(text)
    if "instruments" in stated:
        stated["instruments"] = frozenset(
            frozenset(i) if isinstance(i, list) else i for i in stated["instruments"]
        )
    if "chords" in stated:
        stated["chords"] = tuple(frozenset(bar) for bar in stated["chords"])
    if "meters" in stated:
        stated["meters"] = tuple((top, bottom) for top, bottom in stated["meters"])
    for name in ("key", "pitch_range"):
        if name in stated:
            stated[name] = tuple(stated[name])
    return Target(**stated)


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted((_plain(v) for v in value), key=json.dumps)
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value
