"""``concours trust``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("trust")
@click.argument("benchmark")
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="The benchmarks.yaml that was run.  [default: ./benchmarks.yaml]",
)
@click.option(
    "--items",
    type=click.IntRange(min=8),
    default=24,
    show_default=True,
    help="Pieces of the reference on the ladder; half of them are degraded.",
)
@click.option(
    "--ratings",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Listeners' ratings of the systems' items.  [default: those of studies in the store]",
)
@click.option(
    "--format", "format_", type=click.Choice(["md", "json"]), default="md", show_default=True
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the resamples.")
def command(
    benchmark: str, file: Path | None, items: int, ratings: Path | None, format_: str, seed: int
) -> None:  # fmt: skip
    """Say how far each metric of BENCHMARK's latest run can be trusted.

    Does it order a ladder of degradations, keep still under transposition or gain where it should,
    rank the systems alike on halves of their items, tell them apart, follow listeners? The cards
    go into the store too, and the report prints their verdicts beside the columns.
    """
    import json

    from concours.eval.commands.options import config_path
    from concours.eval.config import load_config
    from concours.eval.ratings_import.read import read_ratings
    from concours.eval.run import select
    from concours.eval.store import open_store
    from concours.eval.store.trust import write_cards
    from concours.eval.trust.card_text import card_data, cards_text
    from concours.eval.trust.of_run import trust_cards

    path, folder = config_path(file)
    config = load_config(path)
    (name,) = select(config, [benchmark])
    table = None if ratings is None else read_ratings(ratings)
    with open_store(config.store, folder) as store:
        run_id, cards = trust_cards(store, name, items=items, ratings=table, seed=seed)
        data = [card_data(c) for c in cards]
        write_cards(store, run_id, {c.metric: d for c, d in zip(cards, data, strict=True)})
    if format_ == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        click.echo(cards_text(cards), nl=False)
