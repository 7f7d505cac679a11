"""Control: whether a piece has what it was asked to have.

Conventions
-----------
- The second argument is what was asked for: a :class:`~concours.metrics.target.Target`, or a
  piece whose attributes are wanted.
- What goes by the bar is compared bar for bar, and the longer of the two decides how many bars
  there are: a bar too few or too many scores 0.
- An attribute that was not asked for leaves its metric undefined. One that was asked for and that
  the piece does not have scores 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from concours.metrics.chords import Vocabulary, reduced
from concours.metrics.piece import Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Direction, Scored, Undefined
from concours.metrics.target import Target, bar_chords, programs_of, target_of

FIGARO = "von Rütte et al. 2023 (FIGARO), arXiv:2201.10936"
MUSECOCO = "Lu et al. 2023 (MuseCoco), arXiv:2306.00110"
NOT_ASKED = Undefined("the target does not state it")

F = TypeVar("F", bound=Callable[..., Any])


def _metric(citation: str, direction: Direction = "higher", high: float = 1.0) -> Callable[[F], F]:
    return metric(
        level="pair",
        inputs="symbolic",
        direction=direction,
        unit="1",
        range=(0, high),
        citation=citation,
        partner="target",
        invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
    )


@_metric(FIGARO)
def instrument_f1(piece: Piece, target: Piece | Target) -> Scored | Undefined:
    """F1 of the instruments that play against those asked for.

    MIDI programs, the drums being one more. Where a family was asked for ("strings"), any of its
    programs will do. Precision is the share of the programs that were asked for, recall the share
    of what was asked for that plays; both are in the detail. Undefined where the target states no
    instruments, or neither has any.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 0], end=[1, 1], pitch=[60, 40], program=[0, 32])
    >>> round(instrument_f1(piece, Target(instruments=frozenset({0}))).value, 3)
    0.667
    """
    got, asked = programs_of(piece), _asked(target).instruments
    if asked is None:
        return NOT_ASKED
    if not got and not asked:
        return Undefined("no instruments on either side")
    wanted = [a if isinstance(a, frozenset) else frozenset({a}) for a in asked]
    precision = sum(any(p in w for w in wanted) for p in got) / len(got) if got else 0.0
    recall = sum(not w.isdisjoint(got) for w in wanted) / len(wanted) if wanted else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return Scored(f1, {"precision": precision, "recall": recall})


@_metric(FIGARO)
def chord_f1(
    piece: Piece, target: Piece | Target, *, vocabulary: Vocabulary = "triads"
) -> Scored | Undefined:
    """Mean over the bars of the F1 of the chords in a bar against those asked for.

    The chords of both sides are those of a vocabulary: under ``triads`` a G7 that was asked for is
    a G. A bar without chords on both sides is left out. The detail holds mean precision and recall,
    and the curve. Undefined where the target states no chords, or no bar has any.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0] * 3, end=[1920] * 3, pitch=[60, 64, 67])
    >>> chord_f1(piece, Target(chords=(frozenset({"C:maj"}), frozenset({"G:maj"})))).value
    0.5
    """
    if isinstance(target, Piece):
        asked: Sequence[frozenset[str]] | None = bar_chords(target, vocabulary)
    else:
        asked = target.chords
    if asked is None:
        return NOT_ASKED
    got = bar_chords(piece, vocabulary)
    asked = [frozenset(reduced(c, vocabulary) for c in bar) for bar in asked]
    if isinstance(target, Target) and target.chords_repeat and asked:
        bars = max(target.bars or len(got), len(asked))
        asked = [asked[i % len(asked)] for i in range(bars)]
    return _set_f1(got, asked, "no chords on either side")


@_metric(FIGARO)
def time_signature_accuracy(piece: Piece, target: Piece | Target) -> float | Undefined:
    """Share of the bars that have the meter asked for.

    Bars with the right meter / bars of the longer side; a target with a single meter asks for it
    in every bar of the piece. Undefined where the target states none.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0], end=[3840], pitch=[60])
    >>> time_signature_accuracy(piece, Target(meters=((4, 4), (3, 4))))
    0.5
    """
    got, wanted = target_of(piece).meters or (), _asked(target)
    asked = wanted.meters
    if not asked:
        return NOT_ASKED
    if len(asked) == 1 and wanted.bars is None:
        asked = asked * max(1, len(got))
    right = sum(a == b for a, b in zip(got, asked, strict=False))
    return right / max(len(got), len(asked))


@_metric(MUSECOCO, "lower", math.inf)
def tempo_error(piece: Piece, target: Piece | Target) -> float | Undefined:
    """Distance of the mean tempo from the one asked for, in octaves of tempo.

    |log2(tempo / asked)|: 0 is right, 1 is half or double. Undefined where the target states no
    tempo, or the piece has no length.

    >>> from concours.metrics.piece import make_piece
    >>> tempo_error(make_piece(onset=[0], end=[1920], pitch=[60]), Target(tempo=60))
    1.0
    """
    got, asked = target_of(piece).tempo, _asked(target).tempo
    if asked is None:
        return NOT_ASKED
    if asked <= 0:
        return Undefined(f"a tempo of {asked:g} can't be asked for")
    return Undefined("the piece has no length") if got is None else abs(math.log2(got / asked))


@_metric("MIREX audio key detection; Raffel et al. 2014 (mir_eval)")
def key_score(piece: Piece, target: Piece | Target) -> float | Undefined:
    """How right the key is: 1, or 0.5, 0.3 or 0.2 for a near one.

    1 for the key asked for, 0.5 where it is a fifth above in the same mode, 0.3 for the relative
    and 0.2 for the parallel major or minor, else 0. The piece's key is that of
    :mod:`concours.metrics.keys`. Undefined where the target states no key.

    >>> from concours.metrics.piece import make_piece
    >>> at = [480 * i for i in range(8)]
    >>> notes = [60, 62, 64, 65, 67, 69, 71, 72]
    >>> scale = make_piece(onset=at, end=[t + 480 for t in at], pitch=notes)
    >>> key_score(scale, Target(key=(0, False))), key_score(scale, Target(key=(9, True)))
    (1.0, 0.3)
    """
    got, asked = target_of(piece).key, _asked(target).key
    if asked is None:
        return NOT_ASKED
    if got is None:
        return 0.0
    up = (got[0] - asked[0]) % 12
    if got[1] == asked[1]:
        return {0: 1.0, 7: 0.5}.get(up, 0.0)
    if up == 0:
        return 0.2
    return 0.3 if up == (3 if asked[1] else 9) else 0.0


@_metric(MUSECOCO, "lower", math.inf)
def bar_count_error(piece: Piece, target: Piece | Target) -> float | Undefined:
    """Difference between the number of bars and that asked for, as a share of the latter.

    Undefined where the target states none, or 0.

    >>> from concours.metrics.piece import make_piece
    >>> bar_count_error(make_piece(onset=[0], end=[3840], pitch=[60]), Target(bars=8))
    0.75
    """
    got, asked = target_of(piece).bars or 0, _asked(target).bars
    return abs(got - asked) / asked if asked else NOT_ASKED


@_metric(MUSECOCO)
def range_overlap(piece: Piece, target: Piece | Target) -> float | Undefined:
    """Overlap of the compass with the one asked for.

    Pitches from lowest to highest that lie in both / in either. Undefined where the target
    states none.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 1], end=[1, 2], pitch=[60, 69])
    >>> range_overlap(piece, Target(pitch_range=(60, 79)))
    0.5
    """
    got, asked = target_of(piece).pitch_range, _asked(target).pitch_range
    if asked is None:
        return NOT_ASKED
    if got is None:
        return 0.0
    both = min(got[1], asked[1]) - max(got[0], asked[0]) + 1
    either = max(got[1], asked[1]) - min(got[0], asked[0]) + 1
    return max(0, both) / either


@_metric(FIGARO, "lower", math.inf)
def density_error(piece: Piece, target: Piece | Target) -> float | Undefined:
    """Difference between the notes a bar and those asked for, as a share of the latter.

    Undefined where the target states none, or 0.

    >>> from concours.metrics.piece import make_piece
    >>> density_error(make_piece(onset=[0, 480], end=[480, 960], pitch=[60, 62]), Target(density=4))
    0.5
    """
    got, asked = target_of(piece).density or 0.0, _asked(target).density
    return abs(got - asked) / asked if asked else NOT_ASKED


def _asked(target: Piece | Target) -> Target:
    return target if isinstance(target, Target) else target_of(target)


def _set_f1(
    got: Sequence[frozenset[Any]], asked: Sequence[frozenset[Any]], neither: str
) -> Scored | Undefined:
    """The mean F1 of two sequences of sets; a set that one side lacks is empty."""
    n = max(len(got), len(asked))
    rows: list[tuple[float, float, float]] = []
    curve: list[float | None] = []
    for i in range(n):
        a = got[i] if i < len(got) else frozenset()
        b = asked[i] if i < len(asked) else frozenset()
        if a or b:
            hits = len(a & b)
            share = (hits / len(a) if a else 0.0, hits / len(b) if b else 0.0)
            rows.append((*share, 2 * hits / (len(a) + len(b))))
        curve.append(rows[-1][2] if a or b else None)
    if not rows:
        return Undefined(neither)
    precision, recall, f1 = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    detail = {"precision": precision, "recall": recall, "compared": len(rows), "curve": curve}
    return Scored(f1, detail)
