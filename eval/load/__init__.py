"""The one door through which files become pieces."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from concours.eval.load.abc import read_abc
from concours.eval.load.abc_text import tunes
from concours.eval.load.humdrum import read_kern
from concours.eval.load.kinds import SUFFIXES, SYMBOLIC, format_of, kind_of
from concours.eval.load.loaded import Loaded, LoadError
from concours.eval.load.midi import read_midi
from concours.eval.load.musicxml import read_musicxml

__all__ = [
    "LOADER_VERSION",
    "SUFFIXES",
    "LoadError",
    "Loaded",
    "contents",
    "kind_of",
    "load",
    "part_bytes",
    "parts",
    "read_part",
]

LOADER_VERSION = 1  # raise it with every change of what a file gives: scores depend on it
MAX_BYTES = 16 << 20
_READERS: dict[str, Callable[[bytes], Loaded]] = {
    "midi": read_midi,
    "musicxml": read_musicxml,
    "abc": read_abc,
    "kern": read_kern,
}


def load(path: Path, data: bytes | None = None, fragment: str = "") -> Loaded:
    """The piece in a symbolic file; ``data`` are its bytes where they have been read already.

    The content decides the format; a suffix that says otherwise is a warning. ``fragment`` picks
    one tune of an ABC file that holds several, as :func:`parts` names them.

    Raises:
        LoadError: the file can't be read as music; one line with the cause.

    >>> tune = b"X:1\\nM:3/4\\nL:1/4\\nK:C\\nG|c2e|d3|]\\n"
    >>> load(Path("tune.abc"), tune).piece.bar_edges.tolist()
    [0, 480, 1920, 3360]
    """
    if data is None:
        data, fragment = read_part(path, fragment), ""
    if not data:
        raise LoadError("an empty file (0 bytes)")
    if len(data) > MAX_BYTES:
        raise LoadError(f"{len(data)} bytes: over {MAX_BYTES >> 20} MiB is no symbolic piece")
    found = format_of(data)
    stated = SYMBOLIC.get(path.suffix.lower())
    if found is None:
        raise LoadError("the content is not MIDI, MusicXML, ABC or kern")
    if found == "abc":
        data = part_bytes(data, fragment)
    elif fragment:
        raise LoadError(f"only ABC files have parts: no {fragment} in a {found} file")
    loaded = _READERS[found](data)
    if stated not in (None, found):
        note = f"the suffix {path.suffix} says {stated}, the content is {found}: read as {found}"
        return Loaded(loaded.piece, (note, *loaded.warnings), loaded.format)
    return loaded


def parts(path: Path, data: bytes | None = None) -> list[str]:
    """The fragments that name a file's pieces: ``[""]`` for one, else ``["X:1", "X:2", …]``.

    Raises:
        LoadError: the file can't be opened.

    >>> parts(Path("two.abc"), b"X:1\\nK:C\\nC|\\n\\nX:2\\nK:C\\nD|\\n")
    ['X:1', 'X:2']
    """
    return list(contents(_read(path) if data is None else data))


def contents(data: bytes) -> dict[str, bytes]:
    """The bytes of each part of a file by its fragment, as :func:`part_bytes` gives them."""
    found = tunes(data) if format_of(data) == "abc" else {"": data}
    return found if len(found) > 1 else {"": data}


def read_part(path: Path, fragment: str = "") -> bytes:
    """The bytes of one part of a file. A book of many tunes is taken apart once for all of them.

    Raises:
        LoadError: the file can't be opened, or has no such part.
    """
    if not fragment:
        return _read(path)
    try:
        state = path.stat()
    except OSError as error:
        raise LoadError(f"can't be opened: {error.strerror or error}") from error
    found = _taken_apart(path, (state.st_mtime_ns, state.st_size))
    if fragment not in found:
        return part_bytes(_read(path), fragment)  # says what there is
    return found[fragment]


@lru_cache(maxsize=2)
def _taken_apart(path: Path, state: tuple[int, int]) -> dict[str, bytes]:  # noqa: ARG001
    """``state`` tells a file that has changed since."""
    return contents(_read(path))


def part_bytes(data: bytes, fragment: str = "") -> bytes:
    """The bytes of one part, to hash or load: the whole file, or an ABC tune with the file header.

    Raises:
        LoadError: no such part, or no part named where the file has several.
    """
    if format_of(data) != "abc":
        return data
    found = tunes(data)
    if fragment in found:
        return data if len(found) == 1 else found[fragment]
    names = list(found)
    have = f"{names[0]} … {names[-1]}" if names[0] else "one tune and no fragments"
    if not fragment:
        raise LoadError(f"{len(found)} tunes in one file ({have}): name one of them")
    raise LoadError(f"no tune {fragment} in this file: it has {have}")


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise LoadError("a folder, not a file")
    try:
        if kind_of(path) != "audio" and path.stat().st_size > MAX_BYTES:
            raise LoadError(f"over {MAX_BYTES >> 20} MiB is no symbolic piece")
        return path.read_bytes()
    except OSError as error:
        raise LoadError(f"can't be opened: {error.strerror or error}") from error
