"""The compile cache: where it lies, that others find it, and that numba waits for a kernel."""

import os
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from concours.metrics import compiled as compiled_module
from concours.metrics.compiled import compile_in_turn
from concours.metrics.registry import catalogue

KERNEL = """
from concours.metrics.compiled import compiled
@compiled
def twice(x: int) -> int:
    return 2 * x
"""
USE = """
import sys
import concours.metrics.registry as registry
registry.catalogue()
assert "numba" not in sys.modules, "the catalogue imports numba"
from kernels import twice
assert twice(21) == 42 == twice(21)
from numba.core.dispatcher import Dispatcher
import kernels
assert isinstance(kernels.twice, Dispatcher)
print(sum(kernels.twice.stats.cache_hits.values()), sum(kernels.twice.stats.cache_misses.values()))
"""


INSIDE_CHANGED = """
import numba.core.caching as caching
import numba.core.runtime.nrt as nrt
del nrt.rtsys
inner = caching._Cache if "_load_overload" in vars(caching._Cache) else caching.Cache
inner.renamed = inner._load_overload
del inner._load_overload
def load_overload(self, signature, target):
    target.refresh()
    return self.renamed(signature, target)
inner.load_overload = load_overload
"""
FIRST_FILE = """
import sys
from concours.eval.load import load
from concours.metrics.registry import find
from pathlib import Path
tune = b"X:1\\nM:3/4\\nL:1/4\\nK:C\\n" + b"G|c2e|d3|cde|" * 20 + b"]\\n"
piece = load(Path("tune.abc"), tune).piece
for name in sys.argv[1:]:
    find(name).function(piece)
assert "numba" in sys.modules
print([m for m in ("scipy.linalg", "concours.metrics.audio_sets") if m in sys.modules])
"""


def hits_and_misses(folder: Path, home: Path, before: str = "") -> list[int]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "XDG"))}
    environment |= {"PYTHONPATH": str(folder), "HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-B", "-c", USE.replace("from kernels", before + "from kernels", 1)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
    )
    assert done.returncode == 0, done.stderr
    return [int(n) for n in done.stdout.split()]


def test_the_cache_lies_beside_the_source_or_with_the_user_or_nowhere(tmp_path: Path) -> None:
    folder, home = tmp_path / "package", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    (folder / "kernels.py").write_text(KERNEL)
    assert hits_and_misses(folder, home) == [0, 1]
    assert hits_and_misses(folder, home) == [1, 0]
    assert list(folder.glob("__pycache__/*.nbc"))
    shutil.rmtree(folder / "__pycache__")
    (folder / "__pycache__").write_text("")  # no folder can be made there, even by root
    assert hits_and_misses(folder, home) == [0, 1]
    assert hits_and_misses(folder, home) == [1, 0]
    assert list(home.rglob("*.nbc"))
    nowhere = tmp_path / "no-home"
    nowhere.mkdir()
    (nowhere / ".cache").write_text("")
    assert hits_and_misses(folder, nowhere) == [0, 1]
    assert not list(nowhere.rglob("*.nbc"))


def test_a_kernel_is_compiled_again_when_one_changes_that_it_calls_in_another_file(tmp_path):
    folder, home = tmp_path / "package", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    (folder / "deepest.py").write_text(KERNEL)
    middle = "from deepest import twice\n" + KERNEL.replace("def twice", "def four_times")
    (folder / "middle.py").write_text(middle.replace("2 * x", "twice(twice(x))"))
    calls = KERNEL.replace("return 2 * x", "return four_times(x) // 2")
    (folder / "kernels.py").write_text("from middle import four_times\n" + calls)
    assert hits_and_misses(folder, home) == [0, 1]
    assert hits_and_misses(folder, home) == [1, 0]
    (folder / "deepest.py").write_text(KERNEL.replace("2 * x", "x + x"))
    assert hits_and_misses(folder, home) == [0, 1]
    assert hits_and_misses(folder, home) == [1, 0]


CALLED_IN_A_KERNEL = """
import kernels, middle
from numba.core.dispatcher import Dispatcher
assert kernels.twice(21) == 42
cached = sum(kernels.twice.stats.cache_hits.values())
assert isinstance(kernels.four_times, Dispatcher) == (not cached)
assert middle.four_times(3) == kernels.four_times(3) == 12
print(cached)
"""


def test_a_kernel_in_the_cache_readies_none_that_it_calls_and_python_can_call_them(tmp_path):
    (tmp_path / "middle.py").write_text(
        KERNEL.replace("def twice", "def four_times").replace("2 * x", "4 * x")
    )
    calls = KERNEL.replace("return 2 * x", "return four_times(x) // 2")
    (tmp_path / "kernels.py").write_text("from middle import four_times\n" + calls)
    found = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-B", "-c", CALLED_IN_A_KERNEL],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found.append(int(done.stdout))
    assert found == [0, 1]


def test_only_what_is_not_in_the_cache_waits_for_its_turn(tmp_path: Path, monkeypatch) -> None:
    taken = []

    class Turn(AbstractContextManager[None]):
        def __enter__(self) -> None:
            taken.append("in")

        def __exit__(self, *error: object) -> None:
            taken.append("out")

    monkeypatch.setattr(compiled_module, "_turn", list(compiled_module._turn))
    compile_in_turn(Turn())
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "first_kernels.py").write_text(KERNEL)
    from first_kernels import twice  # type: ignore[import-not-found]

    assert twice(2) == 4
    assert taken == ["in", "out"]
    assert twice(3) == 6
    assert taken == ["in", "out"]


def test_the_cache_serves_a_numba_whose_inner_parts_have_other_names(tmp_path: Path) -> None:
    folder, home = tmp_path / "package", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    (folder / "kernels.py").write_text(KERNEL)
    assert hits_and_misses(folder, home, INSIDE_CHANGED) == [0, 1]
    assert hits_and_misses(folder, home, INSIDE_CHANGED) == [1, 0]
    assert hits_and_misses(folder, home) == [1, 0]


def test_a_first_file_of_notes_imports_no_linear_algebra_and_nothing_of_sound() -> None:
    names = [s.name for s in catalogue().values() if s.level == "clip" and s.inputs == "symbolic"]
    for _ in ("fills the compile cache", "finds it"):
        done = subprocess.run(
            [sys.executable, "-c", FIRST_FILE, *names], capture_output=True, text=True, check=True
        )
    assert done.stdout.strip() == "[]"
