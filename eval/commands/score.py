"""``concours score``."""

from __future__ import annotations

import sys

import click

from concours.eval.commands.options import quiet_option, workers_option


@click.command("score")
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--metrics",
    "metric_names",
    multiple=True,
    metavar="A,B…",
    help="Metrics or families (see `concours metrics`); a parameter as name:key=value.  "
    "[default: all]",
)
@click.option(
    "--reference",
    metavar="PATH",
    help="Music to compare with: folder, file or glob; or the statistics of its frames (.npz).",
)
@click.option(
    "--prompts", metavar="FILE", help="What each piece was asked for: CSV with path, prompt."
)
@click.option("--groups", metavar="FILE", help="What each piece is cut from: CSV with path, song.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the intervals.",
)
@click.option(
    "--compat",
    metavar="TOOL",
    help="Reproduce another tool's numbers, bugs included: muspy, musdr, mgeval or pypianoroll.",
)
@click.option(
    "--explain", is_flag=True, help="List each breach of part-writing with its bar and voices."
)
@workers_option
@quiet_option
def command(
    paths: tuple[str, ...],
    metric_names: tuple[str, ...],
    reference: str | None,
    prompts: str | None,
    groups: str | None,
    format_: str,
    seed: int,
    compat: str | None,
    explain: bool,
    workers: int | None,
    quiet: bool,
) -> None:
    """Score the music at PATHS: folders, files or globs of MIDI, MusicXML, ABC or kern.

    With --reference, each path is also compared with the music there as a set, and searched for
    passages that it shares with it. Files that can't be read are listed with the cause; they
    never stop the others.
    """
    import json

    from concours.eval.progress import make_progress
    from concours.eval.score import as_dict, score_paths
    from concours.eval.score_tables import to_csv, to_explanation, to_table

    scores = score_paths(
        paths,
        metrics=split_metrics(metric_names),
        reference=reference,
        prompts=prompts,
        groups=groups,
        compat=compat,
        workers=workers,
        seed=seed,
        progress=make_progress(quiet),
    )
    if format_ == "json":
        click.echo(json.dumps(as_dict(scores), indent=2, ensure_ascii=False))
    elif format_ == "csv":
        click.echo(to_csv(scores), nl=False)
    else:
        click.echo(to_table(scores), nl=False)
        if explain:
            click.echo(to_explanation(scores), nl=False)
    failures = [i for i in scores.items if i.status == "failed"]
    if failures and format_ != "table" and not quiet:
        print(f"{len(failures)} of {len(scores.items)} items could not be read", file=sys.stderr)


def split_metrics(texts: tuple[str, ...]) -> list[str]:
    """``a,b:k=v,l=w,c`` as [a, b:k=v,l=w, c]: a part with ``=`` belongs to the metric before."""
    found: list[str] = []
    for part in ",".join(texts).split(","):
        text = part.strip()
        if found and "=" in text and ":" not in text and ":" in found[-1]:
            found[-1] += f",{text}"
        elif text:
            found.append(text)
    return found
