"""Trust cards as data and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from concours.eval.trust.cards import TrustCard
from concours.metrics.spec import Undefined


def card_data(card: TrustCard) -> dict[str, Any]:
    """The card as JSON-ready data; what can't be asked is null."""
    ladder = [] if isinstance(card.ladder, Undefined) else card.ladder
    heard = card.listeners
    return {
        "metric": card.metric,
        "verdict": card.verdict,
        "ladder": [
            {
                **s._asdict(),
                "gaps": [g if math.isfinite(g) else None for g in s.gaps],
            }
            for s in ladder
        ],
        "ladder_reason": card.ladder.reason if isinstance(card.ladder, Undefined) else "",
        f"{card.still}_change": None if isinstance(card.moved, Undefined) else card.moved,
        "declared_invariant": card.must_ignore,
        "stability": None if isinstance(card.stability, Undefined) else card.stability,
        "stability_reason": (
            card.stability.reason if isinstance(card.stability, Undefined) else ""
        ),
        "half_sample_ratio": card.half_size,
        "separated_pairs": card.separated[0],
        "pairs": card.separated[1],
        "listeners": None if heard is None else {
            "dimension": heard.dimension, "spearman": heard.correlation.value,
            "scope": heard.correlation.scope, "ci_low": heard.correlation.ci_low,
            "ci_high": heard.correlation.ci_high, "q": heard.q,
        },
    }  # fmt: skip


def cards_text(cards: Sequence[TrustCard]) -> str:
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
            over = " over systems" if r.scope == "system" else ""
            heard = f"{c.listeners.dimension} {r.value:+.2f}{over}, q {c.listeners.q:.2g}"
        lines.append(
            f"| {c.metric} | {c.verdict} | {orders} | {misled} | {stable} "
            f"| {c.separated[0]} of {c.separated[1]} | {heard} |"
        )
    return "\n".join(lines) + "\n"
