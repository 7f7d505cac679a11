"""The one door through which files become pieces."""

from __future__ import annotations

from collections.abc import Callable
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
    "kind_of",
    "load",
    "part_bytes",
    "parts",
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
    data = _read(path) if data is None else data
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
    data = _read(path) if data is None else data
    return list(tunes(data)) if format_of(data) == "abc" else [""]


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
        if path.stat().st_size > MAX_BYTES:
            raise LoadError(f"over {MAX_BYTES >> 20} MiB is no symbolic piece")
        return path.read_bytes()
    except OSError as error:
        raise LoadError(f"can't be opened: {error.strerror or error}") from error
