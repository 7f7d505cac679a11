"""What each piece was meant to express: the table that ``--intended`` takes."""

from __future__ import annotations

import math
from pathlib import Path

from concours.eval.analysis.emotion import Intention
from concours.eval.ratings_import.read import read_table
from concours.eval.ratings_import.tables import ITEM_NAMES, LONG_NAMES, Rows, named, number
from concours.eval.stats.emotion import QUADRANTS, quadrant
from concours.eval.stats.ratings import RatingsError

# the corners of Russell's circumplex that music data sets name
WORDS = {
    "Q1": ("happy", "joy", "joyful", "excited", "exciting"),
    "Q2": ("angry", "anger", "fear", "scary", "tense", "threatening"),
    "Q3": ("sad", "sadness", "depressed", "melancholic"),
    "Q4": ("calm", "relaxed", "peaceful", "tender", "content"),
}
NAMED = {w: QUADRANTS.index(q) for q, words in WORDS.items() for w in (q.lower(), *words)}


def read_intended(path: Path, neutral: float) -> tuple[Intention, ...]:
    """The table in ``path``: item, system where it matters, and valence with arousal or quadrant.

    The axes are on the raters' scale, with ``neutral`` in its middle. A quadrant is Q1 to Q4 or
    one of the words in ``WORDS``.

    Raises:
        RatingsError: the file can't be read, a column lacks, or a cell isn't what it must be.
    """
    try:
        return _intentions(read_table(path), neutral)
    except RatingsError as error:
        raise RatingsError(f"{path}: {error}") from error


def _intentions(rows: Rows, neutral: float) -> tuple[Intention, ...]:
    columns = list(rows[0]) if rows else []
    item, system = named(columns, ITEM_NAMES), named(columns, LONG_NAMES["system"])
    valence, arousal = named(columns, ["valence"]), named(columns, ["arousal"])
    word = named(columns, ["quadrant", "emotion"])
    if item is None or not ((valence and arousal) or word):
        raise RatingsError(
            "intentions need a column item and either valence and arousal, or quadrant"
        )
    found = []
    for i, row in enumerate(rows, start=2):
        v = a = math.nan
        if valence and arousal:
            v, a = number(row[valence], i, valence), number(row[arousal], i, arousal)
        if word:
            corner = NAMED.get(row[word].lower(), -1)
            if corner < 0:
                raise RatingsError(
                    f"row {i}, {word}: {row[word]!r} is no quadrant; write Q1 to Q4, or one of "
                    f"{', '.join(w for words in WORDS.values() for w in words)}"
                )
        else:
            corner = int(quadrant([v - neutral], [a - neutral])[0])
        found.append(Intention(row[system] if system else "", row[item], v, a, corner))
    return tuple(found)
