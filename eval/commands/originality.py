"""``concours originality``."""

from __future__ import annotations

from pathlib import Path

import click

from concours.eval.commands.options import quiet_option


@click.command("originality")
@click.argument("systems", nargs=-1, required=True, metavar="SYSTEM…")
@click.option(
    "--against",
    required=True,
    metavar="REFERENCE",
    help="The index of a corpus, or its music: a folder, file, glob, or the name of a corpus.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "html"]),
    default="table",
    show_default=True,
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file; HTML goes to concours-originality.html without it.",
)
@click.option(
    "--prompts",
    type=click.Path(path_type=Path, exists=True),
    help="What the items continue: a folder of files named like them, or a table (CSV) with the "
    "columns path, prompt. Shows what is copied from there.",
)
@click.option(
    "--other",
    metavar="CORPUS",
    help="Music of another kind, for comparison: a folder, file, glob, or the name of a corpus.  "
    "[default: bach-chorales, unless REFERENCE is that]",
)
@click.option(
    "--cardinality/--no-cardinality",
    default=True,
    show_default=True,
    help="Compare sets of points too; takes longest of all searches.",
)
@quiet_option
def command(
    systems: tuple[str, ...],
    against: str,
    format_: str,
    out: Path | None,
    prompts: Path | None,
    other: str | None,
    cardinality: bool,
    quiet: bool,
) -> None:
    """Show which passages of the music at SYSTEM stand in REFERENCE, and where.

    Each item's longest shared passage is placed among what the reference's own pieces share with
    each other. Several SYSTEMs (checkpoints, say, also as a pattern in quotes) are reported one
    after the other, under a table with a row for each. The first call indexes REFERENCE and keeps
    the index in the cache.
    """
    from concours.eval.items import find_items
    from concours.eval.originality.checkpoints import systems_of
    from concours.eval.originality.corpus_index import DEFAULT_VIEWS
    from concours.eval.originality.prompts import find_prompts
    from concours.eval.originality.reference import index_reference, other_corpus
    from concours.eval.originality.report import Search, originality_report
    from concours.eval.originality.tables import render
    from concours.eval.progress import make_progress

    progress = make_progress(quiet)
    index = index_reference(against, None, DEFAULT_VIEWS, progress)
    compared = other_corpus(other, against, index)
    search = Search(index, cardinality=cardinality)
    reports = []
    for system in systems_of(systems):
        items = find_items(system)
        of = None if prompts is None else find_prompts(prompts, items)
        tracked = progress.track(items, len(items), system)
        report = originality_report(tracked, search, prompts=of, other_corpus=compared)
        reports.append((system, report))
    text = render(reports, format_)
    if out is None and format_ == "html":
        out = Path("concours-originality.html")
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        progress.say(f"Report: {out.absolute()}")
