"""Altered copies in an indexed corpus, told from chance by the corpus's own pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.eval.originality.corpus_index import CorpusIndex
from concours.eval.originality.excerpts import excerpts
from concours.metrics.originality.approximate import VIEW, Placement, Surprise, placements
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.tokens import Tokens, tokenize
from concours.metrics.piece import Piece

KIND = "altered"


def best_score(tokens: Tokens, shards: list[NgramIndex], known: Surprise) -> float:
    """The score of the best placement over all shards, 0 where there is none."""
    found = [placements(tokens, s, known, most=1) for s in shards]
    return max((p[0].score for p in found if p), default=0.0)


def stored_surprise(index: CorpusIndex) -> Surprise:
    """The surprise that the calibration stored."""
    bits = index.calibration["altered"]["bits"]
    return Surprise(np.array(bits["interval"]), np.array(bits["ratio"]))


def altered_passages(
    piece: Piece, index: CorpusIndex
) -> list[tuple[dict[str, Any], NDArray[np.int64]]]:
    """Placements above the level that the corpus's own pieces set, with the notes of the piece
    that each spans; none where the index is not calibrated for them."""
    level = index.calibration.get("altered", {}).get("level")
    if level is None or VIEW not in index.shards:
        return []
    tokens = tokenize(piece, view=VIEW)
    shards = index.shards[VIEW]
    known = stored_surprise(index)
    found = [
        (placement, shard)
        for shard in shards
        for placement in placements(tokens, shard, known)
        if placement.score > level
    ]
    found.sort(key=lambda f: -f[0].score)
    return [
        (_as_passage(tokens, shard, p), tokens.note[p.first : p.last + 1]) for p, shard in found
    ]


def _as_passage(tokens: Tokens, shard: NgramIndex, placement: Placement) -> dict[str, Any]:
    first, last = placement.first, placement.last
    c, d = placement.source_first, placement.source_last
    return {
        "source": str(shard.names[placement.source]),
        "track": int(tokens.track[first]),
        "source_track": int(shard.track[c]),
        "bars": [int(tokens.bar[first]), int(tokens.bar[last])],
        "source_bars": [int(shard.bar[c]), int(shard.bar[d])],
        "beats": [float(tokens.beat[first]), float(tokens.beat[last])],
        "source_beats": [float(shard.beat[c]), float(shard.beat[d])],
        "transposition": placement.transposition,
        "tempo_factor": placement.tempo_factor,
        "length": placement.matched,
        "of_source_notes": d - c + 1,
        "score_bits": round(placement.score, 2),
        "kind": KIND,
        "view": VIEW,
        "roll": excerpts(
            tokens,
            first,
            last,
            shard,
            c,
            d,
            altered=(placement.transposition, placement.tempo_factor),
        ),
    }
