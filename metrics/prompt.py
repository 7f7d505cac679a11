"""Prompts in words, read for what a control metric can check.

Conventions
-----------
- Only what is stated in so many words counts: "in A minor", "120 bpm", "3/4 time", "16 bars",
  "piano and violin", "between C3 and C5", "8 notes per bar", "chord progression C - G - Am - F".
  "A fast waltz" asks for nothing here: how fast is fast is no fact.
- Instruments after "without" or "no" are not asked for. A chord progression fills one bar a chord
  and is repeated to the end.
"""

from __future__ import annotations

import re
from dataclasses import replace

from concours.metrics.instruments import mentions
from concours.metrics.target import Target
from concours.metrics.target_table import chord_named, target_from

NUMBERS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "ten": 10,
    "twelve": 12, "sixteen": 16, "twenty-four": 24, "thirty-two": 32,
}  # fmt: skip
NUMBER = rf"(\d+|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
NAMED = r"([A-Ga-g])[\s-]?(sharp|flat|#|♯|b|♭)?[\s-]?(major|minor|maj|min)\b"
TEMPO = (
    r"\b(\d+(?:\.\d+)?)\s*(?:bpm|beats per minute|quarter notes? (?:per|a) minute)",
    r"\btempo(?:\s+of|\s+is|\s*[:=])?\s+(?:about\s+|around\s+)?(\d+(?:\.\d+)?)",
    r"♩\s*=\s*(\d+)",
)
FRACTION = r"(\d{1,2}/(?:1|2|4|8|16|32))\b"
METER = (
    rf"\b{FRACTION}(?=\s*(?:time|meter|metre|signature|beat))",
    rf"\b(?:time signature|meter|metre|time|in)(?:\s+of|\s+is|\s*[:=])?\s+{FRACTION}",
)
PITCH = r"([A-G][#b♯♭]?-?\d)"
RANGE = rf"\b(?:between|from|range(?:\s+of|\s*[:=])?)\s+{PITCH}\s*(?:and|to|-|–)\s*{PITCH}"
DENSITY = r"(\d+(?:\.\d+)?)\s+notes?\s+(?:per|a|in each|each)\s+(?:bar|measure)"
CHORD = r"[A-G][#b♯♭]?(?:maj7|min7|m7b5|dim7|sus4|maj|min|dim|aug|m7|M7|m|7)?(?![A-Za-z0-9])"
CHORDS = (
    r"\bchords?(?:\s+(?:progression|sequence))?(?:\s+of|\s*[:=])?\s+"
    rf"({CHORD}(?:[\s,|–>-]+{CHORD})+)"
)
ACCIDENTAL = {"sharp": "#", "flat": "b"}


def target_from_prompt(text: str) -> Target:
    """What a prompt asks for, as far as it says so.

    >>> asked = target_from_prompt("A slow piece in F sharp minor for piano, 3/4 time, 72 bpm")
    >>> asked.key, asked.meters, asked.tempo
    ((6, True), ((3, 4),), 72.0)
    >>> target_from_prompt("something sad").states_nothing
    True
    """
    table: dict[str, object] = {}
    if key := _key(text):
        table["key"] = key
    for name, patterns in (("tempo", TEMPO), ("meters", METER)):
        if value := _first(patterns, text):
            table[name] = value
    if found := re.search(rf"\b{NUMBER}[\s-]*(?:bars?|measures?)\b", text, re.IGNORECASE):
        table["bars"] = NUMBERS.get(found[1].lower(), found[1])
    if found := re.search(RANGE, text):
        table["pitch_range"] = [found[1], found[2]]
    if found := re.search(DENSITY, text, re.IGNORECASE):
        table["density"] = found[1]
    target = target_from({k: v for k, v in table.items() if v not in ("0", 0)})
    asked = frozenset(
        next(iter(m.programs)) if len(m.programs) == 1 else m.programs
        for m in mentions(text)
        if not re.search(r"\b(?:no|without)\s+(?:\w+\s+){0,2}$", text[: m.start].lower())
    )
    if asked:
        target = replace(target, instruments=asked)
    if found := re.search(CHORDS, text):
        bars = tuple(frozenset({chord_named(c)}) for c in re.findall(CHORD, found[1]))
        target = replace(target, chords=bars, chords_repeat=True)
    return target


def _key(text: str) -> str:
    """The first key named: "in a minor", "Eb major"; "a major work" names none."""
    for found in re.finditer(rf"\b{NAMED}", text):
        letter, sign, mode = found.groups()
        before, after = text[: found.start()], text[found.end() :]
        announced = re.search(r"\b(?:in|key(?: of| is)?|key:)\s*$", before, re.IGNORECASE)
        article = letter in "Aa" and not sign and re.search(r"(?:^|[.!?]\s+)$", before)
        ended = re.match(r"\s*(?:[,;.:)]|$|(?:key|scale|at|for|with)\b)", after)
        if announced or (letter.isupper() and (not article or ended)):
            return f"{letter.upper()}{ACCIDENTAL.get(sign or '', sign or '')} {mode}"
    return ""


def _first(patterns: tuple[str, ...], text: str) -> str:
    for pattern in patterns:
        if found := re.search(pattern, text, re.IGNORECASE):
            return str(found[1])
    return ""
