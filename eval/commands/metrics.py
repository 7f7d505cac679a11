"""``concours metrics``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import click

from concours.metrics.spec import MetricSpec


@click.command("metrics")
@click.argument("name", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "md"]),
    default="table",
    show_default=True,
)
def command(name: str | None, format_: str) -> None:
    """List the metrics, or explain the one called NAME.

    A direction of "reference" means that neither more nor less is better: closeness to the
    reference is.
    """
    import json

    from concours.metrics.registry import families, find

    if format_ == "json":
        specs = [find(name)] if name else [s for group in families().values() for s in group]
        click.echo(json.dumps([_as_dict(s) for s in specs], indent=2, ensure_ascii=False))
    elif format_ == "md":
        click.echo(_markdown(families()), nl=False)
    elif name:
        click.echo(_explanation(find(name)))
    else:
        width = max(len(s.name) for group in families().values() for s in group)
        for family, group in families().items():
            click.echo(f"{family}")
            for s in group:
                click.echo(f"  {s.name:{width}}  {s.level:6} {s.direction:9} {s.summary}")
        click.echo("\n`concours metrics NAME` gives the definition, unit, range and source.")


HELD = {
    "truth": "the ground truth (--ground-truth, ground_truth:)",
    "target": "what was asked for (--target, --prompts, targets:, prompts:, or the ground truth)",
    "prefix": "the musical prompt (--prompts, --prompt, prompts:)",
    "prompt": "the prompt's text (--prompts, prompts:)",
}


def _markdown(families: Mapping[str, Sequence[MetricSpec]]) -> str:
    """The whole catalogue as a page of the documentation."""
    lines = [
        "# Metrics",
        "",
        "Written by `concours metrics --format md`. `concours metrics NAME` gives the whole",
        "definition. A direction of `reference` means that closeness to the reference is better.",
    ]
    for family, group in families.items():
        lines += ["", f"## {family}", "", "| metric | level | direction | unit | what it is |",
                  "|---|---|---|---|---|"]  # fmt: skip
        for s in group:
            summary = s.summary.replace("|", "\\|")
            lines.append(f"| `{s.name}` | {s.level} | {s.direction} | {s.unit} | {summary} |")
    return "\n".join(lines) + "\n"


def _explanation(spec: MetricSpec) -> str:
    low, high = (_bound(b) for b in spec.range)
    parameters = []
    for key, default in spec.parameters.items():
        choices = ", ".join(map(str, spec.choices.get(key, ())))
        parameters.append(f"  {key} = {default}" + (f"  (one of {choices})" if choices else ""))
    lines = [
        spec.name,
        "=" * len(spec.name),
        spec.definition,
        "",
        f"Family:     {spec.family}",
        f"Level:      {spec.level} ({spec.inputs})",
        *([f"Held against: {HELD[spec.partner]}"] if spec.level == "pair" else []),
        f"Direction:  {spec.direction}",
        f"Unit:       {spec.unit}",
        f"Range:      {low} to {high}",
        f"Version:    {spec.version}",
        f"Source:     {spec.citation or 'Concours'}",
        f"Unchanged under: {', '.join(sorted(spec.invariant)) or '-'}",
    ]
    peers = _peers(spec)
    if peers:
        lines += ["Other tools (`concours score --compat TOOL`):", *peers]
    if parameters:
        example = next(iter(spec.parameters.items()))
        lines += ["Parameters:", *parameters, f"  written as {spec.name}:{example[0]}={example[1]}"]
    return "\n".join(lines)


def _peers(spec: MetricSpec) -> list[str]:
    """What each other tool's metric of this name does, in a sentence or two."""
    from concours.metrics.compat import PEERS
    from concours.metrics.registry import compat

    if spec.peer:
        return []
    found = []
    for peer in PEERS:
        theirs = compat(peer).get(spec.name)
        if theirs is not None:
            told = " ".join(theirs.definition.split())
            found.append(f"  {peer}: {told}")
    return found


def _bound(value: float) -> str:
    return "unbounded" if math.isinf(value) else f"{value:.4g}"


def _as_dict(spec: MetricSpec) -> dict[str, object]:
    return {
        "name": spec.name,
        "family": spec.family,
        "level": spec.level,
        "inputs": spec.inputs,
        "direction": spec.direction,
        "unit": spec.unit,
        "range": [None if math.isinf(b) else b for b in spec.range],
        "version": spec.version,
        "parameters": dict(spec.parameters),
        "choices": {k: list(v) for k, v in spec.choices.items()},
        "unchanged_under": sorted(spec.invariant),
        "summary": spec.summary,
        "definition": spec.definition,
        "partner": spec.partner,
        "peers": [p.strip() for p in _peers(spec)],
        "source": spec.citation,
    }
