"""Trust cards of a benchmark's latest run, and how they are printed."""

from __future__ import annotations

from typing import Any

import numpy as np

from concours.eval.compare.differences import Side, values_and_clusters
from concours.eval.errors import UsageError
from concours.eval.joining import Clip, Joined, join
from concours.eval.report.gather import gather, pieces
from concours.eval.stats.ratings import Ratings
from concours.eval.store import Store, runs
from concours.eval.store.reports import StoredRun, read_run
from concours.eval.trust.cards import (
    TrustCard,
    climb,
    listeners,
    requests_of,
    separation,
    stability,
)
from concours.metrics.piece import Piece
from concours.metrics.spec import Undefined


def trust_cards(
    store: Store, benchmark: str, *, items: int = 24, ratings: Ratings | None = None, seed: int = 0
) -> list[TrustCard]:
    """A card for each metric of notes of the benchmark's latest complete run.

    ``items`` is how many pieces of the reference climb the ladder (half of them degraded).

    Raises:
        UsageError: there is no complete run, or too few of the reference's files are still where
            they were.
    """
    run_id = runs.latest_run(store, benchmark)
    if run_id is None:
        raise UsageError(f"benchmark {benchmark} has no complete run in the store: concours run")
    run = read_run(store, run_id)
    asked = requests_of([m.key for m in run.measures])
    found = climb(asked, _reference_pieces(store, benchmark, items), seed=seed)
    joined = None if ratings is None else join(ratings, _clips(run), seed=seed)
    return [_card(run, a.key, found[a.key], joined, seed) for a in asked]


def _reference_pieces(store: Store, benchmark: str, items: int) -> list[Piece]:
    table = gather(store, [benchmark]).benchmarks[0]
    reference = next(s for s in table.systems if s.is_reference)
    found: list[Piece] = []
    for item in reference.items:
        piece = pieces(reference, item) if item.status == "ok" else None
        if piece is not None and piece.n_notes:
            found.append(piece)
        if len(found) == items:
            break
    if len(found) < 8:
        raise UsageError(
            f"{len(found)} pieces of {reference.name} can be read where they lay; the ladder "
            "needs 8"
        )
    return found


def _clips(run: StoredRun) -> list[Clip]:
    return [
        Clip(
            f"{i.system}/{i.path}",
            i.sha256 or "",
            {
                m.key: s.value
                for m in run.measures
                if (s := run.scores.get((i.system, i.position, m.key))) is not None
                and s.value is not None
            },
        )
        for i in run.items
        if i.status == "ok"
    ]


def _card(
    run: StoredRun, key: str, climbed: tuple[Any, Any], joined: Joined | None, seed: int
) -> TrustCard:
    (asked,) = requests_of([key])
    values = {
        name: values_and_clusters(Side(name, run), key) for name, is_ref, *_ in run.systems
        if not is_ref
    }  # fmt: skip
    values = {k: v for k, v in values.items() if len(v[0])}
    reference = values_and_clusters(Side(run.reference, run), key)[0]
    order: float | Undefined = Undefined("the reference has no values")
    if len(reference) > 1 and float(np.ptp(reference)) > 0:
        order = stability({k: v[0] for k, v in values.items()}, reference, seed=seed)
    return TrustCard(
        key,
        climbed[0],
        climbed[1],
        "transposition" in asked.spec.invariant,
        order,
        separation(values, seed=seed),
        listeners(joined, key),
    )


def card_data(card: TrustCard) -> dict[str, Any]:
    """The card as JSON-ready data."""
    ladder = [] if isinstance(card.ladder, Undefined) else [s._asdict() for s in card.ladder]
    heard = card.listeners
    return {
        "metric": card.metric,
        "verdict": card.verdict,
        "ladder": ladder,
        "ladder_reason": card.ladder.reason if isinstance(card.ladder, Undefined) else "",
        "transposition_change": None if isinstance(card.transposed, Undefined) else card.transposed,
        "declared_invariant": card.declared_invariant,
        "stability": None if isinstance(card.stability, Undefined) else card.stability,
        "separated_pairs": card.separated[0],
        "pairs": card.separated[1],
        "listeners": None if heard is None else {
            "dimension": heard.dimension, "spearman": heard.correlation.value,
            "ci_low": heard.correlation.ci_low, "ci_high": heard.correlation.ci_high, "q": heard.q,
        },
    }  # fmt: skip


def cards_text(cards: list[TrustCard]) -> str:
    """The cards as a Markdown table."""
    lines = [
        "| metric | verdict | orders | misled by | stability | pairs told apart | listeners |",
        "| :--- | :--- | :--- | :--- | ---: | ---: | :--- |",
    ]
    for c in cards:
        steps = () if isinstance(c.ladder, Undefined) else c.ladder
        orders = ", ".join(s.degradation for s in steps if s.answer == "orders") or "–"
        misled = ", ".join(s.degradation for s in steps if s.answer == "misled") or "–"
        stable = "–" if isinstance(c.stability, Undefined) else f"{c.stability:.2f}"
        heard = "–"
        if c.listeners is not None:
            r = c.listeners.correlation
            heard = f"{c.listeners.dimension} {r.value:+.2f}, q {c.listeners.q:.2g}"
        lines.append(
            f"| {c.metric} | {c.verdict} | {orders} | {misled} | {stable} "
            f"| {c.separated[0]} of {c.separated[1]} | {heard} |"
        )
    return "\n".join(lines) + "\n"
