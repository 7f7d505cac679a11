"""``concours compare``: planted differences, pairing on prompts, refusals, exit codes."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from concours.eval.cli import cli
from concours.eval.compare import Side, compare_sides, refusal
from concours.eval.stats.clustered import score_difference
from concours.eval.store.reports import StoredItem, StoredMeasure, StoredRun, StoredScore
from concours.metrics.spec import Undefined


def stored(
    values: dict[str, list[float]], *, prompts: bool = False, version: int = 1, content: str = "x"
) -> StoredRun:
    """A run of clip scores under pitch_range, as the store returns it."""
    items = tuple(
        StoredItem(s, i, f"{i}.mid", "", f"{s}{i}", "ok", "", (), f"p{i}" if prompts else "")
        for s, v in values.items()
        for i in range(len(v))
    )
    scores = {
        (s, i, "pitch_range"): StoredScore(x, "ok", "", {})
        for s, v in values.items()
        for i, x in enumerate(v)
    }
    manifest = {"contents": {"corpus": {"hash": content}}, "run": f"run{version}{content}"}
    systems = tuple((s, False, "", {}) for s in values)
    measure = StoredMeasure("pitch_range", "pitch_range", version, "{}")
    return StoredRun("b", "corpus", manifest, systems, items, (measure,), scores, {})


def pair(run: StoredRun) -> tuple[Side, Side]:
    return Side("m", run), Side("n", run)


def test_prompts_pair_the_items_and_sharpen_the_test() -> None:
    rng = np.random.default_rng(0)
    base = 40 + 10 * rng.normal(size=30)
    values = {"m": base.tolist(), "n": (base + 1 + 0.5 * rng.normal(size=30)).tolist()}
    (paired,) = compare_sides(*pair(stored(values, prompts=True))).rows
    (apart,) = compare_sides(*pair(stored(values))).rows
    assert paired.method == "paired on 30 prompts"
    assert paired.p < 0.01
    assert apart.p > 0.3
    assert paired.delta == pytest.approx(apart.delta)


def test_many_items_of_one_prompt_count_once() -> None:
    rng = np.random.default_rng(1)
    mood = np.repeat(rng.normal(size=6), 20)
    names = np.repeat([f"a{k}" for k in range(6)], 20)
    others = np.repeat([f"b{k}" for k in range(6)], 20)
    again = np.repeat(rng.normal(size=6), 20)
    clustered = score_difference(mood, names, again, others)
    each = np.arange(120).astype(str)
    naive = score_difference(mood, np.char.add("a", each), again, np.char.add("b", each))
    assert clustered.n_first == 6
    assert clustered.ci_high - clustered.ci_low > 3 * (naive.ci_high - naive.ci_low)


def test_one_item_has_no_test() -> None:
    one = score_difference(np.ones(1), np.array(["x"]), np.ones(5), np.arange(5).astype(str))
    assert isinstance(one, Undefined)


def test_versions_parameters_and_references_are_not_mixed() -> None:
    old = stored({"m": [1.0, 2, 3]})
    a = Side("m", old)
    assert refusal("pitch_range", a, a, to_reference=True) == ""
    newer = Side("m", stored({"m": [1.0, 2, 3]}, version=2))
    assert "version 1 for m and 2 for m" in refusal("pitch_range", a, newer, to_reference=False)
    moved = Side(
        "m", replace(old, measures=(StoredMeasure("pitch_range", "pitch_range", 1, "{1}"),))
    )
    assert "parameters {} and {1}" in refusal("pitch_range", a, moved, to_reference=False)
    other = Side("m", stored({"m": [1.0, 2, 3]}, content="y"))
    assert "another content" in refusal("pitch_range", a, other, to_reference=True)
    assert refusal("pitch_range", a, other, to_reference=False) == ""
    (row,) = compare_sides(a, newer).rows
    assert row.delta is None
    assert "version" in row.reason


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def ran(tmp_path: Path, more_music: Callable[[Path, range], Path]) -> Path:
    for name, seeds in (("corpus", range(8)), ("m", range(20, 28)), ("n", range(40, 48))):
        more_music(tmp_path / name, seeds)
    file = tmp_path / "b.yaml"
    file.write_text(
        "references: {corpus: {path: corpus}}\n"
        "systems: {m: {path: m}, n: {path: n}}\n"
        "benchmarks: {b: {reference: corpus, systems: [m, n],\n"
        "  metrics: [pitch_range, pitch_entropy, frechet_distance], resamples: 100}}\n",
        encoding="utf-8",
    )
    assert invoke("run", str(file), "--workers", "1", "--no-html", "--quiet").exit_code == 0
    return file


def test_the_command_compares_and_gates(ran: Path) -> None:
    table = invoke("compare", "m", "n", "--config", str(ran))
    assert table.exit_code == 0
    assert "pitch_entropy" in table.stdout
    found = json.loads(invoke("compare", "m", "n", "--config", str(ran), "--format", "json").stdout)
    row = next(r for r in found["rows"] if r["metric"] == "pitch_range")
    assert row["delta"] == pytest.approx(row["b"] - row["a"])
    gates = {
        f"pitch_range.delta > {row['delta'] - 1}": 1,
        f"pitch_range.delta > {row['delta'] + 1}": 0,
        "pitch_range.delta >": 2,
        "no_such.delta > 1": 2,
    }
    for gate, code in gates.items():
        run = invoke("compare", "m", "n", "--config", str(ran), "--fail-if", gate)
        expected = 1 if code else 0
        assert run.exit_code == expected, gate
        assert ("--fail-if" in str(run.exception)) == (code == 2)


def test_a_run_can_be_named_and_an_unknown_system_is_told(ran: Path) -> None:

    with closing(sqlite3.connect(ran.parent / "concours.db")) as connection, connection:
        (run,) = connection.execute("SELECT id FROM run").fetchone()
    same = invoke("compare", f"m@{run[:8]}", "m", "--config", str(ran), "--format", "json")
    rows = json.loads(same.stdout)["rows"]
    assert {r["delta"] for r in rows if r["delta"] is not None} == {0.0}
    assert "the systems are corpus, m, n" in str(
        invoke("compare", "m", "o", "--config", str(ran)).exception
    )
    assert "no complete run's id" in str(
        invoke("compare", "m@zz", "n", "--config", str(ran)).exception
    )
