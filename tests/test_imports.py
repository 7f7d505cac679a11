"""The import rules: listening_test → eval → metrics, heavy packages behind their own doors."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("metrics", "eval", "listening_test")
DOORS = {
    "streamlit": ("listening_test",),
    "sqlalchemy": ("eval/store",),
    "torch": ("metrics/embeddings", "eval/embeddings", "eval/weights"),
    "transformers": ("metrics/embeddings", "eval/embeddings", "eval/weights"),
    "onnxruntime": ("metrics/embeddings", "eval/embeddings", "eval/weights"),
    "ray": ("eval/execute.py",),
    "muspy": ("eval/load",),
    "music21": ("eval/load",),
}
READING = ("open", "pathlib", "logging", "io", "os", "shutil", "socket", "subprocess")
HEAVY = (
    "numpy", "numba", "scipy", "sqlalchemy", "symusic", "muspy", "librosa", "streamlit", "pandas",
    "torch", "rich", "pydantic", "jinja2",
)  # fmt: skip


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


SOURCES = dict(_sources())


@pytest.mark.parametrize("path", SOURCES)
def test_imports_run_one_way(path: str) -> None:
    floor = FLOORS.index(path.split("/", 1)[0])
    for name in _imports(SOURCES[path]):
        parts = name.split(".")
        if parts[0] == "concours" and len(parts) > 1:
            assert FLOORS.index(parts[1]) <= floor, f"{path} imports {name}, a floor above it"
        assert parts[0] not in FLOORS, f"{path} imports {name}: write concours.{name}"


@pytest.mark.parametrize("path", SOURCES)
def test_heavy_packages_stay_behind_their_doors(path: str) -> None:
    for name in _imports(SOURCES[path]):
        for door in DOORS.get(name.split(".", maxsplit=1)[0], (path,)):
            if path.startswith(door):
                break
        else:
            pytest.fail(f"{path} imports {name}, which belongs in {DOORS[name.split('.')[0]]}")


@pytest.mark.parametrize("path", [p for p in SOURCES if p.startswith("metrics/")])
def test_metrics_read_no_file_and_write_no_log(path: str) -> None:
    names = set(_imports(SOURCES[path]))
    assert not names & set(READING), path
    calls = {n.func.id for n in ast.walk(SOURCES[path])
             if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}  # fmt: skip
    assert not calls & {"open", "print"}, path


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom concours.eval.cli import cli\n"
        "cli(['--help'], standalone_mode=False)\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "run" in done.stdout
