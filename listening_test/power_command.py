"""``concours study power``: how many raters and items, from the command line."""

from __future__ import annotations

import click


def _counts(text: str) -> tuple[int, ...]:
    from concours.eval.errors import UsageError

    try:
        counts = tuple(int(i) for i in text.split(","))
    except ValueError:
        counts = ()
    if not counts or min(counts) < 2:
        raise UsageError(f"--items {text!r}: write numbers from 2 on, as in 4,8,16")
    return counts


@click.command()
@click.option(
    "--half-width",
    type=click.FloatRange(min=0, min_open=True),
    help="precision: the 95% interval of a system's mean is to be ± this",
)
@click.option(
    "--difference",
    type=click.FloatRange(min=0, min_open=True),
    help="difference of two systems' means to be found",
)
@click.option(
    "--power",
    default=0.8,
    show_default=True,
    type=click.FloatRange(0.05, 0.99),
    help="chance to find the difference, or to be as precise",
)
@click.option("--items", default="4,8,16,32", show_default=True, help="items of each system")
@click.option(
    "--most-raters", default=200, show_default=True, type=click.IntRange(2, 2000), help="not more"
)
@click.option(
    "--rater-sd", default=0.5, show_default=True, type=click.FloatRange(0),
    help="standard deviation between raters",
)  # fmt: skip
@click.option(
    "--item-sd", default=0.4, show_default=True, type=click.FloatRange(0),
    help="standard deviation between items",
)  # fmt: skip
@click.option(
    "--taste-sd", default=0.3, show_default=True, type=click.FloatRange(0),
    help="standard deviation of a rater's taste for a system",
)  # fmt: skip
@click.option(
    "--error-sd", default=0.7, show_default=True, type=click.FloatRange(0),
    help="standard deviation of the rest",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, type=int, help="seed of the simulation")
def power(
    half_width: float | None, difference: float | None, power: float, items: str, most_raters: int,
    rater_sd: float, item_sd: float, taste_sd: float, error_sd: float, seed: int,
) -> None:  # fmt: skip
    """Say how many raters and items give a precision or find a difference, by simulation."""
    from concours.eval.errors import UsageError
    from concours.listening_test.power import Variances, plan

    if half_width is None and difference is None:
        raise UsageError(
            "give --half-width (the precision of a mean), --difference (of two systems), or both"
        )
    counts = _counts(items)
    found = plan(
        difference, half_width=half_width, power=power, items=counts, most_raters=most_raters,
        spread=Variances(rater_sd, item_sd, taste_sd, error_sd), seed=seed,
    )  # fmt: skip
    chance = "" if difference is None else "  power"
    click.echo(f"items  raters  ratings of a system  half width (median, {power:.0%} of studies)"
               + chance)  # fmt: skip
    cheapest = min((row.raters * row.items for row in found), default=0)
    for row in found:
        least = "  fewest ratings" if row.raters * row.items == cheapest else ""
        reached = "" if difference is None else f"  {row.power:5.2f}"
        click.echo(
            f"{row.items:5d}  {row.raters:6d}  {row.raters * row.items:19d}  "
            f"±{row.half_width:.2f} ±{row.assured_half_width:.2f}{'':21}{reached}{least}"
        )
    for n in sorted(set(counts) - {row.items for row in found}):
        click.echo(
            f"{n:5d}  not with {most_raters} raters: more raters cannot make up for few items"
        )
