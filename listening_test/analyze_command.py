"""``concours study analyze``: ratings, from a study of ours or from elsewhere, to a report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from concours.eval.analysis.emotion import Intention
    from concours.eval.listeners.joining import Clip
    from concours.eval.ratings_import.answers import Answers
    from concours.eval.stats.ratings import Ratings
    from concours.eval.stats.screening import Flag
    from concours.eval.store import Store

KINDS = [
    "auto", "export", "long", "pairs", "wide", "webmushra", "webmushra-pairs", "webmushra-likert",
    "webmushra-bs1116", "nested", "davda54", "aimgef", "aes",
]  # fmt: skip
INTERVALS = ["auto", "crossed", "bootstrap", "mixed", "cluster-robust"]
OWN_CHECKS = {"trap": "missed", "headphones": "right"}  # the rule, and what its detail counts
OWN_NEUTRAL = 5.0  # valence and arousal of our own studies run from 1 to 9


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
@click.option(
    "--interval", type=click.Choice(INTERVALS), default="auto", show_default=True,
    help="The interval to report; auto takes the one that the ratings allow.",
)  # fmt: skip
@click.option("--scale", metavar="LOW:HIGH", help="The ends of the rating scale.")
@click.option("--margin", type=float, help="Test whether systems are equivalent within this.")
@click.option("--half-width", type=float, help="Plan studies whose intervals are ± this.")
@click.option(
    "--intended",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What each item was meant to express: item, and valence and arousal or quadrant.",
)
@click.option(
    "--neutral", type=float,
    help="The point of valence and arousal that divides the quadrants.",
)  # fmt: skip
@click.option(
    "--clips",
    multiple=True,
    metavar="PATH",
    help="Score the rated files here and hold every metric against the ratings (repeatable).",
)
@click.option("--metrics", multiple=True, metavar="NAMES", help="Only these metrics, with --clips.")
@click.option(
    "--benchmark",
    metavar="NAME",
    help="Hold the stored scores of this benchmark's latest run against the ratings.",
)
@click.option(
    "--scores", metavar="URL", help="Database of that run.  [default: the one of --store]"
)
@click.option(
    "--powered-by", "powered_by", multiple=True, metavar="METRIC",
    help="Means from the ratings and METRIC's scores of all clips (repeatable).",
)  # fmt: skip
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
    interval: str,
    scale: str | None,
    margin: float | None,
    half_width: float | None,
    intended: Path | None,
    neutral: float | None,
    clips: tuple[str, ...],
    metrics: tuple[str, ...],
    benchmark: str | None,
    scores: str | None,
    powered_by: tuple[str, ...],
    seed: int,
    format_: str,
    out: Path | None,
) -> None:
    """Analyse the ratings of STUDY, or of a file that was collected elsewhere.

    Means with intervals over raters and items, agreement, comparisons with Holm's adjustment, and
    the raters that screening rules flag. A long table has the columns item, system, value, and
    rater and dimension where they are known; a table of pairs system_a, system_b, choice; our own
    exports, webMUSHRA's results, wide MUSHRA tables and some published sets are read as they are.
    """
    from concours.eval.analysis import EXCLUDING, Method, analyze_ratings, with_preferences
    from concours.eval.analysis.means import IntervalMethod
    from concours.eval.errors import UsageError
    from concours.eval.listeners.joining import join
    from concours.eval.listeners.powered import powered_means
    from concours.eval.ratings_import.read import read_participants
    from concours.eval.report.ratings_report import RatingsFormat, render_analysis

    if clips and benchmark:
        raise UsageError("give --clips or --benchmark, one of the two")
    if powered_by and not (clips or benchmark):
        raise UsageError("--powered-by needs scores: give --clips or --benchmark")
    answers = _answers(study, url, ratings, kind)
    table = answers.ratings
    if answers.is_mushra and hidden_reference is None:
        method, hidden_reference = "mushra", "hidden reference"
    if neutral is None and answers.is_own:
        neutral = OWN_NEUTRAL
    excluding = () if keep_all else (*EXCLUDING, *exclude)
    analysis, joined = None, None
    powered = []
    if table is not None:
        analysis = analyze_ratings(
            table,
            method=cast(Method, method),
            hidden_reference=hidden_reference,
            mid_anchor=mid_anchor,
            trap_items=dict(_trap(t) for t in trap_),
            participants=(
                answers.participants if participants is None else read_participants(participants)
            ),
            scale=None if scale is None else _scale(scale),
            more_flags=answers.flags,
            excluding_rules=excluding,
            interval=cast(IntervalMethod, interval),
            margin=margin,
            half_width=half_width,
            neutral=neutral,
            intended=() if intended is None else _intentions(intended, table, neutral),
            seed=seed,
        )
        if clips or benchmark:
            kept = table.without({f.rater for f in analysis.screening.excluded})
            wanted = tuple(dict.fromkeys((*metrics, *powered_by))) if metrics else ()
            scored = _clips(clips, wanted, benchmark, scores or url)
            joined = join(kept, scored, answers.hashes, seed=seed)
            if powered_by:
                powered = powered_means(kept, scored, answers.hashes, metrics=powered_by)
    elif clips or benchmark:
        raise UsageError("metrics are held against ratings, and these are preferences only")
    complete = with_preferences(
        analysis, answers.preferences, notes=answers.notes, more_flags=answers.flags,
        excluding_rules=excluding, seed=seed,
    )  # fmt: skip
    text = render_analysis(complete, cast(RatingsFormat, format_), joined, powered)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"wrote {out}", err=True)


def _own_flags(store: Store, name: str) -> tuple[Flag, ...]:
    """The attention checks of a study of ours, which the table of its ratings doesn't hold."""
    from concours.eval.stats.screening import Flag
    from concours.eval.store import study as stored
    from concours.listening_test.live import open_live
    from concours.listening_test.status import screen

    live = open_live(store, name)
    numbers = {r["id"]: r["rater"] for r in stored.rater_rows(store, live.id)}
    rows, choices = (
        [r for r in read(store, live.id) if not r["superseded"]]
        for read in (stored.rating_rows, stored.preference_rows)
    )
    flags = []
    for rater, rule, decision, detail in screen(live, rows, choices)[1]:
        if decision == "flag" and rule in OWN_CHECKS:
            right, of = OWN_CHECKS[rule], int(detail["of"])
            count = int(detail[right])
            text = f"{rule}: {right} {count} of {of}"
            flags.append(Flag(f"r{numbers[rater]}", rule, count / of, 0.0, text))
    return tuple(flags)


def _scale(text: str) -> tuple[float, float]:
    from concours.eval.errors import UsageError

    low, _, high = text.partition(":")
    try:
        ends = float(low), float(high)
    except ValueError as error:
        raise UsageError(f"--scale {text!r}: write LOWEST:HIGHEST, as 1:5") from error
    if not ends[0] < ends[1]:
        raise UsageError(f"--scale {text!r}: the lower end comes first")
    return ends


def _intentions(path: Path, table: Ratings, neutral: float | None) -> tuple[Intention, ...]:
    from concours.eval.analysis.emotion import emotion_reports
    from concours.eval.errors import UsageError
    from concours.eval.ratings_import.intended import read_intended

    reports = emotion_reports(table, neutral=neutral)
    if not reports:
        raise UsageError("--intended needs ratings on the dimensions valence and arousal")
    return read_intended(path, reports[0].neutral)


def _clips(
    paths: tuple[str, ...], metrics: tuple[str, ...], benchmark: str | None, url: str
) -> list[Clip]:
    from concours.eval.commands.score import split_metrics
    from concours.eval.errors import UsageError
    from concours.eval.listeners.joining import run_clips, score_clips
    from concours.eval.store import open_store, runs
    from concours.eval.store.reports import read_run

    if benchmark is None:
        return score_clips(paths, split_metrics(metrics))
    with open_store(url) as store:
        run_id = runs.latest_run(store, benchmark)
        if run_id is None:
            raise UsageError(f"{url}: benchmark {benchmark} has no complete run: concours run")
        return run_clips(read_run(store, run_id))


def _answers(study: str | None, url: str, path: Path | None, kind: str) -> Answers:
    from concours.eval.errors import UsageError
    from concours.eval.ratings_import.read import read_answers

    if (study is None) == (path is None):
        raise UsageError("name a study or give --ratings FILE, one of the two")
    if path is not None:
        return read_answers(path, kind)
    from concours.eval.ratings_import.studies import study_answers
    from concours.eval.store import open_store
    from concours.eval.store import study as stored

    with open_store(url) as store:
        found = study_answers(store, stored.find_study(store, str(study)).id)
        found = replace(found, flags=_own_flags(store, str(study)))
    if found.ratings is None and not found.preferences:
        raise UsageError(f"study {study!r} has no answers yet: concours study status {study}")
    return found
