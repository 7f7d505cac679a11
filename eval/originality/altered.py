"""Altered copies in an indexed corpus, told from chance by the corpus's own pieces."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.eval.originality.corpus_index import CorpusIndex
from concours.eval.originality.excerpts import excerpts
from concours.metrics.originality.approximate import (
    VIEW,
    Candidates,
    Placement,
    Surprise,
    placements,
    surprise,
)
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.tokens import Tokens, tokenize
from concours.metrics.piece import Piece

KIND = "altered"
MOST_KEPT = 1000  # pieces whose candidates are kept, some 100 kB each


class AlteredSearch:
    """The pieces of a corpus against each other; what was proposed for a piece is kept, since each
    is asked for with others aside again and again."""

    def __init__(self, index: CorpusIndex) -> None:
        self.shards = index.shards.get(VIEW, [])
        self.known = surprise(self.shards) if self.shards else None
        self._numbers = [{str(n): i for i, n in enumerate(s.names.tolist())} for s in self.shards]
        self._kept: dict[tuple[int, int], list[Candidates]] = {}

    def above(
        self, shard: int, piece: int, bits: float, aside: Collection[str], most: int
    ) -> set[str]:
        """Up to ``most`` other pieces of which a placement has that many bits."""
        found: set[str] = set()
        for part, candidates in enumerate(self._candidates(shard, piece)):
            out = self._of(part, aside)
            for _ in range(most):
                best = candidates.best(aside=out, most=1)
                if not best or best[0].score < bits:
                    break
                out.add(best[0].source)
                found.add(str(self.shards[part].names[best[0].source]))
        return found

    def best_score(self, shard: int, piece: int, aside: Collection[str]) -> float:
        """The score of the best placement of another piece, 0 where there is none."""
        found = [
            c.best(aside=self._of(part, aside), most=1)
            for part, c in enumerate(self._candidates(shard, piece))
        ]
        return max((p[0].score for p in found if p), default=0.0)

    def _of(self, part: int, names: Collection[str]) -> set[int]:
        return {self._numbers[part][n] for n in names if n in self._numbers[part]}

    def _candidates(self, shard: int, piece: int) -> list[Candidates]:
        if self.known is None:
            return []
        if (shard, piece) not in self._kept:
            own = self.shards[shard]
            tokens, name = own.piece(piece), str(own.names[piece])
            parts = [s.excluding(name) if s is own else s for s in self.shards]
            made = [Candidates(tokens, s, self.known) for s in parts]
            if len(self._kept) >= MOST_KEPT:
                return made
            self._kept[shard, piece] = made
        return self._kept[shard, piece]


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
