"""An index of a corpus: every passage of every piece, found at any length.

The index is a suffix array over the voices of the corpus, so one structure answers for every n
and gives the longest match. It keeps pitch, onset and bar of every note, so that a hit can be
named as a musician would: file, track, bars, transposition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.originality.suffix import Matches, longest_matches, occurrences, suffix_array
from concours.metrics.originality.tokens import SEPARATOR, Tokens, view_width

FORMAT = 1
_ARRAYS = ("text", "suffixes", "vocabulary", "starts", "pitch", "onset", "bar", "track", "names")


class Hit(NamedTuple):
    """One passage of a query and where the corpus holds it; both as positions, notes inclusive.

    ``first``: position in the query's tokens; ``source``: index of the corpus piece;
    ``source_first``: position in the index; ``length`` in notes.
    """

    first: int
    source: int
    source_first: int
    length: int


@dataclass(frozen=True, eq=False)
class NgramIndex:
    """Build it with :meth:`build`, or take it back from arrays with :meth:`from_arrays`.

    ``text``, ``suffixes``, ``pitch``, ``onset``, ``bar``, ``track``: shape (notes of the corpus,);
    ``vocabulary``: the distinct tokens, ascending; ``starts``: (pieces + 1,), where each piece
    begins; ``names``: (pieces,); ``excluded``: pieces that answer no query.
    """

    view: str
    text: NDArray[np.int32]
    suffixes: NDArray[np.int32]
    vocabulary: NDArray[np.int64]
    starts: NDArray[np.int64]
    pitch: NDArray[np.uint8]
    onset: NDArray[np.int64]
    bar: NDArray[np.int32]
    track: NDArray[np.int32]
    ticks_per_quarter: NDArray[np.int64]
    names: NDArray[np.str_]
    excluded: frozenset[int] = frozenset()
    _allowed: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_), repr=False)

    @property
    def width(self) -> int:
        """How many notes one token describes."""
        return view_width(self.view)

    @property
    def n_pieces(self) -> int:
        return len(self.names)

    @classmethod
    def build(cls, tokens: Sequence[Tokens], names: Sequence[str]) -> NgramIndex:
        """The index of a corpus; ``names`` identify its pieces in hits.

        Pieces are laid down in the order of their names, so the result does not depend on the
        order given.

        Raises:
            ValueError: no pieces, two pieces of one name, or tokens of different views.

        >>> from concours.metrics.originality.tokens import tokenize
        >>> from concours.metrics.piece import make_piece
        >>> piece = make_piece(onset=[0, 1, 2, 3], end=[1, 2, 3, 4], pitch=[60, 62, 64, 60])
        >>> index = NgramIndex.build([tokenize(piece)], ["scale.mid"])
        >>> index.matches(tokenize(piece)).length.tolist()
        [2, 1, 0, 0]
        """
        if len(tokens) != len(names):
            raise ValueError(f"{len(tokens)} pieces but {len(names)} names")
        if not tokens:
            raise ValueError("an index needs at least one piece")
        views = sorted({t.view for t in tokens})
        if len(views) > 1:
            raise ValueError(f"pieces are tokenized under different views: {', '.join(views)}")
        order = sorted(range(len(names)), key=names.__getitem__)
        for a, b in pairwise(order):
            if names[a] == names[b]:
                raise ValueError(f"two pieces of the index are called {names[a]!r}")
        laid = [tokens[i] for i in order]
        code = np.concatenate([t.code for t in laid])
        vocabulary = np.unique(code[code != SEPARATOR])
        text = (np.searchsorted(vocabulary, code) + 1).astype(np.int32)
        text[code == SEPARATOR] = 0
        return cls(
            view=views[0],
            text=text,
            suffixes=suffix_array(text),
            vocabulary=vocabulary,
            starts=np.concatenate([[0], np.cumsum([len(t) for t in laid])]).astype(np.int64),
            pitch=np.concatenate([t.pitch for t in laid]).astype(np.uint8),
            onset=np.concatenate([t.onset for t in laid]),
            bar=np.concatenate([t.bar for t in laid]).astype(np.int32),
            track=np.concatenate([t.track for t in laid]).astype(np.int32),
            ticks_per_quarter=np.array([t.ticks_per_quarter for t in laid], np.int64),
            names=np.array([names[i] for i in order], dtype=np.str_),
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The whole index (exclusions aside) as arrays that ``numpy.savez`` takes unpickled."""
        arrays: dict[str, NDArray[Any]] = {k: getattr(self, k) for k in _ARRAYS}
        return {
            **arrays,
            "ticks_per_quarter": self.ticks_per_quarter,
            "view": np.array(self.view),
            "format": np.array(FORMAT),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> NgramIndex:
        """The index that :meth:`to_arrays` gave; memory-mapped arrays stay on disk.

        Raises:
            ValueError: arrays of another format version, missing, or cut short.
        """
        wanted = (*_ARRAYS, "ticks_per_quarter", "view", "format")
        missing = [k for k in wanted if k not in arrays]
        if missing:
            raise ValueError(f"not an n-gram index: {', '.join(missing)} missing; build it again")
        if int(arrays["format"]) != FORMAT:
            raise ValueError(
                f"an n-gram index of format {int(arrays['format'])}, not {FORMAT}; build it again"
            )
        columns: dict[str, Any] = {k: arrays[k] for k in (*_ARRAYS, "ticks_per_quarter")}
        n = int(columns["starts"][-1])
        whole = all(
            len(columns[k]) == n for k in ("text", "suffixes", "pitch", "onset", "bar", "track")
        )
        pieces = len(columns["names"])
        if not whole or len(columns["starts"]) != pieces + 1:
            raise ValueError("the n-gram index is cut short: its arrays differ in length")
        return cls(view=str(arrays["view"]), **columns)

    def excluding(self, *names: str) -> NgramIndex:
        """The same index, in which the pieces called ``names`` answer no query.

        Raises:
            ValueError: the index holds no such piece.
        """
        found = {str(name): i for i, name in enumerate(self.names)}
        unknown = [n for n in names if n not in found]
        if unknown:
            raise ValueError(f"the index holds no piece called {unknown[0]!r}")
        excluded = self.excluded | {found[n] for n in names}
        if not excluded:
            return self
        allowed = np.ones(len(self.text), np.bool_)
        for i in excluded:
            allowed[self.starts[i] : self.starts[i + 1]] = False
        return replace(self, excluded=excluded, _allowed=allowed)

    def symbols(self, tokens: Tokens) -> NDArray[np.int32]:
        """A query's tokens as symbols of the index, 0 where the index has no such token.

        Raises:
            ValueError: the query is tokenized under another view.
        """
        if tokens.view != self.view:
            raise ValueError(
                f"the index holds the view {self.view!r}, the query {tokens.view!r}; "
                "build an index of that view"
            )
        place = np.searchsorted(self.vocabulary, tokens.code)
        known = place < len(self.vocabulary)
        known[known] = self.vocabulary[place[known]] == tokens.code[known]
        return np.where(known, place + 1, 0).astype(np.int32)

    def matches(self, tokens: Tokens) -> Matches:
        """The longest match, in tokens, from each position of a query; shape (notes,)."""
        return longest_matches(self.symbols(tokens), self.text, self.suffixes, self._allowed)

    def source_of(self, position: int) -> int:
        """Index of the piece that a position of the text belongs to."""
        return int(np.searchsorted(self.starts, position, side="right")) - 1

    def hits(self, tokens: Tokens, first: int, length: int) -> list[Hit]:
        """Every place, in the order of the pieces' names, that holds one passage of a query.

        ``first`` is the passage's position in ``tokens``, ``length`` its number of notes.
        """
        symbols = self.symbols(tokens)
        places = occurrences(symbols, first, length - self.width + 1, self.text, self.suffixes)
        found = [Hit(first, self.source_of(int(p)), int(p), length) for p in places]
        return [h for h in found if h.source not in self.excluded]
