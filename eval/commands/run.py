"""``concours run``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from concours.eval.commands.options import (
    config_argument,
    config_path,
    quiet_option,
    workers_option,
)

REPORT_NAME = "concours-report.html"


@click.command("run")
@config_argument
@click.option("--plan", "plan_only", is_flag=True, help="Show what would be computed, and stop.")
@click.option("--only", multiple=True, metavar="NAME", help="Run this benchmark only (repeatable).")
@click.option(
    "--system",
    "systems",
    multiple=True,
    metavar="NAME=FOLDER",
    help="Add a folder as a system to every benchmark (repeatable).",
)
@click.option("--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True)
@workers_option
@click.option(
    "--max-failures",
    metavar="N|N%",
    help="Exit with 1 where more items could not be read.  [default: no limit]",
)
@click.option("--no-html", is_flag=True, help=f"Don't write {REPORT_NAME}.")
@quiet_option
def command(
    file: Path | None,
    plan_only: bool,
    only: tuple[str, ...],
    systems: tuple[str, ...],
    executor: str,
    workers: int | None,
    max_failures: str | None,
    no_html: bool,
    quiet: bool,
) -> None:
    """Run the benchmarks of FILE, or take up where an earlier run stopped.

    FILE is ./benchmarks.yaml by default; where there is none, the default benchmark that comes
    with Concours: baselines against Bach's chorales. Scores already in the store are never
    computed again. Prints the leaderboard and writes an HTML report beside FILE.
    """
    from concours.eval.config import load_config
    from concours.eval.progress import make_progress
    from concours.eval.run import plan_benchmarks, run_benchmarks, with_systems

    limit = _budget(max_failures)
    path, folder = config_path(file)
    config = with_systems(load_config(path), _folders(systems))
    if plan_only:
        for planned in plan_benchmarks(config, folder, only=only):
            plan = planned.plan
            click.echo(f"{plan.benchmark}: run {plan.run_id}")
            for system in plan.systems:
                role = "reference" if system.is_reference else "system"
                click.echo(f"  {role:9} {system.name}: {len(system.items)} items, {system.source}")
            click.echo(f"  metrics   {', '.join(r.key for r in plan.requests)}")
            click.echo(f"  to compute: {planned.to_compute} items")
        return
    progress = make_progress(quiet)
    results = run_benchmarks(
        config, folder, only=only, workers=workers, executor=executor, progress=progress
    )
    names = [r.benchmark for r in results]
    _show(config.store, folder, names, html=not no_html)
    exceeded = False
    for result in results:
        note = f"{result.computed} computed" if result.computed else "nothing left to compute"
        progress.say(f"{result.benchmark}: {result.items} items, {result.failed} failed, {note}")
        if limit is not None and limit(result.failed, result.items):
            exceeded = True
            click.echo(
                f"Error: {result.benchmark}: {result.failed} of {result.items} items failed, "
                f"more than --max-failures {max_failures}",
                err=True,
            )
    if exceeded:
        sys.exit(1)


def _show(store_url: str, folder: Path, names: list[str], *, html: bool) -> None:
    from concours.eval.report import render
    from concours.eval.report.gather import gather
    from concours.eval.report.leaderboard import show
    from concours.eval.report.sources import pieces, sounds
    from concours.eval.store import open_store

    with open_store(store_url, folder) as store:
        report = gather(store, names)
    show(report)
    if html:
        target = folder / REPORT_NAME
        target.write_text(render(report, "html", pieces=pieces, sounds=sounds), encoding="utf-8")
        click.echo(f"\nReport: {target}")


def _folders(systems: tuple[str, ...]) -> dict[str, str]:
    from concours.eval.errors import UsageError

    found = {}
    for text in systems:
        name, equals, folder = text.partition("=")
        if not equals or not name or not folder:
            raise UsageError(f"--system {text}: write NAME=FOLDER")
        found[name] = folder
    return found


def _budget(text: str | None) -> Callable[[int, int], bool] | None:
    """Whether so many failures of so many items are too many; None without a limit."""
    from concours.eval.errors import UsageError

    if text is None:
        return None
    try:
        limit = float(text.removesuffix("%"))
    except ValueError as error:
        raise UsageError(f"--max-failures {text}: write a number or a percentage") from error
    share = text.endswith("%")
    return lambda failed, items: failed > (limit * items / 100 if share else limit)
