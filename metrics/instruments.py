"""Instruments by the names that people give them: General MIDI programs, families, plain words.

Conventions
-----------
- A MIDI program is 0-127, ``DRUMS`` (128) stands for the drums. A name stands for a set of
  programs: "violin" for one, "strings" or "piano" for every program that would be called so.
- Names are read without case; a plural s is dropped.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

DRUMS = 128

# name: programs, as "first-last" or single numbers; the 128 sounds of General MIDI Level 1
_NAMES = {
    "piano": "0-7", "acoustic piano": "0-3", "grand piano": "0-2", "electric piano": "4 5",
    "honky-tonk piano": "3", "harpsichord": "6", "clavinet": "7", "clavi": "7",
    "chromatic percussion": "8-15", "mallet": "8-15", "celesta": "8", "glockenspiel": "9",
    "music box": "10", "vibraphone": "11", "marimba": "12", "xylophone": "13",
    "tubular bell": "14", "dulcimer": "15",
    "organ": "16-20", "church organ": "19", "pipe organ": "19", "reed organ": "20",
    "hammond organ": "16-18", "accordion": "21 23", "harmonica": "22", "bandoneon": "23",
    "guitar": "24-31", "acoustic guitar": "24 25", "nylon guitar": "24", "steel guitar": "25",
    "classical guitar": "24", "electric guitar": "26-31", "jazz guitar": "26",
    "clean guitar": "27", "muted guitar": "28", "overdriven guitar": "29",
    "distortion guitar": "30", "distorted guitar": "29 30",
    "bass": "32-39", "bass guitar": "32-37", "acoustic bass": "32", "electric bass": "33-37",
    "fretless bass": "35", "slap bass": "36 37", "synth bass": "38 39", "upright bass": "32 43",
    "string": "40-51", "violin": "40", "fiddle": "40 110", "viola": "41", "cello": "42",
    "violoncello": "42", "contrabass": "43", "double bass": "43 32", "tremolo string": "44",
    "pizzicato string": "45", "pizzicato": "45", "harp": "46", "timpani": "47",
    "string ensemble": "48-51", "synth string": "50 51", "string quartet": "40-42",
    "choir": "52-54", "voice": "52-54 85", "vocal": "52-54 85", "orchestra hit": "55",
    "brass": "56-63", "trumpet": "56 59", "muted trumpet": "59", "trombone": "57", "tuba": "58",
    "french horn": "60", "horn": "60", "brass section": "61", "synth brass": "62 63",
    "reed": "64-71", "saxophone": "64-67", "sax": "64-67", "soprano sax": "64", "alto sax": "65",
    "tenor sax": "66", "baritone sax": "67", "soprano saxophone": "64", "alto saxophone": "65",
    "tenor saxophone": "66", "baritone saxophone": "67", "oboe": "68", "english horn": "69",
    "cor anglais": "69", "bassoon": "70", "clarinet": "71", "woodwind": "64-79",
    "piccolo": "72", "flute": "73 72", "recorder": "74", "pan flute": "75", "whistle": "78",
    "tin whistle": "78", "ocarina": "79", "shakuhachi": "77",
    "synth": "80-103", "synthesizer": "80-103", "synth lead": "80-87", "lead synth": "80-87",
    "pad": "88-95", "synth pad": "88-95", "sitar": "104", "banjo": "105", "shamisen": "106",
    "koto": "107", "kalimba": "108", "bagpipe": "109", "shanai": "111", "steel drum": "114",
    "taiko": "116", "drum": "128", "drum kit": "128", "drum set": "128", "percussion": "128",
}  # fmt: skip


class Mention(NamedTuple):
    """A name found in a text at ``start``, and the programs that it stands for."""

    start: int
    name: str
    programs: frozenset[int]


@cache
def names() -> dict[str, frozenset[int]]:
    """The programs of every known name."""
    return {name: _programs(text) for name, text in _NAMES.items()}


def _programs(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def programs_named(name: str | int) -> frozenset[int]:
    """The programs that a name or a number stands for.

    Raises:
        ValueError: no instrument is called so.

    >>> sorted(programs_named("Electric Pianos")), programs_named(40)
    ([4, 5], frozenset({40}))
    """
    text = " ".join(str(name).lower().replace("_", " ").split())
    if text.isdigit() and int(text) <= DRUMS:
        return frozenset({int(text)})
    known = names()
    for form in (text, text.removesuffix("s")):
        if form in known:
            return known[form]
    raise ValueError(
        f"no instrument is called {str(name)!r}; write a General MIDI program (0-127), drums, or a "
        "plain name such as piano, violin or electric guitar"
    )


def mentions(text: str) -> list[Mention]:
    """The instruments that a text names, in order, the longest name at each place.

    >>> [m.name for m in mentions("An electric guitar over drums and two violins")]
    ['electric guitar', 'drum', 'violin']
    """
    lowered = text.lower()
    found: list[Mention] = []
    for name in sorted(names(), key=len, reverse=True):
        at = lowered.find(name)
        while at >= 0:
            stop = at + len(name)
            stop += lowered[stop : stop + 1] == "s"
            alone = not (lowered[at - 1 : at].isalnum() or lowered[stop : stop + 1].isalnum())
            free = all(stop <= m.start or at >= m.start + len(m.name) for m in found)
            if alone and free:
                found.append(Mention(at, name, names()[name]))
            at = lowered.find(name, at + 1)
    return sorted(found)
