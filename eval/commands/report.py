"""``concours report``."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from concours.eval.commands.options import audio_option, config_argument, config_path

FORMATS = ["terminal", "html", "md", "csv", "json", "latex"]


@click.command("report")
@config_argument
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="terminal", show_default=True
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file.  [default: standard output; HTML: concours-report.html]",
)
@click.option("--only", multiple=True, metavar="NAME", help="This benchmark only (repeatable).")
@click.option(
    "--run",
    "run_prefixes",
    multiple=True,
    metavar="ID",
    help="This run, by the first digits of its id; several of one benchmark share a table.",
)
@audio_option("embed")
@click.option(
    "--originality",
    "originality",
    multiple=True,
    metavar="SYSTEM=FILE",
    help="Link a system to its originality report (repeatable; HTML only).",
)
def command(
    file: Path | None,
    format_: str,
    out: Path | None,
    only: tuple[str, ...],
    run_prefixes: tuple[str, ...],
    audio: str,
    originality: tuple[str, ...],
) -> None:
    """Print or write the leaderboard of the latest complete run of FILE's benchmarks.

    FILE is the config that was run, ./benchmarks.yaml by default. The same store gives the same
    bytes. HTML is one file that needs no network; it goes to --out or concours-report.html.
    """
    from concours.eval.commands.options import sound_keeper
    from concours.eval.commands.run import REPORT_NAME
    from concours.eval.config import load_config
    from concours.eval.report import Format, render
    from concours.eval.report.gather import gather, gather_together
    from concours.eval.report.leaderboard import show
    from concours.eval.report.sources import pieces, sounds
    from concours.eval.run import select
    from concours.eval.store import open_store, runs

    path, folder = config_path(file)
    config = load_config(path)
    links = _links(originality)
    with open_store(config.store, folder) as store:
        if run_prefixes:
            found = list(dict.fromkeys(runs.find_run(store, prefix) for prefix in run_prefixes))
            report = gather_together(store, found)
        else:
            report = gather(store, select(config, only))
    if format_ == "terminal" and out is None:
        show(report)
        return
    if out is None and format_ == "html":
        out = folder / REPORT_NAME
    if format_ == "html":
        assert out is not None
        sound = sound_keeper(audio, out.with_name(f"{out.stem}-audio"), out.parent)
        text = render(report, "html", pieces=pieces, sounds=sounds, audio=sound, originality=links)
    else:
        text = render(report, cast(Format, format_))
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(f"wrote {out}", err=True)


def _links(given: tuple[str, ...]) -> dict[str, str]:
    """Addresses of originality reports by system."""
    from concours.eval.errors import UsageError

    found = {}
    for text in given:
        system, equals, file = text.rpartition("=")
        if not equals or not system or not file:
            raise UsageError(f"--originality {text}: write SYSTEM=FILE")
        found[system] = file
    return found
