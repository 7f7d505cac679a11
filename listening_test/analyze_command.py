"""``concours study analyze``: ratings, from a study of ours or from elsewhere, to a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from concours.eval.ratings_import.studies import Answers

KINDS = ["auto", "long", "webmushra", "wide", "nested", "davda54", "aimgef", "aes"]


def _trap(text: str) -> tuple[str, tuple[float, float]]:
    from concours.eval.errors import UsageError

    item, _, ends = text.rpartition("=")
    low, _, high = ends.partition(":")
    try:
        found = float(low), float(high or low)
    except ValueError:
        item = ""
        found = (0.0, 0.0)
    if not item or found[0] > found[1]:
        raise UsageError(f"--trap {text!r}: write ITEM=VALUE or ITEM=LOWEST:HIGHEST")
    return item, found


@click.command("analyze")
@click.argument("study", required=False)
@click.option(
    "--store",
    "url",
    default="sqlite:///concours.db",
    show_default=True,
    help="Database of the study.",
)
@click.option(
    "--ratings",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Analyse the ratings in this file instead of a study.",
)
@click.option("--kind", type=click.Choice(KINDS), default="auto", help="The layout of --ratings.")
@click.option(
    "--method",
    type=click.Choice(["acr", "mushra"]),
    default="acr",
    show_default=True,
    help="mushra screens raters by their ratings of the hidden reference (BS.1534-3).",
)
@click.option("--hidden-reference", metavar="NAME", help="The system that is the hidden reference.")
@click.option("--mid-anchor", metavar="NAME", help="The system that is the mid-range anchor.")
@click.option(
    "--trap", "trap_", multiple=True, metavar="ITEM=LOWEST:HIGHEST",
    help="An attention check and its right answers (repeatable).",
)  # fmt: skip
@click.option(
    "--participants",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Prolific's export; flags raters whose submission wasn't approved.",
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="RULE",
    help="Let RULE exclude raters too (repeatable).",
)
@click.option("--keep-all", is_flag=True, help="Let no rule exclude anybody; flags stay.")
@click.option("--margin", type=float, help="Test whether systems are equivalent within this.")
@click.option("--half-width", type=float, help="Plan studies whose intervals are ± this.")
@click.option(
    "--clips",
    multiple=True,
    metavar="PATH",
    help="Score the rated files here and hold every metric against the ratings (repeatable).",
)
@click.option("--metrics", multiple=True, metavar="NAMES", help="Only these metrics, with --clips.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of bootstrap and simulation.")
@click.option(
    "--format", "format_", type=click.Choice(["json", "html", "md", "latex"]), default="md",
    show_default=True,
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write here.  [default: stdout]"
)
def command(
    study: str | None,
    url: str,
    ratings: Path | None,
    kind: str,
    method: str,
    hidden_reference: str | None,
    mid_anchor: str | None,
    trap_: tuple[str, ...],
    participants: Path | None,
    exclude: tuple[str, ...],
    keep_all: bool,
    margin: float | None,
    half_width: float | None,
    clips: tuple[str, ...],
    metrics: tuple[str, ...],
    seed: int,
    format_: str,
    out: Path | None,
) -> None:
    """Analyse the ratings of STUDY, or of a file that was collected elsewhere.

    Means with intervals over raters and items, agreement, comparisons with Holm's adjustment, and
    the raters that screening rules flag. A long table has the columns item, system, value, and
    rater and dimension where they are known; webMUSHRA results, wide MUSHRA tables and some
    published sets are read as they are.
    """
    from concours.eval.analysis import EXCLUDING, Method, analyze_ratings, with_preferences
    from concours.eval.ratings_import.read import read_participants
    from concours.eval.report.ratings_report import RatingsFormat, render_analysis

    answers = _answers(study, url, ratings, kind)
    table = answers.ratings
    if answers.is_mushra and hidden_reference is None:
        method, hidden_reference = "mushra", "hidden reference"
    analysis, joined = None, None
    if table is not None:
        analysis = analyze_ratings(
            table,
            method=cast(Method, method),
            hidden_reference=hidden_reference,
            mid_anchor=mid_anchor,
            trap_items=dict(_trap(t) for t in trap_),
            participants=None if participants is None else read_participants(participants),
            excluding_rules=() if keep_all else (*EXCLUDING, *exclude),
            margin=margin,
            half_width=half_width,
            seed=seed,
        )
    if analysis is not None and table is not None and clips:
        from concours.eval.commands.score import split_metrics
        from concours.eval.joining import join, score_clips

        kept = table.without({f.rater for f in analysis.screening.excluded})
        scored = score_clips(clips, split_metrics(metrics))
        joined = join(kept, scored, answers.hashes, seed=seed)
    complete = with_preferences(analysis, answers.preferences, seed=seed)
    text = render_analysis(complete, cast(RatingsFormat, format_), joined)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"wrote {out}", err=True)


def _answers(study: str | None, url: str, path: Path | None, kind: str) -> Answers:
    from concours.eval.errors import UsageError
    from concours.eval.ratings_import.read import read_ratings
    from concours.eval.ratings_import.studies import Answers, study_answers

    if (study is None) == (path is None):
        raise UsageError("name a study or give --ratings FILE, one of the two")
    if path is not None:
        return Answers(read_ratings(path, kind), {}, {})
    from concours.eval.store import open_store
    from concours.eval.store import study as stored

    with open_store(url) as store:
        found = study_answers(store, stored.find_study(store, str(study)).id)
    if found.ratings is None and not found.preferences:
        raise UsageError(f"study {study!r} has no answers yet: concours study status {study}")
    return found
