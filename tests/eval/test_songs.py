"""What pieces are cut from, through runs and reports: a table, a pattern and names say it alike."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from report_sample import walk
from sqlalchemy import text

from concours.eval.baselines import write_midi
from concours.eval.cli import cli
from concours.eval.store import open_store

CONFIG = """\
store: sqlite:///{name}.db
references: {{corpus: {{path: numbered}}}}
systems:
  cuts: {{path: {folder}{extra}}}
benchmarks:
  b: {{reference: corpus, systems: [cuts], metrics: [pitch_range, note_density], resamples: 200}}
"""


def _call(*arguments: str | Path) -> str:
    result = CliRunner().invoke(cli, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def cuts(tmp_path: Path) -> Path:
    """Three songs of four cuts each under names that say it, and under names that don't."""
    (tmp_path / "named").mkdir()
    (tmp_path / "numbered").mkdir()
    rows = []
    for i in range(12):
        piece = walk(i, stride=240, spread=1.0 + 2 * (i // 4), bars=6)
        write_midi(piece, tmp_path / "named" / f"{'xyz'[i // 4]}-cut{i % 4}.mid")
        write_midi(piece, tmp_path / "numbered" / f"{i:02d}.mid")
        rows.append([f"{i:02d}.mid", "xyz"[i // 4]])
    with (tmp_path / "songs.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["path", "song"], *rows])
    return tmp_path


def _rows(root: Path, name: str, folder: str, extra: str) -> list[dict[str, Any]]:
    file = root / f"{name}.yaml"
    file.write_text(CONFIG.format(name=root / name, folder=folder, extra=extra))
    _call("run", file, "--no-html", "--workers", "1")
    return _report(file)


def _report(file: Path) -> list[dict[str, Any]]:
    found = json.loads(_call("report", file, "--format", "json"))["benchmarks"][0]["rows"]
    return [dict(r) for r in found if r["system"] == "cuts"]


def test_a_table_reaches_the_leaderboards_means_as_a_pattern_does(cuts: Path) -> None:
    table = _rows(cuts, "table", "numbered", ", groups: songs.csv")
    pattern = _rows(cuts, "pattern", "named", ', songs: "^(.)-"')
    alone = _rows(cuts, "alone", "numbered", "")
    kept = ("metric", "value", "ci_low", "ci_high", "n", "n_clusters")
    assert [[r[k] for k in kept] for r in table] == [[r[k] for k in kept] for r in pattern]
    assert {r["n_clusters"] for r in table} == {3}
    assert {r["n_clusters"] for r in alone} == {12}
    for r, single in zip(table, alone, strict=True):
        assert r["value"] == single["value"]
        assert (r["ci_low"], r["ci_high"]) != (single["ci_low"], single["ci_high"])


def test_runs_of_an_older_version_keep_the_songs_of_their_pattern(cuts: Path) -> None:
    before = _rows(cuts, "old", "named", ', songs: "^(.)-"')
    store = open_store(f"sqlite:///{cuts / 'old'}.db")
    with store.writing() as connection:
        connection.execute(text("ALTER TABLE run_item DROP COLUMN song"))
        connection.execute(text("DELETE FROM migration WHERE number = 5"))
    store.close()
    assert _report(cuts / "old.yaml") == before
