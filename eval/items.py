"""Items: the files of a system, found, named and hashed.

An item is known by the sha256 of its bytes, never by its path: two copies of a file are scored
once, and a file that moves keeps its scores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from concours.eval.cache import digest
from concours.eval.errors import UsageError
from concours.eval.load import contents, kind_of


@dataclass(frozen=True)
class Partner:
    """What a pair metric holds an item against; ``role`` as in
    :class:`concours.metrics.spec.MetricSpec`.

    A file (``location``, ``fragment``, ``kind``, ``sha256``) or a table of attributes (``table``,
    as canonical JSON). Where there is neither, ``reason`` says why. ``name`` is how it is shown.
    """

    role: Literal["truth", "target", "prefix"]
    name: str
    location: str = ""
    fragment: str = ""
    kind: str = ""
    sha256: str = ""
    table: str = ""
    reason: str = ""

    @property
    def identity(self) -> list[str]:
        """What a score against it depends on: contents, never places."""
        return [self.role, self.kind, self.sha256, self.table, self.reason]


@dataclass(frozen=True)
class Item:
    """One piece of a system.

    ``path`` is relative to the system's folder (with ``#X:3`` for the third tune of an ABC file),
    ``location`` the file to read, ``fragment`` the tune in it. ``sha256`` is None where the file
    could not be read; ``reason`` then says why. ``partners`` holds at most one of each role;
    ``song`` names what the piece is cut from, where a table says so.
    """

    path: str
    location: Path
    fragment: str
    kind: str
    sha256: str | None
    reason: str = ""
    prompt: str = ""
    partners: tuple[Partner, ...] = ()
    song: str = ""

    @property
    def words(self) -> str:
        """The prompt, where it is text and not music."""
        return "" if any(p.role == "prefix" for p in self.partners) else self.prompt

    @property
    def pair(self) -> str:
        """The identity of the item together with its partners; "" without any."""
        if self.sha256 is None or not self.partners:
            return ""
        return digest("pair", self.sha256, [p.identity for p in self.partners])


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
    for fragment, content in contents(data).items():
        digest = hashlib.sha256(content).hexdigest()
        yield Item(f"{path}#{fragment}" if fragment else path, file, fragment, kind, digest)
