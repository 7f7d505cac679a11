"""``concours study``: listening tests from the command line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from concours.listening_test.analyze_command import command as analyze
from concours.listening_test.power_command import power

if TYPE_CHECKING:
    from concours.eval.store import Store

STORE_HELP = "database of the study  [default: sqlite:///concours.db]"
DEFAULT_STORE = "sqlite:///concours.db"


def store_option(function: Any) -> Any:
    return click.option("--store", "url", default=DEFAULT_STORE, help=STORE_HELP)(function)


def _open(url: str) -> Store:
    from concours.eval.store import open_store

    return open_store(url)


@click.group()
def study() -> None:
    """Listening tests: make, serve, invite, watch, export."""


study.add_command(analyze)
study.add_command(power)


@study.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--from-benchmark", help="take the systems of this benchmark of --config")
@click.option(
    "--config", type=click.Path(path_type=Path), default=Path("benchmarks.yaml"),
    help="the file that holds the benchmark",
)  # fmt: skip
@click.option("--store", "url", default=None, help="instead of the store of the file")
@click.option("--replace", is_flag=True, help="replace a draft of the same name")
def create(
    file: Path | None, from_benchmark: str | None, config: Path, url: str | None, replace: bool
) -> None:
    """Prepare the clips and the design of STUDY.yaml, blind, and store them."""
    from concours.eval.errors import UsageError
    from concours.listening_test.benchmark_study import study_of_benchmark
    from concours.listening_test.building import build_study
    from concours.listening_test.config import load_study

    if (file is None) == (from_benchmark is None):
        raise UsageError("give a STUDY.yaml, or --from-benchmark NAME")

    def say(line: str) -> None:
        click.echo(line, err=True)

    found = None
    if file is not None:
        settings, folder = load_study(file), file.parent
    else:
        settings, found = study_of_benchmark(str(from_benchmark), config, say)
        folder = config.parent
    with _open(url or settings.store) as store:
        build_study(
            store, settings, folder, time.time(), replace=replace, say=say, found=found
        )  # fmt: skip
        click.echo(
            f"study {settings.name}: {len(settings.systems)} systems, "
            f"{settings.items_per_system} items each, design {settings.settled_design}; next: "
            f"concours study invite {settings.name} --raters N --store {store.url}",
            err=True,
        )


@study.command()
@click.argument("name")
@click.option("--raters", type=click.IntRange(1, 10_000), help="how many personal links")
@click.option("--crowd", is_flag=True, help="one link for a crowd platform (replaces the last)")
@click.option(
    "--platform", type=click.Choice(["prolific", "mturk"]), default="prolific", show_default=True,
    help="whose ids the crowd link asks for",
)  # fmt: skip
@click.option("--revoke", "revoked", help="make a rater's link worthless: r7, 7 or an id")
@click.option(
    "--base-url", default="http://localhost:8765", show_default=True,
    help="the address at which raters reach the app",
)  # fmt: skip
@store_option
def invite(
    name: str, raters: int | None, crowd: bool, platform: str, revoked: str | None, base_url: str,
    url: str,
) -> None:  # fmt: skip
    """Print invitation links, one a line. A link is shown once; the store keeps its hash."""
    from concours.eval.errors import UsageError
    from concours.eval.store import study as stored
    from concours.listening_test.building import uses_blocks
    from concours.listening_test.live import open_live
    from concours.listening_test.tokens import crowd_link, join_link

    if sum((raters is not None, crowd, revoked is not None)) != 1:
        raise UsageError("give one of --raters N, --crowd and --revoke RATER")
    with _open(url) as store:
        live = open_live(store, name)
        if revoked is not None:
            rater_id = stored.rater_by_name(store, live.id, revoked)
            stored.revoke_rater(store, rater_id, time.time())
            click.echo(f"the link of {revoked} is worthless now", err=True)
            return
        if not live.is_open():
            raise UsageError(f"the study {name!r} is closed: it takes no more raters")
        stored.go_live(store, live.id, time.time())
        if crowd:
            click.echo(crowd_link(base_url, stored.open_crowd_link(store, live.id), platform))
            return
        tokens = stored.invite_raters(store, live.id, int(raters or 0), time.time())
        if uses_blocks(live.config):
            counts = stored.count_study(store, live.id)
            waiting = counts.raters.get("invited", 0)
            missing = waiting - (counts.blocks - counts.blocks_claimed)
            if missing > 0:
                live.extend(missing)
        for token in tokens:
            click.echo(join_link(base_url, token))


@study.command()
@click.argument("name")
@click.option(
    "--port", default=8765, show_default=True, type=click.IntRange(1, 65535), help="where to listen"
)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 for the network")
@click.option("--rate-limit", default=1.0, type=click.FloatRange(min=0.01),
              help="factor on the limits for each address")  # fmt: skip
@click.option("--forwarded", "proxies", multiple=True, metavar="ADDRESS",
              help="a proxy (or its network) whose X-Forwarded-For names the raters")  # fmt: skip
@store_option
def serve(
    name: str, port: int, host: str, rate_limit: float, proxies: tuple[str, ...], url: str
) -> None:
    """Run the raters' app until it is stopped. Put HTTPS in front of it on a network."""
    from concours.eval.store import study as stored
    from concours.listening_test.guard import Budget, Limits
    from concours.listening_test.live import open_live
    from concours.listening_test.server import proxy_addresses
    from concours.listening_test.server import serve as run

    trusted = proxy_addresses(proxies)
    limits = Limits(*(Budget(b.rate * rate_limit, b.burst * rate_limit) for b in Limits()))
    with _open(url) as store:
        live = open_live(store, name)
        stored.go_live(store, live.id, time.time())
        if not live.is_open():
            click.echo(
                f"study {name} is closed: raters can only see their code and withdraw", err=True
            )
        click.echo(f"study {name} at http://{host}:{port} (stop with Ctrl-C)", err=True)
        run(live, host, port, limits, trusted)


@study.command()
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@store_option
def status(name: str, form: str, url: str) -> None:
    """Show progress, screening and intervals that hold at every look."""
    from concours.eval.store import study as stored
    from concours.listening_test.live import open_live
    from concours.listening_test.status import status_of

    with _open(url) as store:
        live = open_live(store, name)
        stored.expire(store, live.id, time.time(), 60 * live.config.abandon_minutes)
        found = status_of(live)
    counts = found.counts
    if form == "json":
        report = {
            "study": found.name,
            "status": found.status,
            "raters": dict(counts.raters),
            "assignments": dict(counts.assignments),
            "n_ratings": counts.n_ratings,
            "n_preferences": counts.n_preferences,
            "erased": {"raters": counts.n_erasures, "ratings": counts.n_erased},
            "trial_given": list(counts.trial_given),
            "systems": [
                {"system": s.system, "dimension": s.dimension, "mean": s.interval.mean,
                 "ci_low": s.interval.low, "ci_high": s.interval.high,
                 "n_raters": s.n_raters, "n_finished": s.interval.n, "n_ratings": s.n_ratings}
                for s in found.systems
            ],
            "differences": [
                {"first": d.first, "second": d.second, "dimension": d.dimension,
                 "mean": d.interval.mean, "ci_low": d.interval.low, "ci_high": d.interval.high,
                 "n_finished": d.interval.n}
                for d in found.differences
            ],
            "flagged": {f"r{n}": list(rules) for n, rules in found.flagged.items()},
        }  # fmt: skip
        click.echo(json.dumps(report, indent=2))
        return
    people = ", ".join(f"{n} {s}" for s, n in sorted(counts.raters.items())) or "none"
    click.echo(f"{found.name}: {found.status}; raters: {people}")
    click.echo(f"{counts.n_ratings} ratings, {counts.n_preferences} preferences; each trial given "
               f"{counts.trial_given[0]} to {counts.trial_given[1]} times")  # fmt: skip
    if counts.n_erasures:
        word = "rater" if counts.n_erasures == 1 else "raters"
        click.echo(f"{counts.n_erasures} {word} withdrew; {counts.n_erased} answers erased")
    if found.systems:
        click.echo(
            "95% confidence sequences over the raters who finished (they hold at every look)"
        )
    for row in found.systems:
        i = row.interval
        click.echo(f"{row.system:<20} {row.dimension:<28} {i.mean:7.2f}  "
                   f"[{i.low:.2f}, {i.high:.2f}]  {i.n} of {row.n_raters} raters")  # fmt: skip
    for gap in found.differences:
        i, pair = gap.interval, f"{gap.first} - {gap.second}"
        click.echo(f"{pair:<20} {gap.dimension:<28} {i.mean:7.2f}  "
                   f"[{i.low:.2f}, {i.high:.2f}]  {i.n} raters")  # fmt: skip
    for number, rules in sorted(found.flagged.items()):
        click.echo(f"r{number}: flagged by {', '.join(rules)}")


@study.command()
@click.argument("name")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="folder"
)
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv")
@store_option
def export(name: str, out: Path, form: Any, url: str) -> None:
    """Write tidy tables and a data dictionary."""
    from concours.eval.store import study as stored
    from concours.listening_test.exporting import export_study

    with _open(url) as store:
        found = stored.find_study(store, name)
        counts = export_study(store, found.id, out, form)
    rows = ", ".join(f"{n} {t}" for t, n in counts.items() if n)
    click.echo(f"{out}: {rows}", err=True)


@study.command()
@click.argument("name")
@store_option
def close(name: str, url: str) -> None:
    """Take no more answers."""
    from concours.eval.store import study as stored

    with _open(url) as store:
        stored.close_study(store, stored.find_study(store, name).id, time.time())
    click.echo(f"study {name} is closed", err=True)


@study.command()
@click.argument("name")
@store_option
def codes(name: str, url: str) -> None:
    """Print who finished, with platform ids and completion codes, as CSV: for paying raters."""
    from concours.eval.store import study as stored
    from concours.listening_test.exporting import write_codes

    with _open(url) as store:
        write_codes(store, stored.find_study(store, name).id, sys.stdout)


@study.command()
@click.argument("name")
@click.argument("rater")
@click.option("--yes", is_flag=True, help="do not ask")
@store_option
def withdraw(name: str, rater: str, yes: bool, url: str) -> None:
    """Erase everything a rater gave: r7, 7, an id, or the id of a crowd platform."""
    from concours.eval.store import study as stored

    with _open(url) as store:
        found = stored.find_study(store, name)
        rater_id = stored.rater_by_name(store, found.id, rater)
        if not yes and sys.stdin.isatty():
            click.confirm(f"Erase everything that {rater} gave?", abort=True, err=True)
        erased = stored.withdraw_rater(store, rater_id, time.time())
        click.echo(f"erased {erased.n_ratings} answers", err=True)


@study.command()
@click.argument("name")
@click.option(
    "--port", default=8766, show_default=True, type=click.IntRange(1, 65535), help="where to listen"
)
@click.option("--host", default="127.0.0.1", show_default=True, help="address to listen at")
@click.option("--oidc", is_flag=True, help="ask for a login (streamlit's [auth] secrets)")
@click.option(
    "--allow", "allowed", multiple=True, metavar="EMAIL", help="who may see it, with --oidc"
)
@store_option
def dashboard(
    name: str, port: int, host: str, oidc: bool, allowed: tuple[str, ...], url: str
) -> None:
    """Watch a study in the browser: a process of its own, on this machine only or behind OIDC."""
    from concours.listening_test.live import open_live
    from concours.listening_test.watching import watch

    with _open(url) as store:
        watch(open_live(store, name), host, port, oidc=oidc, allowed=allowed)
