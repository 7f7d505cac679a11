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
@click.option(
    "--embedding",
    metavar="NAME",
    help="What recordings are alike by as a whole; see `concours weights`.  "
    "[default: spectral-stats-v1, or the index's]",
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
    embedding: str | None,
    quiet: bool,
) -> None:
    """Show which passages of the music at SYSTEM stand in REFERENCE, and where.

    Notes are held against the reference's notes, recordings against its recordings. Embeddings of
    your own are compared as .npy files (a row an item) on both sides.

    Each item's longest shared passage is placed among what the reference's own pieces share with
    each other. Several SYSTEMs (checkpoints, say, also as a pattern in quotes) are reported one
    after the other, under a table with a row for each. The first call indexes REFERENCE and keeps
    the index in the cache.
    """
    from concours.eval.originality.checkpoints import systems_of
    from concours.eval.originality.corpus_index import DEFAULT_VIEWS
    from concours.eval.originality.reference import other_corpus
    from concours.eval.originality.report import Search
    from concours.eval.originality.systems import open_reference, render_systems, system_report
    from concours.eval.progress import make_progress

    progress = make_progress(quiet)
    reference = open_reference(against, None, DEFAULT_VIEWS, progress, embedding)
    search = compared = None
    if reference.notes is not None:
        search = Search(reference.notes, cardinality=cardinality)
        compared = other_corpus(other, against, reference.notes)
    found = [
        system_report(s, reference, progress, search=search, prompts=prompts, other=compared)
        for s in systems_of(systems)
    ]
    text = render_systems(found, format_)
    if out is None and format_ == "html":
        out = Path("concours-originality.html")
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        progress.say(f"Report: {out.absolute()}")
