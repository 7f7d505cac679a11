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
    help="Write the statistics of this embedding's frames to the file --out (.npz) instead; "
    "`--reference` takes it in the place of the music.",
)
@click.option(
    "--layout",
    type=click.Choice(["concours", "fadtk"]),
    default="concours",
    show_default=True,
    help="Whose layout the statistics have.",
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

    The index is calibrated: it stores what the corpus's own pieces share with each other. Prints
    the folder of the index. With --embedding, writes statistics of sound, and prints their file.
    """
    if embedding is not None:
        from concours.eval.embeddings.build import build_statistics
        from concours.eval.errors import UsageError
        from concours.eval.progress import make_progress

        if out is None or out.suffix != ".npz":
            raise UsageError("--embedding writes a file: add --out FILE.npz")
        build_statistics(
            reference, embedding, out, layout=layout, workers=workers,
            progress=make_progress(quiet),
        )  # fmt: skip
        click.echo(str(out))
        return
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

    from concours.eval.originality.corpus_index import open_index
    from concours.eval.originality.tables import index_dict, index_text

    opened = open_index(index)
    if format_ == "json":
        click.echo(json.dumps(index_dict(opened), indent=2, ensure_ascii=False))
    else:
        click.echo(index_text(opened), nl=False)
