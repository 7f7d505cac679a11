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
@click.option(
    "--embedding",
    metavar="NAME",
    help="What recordings are alike by as a whole; see `concours weights`.  "
    "[default: spectral-stats-v1]",
)
@quiet_option
def build(
    reference: str,
    out: Path | None,
    views: tuple[str, ...],
    embedding: str | None,
    quiet: bool,
) -> None:
    """Index the music at REFERENCE (a folder, file, glob, or the name of a corpus).

    Notes and recordings are indexed each in their way. The index is calibrated: it stores what the
    corpus's own pieces share with each other. Prints the folder of the index; for a mixed reference
    in the cache, one for the notes and one for the recordings.
    """
    from concours.eval.errors import UsageError
    from concours.eval.originality.corpus_index import DEFAULT_VIEWS
    from concours.eval.originality.systems import open_reference
    from concours.eval.progress import make_progress

    progress = make_progress(quiet)
    opened = open_reference(reference, out, views or DEFAULT_VIEWS, progress, embedding)
    if opened.vectors is not None:
        raise UsageError(f"{reference}: .npy files need no index; compare them as they are")
    folders = [i.folder for i in (opened.notes, opened.sound) if i is not None]
    for folder in folders if out is None else [out]:
        click.echo(str(folder))


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

    from concours.eval.originality.sound_tables import sound_index_dict, sound_index_text
    from concours.eval.originality.systems import open_indexes
    from concours.eval.originality.tables import index_dict, index_text

    notes, sound = open_indexes(index)
    if format_ == "json":
        found = index_dict(notes) if notes is not None else {}
        if sound is not None:
            found = {**found, "audio": sound_index_dict(sound)}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    texts = [index_text(notes)] if notes is not None else []
    texts += [sound_index_text(sound)] if sound is not None else []
    click.echo("\n".join(texts), nl=False)
