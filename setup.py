"""Maps the three root folders into one import namespace; everything else is in pyproject.toml."""

from pathlib import Path
from shutil import copyfile

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOTS = ("eval", "metrics", "listening_test")


class BuildWithDefaultBenchmark(build_py):
    """Puts benchmarks.yaml inside the wheel, so that `concours run` works outside a clone."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, "concours", "eval", "benchmarks.yaml")
            copyfile("benchmarks.yaml", target)


setup(
    packages=[f"concours.{p}" for r in ROOTS for p in [r, *(f"{r}.{s}" for s in find_packages(r))]],
    package_dir={f"concours.{r}": r for r in ROOTS},
    cmdclass={"build_py": BuildWithDefaultBenchmark},
)
