"""What kind of file a path names (by suffix) and what its bytes are (by content)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

SYMBOLIC: dict[str, str] = {
    ".mid": "midi",
    ".midi": "midi",
    ".kar": "midi",
    ".rmi": "midi",
    ".musicxml": "musicxml",
    ".xml": "musicxml",
    ".mxl": "musicxml",
    ".abc": "abc",
    ".krn": "kern",
}
AUDIO = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".m4a", ".opus")
SUFFIXES: dict[str, Literal["symbolic", "audio"]] = {
    **dict.fromkeys(SYMBOLIC, "symbolic"),
    **dict.fromkeys(AUDIO, "audio"),
}


def kind_of(path: Path) -> Literal["symbolic", "audio"] | None:
    """Whether a path names symbolic music, audio or neither, by its suffix alone.

    >>> kind_of(Path("a/b.MID")), kind_of(Path("c.flac")), kind_of(Path("notes.txt"))
    ('symbolic', 'audio', None)
    """
    return SUFFIXES.get(path.suffix.lower())


def format_of(data: bytes) -> str | None:
    """The symbolic format that the content shows, or None.

    >>> format_of(b"MThd..."), format_of(b"X:1\\nK:C\\nCDE|"), format_of(b"hello")
    ('midi', 'abc', None)
    """
    if data[:4] == b"MThd" or (data[:4] == b"RIFF" and data[8:12] == b"RMID"):
        return "midi"
    if data[:4] == b"PK\x03\x04":
        return "musicxml"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "musicxml" if b"<\x00" in data[:8] or b"\x00<" in data[:8] else None
    head = data[:65536].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] == b"<":
        return "musicxml"
    lines = head.replace(b"\r", b"\n").split(b"\n")
    if any(line.startswith(b"**kern") or b"\t**kern" in line for line in lines):
        return "kern"
    fields = {line[:2] for line in lines}
    return "abc" if b"X:" in fields or b"K:" in fields else None
