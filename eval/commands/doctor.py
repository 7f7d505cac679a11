"""``concours doctor``."""

from __future__ import annotations

import sys

import click


@click.command("doctor")
def command() -> None:
    """Check the installation: versions, readers, soundfont, chorales, cache, database, tools.

    Exits with 1 where something that Concours needs does not work.
    """
    from concours.eval.doctor import examine

    bad = 0
    for check in examine():
        mark = {"ok": "ok  ", "missing": "-   ", "broken": "FAIL"}[check.state]
        click.echo(f"{mark}  {check.name}: {check.found}")
        bad += check.state == "broken"
    if bad:
        click.echo(f"{bad} of the checks failed", err=True)
        sys.exit(1)
