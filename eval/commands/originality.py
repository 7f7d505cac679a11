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
    embedding: str | None,
    quiet: bool,
) -> None:
    """Show which passages of the music at SYSTEM stand in REFERENCE, and where.

    Notes are held against the reference's notes, recordings against its recordings. Embeddings of
    your own are compared as .npy files (a row an item) on both sides.

    Each item's longest shared passage is placed among what the reference's own pieces share with
    each other. Several SYSTEMs (checkpoints, say) are reported one after the other; in JSON they
    are then a list. The first call indexes REFERENCE and keeps the index in the cache.
    """
    from concours.eval.originality.corpus_index import DEFAULT_VIEWS
    from concours.eval.originality.systems import open_reference, render_systems, system_report
    from concours.eval.progress import make_progress

    progress = make_progress(quiet)
    reference = open_reference(against, None, DEFAULT_VIEWS, progress, embedding)
    found = [system_report(s, reference, progress) for s in systems]
    text = render_systems(found, format_)
    if out is None and format_ == "html":
        out = Path("concours-originality.html")
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        progress.say(f"Report: {out.absolute()}")
