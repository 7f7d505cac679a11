"""How much of a piece stands in a corpus, note for note, and its longest shared passage.

The metrics compare an item with a :class:`NgramIndex` of the reference. What human composers
share with each other depends on the corpus, its size and n, so a value says little without the
value of held-out human pieces beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concours.metrics.originality.index import Hit, NgramIndex
from concours.metrics.originality.lookup import Matches
from concours.metrics.originality.tokens import Tokens, tokenize
from concours.metrics.piece import Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Parameters, Scored, Undefined

__all__ = [
    "NGRAMS",
    "NgramIndex",
    "coverage_curve",
    "longest_shared_passage",
    "ngram_novelty",
    "ngram_overlap",
]

DEFAULT_N = 10
SIZES = (4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 32)  # of the curves


class NgramModel:
    """The reference as an n-gram index; see :class:`concours.metrics.spec.CorpusModel`."""

    name = "ngram-index"
    version = 3
    parameters: tuple[str, ...] = ("view",)

    def extract(self, piece: Piece, parameters: Parameters) -> Tokens:
        return tokenize(piece, view=str(parameters["view"]))

    def fit(
        self,
        extracts: Sequence[Tokens],
        names: Sequence[str],
        parameters: Parameters,  # noqa: ARG002
    ) -> dict[str, NDArray[Any]]:
        return NgramIndex.build(extracts, names).to_arrays()

    def open(self, arrays: Mapping[str, NDArray[Any]]) -> NgramIndex:
        return NgramIndex.from_arrays(arrays)


NGRAMS = NgramModel()


@metric(
    level="corpus",
    inputs="symbolic",
    direction="lower",
    unit="share",
    range=(0.0, 1.0),
    citation="Papadopoulos, Roy & Pachet 2014, Avoiding plagiarism in Markov sequence generation",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
    corpus=NGRAMS,
)
def ngram_overlap(
    piece: Piece, index: NgramIndex, *, n: int = DEFAULT_N, view: str = "interval-ratio"
) -> Scored | Undefined:
    """The share of a piece's notes that lie in a passage of n notes which the reference holds too.

    ``|{i : note i lies in a shared passage of n notes}| / |{i : note i lies in any passage of n
    notes}|`` over the notes of all voices (see :mod:`concours.metrics.originality`). A note of a
    voice with fewer than n notes counts on neither side, so a piece compared with itself gives
    exactly 1. ``n`` counts notes, not steps.

    Range 0-1, lower is more original. Undefined where no voice has n notes. The detail holds the
    same share for other n as ``curve``: n from 4 to 32, as far as some voice has n notes.

    The default n is right for a few hundred pieces of one style: with 272 of Bach's chorales as
    the reference, 50 others share 72%, 18%, 2.2% and 0.4% of their notes at n = 6, 8, 10 and 12,
    and 50 pieces of an order-8 Markov chain 99.4%, 96.8%, 92.5% and 87.9%. Larger corpora and
    plainer music need a larger n.

    Raises:
        ValueError: ``n`` is below the width of the view, or the index is of another view.

    >>> from concours.metrics.piece import make_piece
    >>> corpus = make_piece(onset=[0, 1, 2, 3], end=[1, 2, 3, 4], pitch=[60, 62, 64, 65])
    >>> index = NgramIndex.build([tokenize(corpus)], ["scale.mid"])
    >>> query = make_piece(onset=range(5), end=range(1, 6), pitch=[67, 69, 71, 72, 60])
    >>> ngram_overlap(query, index, n=4).value  # four of five notes, a fifth higher
    0.8
    """
    tokens = tokenize(piece, view=view)
    if n < tokens.width:
        raise ValueError(f"the view {view!r} compares passages of {tokens.width} notes or more")
    length = _matches(piece, tokens, index).length
    possible = in_a_passage(tokens, n)
    if not possible.any():
        return Undefined(f"no voice has {n} notes")
    covered = covered_notes(length, tokens.width, n)
    return Scored(
        float(covered.sum() / possible.sum()),
        {
            "n": n,
            "curve": {str(k): share for k, share in curve_of(tokens, length, SIZES).items()},
            "notes_compared": int(possible.sum()),
            "notes_shared": int(covered.sum()),
            "notes_left_out": piece.n_notes - int(possible.sum()),
        },
    )


@metric(
    level="corpus",
    inputs="symbolic",
    direction="lower",
    unit="notes",
    range=(0.0, np.inf),
    citation="Papadopoulos, Roy & Pachet 2014, Avoiding plagiarism in Markov sequence generation",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
    corpus=NGRAMS,
)
def longest_shared_passage(
    piece: Piece, index: NgramIndex, *, view: str = "interval-ratio"
) -> Scored | Undefined:
    """The number of notes of the longest passage that a piece shares with the reference.

    ``max {n : some passage of n notes of one voice stands in the reference}``, 0 where not even
    the shortest passage of the view (3 notes in the default view) does. The detail names the
    place on both sides: ``source``, ``track`` and ``source_track`` (from 0), ``bars`` and
    ``source_bars`` (first and last, from 1), ``beats`` and ``source_beats`` (in those bars),
    ``transposition`` (semitones from the source to the piece), ``tempo_factor`` (how many times
    faster than the source, in score time), ``length``,
    and ``n_places`` in the reference that hold it, of which the first by name is named.

    Lower is more original. Undefined where no voice has as many notes as the shortest passage.

    Raises:
        ValueError: the index is of another view.

    >>> from concours.metrics.piece import make_piece
    >>> corpus = make_piece(onset=[0, 1, 2, 3], end=[1, 2, 3, 4], pitch=[60, 62, 64, 65])
    >>> index = NgramIndex.build([tokenize(corpus)], ["scale.mid"])
    >>> query = make_piece(onset=[0, 2, 4, 5], end=[2, 4, 5, 6], pitch=[67, 69, 71, 60])
    >>> found = longest_shared_passage(query, index)
    >>> found.value, found.detail["transposition"], found.detail["tempo_factor"]
    (3.0, 7, 0.5)
    """
    tokens = tokenize(piece, view=view)
    length = _matches(piece, tokens, index).length
    if not in_a_passage(tokens, tokens.width).any():
        return Undefined(f"no voice has {tokens.width} notes")
    longest = int(length.max())
    if longest == 0:
        return Scored(0.0, {"length": 0})
    notes = longest + tokens.width - 1
    first = _first_note_in_time(tokens, np.flatnonzero(length == longest))
    hits = index.hits(tokens, first, notes)
    return Scored(float(notes), {**describe(tokens, index, hits[0]), "n_places": len(hits)})


@metric(
    level="corpus",
    inputs="symbolic",
    direction="higher",
    unit="share",
    range=(0.0, 1.0),
    citation="Merrill, Smith & Elazar 2024, Evaluating n-gram novelty of language models using "
    "Rusty-DAWG",
    invariant=("transposition", "tempo", "track-order", "note-order", "resolution"),
    corpus=NGRAMS,
)
def ngram_novelty(
    piece: Piece, index: NgramIndex, *, n: int = DEFAULT_N, view: str = "interval-ratio"
) -> Scored | Undefined:
    """The share of a piece's passages of n notes that the reference does not hold.

    ``|{passages of n notes that the reference lacks}| / |{passages of n notes}|``, each place of
    the piece counted. The detail holds the same share for other n as ``curve`` (n from 4 to 32).

    Range 0-1, higher is more novel; music by people is not fully novel at small n either, so read
    it beside that of held-out human pieces. Undefined where no voice has n notes.

    Raises:
        ValueError: ``n`` is below the width of the view, or the index is of another view.

    >>> from concours.metrics.piece import make_piece
    >>> corpus = make_piece(onset=[0, 1, 2, 3], end=[1, 2, 3, 4], pitch=[60, 62, 64, 65])
    >>> index = NgramIndex.build([tokenize(corpus)], ["scale.mid"])
    >>> query = make_piece(onset=range(5), end=range(1, 6), pitch=[67, 69, 71, 72, 60])
    >>> ngram_novelty(query, index, n=4).value  # one of its two passages of four notes
    0.5
    """
    tokens = tokenize(piece, view=view)
    there = passages_of(tokens, n)
    if not there.any():
        return Undefined(f"no voice has {n} notes")
    length = _matches(piece, tokens, index).length
    return Scored(
        float(np.mean(length[there] < n - tokens.width + 1)),
        {
            "n": n,
            "passages": int(there.sum()),
            "curve": {str(k): share for k, share in novelty_of(tokens, length, SIZES).items()},
        },
    )


def novelty_of(
    tokens: Tokens, length: NDArray[np.int32], sizes: Sequence[int] | range
) -> dict[int, float]:
    """:func:`ngram_novelty` for many n from the longest match, in tokens, of every position."""
    curve = {}
    for n in sizes:
        if n >= tokens.width and (there := passages_of(tokens, n)).any():
            curve[n] = float(np.mean(length[there] < n - tokens.width + 1))
    return curve


def passages_of(tokens: Tokens, n: int) -> NDArray[np.bool_]:
    """Where a passage of n notes of one voice begins.

    Raises:
        ValueError: ``n`` is below the width of the view.
    """
    if n < tokens.width:
        raise ValueError(
            f"the view {tokens.view!r} compares passages of {tokens.width} notes or more"
        )
    there = np.zeros(len(tokens), np.bool_)
    if n <= len(tokens):
        there[: len(tokens) - n + 1] = tokens.voice[: len(tokens) - n + 1] == tokens.voice[n - 1 :]
    return there


def coverage_curve(
    tokens: Tokens, index: NgramIndex, sizes: Sequence[int] | range
) -> dict[int, float]:
    """:func:`ngram_overlap` for many n at once; sizes that no voice reaches are left out.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 1, 2, 3], end=[1, 2, 3, 4], pitch=[60, 62, 64, 65])
    >>> coverage_curve(tokenize(piece), NgramIndex.build([tokenize(piece)], ["a"]), range(3, 6))
    {3: 1.0, 4: 1.0}
    """
    return curve_of(tokens, index.matches(tokens).length, sizes)


def curve_of(
    tokens: Tokens, length: NDArray[np.int32], sizes: Sequence[int] | range
) -> dict[int, float]:
    """The coverage curve that goes with the longest match, in tokens, of every position."""
    curve = {}
    for n in sizes:
        possible = int(in_a_passage(tokens, n).sum())
        if n >= tokens.width and possible:
            curve[n] = float(covered_notes(length, tokens.width, n).sum() / possible)
    return curve


def describe(tokens: Tokens, index: NgramIndex, hit: Hit) -> dict[str, Any]:
    """One hit in words for people, JSON-ready; see :func:`longest_shared_passage`."""
    last, source_last = hit.first + hit.length - 1, hit.source_first + hit.length - 1
    quarters = (tokens.onset[last] - tokens.onset[hit.first]) / tokens.ticks_per_quarter
    source_ticks = int(index.onset[source_last]) - int(index.onset[hit.source_first])
    source_quarters = source_ticks / int(index.ticks_per_quarter[hit.source])
    shift = int(tokens.pitch[hit.first]) - int(index.pitch[hit.source_first])
    return {
        "source": str(index.names[hit.source]),
        "track": int(tokens.track[hit.first]),
        "source_track": int(index.track[hit.source_first]),
        "bars": [int(tokens.bar[hit.first]), int(tokens.bar[last])],
        "source_bars": [int(index.bar[hit.source_first]), int(index.bar[source_last])],
        "beats": [float(tokens.beat[hit.first]), float(tokens.beat[last])],
        "source_beats": [float(index.beat[hit.source_first]), float(index.beat[source_last])],
        "transposition": shift,
        "tempo_factor": round(float(source_quarters / quarters), 4),
        "length": hit.length,
    }


def _matches(piece: Piece, tokens: Tokens, index: NgramIndex) -> Matches:
    return piece.shared(("matches", tokens.view, index), lambda: index.matches(tokens))


def _first_note_in_time(tokens: Tokens, positions: NDArray[np.int64]) -> int:
    """Of several positions the earliest, then the highest: independent of the order of tracks."""
    order = np.lexsort((-tokens.pitch[positions], tokens.onset[positions]))
    return int(positions[order[0]])


def in_a_passage(tokens: Tokens, n: int) -> NDArray[np.bool_]:
    """Which notes belong to a voice of at least n notes."""
    sizes = np.bincount(tokens.voice, minlength=1)
    return sizes[tokens.voice] >= n


def covered_notes(length: NDArray[np.int32], width: int, n: int) -> NDArray[np.bool_]:
    """Which notes lie in a match of at least n notes; ``length`` is in tokens."""
    notes = length.astype(np.int64) + width - 1
    starts = np.flatnonzero((length > 0) & (notes >= n))
    edges = np.zeros(len(length) + 1, np.int64)
    np.add.at(edges, starts, 1)
    np.add.at(edges, starts + notes[starts], -1)
    return np.cumsum(edges[:-1]) > 0
