"""Items: the files of a system, found, named and hashed.

An item is known by the sha256 of its bytes, never by its path: two copies of a file are scored
once, and a file that moves keeps its scores.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from concours.eval.errors import UsageError
from concours.eval.load import kind_of, part_bytes, parts


@dataclass(frozen=True)
class Item:
    """One piece of a system.

    ``path`` is relative to the system's folder (with ``#X:3`` for the third tune of an ABC file),
    ``location`` the file to read, ``fragment`` the tune in it. ``sha256`` is None where the file
    could not be read; ``reason`` then says why. ``song`` names what the piece is cut from, where a
    table says so.
    """

    path: str
    location: Path
    fragment: str
    kind: str
    sha256: str | None
    reason: str = ""
    prompt: str = ""
    song: str = ""


def find_items(path: str, folder: Path | None = None) -> list[Item]:
    """The items under a folder, at a file, or matching a glob (``**`` goes down), in path order.

    Relative paths start at ``folder``. Files of other kinds (a README, a .DS_Store) are passed
    over; hidden files and folders too.

    Raises:
        UsageError: there is nothing at the path, or nothing there is music.
    """
    at = (folder or Path()) / Path(path).expanduser()
    if at.is_file():
        root, files = at.parent, [at]
        if kind_of(at) is None:
            raise UsageError(
                f"{path}: Concours reads no files of kind {at.suffix or 'without suffix'}"
            )
    elif at.is_dir():
        root, files = at, [f for f in sorted(at.rglob("*")) if f.is_file()]
    else:
        root, pattern = _split_glob(at)
        files = [f for f in sorted(root.glob(pattern)) if f.is_file()] if pattern else []
        if not files:
            raise UsageError(f"{path}: nothing there; give a folder, a file or a glob")
    visible = [f for f in files if not any(p.startswith(".") for p in f.relative_to(root).parts)]
    found = [item for f in visible for item in _items_in(f, root)]
    if not found:
        raise UsageError(
            f"{path}: {len(files)} files, none of them music "
            "(MIDI, MusicXML, ABC, kern or audio by suffix)"
        )
    return found


def _split_glob(path: Path) -> tuple[Path, str]:
    """The folder before the first part with a wildcard, and the pattern from there on."""
    for i, part in enumerate(path.parts):
        if any(c in part for c in "*?["):
            return Path(*path.parts[:i]), "/".join(path.parts[i:])
    return path, ""


def items_of(files: Mapping[str, Path]) -> list[Item]:
    """Items for files given by name, in the order given."""
    return [
        replace(item, path=name + item.path.removeprefix(file.name))
        for name, file in files.items()
        for item in _items_in(file, file.parent)
    ]


def _items_in(file: Path, root: Path) -> Iterator[Item]:
    kind = kind_of(file)
    if kind is None:
        return
    path = file.relative_to(root).as_posix()
    try:
        data = file.read_bytes()
    except OSError as error:
        yield Item(path, file, "", kind, None, f"cannot be read: {error.strerror or error}")
        return
    for fragment in parts(file, data):
        digest = hashlib.sha256(part_bytes(data, fragment)).hexdigest()
        yield Item(f"{path}#{fragment}" if fragment else path, file, fragment, kind, digest)


def with_prompts(items: list[Item], table: Path) -> list[Item]:
    """The items with the prompts of a CSV file that has columns ``path`` and ``prompt``.

    Raises:
        UsageError: the file is missing, lacks a column, or names a path that no item has.
    """
    return with_column({"": items}, table, "prompt")[""]


def with_column(
    systems: Mapping[str, list[Item]], table: Path, column: str
) -> dict[str, list[Item]]:
    """The items of several systems with the values of one column (``prompt`` or ``song``).

    A path is relative to its system's folder, or leads to the file from where the table is read.

    Raises:
        UsageError: the file is missing, lacks a column, or names a path that no item has.
    """
    values = read_column(table, column)
    used: set[str] = set()
    found = {}
    for name, items in systems.items():
        changed = []
        for item in items:
            key = next((p for p in _paths(item, name) if p in values), None)
            if key is not None:
                used.add(key)
                item = replace(item, **{column: values[key]})  # noqa: PLW2901
            changed.append(item)
        found[name] = changed
    missing = sorted(set(values) - used)
    if missing:
        raise UsageError(f"{table}: no item is called {missing[0]} ({len(missing)} such rows)")
    return found


def _paths(item: Item, system: str) -> list[str]:
    tail = f"#{item.fragment}" if item.fragment else ""
    within = f"{Path(system, item.path).as_posix()}" if system else item.path
    return [item.path, within, f"{item.location.as_posix()}{tail}"]


def read_column(table: Path, column: str) -> dict[str, str]:
    """A CSV file's column by its column ``path``.

    Raises:
        UsageError: the file is missing, lacks a column or a row, or names a path twice.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{table}: cannot be read: {error}") from error
    if column == "song" and rows and "group" in rows[0]:
        column = "group"  # both words are in use
    if not rows or not {"path", column} <= set(rows[0]):
        raise UsageError(
            f"{table}: a table of {column}s needs a row and the columns path, {column}"
        )
    found: dict[str, str] = {}
    for line, row in enumerate(rows, 2):
        path = row["path"] or ""
        if found.get(path, row[column]) != row[column]:
            raise UsageError(f"{table}:{line}: {path} stands here twice, with two {column}s")
        found[path] = row[column] or ""
    return found
