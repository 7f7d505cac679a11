"""Which raters are flagged, by which rule. Nothing is ever deleted.

Every rule returns flags: who, by which rule, what was measured and where the line is. An analysis
decides which rules exclude, names them, and prints its figures with and without the exclusions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from concours.eval.stats.ratings import Ratings, Table, cross
from concours.eval.stats.subject_model import SubjectModel

Trap = tuple[float, float]


class Flag(NamedTuple):
    """``measured`` has crossed ``threshold`` under ``rule``; ``detail`` says it in words."""

    rater: str
    rule: str
    measured: float
    threshold: float
    detail: str


def bs1534(
    ratings: Ratings,
    hidden_reference: str,
    *,
    below: float = 90.0,
    share: float = 0.15,
    mid_anchor: str | None = None,
) -> list[Flag]:
    """ITU-R BS.1534-3, 4.1.2: raters who don't hear the reference, or hear it everywhere.

    A rater is flagged who gives the hidden reference less than ``below`` in more than ``share`` of
    the trials, or the mid-range anchor more than ``below`` in more than ``share`` of them. A trial
    is one item on one dimension.

    Raises:
        ValueError: no ratings of that condition.
    """
    flags: list[Flag] = []
    for condition, low in ((hidden_reference, True), (mid_anchor, False)):
        if condition is None:
            continue
        own = ratings.select(system=condition)
        if not len(own):
            raise ValueError(
                f"no ratings of {condition!r}; the conditions are {', '.join(ratings.systems)}"
            )
        for rater in own.raters:
            values = own.value[own.rater == rater]
            count = int(np.sum(values < below) if low else np.sum(values > below))
            measured = count / len(values)
            if measured > share:
                what = "the hidden reference below" if low else "the mid anchor above"
                text = f"rated {what} {below:g} in {count} of {len(values)} trials"
                rule = "BS.1534-3 hidden reference" if low else "BS.1534-3 mid anchor"
                flags.append(Flag(rater, rule, measured, share, text))
    return flags


def bt500(table: Table) -> list[Flag]:
    """ITU-R BT.500, annex 1, 2.3: raters whose scores lie out on both sides too often.

    Per stimulus the bounds are mean ± 2 s where the kurtosis lies in [2, 4], else ± sqrt(20) s
    (s with n in the denominator, as the kurtosis). With P scores at or above the upper and Q at
    or below the lower bound of N stimuli, a rater is flagged when ``(P + Q) / N > 0.05`` and
    ``|P - Q| / (P + Q) < 0.3``. ``table``: raters × stimuli.
    """
    x = table.values
    mean = np.nanmean(x, axis=0)
    gap = x - mean
    variance = np.nanmean(gap**2, axis=0)
    fourth = np.nanmean(gap**4, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        kurtosis = np.where(variance > 0, fourth / variance**2, np.nan)
    width = np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, np.sqrt(20.0)) * np.sqrt(variance)
    usable = variance > 0
    high = (gap >= width) & usable
    low = (gap <= -width) & usable
    flags = []
    for r, rater in enumerate(table.raters):
        p, q = int(high[r].sum()), int(low[r].sum())
        n = int((~np.isnan(x[r])).sum())
        if p + q and (p + q) / n > 0.05 and abs(p - q) / (p + q) < 0.3:
            text = f"{p} scores above and {q} below the bounds, of {n}"
            flags.append(Flag(rater, "BT.500 outliers on both sides", (p + q) / n, 0.05, text))
    return flags


def model_outliers(model: SubjectModel, times: float = 3.0) -> list[Flag]:
    """Raters whose P.913 bias or inconsistency stands out from the others'.

    Bias: further from the median than ``times`` scaled median absolute deviations; inconsistency:
    above the median by as much. The standard gives the estimates and leaves the line to the
    experimenter; this line is ours, and flags rather than excludes.
    """
    flags = []
    for name, values, two_sided in (
        ("bias", model.bias, True),
        ("inconsistency", model.inconsistency, False),
    ):
        middle = float(np.median(values))
        scale = 1.4826 * float(np.median(np.abs(values - middle)))
        if scale == 0:
            continue
        gap = np.abs(values - middle) if two_sided else values - middle
        for r in np.flatnonzero(gap > times * scale):
            text = f"{name} {values[r]:.2f}, the median is {middle:.2f}"
            flags.append(Flag(model.raters[r], f"P.913 {name}", float(gap[r] / scale), times, text))
    return flags


def traps(ratings: Ratings, expected: Mapping[str, Trap], *, wrong: float = 0.0) -> list[Flag]:
    """Raters who missed more than the share ``wrong`` of the trap items they saw.

    ``expected`` maps an item to the closed range in which an attentive answer lies.
    """
    flags = []
    for rater in ratings.raters:
        own = ratings.where((ratings.rater == rater) & np.isin(ratings.item, list(expected)))
        missed = [
            str(item)
            for item, value in zip(own.item, own.value, strict=True)
            if not expected[str(item)][0] <= value <= expected[str(item)][1]
        ]
        if len(own) and len(missed) / len(own) > wrong:
            text = f"missed {len(missed)} of {len(own)} traps ({', '.join(sorted(set(missed)))})"
            flags.append(Flag(rater, "trap", len(missed) / len(own), wrong, text))
    return flags


def prolific(ratings: Ratings, statuses: Mapping[str, str]) -> list[Flag]:
    """Raters whose submission on Prolific wasn't approved (returned, timed out, rejected).

    ``statuses`` go by the participant id that is the rater's name; a rater who isn't in it is
    flagged too when the list isn't empty, since then nobody knows where they came from.
    """
    flags = []
    for rater in ratings.raters if statuses else ():
        status = statuses.get(rater, "not in the list of participants")
        if status.upper() not in ("APPROVED", "AWAITING REVIEW"):
            flags.append(Flag(rater, "Prolific status", 1.0, 0.0, status.lower()))
    return flags


def no_variance(ratings: Ratings, *, least: float = 0.02, fewest: int = 5) -> list[Flag]:
    """Raters whose answers hardly vary: standard deviation below ``least`` of the values' span.

    Raters with fewer than ``fewest`` ratings aren't judged.
    """
    span = float(np.ptp(ratings.value))
    flags = []
    for rater in ratings.raters:
        values = ratings.value[ratings.rater == rater]
        if span > 0 and len(values) >= fewest and float(values.std()) < least * span:
            measured = float(values.std()) / span
            text = f"{len(values)} ratings with a standard deviation of {values.std():.3g}"
            flags.append(Flag(rater, "no variance", measured, least, text))
    return flags


def straight_lining(ratings: Ratings, *, share: float = 0.5, fewest: int = 10) -> list[Flag]:
    """Raters whose longest run of equal answers is longer than ``share`` of all they gave.

    Runs follow the order of the rows, so the source must keep the order of presentation; raters
    with fewer than ``fewest`` ratings aren't judged.
    """
    flags = []
    for rater in ratings.raters:
        values = ratings.value[ratings.rater == rater]
        if len(values) < fewest:
            continue
        edges = np.flatnonzero(np.concatenate([[True], np.diff(values) != 0, [True]]))
        longest = int(np.diff(edges).max())
        if longest / len(values) > share:
            text = f"{longest} equal answers in a row, of {len(values)}"
            flags.append(Flag(rater, "straight-lining", longest / len(values), share, text))
    return flags


def stimulus_table(ratings: Ratings) -> Table:
    """Raters × (system, item), for the rules that need one; the ratings hold one dimension."""
    return cross(ratings.rater, ratings.stimulus, ratings.value)
