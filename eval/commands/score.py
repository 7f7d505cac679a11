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
@click.option("--groups", metavar="FILE", help="What each piece is cut from: CSV with path, song.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
)
@click.option(
    "--ground-truth",
    metavar="PATH",
    help="What each item should be: a folder of pieces named alike, one file, or a CSV "
    "(path, ground_truth).",
)
@click.option(
    "--target",
    metavar="FILE",
    help="What was asked for: a CSV or JSON of attributes (instruments, chords, key, tempo …), "
    "or music that has them.",
)
@click.option("--prompts", metavar="TABLE", help="Prompts, in words or music: CSV (path, prompt).")
@click.option("--prompt", metavar="TEXT", help="One prompt for all: words, or a music file.")
@click.option(
    "--beats",
    type=click.Choice(["check", "trust", "estimate"]),
    help="Where a piece keeps no beats: leave its beat metrics undefined, take the file's beats "
    "all the same, or estimate some.  [default: check]",
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
@click.option(
    "--detail",
    is_flag=True,
    help="Add each piece's histograms and curves (JSON), or draw them (table).",
)
@workers_option
@quiet_option
def command(
    paths: tuple[str, ...],
    metric_names: tuple[str, ...],
    reference: str | None,
    groups: str | None,
    format_: str,
    seed: int,
    compat: str | None,
    explain: bool,
    detail: bool,
    ground_truth: str | None,
    target: str | None,
    prompts: str | None,
    prompt: str | None,
    beats: str | None,
    workers: int | None,
    quiet: bool,
) -> None:
    """Score the music at PATHS: folders, files or globs of MIDI, MusicXML, ABC or kern.

    With --reference, each path is also compared with the music there as a set, and searched for
    passages that it shares with it. With --ground-truth, --target or --prompts, each item is
    compared with the piece that it should be or with what was asked for. Files that can't be read
    are listed with the cause; they never stop the others.
    """
    import json

    from concours.eval.errors import UsageError
    from concours.eval.pairing.asked import Pairing
    from concours.eval.profile_text import to_profiles
    from concours.eval.progress import make_progress
    from concours.eval.score import score_paths
    from concours.eval.score_tables import as_dict, to_csv, to_explanation, to_table

    if prompt is not None and prompts is not None:
        raise UsageError("give --prompt or --prompts, not both")
    if detail and format_ == "csv":
        raise UsageError("--detail has no form in CSV; use --format json")

    scores = score_paths(
        paths,
        metrics=split_metrics(metric_names),
        reference=reference,
        groups=groups,
        compat=compat,
        pairing=Pairing(ground_truth, target, prompts, prompt),
        beats=beats,
        profile=detail,
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
        if detail:
            click.echo(to_profiles(scores), nl=False)
    if scores.unanswered and not quiet:
        first = ", ".join(scores.unanswered[:3])
        n = len(scores.unanswered)
        print(f"{n} pieces of the ground truth have no output: {first}", file=sys.stderr)
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
