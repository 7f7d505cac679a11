"""Every known bad file gives what docs/inputs.md says."""

from pathlib import Path

import pytest
import seeds

from concours.eval.load import LoadError, load

DOCS = Path(__file__).resolve().parents[3] / "docs" / "inputs.md"


def documented() -> dict[str, tuple[str, str]]:
    rows = DOCS.read_text(encoding="utf-8").split("## Known bad files")[1].split("\n")
    cells = [[c.strip() for c in row.strip("| ").split(" | ")] for row in rows if "/" in row]
    return {c[0]: (c[1].strip("| "), c[2] if len(c) > 2 else "") for c in cells if len(c) > 1}


def outcome(path: Path) -> tuple[str, str]:
    try:
        loaded = load(path)
    except LoadError as error:
        return "refused", str(error)
    return str(loaded.piece.n_notes), loaded.warnings[0] if loaded.warnings else ""


def test_bad_files_end_as_documented() -> None:
    folder = seeds.SHARED / "bad"
    files = sorted(f for kind in ("abc", "midi") for f in (folder / kind).glob("*"))
    if not files:
        pytest.skip("0 bad files: no shared data")
    assert {f"{f.parent.name}/{f.name}": outcome(f) for f in files} == documented()
