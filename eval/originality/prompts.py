"""Copying from the prompt: how much of a continuation stands in the music that it continues.

Conventions
-----------
- Prompts are music files: a folder with one for each item, of the same name without its ending, or
  a table (CSV) with the columns ``path`` (of the item) and ``prompt`` (of the file, from the
  table's folder).
- Where the item begins with its prompt (90% of the prompt's notes stand at their time and pitch),
  the continuation is what starts after the prompt's last note starts; else the whole item.
- The lag is the time from where a passage stands in the prompt to where it stands in the item, in
  quarters; where the item does not begin with the prompt, the prompt is thought to end where the
  item begins.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.errors import UsageError
from concours.eval.items import Item, find_items
from concours.eval.load import LoadError, kind_of, load
from concours.eval.originality.search import longest, runs
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.ngram import SIZES, curve_of, describe
from concours.metrics.originality.notes import UNITS, Notes, notes_of
from concours.metrics.originality.tokens import tokenize
from concours.metrics.piece import Piece

BEGINS_WITH = 0.9
SLACK = UNITS // 24


def find_prompts(prompts: Path, items: Sequence[Item]) -> dict[str, Path]:
    """The prompt's file of each item that has one, by the item's path.

    Raises:
        UsageError: nothing there, a table without its columns, or no item has a prompt.
    """
    if prompts.is_dir():
        files = {
            Path(i.path).with_suffix("").as_posix(): i.location for i in find_items(str(prompts))
        }
        names = {Path(name).name: file for name, file in files.items()}
        found = {}
        for item in items:
            stem = Path(item.path.partition("#")[0]).with_suffix("")
            file = files.get(stem.as_posix()) or names.get(stem.name)
            if file is not None:
                found[item.path] = file
    else:
        found = _table(prompts, {i.path for i in items})
    if not found:
        raise UsageError(
            f"{prompts}: no item has a prompt there; name each like its item, or give a table "
            "with the columns path, prompt"
        )
    return found


def _table(table: Path, known: set[str]) -> dict[str, Path]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{table}: cannot be read: {error}") from error
    if not rows or not {"path", "prompt"} <= set(rows[0]):
        raise UsageError(f"{table}: a table of prompts needs a row and the columns path, prompt")
    found = {}
    for row in rows:
        file = table.parent / (row["prompt"] or "")
        if row["path"] in known and row["prompt"]:
            if not file.is_file() or kind_of(file) != "symbolic":
                raise UsageError(
                    f"{table}: the prompt of {row['path']}, {row['prompt']}, is no file of notes"
                )
            found[row["path"]] = file
    return found


def from_prompt(piece: Piece, prompt: Path, view: str, n: int) -> Mapping[str, Any]:
    """What a piece's continuation shares with its prompt; JSON-ready.

    ``copied``: share of the continuation's notes in passages of ``n`` notes that the prompt holds;
    ``coverage`` the same by n; ``longest`` its longest passage with both places and the ``lag``.
    """
    try:
        primer = load(prompt).piece
    except LoadError as error:
        return {"prompt": prompt.name, "status": "failed", "reason": str(error)}
    begins, end = _beginning(notes_of(piece), notes_of(primer))
    start = end * piece.ticks_per_quarter / UNITS if begins else -1.0
    rest = piece.where(piece.onset > start)
    tokens, known = tokenize(rest, view=view), tokenize(primer, view=view)
    answer: dict[str, Any] = {
        "prompt": prompt.name,
        "begins_with_prompt": begins,
        "continuation_notes": rest.n_notes,
    }
    for of, what in ((tokens, "the continuation"), (known, "the prompt")):
        if not (np.bincount(of.voice, minlength=1) >= of.width).any():
            reason = f"no voice of {what} has {of.width} notes"
            return answer | {"status": "undefined", "reason": reason}
    index = NgramIndex.build([known], [prompt.name])
    found = longest(tokens, [index])
    curve = curve_of(tokens, found.length, SIZES)
    best = runs(tokens, [index], found, at_least=tokens.width, most=1)
    passage = describe(tokens, index, best[0].hit) if best else None
    if passage is not None:
        here = tokens.onset[best[0].first] / tokens.ticks_per_quarter
        there = int(index.onset[best[0].hit.source_first]) / known.ticks_per_quarter
        length = 0.0 if begins else primer.end_tick / primer.ticks_per_quarter
        passage["lag"] = round(float(here + length - there), 4)
    return answer | {
        "status": "ok",
        "copied": curve.get(n),
        "coverage": {str(k): share for k, share in curve.items()},
        "longest": passage,
    }


def _beginning(item: Notes, prompt: Notes) -> tuple[bool, int]:
    """Whether an item begins with its prompt, and the last onset of the prompt."""
    if not len(prompt.onset) or not len(item.onset):
        return False, 0
    heard: dict[int, list[int]] = {}
    for pitch, onset in zip(item.pitch.tolist(), item.onset.tolist(), strict=True):
        heard.setdefault(pitch, []).append(onset)
    there = [
        any(abs(t - onset) <= SLACK for t in heard.get(pitch, ()))
        for pitch, onset in zip(prompt.pitch.tolist(), prompt.onset.tolist(), strict=True)
    ]
    return float(np.mean(there)) >= BEGINS_WITH, int(prompt.onset.max()) + SLACK
