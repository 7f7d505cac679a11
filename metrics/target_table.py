"""Targets written out: a mapping of attributes, as JSON, YAML or a row of a CSV file gives them.

Conventions
-----------
- An attribute has one name and a few others that the field uses (``NAMES``); an empty text asks
  for nothing.
- Lists may be written as text: instruments with commas, the bars of chords and meters with ``|``,
  the chords of one bar with spaces, a range as ``C3-C5`` or ``48-72``.
- Pitches are MIDI numbers, or names with C4 = 60.
- A chord is "C:maj" or as players write it (C, Am, F#dim, G7, Bbmaj7, Dm7b5, Esus4, C/E).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from concours.metrics.chords import TONES
from concours.metrics.instruments import programs_named
from concours.metrics.keys import NAMES as PITCH_CLASSES
from concours.metrics.target import Meter, Target

NAMES = {
    "instruments": ("instrument", "programs", "program"),
    "chords": ("chord", "chord_progression", "progression"),
    "meters": ("meter", "time_signature", "time_signatures", "time signature"),
    "tempo": ("bpm",),
    "key": ("key_signature",),
    "bars": ("n_bars", "bar_count", "measures", "bar count"),
    "pitch_range": ("range", "register", "pitch range"),
    "density": ("note_density", "notes_per_bar", "note density"),
}
FIELDS = tuple(NAMES)
NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ACCIDENTALS = {"#": 1, "♯": 1, "b": -1, "♭": -1}
QUALITIES = {
    "": "maj", "maj": "maj", "M": "maj", "major": "maj",
    "m": "min", "min": "min", "-": "min", "minor": "min",
    "dim": "dim", "o": "dim", "°": "dim", "aug": "aug", "+": "aug",
    "7": "7", "dom7": "7", "maj7": "maj7", "M7": "maj7", "Δ": "maj7", "Δ7": "maj7",
    "m7": "min7", "min7": "min7", "-7": "min7", "m7b5": "hdim7", "min7b5": "hdim7",
    "ø": "hdim7", "ø7": "hdim7", "hdim7": "hdim7", "dim7": "dim7", "o7": "dim7", "°7": "dim7",
    "sus": "sus4", "sus4": "sus4",
}  # fmt: skip
NOTE = r"([A-G])([#♯b♭]?)"


def field_named(name: str) -> str | None:
    """The attribute that a column or key names; None where it names none.

    >>> field_named("Time signature"), field_named("colour")
    ('meters', None)
    """
    text = name.strip().lower()
    return next((f for f, others in NAMES.items() if text == f or text in others), None)


def target_from(table: Mapping[str, Any]) -> Target:
    """A target from plain values.

    ``instruments``: programs or names; ``chords``: one or several for each bar; ``meters``: "3/4"
    for all bars, or one for each; ``key``: "A minor"; ``pitch_range``: [low, high]; ``tempo``,
    ``bars`` and ``density``: numbers. Everything may be text, as a CSV file has it.

    Raises:
        ValueError: an attribute that there is not, or a value that can't be read.

    >>> target_from({"key": "Bb minor", "time_signature": "3/4", "bars": "8"}).meters
    ((3, 4), (3, 4), (3, 4), (3, 4), (3, 4), (3, 4), (3, 4), (3, 4))
    """
    given: dict[str, Any] = {}
    for name, value in table.items():
        field = field_named(name)
        if field is None:
            raise ValueError(f"no attribute {name!r}; there are {', '.join(FIELDS)}")
        if value is None or value == "":
            continue
        if field in given:
            raise ValueError(f"{field} is given twice, under two names")
        given[field] = value
    bars = _whole(given["bars"], "bars") if "bars" in given else None
    return Target(
        instruments=_instruments(given["instruments"]) if "instruments" in given else None,
        chords=_chords(given["chords"]) if "chords" in given else None,
        meters=_meters(given["meters"], bars) if "meters" in given else None,
        tempo=_positive(given["tempo"], "tempo") if "tempo" in given else None,
        key=key_named(str(given["key"])) if "key" in given else None,
        bars=bars,
        pitch_range=_range(given["pitch_range"]) if "pitch_range" in given else None,
        density=_positive(given["density"], "density") if "density" in given else None,
    )


def _positive(value: Any, name: str) -> float:
    text = str(value).strip().lower().removesuffix("bpm")
    try:
        number = float(text)
    except ValueError as error:
        raise ValueError(f"{name} is a number, and {value!r} is not") from error
    if not 0 < number < float("inf"):
        raise ValueError(f"{name} must be positive, not {value!r}")
    return number


def _whole(value: Any, name: str) -> int:
    number = _positive(value, name)
    if number != int(number):
        raise ValueError(f"{name} is a whole number, and {value!r} is not")
    return int(number)


def _list(value: Any, marks: str) -> list[Any]:
    if isinstance(value, str):
        return [p.strip() for p in re.split(f"[{marks}]", value) if p.strip()]
    return list(value) if isinstance(value, Sequence) else [value]


def _instruments(value: Any) -> frozenset[int | frozenset[int]]:
    asked = [programs_named(n) for n in _list(value, ",;|+")]
    return frozenset(next(iter(a)) if len(a) == 1 else a for a in asked)


def _chords(value: Any) -> tuple[frozenset[str], ...]:
    bars = _list(value, "|\n") if not isinstance(value, str) or "|" in value else value.split()
    return tuple(
        frozenset(map(chord_named, bar.split() if isinstance(bar, str) else bar)) for bar in bars
    )


def chord_named(text: str) -> str:
    """A chord in the recogniser's writing.

    Raises:
        ValueError: it is none of the qualities that the recogniser knows.

    >>> chord_named("F#m7"), chord_named("A:min"), chord_named("C/E")
    ('F#:min7', 'A:min', 'C:maj')
    """
    found = re.fullmatch(rf"{NOTE}:?([^/]*)(?:/.*)?", text.strip())
    quality = QUALITIES.get(found[3].strip(), found[3].strip()) if found else ""
    if not found or quality not in TONES:
        raise ValueError(
            f"{text!r} is no chord of ours; write a root and one of {', '.join(TONES)}, as in A:min"
        )
    return f"{PITCH_CLASSES[_pitch_class(found[1], found[2])]}:{quality}"


def _pitch_class(letter: str, accidental: str) -> int:
    return (NATURALS[letter] + ACCIDENTALS.get(accidental, 0)) % 12


def _meters(value: Any, bars: int | None) -> tuple[Meter, ...]:
    listed = _list(value, "|,;")
    found = tuple(_meter(str(m)) for m in listed)
    return found * (bars or 1) if len(found) == 1 else found


def _meter(text: str) -> Meter:
    top, slash, bottom = text.strip().partition("/")
    if not (slash and top.isdigit() and bottom.isdigit() and int(top) and int(bottom)):
        raise ValueError(f"a meter is written as 3/4, and {text!r} is not")
    return int(top), int(bottom)


def key_named(text: str) -> tuple[int, bool]:
    """(tonic, minor) of a key such as "A minor", "Eb", "F# min" or "Am".

    Raises:
        ValueError: it is no key.

    >>> key_named("A minor"), key_named("Eb"), key_named("c# min")
    ((9, True), (3, False), (1, True))
    """
    plain = text.strip()
    found = re.fullmatch(rf"{NOTE}[ :_-]?(m|min|minor|M|maj|major)?", plain[:1].upper() + plain[1:])
    if not found:
        raise ValueError(f"a key is written as 'A minor' or 'Eb major', and {text!r} is not")
    return _pitch_class(found[1], found[2]), (found[3] or "").startswith("m") and found[3] in (
        "m", "min", "minor"
    )  # fmt: skip


def _range(value: Any) -> tuple[int, int]:
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\S+?)\s*(?:-|–|\.\.|,|to)\s*(\S+)\s*", value)
        ends: Sequence[Any] = found.groups() if found else ()
    else:
        ends = list(value)
    if len(ends) != 2:
        raise ValueError(f"a range is written as C3-C5 or 48-72, and {value!r} is not")
    low, high = (pitch_named(e) for e in ends)
    if low > high:
        raise ValueError(f"a range goes from low to high, and {value!r} does not")
    return low, high


def pitch_named(value: str | int) -> int:
    """A MIDI pitch from a number or a name, C4 being 60.

    Raises:
        ValueError: it is none.

    >>> pitch_named("C4"), pitch_named("Bb2"), pitch_named("60")
    (60, 46, 60)
    """
    text = str(value).strip()
    found = re.fullmatch(rf"{NOTE}(-?\d)", text[:1].upper() + text[1:])
    pitch = (
        NATURALS[found[1]] + ACCIDENTALS.get(found[2], 0) + 12 * (int(found[3]) + 1)
        if found
        else int(text) if text.isdigit() else -1
    )  # fmt: skip
    if not 0 <= pitch <= 127:
        raise ValueError(f"a pitch is 0-127 or a name such as C4, and {value!r} is not")
    return pitch
