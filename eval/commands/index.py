"""``concours index build`` and ``concours index info``."""

from __future__ import annotations

from pathlib import Path

import click

from concours.eval.commands.options import quiet_option


@click.group("index")
def command() -> None:
    """Build or describe the index of a corpus that `concours originality` searches."""


@command.command("build")
@click.argument("reference")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the index; one that is there is added to.  [default: the cache]",
)
@click.option(
    "--view",
    "views",
    multiple=True,
    metavar="VIEW",
    help="What passages are compared by; repeatable, the first is the main one.  "
    "[default: interval-ratio, interval-class-ratio, interval]",
)
@quiet_option
def build(reference: str, out: Path | None, views: tuple[str, ...], quiet: bool) -> None:
    """Index the music at REFERENCE (a folder, file, glob, or the name of a corpus).

    The index is calibrated: it stores what the corpus's own pieces share with each other. Prints
    the folder of the index.
    """
    from concours.eval.originality.corpus_index import DEFAULT_VIEWS
    from concours.eval.originality.reference import index_reference
    from concours.eval.progress import make_progress

    index = index_reference(reference, out, views or DEFAULT_VIEWS, make_progress(quiet))
    click.echo(str(index.folder))


@command.command("info")
@click.argument("index", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
)
def info(index: Path, format_: str) -> None:
    """Check the index in the folder INDEX and describe it."""
    import json

    from concours.eval.originality.corpus_index import open_index
    from concours.eval.originality.tables import index_dict, index_text

    opened = open_index(index)
    if format_ == "json":
        click.echo(json.dumps(index_dict(opened), indent=2, ensure_ascii=False))
    else:
        click.echo(index_text(opened), nl=False)
