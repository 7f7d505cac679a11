"""``concours publish``."""

from __future__ import annotations

import re
from pathlib import Path

import click

from concours.eval.commands.options import audio_option, config_argument, config_path


@click.command("publish")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@config_argument
@click.option("--only", multiple=True, metavar="NAME", help="This benchmark only (repeatable).")
@click.option("--title", default="Concours", show_default=True, help="Heading of the front page.")
@audio_option("beside")
def command(
    directory: Path, file: Path | None, only: tuple[str, ...], title: str, audio: str
) -> None:
    """Write a static site of all complete runs of FILE's benchmarks to DIR.

    The front page shows the history of every system; each run has its full report, JSON and CSV.
    The same store gives the same files. Other files in DIR stay as they are.
    """
    from concours.eval.commands.options import sound_keeper
    from concours.eval.config import load_config
    from concours.eval.errors import UsageError
    from concours.eval.report.gather import gather_runs
    from concours.eval.report.site import Edition, site
    from concours.eval.report.sources import pieces, sounds
    from concours.eval.report.wording import counted
    from concours.eval.run import select
    from concours.eval.store import open_store
    from concours.eval.store.history import complete_runs

    path, folder = config_path(file)
    config = load_config(path)
    names = select(config, only)
    with open_store(config.store, folder) as store:
        runs = [run for name in names for run in complete_runs(store, name)]
        if not runs:
            raise UsageError("the store holds no complete run of these benchmarks: concours run")
        runs.sort(key=lambda run: run.completed)
        editions = [
            Edition(
                f"{_folder(run.benchmark)}-{run.id[:12]}",
                f"{run.benchmark}, {run.completed[:16].replace('T', ' ')}",
                gather_runs(store, [run.id]),
            )
            for run in runs
        ]
    sound = sound_keeper(audio, directory / "audio", directory)
    files = site(editions, title=title, pieces=pieces, sounds=sounds, audio=sound)
    for name, text in files.items():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    click.echo(f"wrote {directory / 'index.html'}: {counted(len(editions), 'run')}", err=True)


def _folder(benchmark: str) -> str:
    """A name for a folder: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", benchmark.lower()).strip("-")[:60] or "run"
