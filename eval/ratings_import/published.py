"""Readers of published rating sets whose layout is their own."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from concours.eval.ratings_import.tables import NO_RATERS, Rows, build, number
from concours.eval.stats.ratings import Ratings, RatingsError, make_ratings

# Yin et al., AIMGEF: the ids of the classical piano improvisation part, 25 for each system
AIMGEF_PIANO = ((151, "Orig"), (176, "MVAE"), (201, "MuTr"), (226, "LiTr"), (251, None))
AIMGEF_DIMENSIONS = {
    "Ss": "stylistic success",
    "Ap": "aesthetic pleasure",
    "Re": "repetition",
    "Me": "melody",
    "Ha": "harmony",
    "Rh": "rhythm",
}
# davda54/generating-music: the songs of its survey
DAVDA54_SONGS = ((1, "human"), (53, "lstm-multi"), (77, "lstm-single"), (105, None))


def _part(parts: Sequence[tuple[int, str | None]], number_: int) -> str | None:
    found = None
    for start, name in parts:
        if number_ >= start:
            found = name
    return found


def is_davda54(columns: Sequence[str]) -> bool:
    return {"USER_ID", "SONG_ID", "GUESS", "RATING"} <= set(columns)


def davda54(rows: Rows) -> Ratings:
    """The survey of davda54/generating-music: a rating from 1 to 5 and a guess at the author.

    Dimensions: ``rating``, and ``guessed machine`` (1 for "by a machine", 0 for "by a person"). A
    rating of -1 is none; a guess of 2 says that the song was familiar, which isn't a guess.
    """
    if not rows or not is_davda54(list(rows[0])):
        raise RatingsError("the survey has the columns USER_ID, SONG_ID, GUESS, RATING")
    kept: list[tuple[str, str, str, str, float]] = []
    none = familiar = 0
    for i, row in enumerate(rows, start=2):
        song = int(number(row["SONG_ID"], i, "SONG_ID"))
        system = _part(DAVDA54_SONGS, song)
        if system is None:
            raise RatingsError(f"row {i}, SONG_ID: {song} isn't a song of the survey (1 to 104)")
        rating, guess = number(row["RATING"], i, "RATING"), number(row["GUESS"], i, "GUESS")
        if rating == -1:
            none += 1
        else:
            kept.append((row["USER_ID"], str(song), system, "rating", rating))
        if guess == 2:
            familiar += 1
        else:
            kept.append((row["USER_ID"], str(song), system, "guessed machine", guess))
    users = len({row["USER_ID"] for row in rows})
    notes = [
        f"{len(rows)} answers of {users} users.",
        f"{none} answers have no rating (-1) and were left out of that dimension.",
        "The file doesn't explain its guesses; 1 is read as 'by a machine', since the songs by "
        "people (1 to 52) get it least.",
        f"{familiar} answers say that the song is familiar (2) and were left out of the guesses.",
    ]
    return build(kept, notes)


def is_aimgef(columns: Sequence[str]) -> bool:
    return {"ID", *AIMGEF_DIMENSIONS} <= set(columns)


def aimgef(rows: Rows) -> Ratings:
    """The piano part of AIMGEF (ids 151 to 250): six scales from 1 to 7, no rater ids."""
    if not rows or not is_aimgef(list(rows[0])):
        raise RatingsError(f"the table has the columns ID, {', '.join(AIMGEF_DIMENSIONS)}")
    kept: list[tuple[str, str, str, str, float]] = []
    for i, row in enumerate(rows, start=2):
        item = int(number(row["ID"], i, "ID"))
        system = _part(AIMGEF_PIANO, item)
        if system is None:
            raise RatingsError(
                f"row {i}, ID: {item} isn't in the piano part (151 to 250), the only one whose "
                "systems this reader knows; use a long table for the rest"
            )
        kept.extend(
            ("", str(item), system, name, number(row[short], i, short))
            for short, name in AIMGEF_DIMENSIONS.items()
            if row[short] != ""
        )
    return build(kept, [f"{len(rows)} questionnaires."])


def is_nested(columns: Sequence[str]) -> bool:
    return {"signal", "condition", "ratings", "participant_ids"} <= set(columns)


def nested(rows: Rows) -> Ratings:
    """A row for each signal and condition, with the lists of ratings and of participants."""
    if not rows or not is_nested(list(rows[0])):
        raise RatingsError("the columns are signal, condition, ratings, participant_ids")
    kept: list[tuple[str, str, str, str, float]] = []
    for i, row in enumerate(rows, start=2):
        values, raters = _list(row["ratings"], i), _list(row["participant_ids"], i)
        if len(values) != len(raters):
            raise RatingsError(f"row {i}: {len(values)} ratings for {len(raters)} participants")
        kept.extend(
            (str(r), row["signal"], row["condition"], "quality", number(str(v), i, "ratings"))
            for v, r in zip(values, raters, strict=True)
        )
    return build(kept, [])


def _list(cell: str, row: int) -> list[Any]:
    try:
        found = ast.literal_eval(cell)
    except (ValueError, SyntaxError) as error:
        raise RatingsError(f"row {row}: {cell[:40]!r} isn't a list") from error
    if not isinstance(found, list):
        raise RatingsError(f"row {row}: {cell[:40]!r} isn't a list")
    return found


def aes(rows: Sequence[Mapping[str, Any]]) -> Ratings:
    """Audiobox aesthetics: for each clip lists of anonymous scores on several axes.

    The system is the folder that holds the clip, with ``music/`` or ``sound/`` before it, since
    both have a folder of real recordings. That the k-th score of two clips comes from one person
    isn't said, so raters stay unknown.
    """
    columns: list[tuple[str, str, str, float]] = []
    for i, row in enumerate(rows, start=1):
        axes = {k: v for k, v in row.items() if isinstance(v, list)}
        if not isinstance(row.get("data_path"), str) or not axes:
            raise RatingsError(f"row {i}: data_path or the lists of scores are missing")
        path = PurePosixPath(row["data_path"])
        folder = path.parent
        kind = {"audio": "sound"}.get(folder.parent.name, folder.parent.name)
        system = f"{kind}/{folder.name}"
        for axis, scores in axes.items():
            name = axis.replace("_", " ").lower()
            columns.extend((path.stem, system, name, float(s)) for s in scores)
    if not columns:
        raise RatingsError("no row has a rating")
    item, system_, dimension, value = zip(*columns, strict=True)
    return make_ratings([""] * len(value), item, system_, dimension, value, [NO_RATERS])
