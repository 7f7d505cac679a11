"""What the items of a system share with each other, and what they are together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from concours.eval.originality.calibration import WITHIN_NOTES
from concours.eval.originality.search import longest, runs
from concours.metrics.originality.diversity import self_bleu, vendi_score
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.ngram import SIZES, curve_of, describe
from concours.metrics.originality.tokens import Tokens
from concours.metrics.originality.within import distinct_passages

if TYPE_CHECKING:
    from concours.eval.originality.report import ItemReport


def within_set(names: Sequence[str], tokens: Sequence[Tokens]) -> list[dict[str, Any] | None]:
    """For each piece the longest passage that another piece of the set has too."""
    if len(tokens) < 2:
        return [None] * len(tokens)
    index = NgramIndex.build(tokens, names)
    found: list[dict[str, Any] | None] = []
    for name, t in zip(names, tokens, strict=True):
        others = index.excluding(name)
        best = longest(t, [others])
        listed = runs(t, [others], best, at_least=t.width, most=1)
        curve = curve_of(t, best.length, [WITHIN_NOTES])
        found.append(
            {
                "longest": listed[0].length if listed else 0,
                f"coverage_{WITHIN_NOTES}": curve.get(WITHIN_NOTES),
                "passage": describe(t, others, listed[0].hit) if listed else None,
            }
        )
    return found


def of_set(
    reports: Sequence[ItemReport],
    names: Sequence[str],
    tokens: Sequence[Tokens],
    usual: Sequence[int],
) -> dict[str, Any]:
    """What the items are together; ``names`` and ``tokens`` are of those that were compared,
    ``usual`` the longest passages of the reference's own pieces."""
    done = [r for r in reports if r.status == "ok"]
    by_hash: dict[str, list[str]] = {}
    for r in reports:
        if r.sha256 is not None:
            by_hash.setdefault(r.sha256, []).append(r.path)
    by_notes: dict[tuple[bytes, bytes], list[str]] = {}
    for name, t in zip(names, tokens, strict=True):
        by_notes.setdefault((t.code.tobytes(), t.voice.tobytes()), []).append(name)
    lengths = [r.longest for r in done if r.longest is not None]
    repeated = [r.self_repetition for r in done if r.self_repetition is not None]
    copied = [
        r.from_prompt["copied"] for r in done if r.from_prompt and r.from_prompt.get("copied")
    ]
    return {
        "items": len(reports),
        "compared": len(done),
        "longest": {
            f"p{q}": float(np.percentile(lengths, q)) for q in (50, 95, 99) if len(lengths)
        },
        "above_p95": int((np.array(lengths) > np.percentile(usual, 95)).sum()) if usual else None,
        "in_reference": sum(r.in_reference is not None for r in done),
        "coverage": {
            str(n): float(np.mean(values))
            for n in SIZES
            if (values := [r.coverage[str(n)] for r in done if str(n) in r.coverage])
        },
        "novelty": {
            str(n): float(np.mean(values))
            for n in SIZES
            if (values := [r.novelty[str(n)] for r in done if str(n) in r.novelty])
        },
        "cardinality": {
            size: float(np.mean(values))
            for size in ("16", "8")
            if (values := [r.cardinality[size]["score"] for r in done if size in r.cardinality])
        },
        "self_repetition": {
            f"p{q}": float(np.percentile(repeated, q)) for q in (5, 50, 95) if repeated
        },
        "copied_from_prompt": float(np.mean(copied)) if copied else None,
        f"distinct_{WITHIN_NOTES}": distinct_passages(tokens, WITHIN_NOTES),
        "self_bleu": self_bleu(tokens),
        "vendi": vendi_score(tokens),
        "same_content": sorted(paths for paths in by_hash.values() if len(paths) > 1),
        "same_passages": sorted(paths for paths in by_notes.values() if len(paths) > 1),
    }
