"""``concours compare``."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("compare")
@click.argument("a")
@click.argument("b")
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="The benchmarks.yaml that was run.  [default: ./benchmarks.yaml]",
)
@click.option("--only", multiple=True, metavar="NAME", help="This benchmark only (repeatable).")
@click.option("--fail-if", "condition", metavar="EXPR", help="Exit with 1 where EXPR holds.")
@click.option(
    "--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the sign flips.")
def command(
    a: str,
    b: str,
    file: Path | None,
    only: tuple[str, ...],
    condition: str | None,
    format_: str,
    seed: int,
) -> None:
    """Compare system A with system B, metric by metric; differences are B minus A.

    A and B are systems of the latest complete run, or SYSTEM@RUN with the first digits of a run's
    id. Tests are paired on shared prompts, and adjusted over the metrics by Holm. EXPR is such as
    "fad.delta > 0.1 and p < 0.01": exit code 1 where it holds or can't be decided, 2 where it
    isn't an expression.
    """
    import json

    from concours.eval.commands.options import config_path
    from concours.eval.compare import compare_sides, find_sides, gate
    from concours.eval.config import load_config
    from concours.eval.run import select
    from concours.eval.store import open_store

    parsed = gate.parse(condition) if condition is not None else None
    path, folder = config_path(file)
    config = load_config(path)
    with open_store(config.store, folder) as store:
        table = compare_sides(*find_sides(store, select(config, only), a, b), seed=seed)
    if parsed is not None:
        gate.check(parsed, table.quantities)
    if format_ == "json":
        click.echo(json.dumps(table.as_dict(), indent=2, ensure_ascii=False))
    else:
        click.echo(_text(a, b, table.benchmark, table.rows), nl=False)
    if parsed is None:
        return
    verdict = gate.decide(parsed, table.quantities)
    if verdict is None:
        reasons = {r.metric: r.reason for r in table.rows if r.reason}
        named = [f"{m}: {reasons[m]}" for m in gate.metrics_of(parsed) if m in reasons]
        click.echo(f"The gate can't be decided: {'; '.join(named)}", err=True)
        sys.exit(1)
    if verdict:
        click.echo(f"The gate has tripped: {condition}", err=True)
        sys.exit(1)


def _text(a: str, b: str, benchmark: str, rows: tuple[object, ...]) -> str:
    from concours.eval.compare import Row

    own = [r for r in rows if isinstance(r, Row)]
    width = max([6, *(len(r.metric) for r in own)])
    lines = [
        f"{benchmark}: from {a} to {b}",
        f"{'metric':<{width}}  {'a':>10}  {'b':>10}  {'b - a':>10}  {'95% interval':>22}  "
        f"{'p (Holm)':>9}  method",
    ]
    for r in own:
        if r.delta is None:
            lines.append(f"{r.metric:<{width}}  {r.reason}")
            continue
        interval = f"{r.ci_low:.4g}, {r.ci_high:.4g}"
        lines.append(
            f"{r.metric:<{width}}  {r.a:>10.4g}  {r.b:>10.4g}  {r.delta:>+10.4g}  {interval:>22}  "
            f"{r.p_holm:>9.2g}  {r.method}"
        )
    return "\n".join(lines) + "\n"
