"""``concours weights``."""

from __future__ import annotations

from pathlib import Path

import click

NAME = click.argument("name")


@click.group("weights")
def command() -> None:
    """Checkpoints of embeddings: where they lie, whether they are right, how to get them.

    Concours downloads nothing by itself. The folder is $CONCOURS_WEIGHTS, or "weights" in your
    data folder.
    """


@command.command("list")
def list_() -> None:
    """List every checkpoint: there or not, size, licence, hash, place, and how to get it.

    A size with "about" is an estimate of ours; the others are what the checkpoint's page says.
    """
    from concours.eval.weights import CHECKPOINTS, place_of, recorded

    for name, checkpoint in CHECKPOINTS.items():
        place = place_of(name)
        mark = "there  " if place.exists() else "missing"
        used = f"embedding {checkpoint.embedding}" if checkpoint.embedding else "for CLAP's prompts"
        click.echo(f"{mark}  {name}: {used}, {checkpoint.size}, {checkpoint.licence}")
        click.echo(f"         {place}")
        held = recorded(name) if place.exists() else None
        click.echo(f"         {f'sha256 {held}, when added' if held else checkpoint.hash_known}")
        for needed in checkpoint.needs:
            click.echo(f"         prompts need {needed} too")
        if not place.exists():
            click.echo(f"         {checkpoint.command}")


@command.command("path")
@NAME
def path(name: str) -> None:
    """Print where a checkpoint must lie."""
    from concours.eval.weights import place_of

    click.echo(place_of(name))


@command.command("add")
@NAME
@click.argument("source", type=click.Path(path_type=Path))
def add(name: str, source: Path) -> None:
    """Copy a checkpoint (a file or a folder) to its place, and record its hash."""
    from concours.eval.weights import add as add_checkpoint

    click.echo(add_checkpoint(name, source))


@command.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def verify(names: tuple[str, ...]) -> None:
    """Check the hashes of checkpoints (all that are there, by default). Exits with 2 on a fault."""
    from concours.eval.weights import CHECKPOINTS, place_of
    from concours.eval.weights import verify as verify_checkpoint

    for name in names or [n for n in CHECKPOINTS if place_of(n).exists()]:
        click.echo(f"{verify_checkpoint(name)}  {name}")


@command.command("export")
@click.argument("kind", type=click.Choice(["clap"]))
@click.option("--to", "format_", type=click.Choice(["onnx"]), required=True)
@click.option("--checkpoint", default="", help="A checkpoint's name, or a .pt file.")
@click.option(
    "--out", type=click.Path(path_type=Path), default="clap.onnx", show_default=True,
    help="The file to write.",
)  # fmt: skip
def export(kind: str, format_: str, checkpoint: str, out: Path) -> None:  # noqa: ARG001
    """Convert CLAP's audio tower once, so that later runs need no torch.

    Use the result as the embedding onnx:PATH.
    """
    from concours.eval.embeddings.onnx_file import export_clap

    click.echo(export_clap(checkpoint, out))
