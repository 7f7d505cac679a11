"""Ranks, rank intervals and groups: every pair of systems tested in every ranked column."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.eval.compare.differences import Side, set_difference
from concours.eval.report.model import Cell, Column, Contest, Refusal, System
from concours.eval.stats.clustered import ScoreDifference, score_difference
from concours.eval.stats.halves import FEWEST_CLUSTERS, joint_halves
from concours.eval.stats.multiplicity import holm
from concours.eval.stats.standing import distance_difference, places, transport_draws
from concours.eval.store.reports import StoredRun
from concours.metrics.spec import Undefined

DRAWS = 200
Floats = NDArray[np.float64]
Cells = Mapping[tuple[str, str], Cell]


class Sample(NamedTuple):
    """The values of a system's items under one metric, and the cluster of each."""

    values: Floats
    clusters: tuple[str, ...]


Samples = Mapping[tuple[str, str], Sample]


def ranked(
    stored: StoredRun,
    systems: Sequence[System],
    columns: Sequence[Column],
    cells: Cells,
    samples: Samples,
    unlike: Sequence[Refusal],
) -> tuple[dict[tuple[str, str], Cell], list[Contest]]:
    """The cells with their places, and the tests behind these.

    The reference isn't ranked, nor is what ``unlike`` names. Systems that no test can separate
    from others (single items, say) share their group.
    """
    out = {(r.system, m): r.reason for r in unlike for m in r.metrics}
    found = dict(cells)
    contests: list[Contest] = []
    for column in columns:
        merits = {}
        for system in systems:
            cell = cells[system.name, column.key]
            merit = None if system.is_reference else _merit(cell)
            reason = out.get((system.name, column.key), "")
            if merit is not None and reason:
                found[system.name, column.key] = replace(cell, unranked=reason)
            elif merit is not None:
                merits[system.name] = merit
        own = _contests(stored, column, list(merits), cells, samples)
        contests += own
        alpha = 1 - float(stored.manifest["intervals"]["confidence"])
        apart = [(c.first, c.second) for c in own if c.p_holm is not None and c.p_holm <= alpha]
        for name, place in places(merits, apart).items():
            found[name, column.key] = replace(
                found[name, column.key],
                rank=place.rank,
                rank_low=place.low,
                rank_high=place.high,
                group=place.letters,
            )
    return found, contests


def unlike_prompts(stored: StoredRun, columns: Sequence[Column]) -> list[Refusal]:
    """Systems that answer other prompts than most do: their means are over other items, so no
    column ranks them with the others. Systems without prompts are samples of their own."""
    sides = [Side(name, stored) for name, is_reference, *_ in stored.systems if not is_reference]
    asked = {s.system: s.prompts for s in sides if s.prompts}
    if len(set(asked.values())) < 2:
        return []
    sets = list(asked.values())
    home = max(sets, key=lambda prompts: (sets.count(prompts), -sets.index(prompts)))
    first = next(name for name, prompts in asked.items() if prompts == home)
    return [
        Refusal(
            name,
            tuple(c.key for c in columns),
            f"not ranked: it answers other prompts than {first} ({len(home - own)} of "
            f"{len(home)} are missing, {len(own - home)} are others)",
        )
        for name, own in asked.items()
        if own != home
    ]


def _merit(cell: Cell) -> float | None:
    """What a cell is ranked by, lower first; None where nothing ranks it."""
    if cell.value is None or cell.direction == "none":
        return None
    if cell.direction == "reference":
        return cell.gap
    return cell.value if cell.direction == "lower" else -cell.value


def _contests(
    stored: StoredRun, column: Column, names: Sequence[str], cells: Cells, samples: Samples
) -> list[Contest]:
    level = float(stored.manifest["intervals"]["confidence"])
    seed = int(stored.manifest["seeds"]["intervals"])
    draws: dict[str, Floats] = {}
    if column.level != "set" and column.direction == "reference":
        home = samples[stored.reference, column.key]
        draws = {n: _gap_draws(samples[n, column.key], home, seed) for n in names}
    results: list[tuple[str, str, ScoreDifference | Undefined]] = []
    for first, second in itertools.combinations(names, 2):
        found: ScoreDifference | Undefined
        if column.level == "set":
            found = set_difference(column.key, Side(first, stored), Side(second, stored), level)
        elif draws:
            a, b = (samples[n, column.key] for n in (first, second))
            left, right = (cells[n, column.key].gap for n in (first, second))
            assert left is not None
            assert right is not None
            sizes = len(set(a.clusters)), len(set(b.clusters))
            found = distance_difference(
                left, right, draws[first], draws[second], *sizes, level=level
            )
        else:
            a, b = (samples[n, column.key] for n in (first, second))
            found = score_difference(
                a.values, np.array(a.clusters), b.values, np.array(b.clusters),
                seed=seed, level=level,
            )  # fmt: skip
        results.append((first, second, found))
    adjusted = holm([math.nan if isinstance(f, Undefined) else f.p for *_, f in results])
    return [
        _contest(column.key, first, second, found, float(q))
        for (first, second, found), q in zip(results, adjusted, strict=True)
    ]


def _contest(
    key: str, first: str, second: str, found: ScoreDifference | Undefined, q: float
) -> Contest:
    if isinstance(found, Undefined):
        return Contest(key, first, second, None, None, None, None, None, "", found.reason)
    return Contest(
        key, first, second, found.difference, found.ci_low, found.ci_high, found.p, q,
        found.method, "",
    )  # fmt: skip


def _gap_draws(sample: Sample, home: Sample, seed: int) -> Floats:
    """Distances to the reference on half-samples, in standard deviations of the reference."""
    if min(len(set(s.clusters)) for s in (sample, home)) < FEWEST_CLUSTERS:
        return np.full(DRAWS, np.nan)
    halves, home_halves = (_halves(s.clusters, seed) for s in (sample, home))
    spread = float(home.values.std(ddof=1))
    if spread == 0:
        return np.full(DRAWS, np.nan)
    return transport_draws(sample.values, halves, home.values, home_halves) / spread


@lru_cache(maxsize=256)
def _halves(clusters: tuple[str, ...], seed: int) -> list[NDArray[np.int64]]:
    return joint_halves(clusters, draws=DRAWS, seed=seed)
