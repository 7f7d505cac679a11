"""``concours index build`` and ``concours index info``."""

from __future__ import annotations

from pathlib import Path

import click

from concours.eval.commands.options import quiet_option, workers_option


@click.group("index")
def command() -> None:
    """Build or describe the index of a corpus that `concours originality` searches, or the
    statistics of its sound that Fréchet distances need."""


@command.command("build")
@click.argument("reference")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
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
    help="What recordings are alike by as a whole, or what --out FILE.npz holds the statistics of; "
    "see `concours weights`.  [default: spectral-stats-v1]",
)
@click.option(
    "--layout",
    type=click.Choice(["concours", "fadtk"]),
    default="concours",
    show_default=True,
    help="Whose layout statistics have.",
)
@workers_option
@quiet_option
def build(
    reference: str,
    out: Path | None,
    views: tuple[str, ...],
    embedding: str | None,
    layout: str,
    workers: int | None,
    quiet: bool,
) -> None:
    """Index the music at REFERENCE (a folder, file, glob, or the name of a corpus).

    Notes and recordings are indexed each in their way. The index is calibrated: it stores what the
    corpus's own pieces share with each other. Prints the folder of the index; for a mixed reference
    in the cache, one for the notes and one for the recordings. With --out FILE.npz it writes the
    statistics of sound instead, which `--reference` takes in the place of the music.
    """
    from concours.eval.errors import UsageError

    if out is not None and out.suffix == ".npz":
        from concours.eval.embeddings.build import build_statistics
        from concours.eval.progress import make_progress

        build_statistics(
            reference, embedding or "spectral-stats-v1", out, layout=layout, workers=workers,
            progress=make_progress(quiet),
        )  # fmt: skip
        click.echo(str(out))
        return
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
    """Check the index in the folder INDEX, or the statistics in a file, and describe them."""
    import json

    if index.suffix == ".npz":
        from concours.eval.embeddings.statistics import read_statistics

        held = read_statistics(index)
        told = {
            "embedding": held.embedding or "unknown",
            "identity": held.identity or "unknown",
            "frames": held.stats.n if held.frames_known else None,
            "dimensions": held.stats.d,
            "bandwidth": held.bandwidth or None,
        }
        text = "\n".join(f"{k}: {'unknown' if v is None else v}" for k, v in told.items())
        click.echo(json.dumps(told, indent=2) if format_ == "json" else text)
        return

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
