"""A study as tidy tables with a data dictionary: one row an observation, CSV or Parquet.

Raters are numbers; what could name them is never exported. Times are ISO 8601, UTC.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

from concours.eval.errors import UsageError
from concours.eval.store import Store, study

Format = Literal["csv", "parquet"]
Row = Mapping[str, Any]

FLOATS = {"elapsed", "lufs", "gain_db", "seconds", "at_seconds"}
INTEGERS = {
    "rater", "position", "trial", "revision", "slot", "superseded", "consent_version", "sequence",
}  # fmt: skip

ANSWER = {
    "rater": "number of the rater",
    "assignment": "id of the trial given to the rater",
    "position": "place in the rater's order, from 0",
    "trial": "number of the trial in the study",
    "kind": "test, training or trap",
    "submission": "id of the answer",
    "revision": "1, or more for a correction",
    "submitted_at": "time the answer was stored",
    "elapsed": "seconds from opening the trial to the answer, by the server's clock",
    "heard": "seconds heard of each slot, as the browser says (JSON)",
    "comment": "free comment",
}
SUPERSEDED = {"superseded": "1 where a later revision replaces this row"}
TABLES: dict[str, dict[str, str]] = {
    "ratings": {
        **ANSWER,
        "slot": "place of the clip on the page, from 0",
        "stimulus_id": "id of the clip",
        "role": "test, reference, hidden_ref, anchor_low, anchor_mid, training, trap, or gold: the "
        "intact clip beside a trap",
        "system": "system of the clip",
        "item": "item of the clip",
        "clip_sha256": "hash of the source file; joins the objective scores",
        "dimension": "what was rated",
        "frame": "felt or perceived, for emotions",
        "value": "MOS 1-5, CMOS -3..3, DCR 1-5, MUSHRA 0-100, valence and arousal 1-9, GEMS 1-5, "
        "judged_human and identified 0 or 1",
        "compared_with": "id of the other clip of a comparison",
        "compared_with_system": "its system",
        **SUPERSEDED,
    },
    "preferences": {
        **ANSWER,
        "dimension": "what was asked",
        "stimulus_a": "id of the clip shown as A",
        "role_a": "its role, as in ratings",
        "system_a": "its system",
        "stimulus_b": "id of the clip shown as B",
        "role_b": "its role",
        "system_b": "its system",
        "item": "item of both",
        "clip_sha256_a": "hash of A's source file",
        "clip_sha256_b": "hash of B's source file",
        "choice": "a, b, tie or both_bad",
        **SUPERSEDED,
    },
    "raters": {
        "rater": "number of the rater",
        "source": "invited or crowd",
        "status": "invited, active, completed or revoked",
        "language": "language of the texts",
        "consent_version": "version of the protocol that was agreed to",
        "consented_at": "time of consent",
        "completed_at": "time of completion",
        "last_seen_at": "time last seen",
    },
    "stimuli": {
        "stimulus_id": "id of the clip",
        "system": "system",
        "item": "item",
        "role": "see ratings",
        "source": "file it was made from",
        "clip_sha256": "hash of that file",
        "served_sha256": "hash of the clip as served",
        "lufs": "loudness before levelling",
        "gain_db": "gain that levelled it",
        "seconds": "length as served",
        "prompt": "text that the item answers",
    },
    "answers": {
        "rater": "number of the rater",
        "page": "level, headphones:N or q:QUESTIONNAIRE",
        "question": "name of the question",
        "value": "answer; for a choice the index of the option, from 0",
        "submitted_at": "time",
    },
    "playback": {
        "rater": "number of the rater",
        "assignment": "id of the trial given to the rater",
        "position": "place in the rater's order",
        "tab": "browser tab",
        "sequence": "order of the events in that tab",
        "kind": "play, pause, end, switch, seek, loop, loop-off",
        "slot": "clip that was audible",
        "at_seconds": "position in the clip",
        "received_at": "time the server got it",
    },
    "screening": {
        "rater": "number of the rater",
        "rule": "rule",
        "decision": "pass or flag",
        "detail": "figures behind it (JSON)",
        "decided_at": "time",
    },
}


def export_study(store: Store, study_id: str, folder: Path, form: Format = "csv") -> dict[str, int]:
    """Writes every table of a study and ``data_dictionary.csv``; returns rows by table.

    Raises:
        UsageError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        counts = {}
        for name, columns in TABLES.items():
            rows = [_tidy(row, columns) for row in _READERS[name](store, study_id)]
            counts[name] = len(rows)
            _write(folder / f"{name}.{form}", list(columns), rows, form)
        dictionary = [
            {"table": t, "column": c, "meaning": m}
            for t, cs in TABLES.items()
            for c, m in cs.items()
        ]
        _write_csv(folder / "data_dictionary.csv", ["table", "column", "meaning"], dictionary)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}") from error
    return counts


def write_codes(store: Store, study_id: str, stream: TextIO) -> None:
    """Platform ids with completion codes as CSV. It names people: keep it apart from an export."""
    columns = ["rater", "platform_id", "status", "completion_code", "consented_at", "completed_at"]
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    for row in study.code_rows(store, study_id):
        writer.writerow({c: _safe(_cell(c, row[c])) for c in columns})


def _answers(store: Store, study_id: str) -> list[Row]:
    return [
        {**row, "question": question, "value": value}
        for row in study.page_rows(store, study_id)
        for question, value in (row["answers"] or {"": ""}).items()
    ]


_READERS: dict[str, Callable[[Store, str], Sequence[Row]]] = {
    "ratings": study.rating_rows,
    "preferences": study.preference_rows,
    "raters": study.rater_rows,
    "stimuli": study.stimulus_rows,
    "answers": _answers,
    "playback": study.playback_rows,
    "screening": study.screening_rows,
}


def _tidy(row: Row, columns: Mapping[str, str]) -> dict[str, Any]:
    return {column: _cell(column, row.get(column)) for column in columns}


def _cell(column: str, value: Any) -> Any:
    if column.endswith("_at") and value is not None:
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds")
    if column == "superseded":
        return int(bool(value))
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value


def _write(path: Path, columns: list[str], rows: list[dict[str, Any]], form: Format) -> None:
    if form == "csv":
        _write_csv(path, columns, rows)
        return
    import pyarrow
    from pyarrow import parquet

    types = {"float": pyarrow.float64(), "int": pyarrow.int64(), "text": pyarrow.string()}
    schema = pyarrow.schema([(c, types[_kind(path.stem, c)]) for c in columns])
    convert = {"float": float, "int": int, "text": str}
    data = [
        [None if r[c] is None else convert[_kind(path.stem, c)](r[c]) for r in rows]
        for c in columns
    ]
    parquet.write_table(pyarrow.table(data, schema=schema), path)


def _kind(table: str, column: str) -> str:
    """The type of a column, the same in every study whether or not it has rows."""
    if (table, column) == ("ratings", "value") or column in FLOATS:
        return "float"
    return "int" if column in INTEGERS else "text"


def _write_csv(path: Path, columns: list[str], rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: _safe(v) for k, v in row.items()} for row in rows)


def _safe(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe."""
    if isinstance(value, str) and value[:1] in {"=", "+", "@", "\t", "\r"}:
        return "'" + value
    return value
