"""``concours schema``."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of benchmarks.yaml, for editors that check while you type."""
    import json

    from concours.eval.config import schema

    click.echo(json.dumps(schema(), indent=2))
