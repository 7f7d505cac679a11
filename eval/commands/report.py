"""``concours report``."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from concours.eval.commands.options import config_argument, config_path

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
def command(file: Path | None, format_: str, out: Path | None, only: tuple[str, ...]) -> None:
    """Print or write the leaderboard of the latest complete run of FILE's benchmarks.

    FILE is the config that was run, ./benchmarks.yaml by default. The same store gives the same
    bytes. HTML is one file that needs no network; it goes to --out or concours-report.html.
    """
    from concours.eval.commands.run import REPORT_NAME
    from concours.eval.config import load_config
    from concours.eval.report import Format, render
    from concours.eval.report.gather import gather, pieces
    from concours.eval.report.leaderboard import show
    from concours.eval.run import select
    from concours.eval.store import open_store

    path, folder = config_path(file)
    config = load_config(path)
    with open_store(config.store, folder) as store:
        report = gather(store, select(config, only))
    if format_ == "terminal" and out is None:
        show(report)
        return
    text = render(report, cast(Format, format_), pieces=pieces if format_ == "html" else None)
    if out is None and format_ == "html":
        out = folder / REPORT_NAME
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(f"wrote {out}", err=True)
