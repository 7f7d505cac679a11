"""The text side of ABC: tunes of a file, and a copy of a tune in which every bar line can be heard.

abc2midi writes no bar lines into its MIDI, so a pickup or a short bar would shift every later bar.
Behind each bar line of the copy stands a control change that no piece uses; abc2midi unfolds
repeats and endings, and the control changes with them.
"""

from __future__ import annotations

import re

BAR_CONTROL = 119
_MARK = f"[I:MIDI= control {BAR_CONTROL} 1]"
_TUNE = re.compile(rb"^X:[ \t]*([^\r\n%]*)", re.MULTILINE)
_FIELD = re.compile(r"^[A-Za-z]:|^[+]:")
# What may hold a bar sign that is none, then the bar signs, each with its ending number.
_TOKENS = re.compile(
    r'"[^"\n]*"|![^!|\n]*!|\[[A-Za-z]:[^\]\n]*\]|%[^\n]*'
    r"|(?P<bar>[.]?(?::*\[?\|[|\]:]*|:{2,})(?:[ ]*\[?[0-9][0-9,.-]*)?)"
)
_SILENT = re.compile("[-zx]")
_SPACED = re.compile(r"([A-Ga-gxz][,']*) +(?=[0-9/])")


def decode(data: bytes) -> str:
    """The text of an ABC file: UTF-8 where it is, else Latin-1, with plain line ends."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def tunes(data: bytes) -> dict[str, bytes]:
    """Fragment to bytes of each tune, the file's header before the first ``X:`` put in front.

    One tune has the fragment "". A repeated number gets a suffix.

    >>> list(tunes(b"X:1\\nK:C\\nC|\\n\\nX:1\\nK:C\\nD|\\n"))
    ['X:1', 'X:1-2']
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    starts = list(_TUNE.finditer(data.replace(b"\r", b"\n")))
    if len(starts) < 2:
        return {"": data}
    header = data[: starts[0].start()]
    found: dict[str, bytes] = {}
    stops = [m.start() for m in starts[1:]] + [len(data)]
    for match, stop in zip(starts, stops, strict=True):
        base = "X:" + match.group(1).decode("latin-1").strip()
        name, copy = base, 1
        while name in found:
            copy += 1
            name = f"{base}-{copy}"
        found[name] = header + data[match.start() : stop]
    return found


def delays_bars(text: str) -> bool:
    """Whether the music, chord symbols and fields aside, may hold a tie or a rest."""
    lines = (_TOKENS.sub("", x) for x in text.split("\n") if not _FIELD.match(x))
    return any(_SILENT.search(line) for line in lines)


def prepared(text: str, sounding: bool = True) -> tuple[str, int]:
    """(the copy for abc2midi, how many note lengths a space had cut off).

    ``sounding=False`` makes a copy that only the bars are read from, with notes for rests and
    without ties: abc2midi sends what follows a rest or stands inside a tied note too early.

    Chord symbols are left out of the sound, bar lines are marked, and "g 2", which abc2midi reads
    as a plain g, is closed up to the "g2" that was meant.
    """
    lines: list[str] = []
    closed = 0
    body = False
    for line in text.split("\n"):
        if not body or _FIELD.match(line) or line.startswith("%"):
            starts_body = line.startswith("K:") and not body
            lines.append(line)
            if starts_body:
                body = True
                lines.append("%%MIDI gchordoff")
            elif line.startswith("V:") and body:
                lines.append("%%MIDI gchordoff")
            continue
        out: list[str] = []
        at = 0
        for token in _TOKENS.finditer(line):
            plain, n = _music(line[at : token.start()], sounding)
            closed += n
            # A closing repeat is marked on both sides: playing jumps back from it, or goes on.
            before = _MARK if (token.group("bar") or "").startswith(":") else ""
            after = _MARK if token.group("bar") else ""
            out += [plain, before, token.group(), after]
            at = token.end()
        plain, n = _music(line[at:], sounding)
        closed += n
        lines.append("".join([*out, plain]))
    return "\n".join(lines) + "\n", closed


def _music(text: str, sounding: bool) -> tuple[str, int]:
    return _SPACED.subn(r"\1", text if sounding else _SILENT.sub(_audible, text))


def _audible(found: re.Match[str]) -> str:
    return "" if found.group() == "-" else "c"
