"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def config_argument(function: F) -> F:
    return click.argument("file", required=False, type=click.Path(path_type=Path))(function)


def config_path(file: Path | None) -> tuple[Path, Path]:
    """The config file and the folder its relative paths start at.

    Without a file it is ./benchmarks.yaml; where there is none, the default benchmark that comes
    with the package, whose results then stay in the current folder.
    """
    if file is not None:
        return file, file.absolute().parent
    here = Path("benchmarks.yaml")
    if here.exists():
        return here, Path().absolute()
    return default_benchmark(), Path().absolute()


def default_benchmark() -> Path:
    """The benchmarks.yaml that comes along: inside the wheel, or at the root of a clone."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "benchmarks.yaml"
    return installed if installed.exists() else package.parent / "benchmarks.yaml"


workers_option = click.option(
    "--workers", type=click.IntRange(min=1), help="Worker processes.  [default: all processors]"
)
quiet_option = click.option("--quiet", is_flag=True, help="No progress on standard error.")
