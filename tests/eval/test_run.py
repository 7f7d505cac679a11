"""Runs through the public door: what is stored, what a rerun does, what a failure costs."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from concours.eval.cli import cli
from concours.eval.config import load_config
from concours.eval.errors import StoreError, UsageError
from concours.eval.run import run_benchmarks, with_systems

CLOCK = {"invocation"}


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def dump(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table but the log, row by row."""
    with closing(sqlite3.connect(database)) as connection, connection:
        names = [
            r[0]
            for r in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if r[0] not in CLOCK
        ]
        return {
            n: sorted(connection.execute(f"SELECT * FROM {n}").fetchall(), key=repr) for n in names
        }


def report(file: Path) -> dict[str, object]:
    result = invoke("report", str(file), "--format", "json")
    assert result.exit_code == 0
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_a_run_from_folders_to_a_leaderboard(benchmark_file: Path) -> None:
    result = invoke("run", str(benchmark_file), "--workers", "2")
    assert result.exit_code == 0, result.output
    assert "overlap_area" in result.stdout
    assert str(benchmark_file.parent / "concours-report.html") in result.stdout
    assert "26 items, 1 failed" in result.stderr
    table = report(benchmark_file)["benchmarks"][0]  # type: ignore[index]
    rows = {(r["system"], r["metric"]): r for r in table["rows"]}
    assert {s for s, _ in rows} == {"corpus", "mine", "chain"}
    entropy = rows["mine", "pitch_entropy"]
    assert entropy["n"] == 7
    assert entropy["ci_low"] < entropy["value"] < entropy["ci_high"]
    assert entropy["direction"] == "reference"
    assert {rows[s, "pitch_entropy"]["rank"] for s in ("mine", "chain")} == {1, 2}
    assert rows["corpus", "pitch_entropy"]["rank"] is None
    assert rows["mine", "frechet_distance"]["value"] > 0


def test_the_copied_piece_is_found_with_its_bars(benchmark_file: Path) -> None:
    invoke("run", str(benchmark_file), "--no-html", "--quiet")
    with closing(sqlite3.connect(benchmark_file.parent / "concours.db")) as connection, connection:
        rows = dict(
            connection.execute(
                "SELECT ri.path, s.detail FROM run_item ri JOIN score s ON s.item_id = ri.item_id "
                "JOIN measure m ON m.id = s.measure_id WHERE ri.system = 'mine' "
                "AND m.metric = 'longest_shared_passage' AND m.context NOT LIKE '%leave-one-out%'"
            )
        )
        overlaps = dict(
            connection.execute(
                "SELECT path, value FROM scores WHERE system = 'mine' AND metric = 'ngram_overlap'"
            )
        )
    found = json.loads(rows["copied.mid"])
    assert found["source"] == "003.mid"
    assert found["bars"] == found["source_bars"]
    assert found["transposition"] == 0
    assert overlaps["copied.mid"] == 1
    assert max(v for p, v in overlaps.items() if p != "copied.mid") < 0.5


def test_the_reference_is_held_against_itself_without_the_piece(benchmark_file: Path) -> None:
    invoke("run", str(benchmark_file), "--no-html", "--quiet")
    rows = report(benchmark_file)["benchmarks"][0]["rows"]  # type: ignore[index]
    own = next(r for r in rows if (r["system"], r["metric"]) == ("corpus", "ngram_overlap"))
    assert own["value"] < 0.5


def test_a_second_run_computes_nothing_and_changes_nothing(benchmark_file: Path) -> None:
    config, folder = load_config(benchmark_file), benchmark_file.parent
    first = run_benchmarks(config, folder, workers=2)
    before = dump(folder / "concours.db")
    second = run_benchmarks(config, folder, workers=1)
    assert first[0].computed == 25  # one content stands in two places
    assert second[0].computed == 0
    assert second[0].run_id == first[0].run_id
    assert dump(folder / "concours.db") == before


def test_one_more_system_computes_that_system_only(
    benchmark_file: Path, music: Path, more_music: Callable[[Path, range], Path]
) -> None:
    config = load_config(benchmark_file)
    run_benchmarks(config, music, workers=1)
    more = more_music(music / "more", range(200, 203))
    results = run_benchmarks(with_systems(config, {"more": str(more)}), music, workers=1)
    assert results[0].computed == 3


def test_a_moved_folder_keeps_its_scores(benchmark_file: Path, music: Path) -> None:
    config = load_config(benchmark_file)
    run_benchmarks(config, music, workers=1)
    (music / "mine").rename(music / "theirs")
    benchmark_file.write_text(benchmark_file.read_text().replace("path: mine", "path: theirs"))
    assert run_benchmarks(load_config(benchmark_file), music, workers=1)[0].computed == 0


def test_a_killed_run_ends_as_an_undisturbed_one(benchmark_file: Path, music: Path) -> None:
    """SIGKILL at random moments, then one run to the end; and the same without any kill."""
    quiet, killed = music / "quiet", music / "killed"
    for folder in (quiet, killed):
        folder.mkdir()
        text = benchmark_file.read_text().replace("path: corpus", f"path: {music}/corpus")
        (folder / "b.yaml").write_text(text.replace("path: mine", f"path: {music}/mine"))
    command = [sys.executable, "-m", "concours.eval.cli", "run", "b.yaml", "--no-html"]

    def start(folder: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    began = time.monotonic()
    process = start(quiet)
    process.communicate(timeout=120)
    assert process.returncode == 0
    length = time.monotonic() - began
    seed = random.Random(os.environ.get("CONCOURS_TEST_SEED", "7"))
    for _ in range(4):
        process = start(killed)
        time.sleep(length * seed.uniform(0.15, 0.95))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    process = start(killed)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert dump(killed / "concours.db") == dump(quiet / "concours.db")
    process = start(killed)
    _, said = process.communicate(timeout=120)
    assert "nothing left to compute" in said


def test_two_runs_at_once_share_the_store(benchmark_file: Path) -> None:
    command = [sys.executable, "-m", "concours.eval.cli", "run", str(benchmark_file), "--no-html"]
    both = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [p.communicate(timeout=120)[1] for p in both]
    assert [p.returncode for p in both] == [0, 0], said
    rows = report(benchmark_file)["benchmarks"][0]["rows"]  # type: ignore[index]
    assert not [r for r in rows if r["status"] == "failed"]


def test_the_same_store_gives_the_same_bytes(benchmark_file: Path) -> None:
    invoke("run", str(benchmark_file), "--quiet")
    page = benchmark_file.parent / "concours-report.html"
    for name in ("json", "md", "csv", "latex", "terminal"):
        once, again = (invoke("report", str(benchmark_file), "--format", name) for _ in range(2))
        assert once.stdout == again.stdout
        assert once.stdout
    first = page.read_bytes()
    invoke("report", str(benchmark_file), "--format", "html")
    assert page.read_bytes() == first


def test_the_plan_shows_what_is_left(benchmark_file: Path) -> None:
    store = benchmark_file.parent / "concours.db"
    before = invoke("run", str(benchmark_file), "--plan")
    assert "to compute: 25 items" in before.stdout
    assert not store.exists()
    invoke("run", str(benchmark_file), "--no-html", "--quiet")
    held = dump(store)
    after = invoke("run", str(benchmark_file), "--plan")
    assert "to compute: 0 items" in after.stdout
    (benchmark_file.parent / "mine" / "105.mid").unlink()
    fewer = invoke("run", str(benchmark_file), "--plan")
    assert "to compute: 0 items" in fewer.stdout
    assert dump(store) == held


@pytest.mark.parametrize(("budget", "code"), [("0", 1), ("1", 0), ("1%", 1), ("50%", 0)])
def test_the_failure_budget(benchmark_file: Path, budget: str, code: int) -> None:
    result = invoke("run", str(benchmark_file), "--no-html", "--max-failures", budget)
    assert result.exit_code == code


def test_names_that_do_not_exist(benchmark_file: Path) -> None:
    config, folder = load_config(benchmark_file), benchmark_file.parent
    with pytest.raises(UsageError, match="no such benchmark; there are: small"):
        run_benchmarks(config, folder, only=["smal"])
    with pytest.raises(UsageError, match="has that name already"):
        with_systems(config, {"mine": "x"})
    with pytest.raises(UsageError, match="nothing there"):
        run_benchmarks(with_systems(config, {"more": str(folder / "none")}), folder)
    with pytest.raises(UsageError, match="no complete run"):
        CliRunner().invoke(
            cli, ["report", str(benchmark_file)], catch_exceptions=False, standalone_mode=False
        )


def test_a_reference_that_cannot_be_read_stops_with_the_cause(
    benchmark_file: Path, music: Path
) -> None:
    for file in (music / "corpus").glob("*.mid"):
        file.write_bytes(b"MThd")
    with pytest.raises(UsageError, match="corpus"):
        run_benchmarks(load_config(benchmark_file), music, workers=1)


def test_a_database_that_is_none(benchmark_file: Path) -> None:
    (benchmark_file.parent / "concours.db").write_bytes(b"no database, but long enough" * 100)
    with pytest.raises(StoreError, match="not a database"):
        run_benchmarks(load_config(benchmark_file), benchmark_file.parent)


def test_a_newer_database_is_left_alone(benchmark_file: Path) -> None:
    folder = benchmark_file.parent
    run_benchmarks(load_config(benchmark_file), folder, workers=1)
    with closing(sqlite3.connect(folder / "concours.db")) as connection, connection:
        connection.execute("INSERT INTO migration VALUES (999, 'from the future')")
    with pytest.raises(StoreError, match="upgrade"):
        run_benchmarks(load_config(benchmark_file), folder)
