"""Musical prompts: whether a piece keeps the opening that it was given, and how it goes on.

Conventions
-----------
- The first piece is the output, the second the prompt (its prefix). Times are compared in quarters
  from the start, whatever the resolutions and tempi.
- The continuation is what starts at or after the end of the bar in which the prompt's last note
  starts. Where outputs hold only what follows the prompt, ``given="left-out"`` takes them whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np

from concours.metrics.entropy import entropy_of
from concours.metrics.matching import matched, within
from concours.metrics.originality.index import NgramIndex
from concours.metrics.originality.ngram import (
    DEFAULT_N,
    SIZES,
    curve_of,
    describe,
    in_a_passage,
)
from concours.metrics.originality.tokens import tokenize
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Direction, Invariance, Scored, Undefined

Given = Literal["kept", "left-out"]
INVARIANT: tuple[Invariance, ...] = (
    "transposition",
    "tempo",
    "track-order",
    "note-order",
    "resolution",
)

F = TypeVar("F", bound=Callable[..., Any])


def _metric(citation: str, direction: Direction, unit: str, high: float) -> Callable[[F], F]:
    return metric(
        level="pair",
        inputs="symbolic",
        direction=direction,
        unit=unit,
        range=(0, high),
        citation=citation,
        partner="prefix",
        invariant=INVARIANT,
    )


@_metric("Share of the prompt that the output begins with", "higher", "share", 1)
def prefix_recall(piece: Piece, prefix: Piece, *, tolerance: float = 0.0625) -> float | Undefined:
    """Share of the prompt's notes that the output has, with the same pitch, at the same place.

    Onsets within ``tolerance`` quarters, each note matched at most once; drums count as notes of
    their own. 1 where the output begins with the prompt. Undefined where the prompt has no notes.

    >>> from concours.metrics.piece import make_piece
    >>> prompt = make_piece(onset=[0, 480], end=[480, 960], pitch=[60, 62])
    >>> prefix_recall(make_piece(onset=[0, 480], end=[1, 481], pitch=[60, 63]), prompt)
    0.5
    """
    if not prefix.n_notes:
        return Undefined("the prompt has no notes")
    near = within(_quarters(piece), _quarters(prefix), tolerance)
    i, j = near[:, 0], near[:, 1]
    same = (piece.pitch[i] == prefix.pitch[j]) & (piece.is_drum[i] == prefix.is_drum[j])
    return matched(near[same], piece.n_notes, prefix.n_notes) / prefix.n_notes


@_metric("Length of the output beyond its prompt", "reference", "bar", np.inf)
def continuation_bars(piece: Piece, prefix: Piece, *, given: Given = "kept") -> float | Undefined:
    """Number of bars of the continuation, 0 where the output stops with the prompt.

    Undefined where the prompt has no notes.

    >>> from concours.metrics.piece import make_piece
    >>> prompt = make_piece(onset=[0], end=[480], pitch=[60])
    >>> continuation_bars(make_piece(onset=[0, 3840], end=[480, 4320], pitch=[60, 62]), prompt)
    2.0
    """
    start = _continuation_start(piece, prefix, given)
    if isinstance(start, Undefined):
        return start
    return float(np.count_nonzero(piece.bar_edges[:-1] >= start))


@_metric("Cosine of pitch-class times, as FIGARO's chroma similarity", "higher", "1", 1)
def continuation_chroma_similarity(
    piece: Piece, prefix: Piece, *, given: Given = "kept"
) -> float | Undefined:
    """Cosine similarity of the pitch-class times of the continuation and the prompt.

    1 where the continuation stays with the prompt's pitch classes. 0 where nothing pitched
    continues. Undefined where no pitched note of the prompt has a length.

    >>> from concours.metrics.piece import make_piece
    >>> prompt = make_piece(onset=[0], end=[480], pitch=[60])
    >>> piece = make_piece(onset=[0, 1920], end=[480, 3840], pitch=[60, 72])
    >>> continuation_chroma_similarity(piece, prompt)
    1.0
    """
    rest = _continuation(piece, prefix, given)
    if isinstance(rest, Undefined):
        return rest
    a, b = _chroma(rest), _chroma(prefix)
    if not b.any():
        return Undefined("no pitched note of the prompt has a length")
    return min(1.0, float(a @ b / np.sqrt((a @ a) * (b @ b)))) if a.any() else 0.0


@_metric("Overlap of onset positions in the bar", "higher", "1", 1)
def continuation_rhythm_overlap(
    piece: Piece, prefix: Piece, *, given: Given = "kept", steps_per_quarter: int = 4
) -> float | Undefined:
    """Overlap of where in the bar the notes of the continuation and of the prompt start.

    The sum over the steps of a bar of the smaller of the two shares of onsets. 0 where nothing
    continues. Undefined where the prompt has no notes.
    """
    rest = _continuation(piece, prefix, given)
    if isinstance(rest, Undefined):
        return rest
    if not rest.n_notes:
        return 0.0
    a, b = (_positions(p, steps_per_quarter) for p in (rest, prefix))
    n = max(len(a), len(b))
    shares = [np.pad(x, (0, n - len(x))) / x.sum() for x in (a, b)]
    return min(1.0, float(np.minimum(*shares).sum()))


@_metric("Difference of pitch-class entropies", "reference", "bit", np.log2(12))
def continuation_entropy_gap(
    piece: Piece, prefix: Piece, *, given: Given = "kept"
) -> Scored | Undefined:
    """Distance of the continuation's pitch-class entropy from the prompt's.

    Large where an output falls into a loop of few notes, or into noise. The detail holds both
    entropies. Undefined where one of them has no pitched notes.
    """
    rest = _continuation(piece, prefix, given)
    if isinstance(rest, Undefined):
        return rest
    if not rest.pitched.n_notes or not prefix.pitched.n_notes:
        return Undefined("the prompt or the continuation has no pitched notes")
    a, b = (entropy_of(np.bincount(p.pitched.pitch % 12, minlength=12)) for p in (rest, prefix))
    return Scored(abs(a - b), {"continuation": a, "prompt": b})


@_metric("Share of the continuation that stands in the prompt", "reference", "share", 1)
def continuation_copied(
    piece: Piece,
    prefix: Piece,
    *,
    given: Given = "kept",
    n: int = DEFAULT_N,
    view: str = "interval-ratio",
) -> Scored | Undefined:
    """The share of the continuation's notes in passages of ``n`` notes that the prompt holds too.

    Compared as by :func:`concours.metrics.originality.ngram.ngram_overlap`, in any key and at any
    tempo by default, with the prompt as the reference. Music repeats itself, and an output that
    starts its prompt over again has 1; compare with what people's continuations have.

    The detail holds the same share for other n as ``curve``, and the ``longest`` passage with its
    bars in the continuation's piece and the prompt. Undefined where no voice of the continuation
    or of the prompt has n notes.

    Raises:
        ValueError: ``n`` is below the width of the view, or there is no such view.

    >>> from concours.metrics.piece import make_piece
    >>> onset = list(range(0, 12 * 480, 480))
    >>> tune = [60, 62, 65, 64, 67, 60, 69, 71, 65, 60, 62, 74]
    >>> prompt = make_piece(onset=onset, end=[t + 480 for t in onset], pitch=tune)
    >>> again = make_piece(onset=onset + [t + 5760 for t in onset],
    ...     end=[t + 480 for t in onset] + [t + 6240 for t in onset],
    ...     pitch=tune + [p + 5 for p in tune])
    >>> continuation_copied(again, prompt).value
    1.0
    """
    rest = _continuation(piece, prefix, given)
    if isinstance(rest, Undefined):
        return rest
    tokens, known = tokenize(rest, view=view), tokenize(prefix, view=view)
    if n < tokens.width:
        raise ValueError(f"the view {view!r} compares passages of {tokens.width} notes or more")
    for side, name in ((tokens, "the continuation"), (known, "the prompt")):
        if not in_a_passage(side, n).any():
            return Undefined(f"no voice of {name} has {n} notes")
    index = NgramIndex.build([known], ["prompt"])
    length = index.matches(tokens).length
    curve = curve_of(tokens, length, sorted({n, *SIZES}))
    first = int(length.argmax())
    longest = None
    if length[first]:
        hit = index.hits(tokens, first, int(length[first]) + tokens.width - 1)[0]
        longest = describe(tokens, index, hit)
    return Scored(
        curve[n],
        {
            "n": n,
            "curve": {str(k): share for k, share in curve.items()},
            "longest": longest,
        },
    )


def _quarters(piece: Piece) -> Floats:
    at: Floats = piece.onset / piece.ticks_per_quarter
    return at


def _continuation_start(piece: Piece, prefix: Piece, given: Given) -> float | Undefined:
    """The tick of the piece at which the continuation starts."""
    if not prefix.n_notes:
        return Undefined("the prompt has no notes")
    if given == "left-out":
        return 0
    last = int(prefix.bar_of(prefix.onset[-1:])[0])
    stop = int(prefix.bar_edges[last + 1]) / prefix.ticks_per_quarter
    return stop * piece.ticks_per_quarter


def _continuation(piece: Piece, prefix: Piece, given: Given) -> Piece | Undefined:
    start = _continuation_start(piece, prefix, given)
    return start if isinstance(start, Undefined) else piece.where(piece.onset >= start)


def _chroma(piece: Piece) -> Floats:
    notes = piece.pitched
    lengths = (notes.end - notes.onset) / notes.ticks_per_quarter
    time: Floats = np.bincount(notes.pitch % 12, lengths, minlength=12).astype(np.float64)
    return time


def _positions(piece: Piece, steps_per_quarter: int) -> Ints:
    into = piece.onset - piece.bar_edges[piece.bar_of(piece.onset)]
    steps = np.floor(into * steps_per_quarter / piece.ticks_per_quarter + 0.5).astype(np.int64)
    counts: Ints = np.bincount(steps).astype(np.int64)
    return counts
