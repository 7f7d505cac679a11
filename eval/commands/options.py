"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

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


def audio_option(default: str) -> Callable[[F], F]:
    """``--audio embed|beside|none``."""
    return click.option(
        "--audio",
        type=click.Choice(["embed", "beside", "none"]),
        default=default,
        show_default=True,
        help="Sound inside the page (5 MB in all), in a folder beside it, or none.",
    )


def sound_keeper(
    audio: str, place: Path, page_folder: Path
) -> bool | Callable[[str, Callable[[], bytes]], str]:
    """What a page takes for ``--audio``: whether to embed sound, or who keeps it in ``place``.

    A file that is there already is not made again: its name stands for its content.
    """
    if audio != "beside":
        return audio == "embed"

    def keep(name: str, make: Callable[[], bytes]) -> str:
        target = place / name
        if not target.exists():
            place.mkdir(parents=True, exist_ok=True)
            part = target.with_suffix(".part")
            part.write_bytes(make())
            part.replace(target)
        return quote(target.relative_to(page_folder).as_posix())

    return keep


workers_option = click.option(
    "--workers", type=click.IntRange(min=1), help="Worker processes.  [default: all processors]"
)
quiet_option = click.option("--quiet", is_flag=True, help="No progress on standard error.")
