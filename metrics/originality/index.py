"""An index of a corpus: every passage of every piece, found at any length.

The index is a suffix array over the voices of the corpus, so one structure answers for every n
and gives the longest match. It keeps pitch, onset and bar of every note, so that a hit can be
named as a musician would: file, track, bars, transposition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.originality.lookup import Matches, longest_matches, stand_in
from concours.metrics.originality.lookup_tables import Tables, tables
from concours.metrics.originality.suffix import occurrences, suffix_array
from concours.metrics.originality.tokens import SEPARATOR, Tokens, view_width

FORMAT = 3
_PER_NOTE = ("text", "suffixes", "pitch", "onset", "bar", "beat", "track")
_ARRAYS = (*_PER_NOTE, "vocabulary", "starts", "voices", "ticks_per_quarter", "names")
_TABLES = tuple(f"lookup_{name}" for name in Tables._fields)


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

    ``text``, ``suffixes``, ``pitch``, ``onset``, ``bar``, ``beat``, ``track``: shape (notes of the
    corpus,), each in the narrowest type that holds it; ``vocabulary``: the distinct tokens,
    ascending; ``starts``: (pieces + 1,), where each piece begins, and ``voices`` where each voice
    does; ``ticks_per_quarter``, ``names``: (pieces,); ``lookup``: what makes the suffix array quick
    to search, at most two bytes a note; ``excluded``: pieces that answer no query.
    """

    view: str
    text: NDArray[Any]
    suffixes: NDArray[np.int32]
    vocabulary: NDArray[np.int64]
    starts: NDArray[np.int64]
    voices: NDArray[np.int64]
    pitch: NDArray[np.uint8]
    onset: NDArray[Any]
    bar: NDArray[Any]
    beat: NDArray[np.float32]
    track: NDArray[Any]
    ticks_per_quarter: NDArray[np.int64]
    names: NDArray[np.str_]
    lookup: Tables
    excluded: frozenset[int] = frozenset()

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
        text = np.searchsorted(vocabulary, code) + 1
        text[code == SEPARATOR] = 0
        text = text.astype(np.uint16 if len(vocabulary) < 1 << 16 else np.int32)
        starts = np.concatenate([[0], np.cumsum([len(t) for t in laid])]).astype(np.int64)
        suffixes = suffix_array(text)
        return cls(
            view=views[0],
            text=text,
            suffixes=suffixes,
            vocabulary=vocabulary,
            starts=starts,
            voices=_voice_starts(laid, starts),
            pitch=np.concatenate([t.pitch for t in laid]).astype(np.uint8),
            onset=_narrowest(np.concatenate([t.onset for t in laid])),
            bar=_narrowest(np.concatenate([t.bar for t in laid])),
            beat=np.concatenate([t.beat for t in laid]).astype(np.float32),
            track=_narrowest(np.concatenate([t.track for t in laid])),
            ticks_per_quarter=np.array([t.ticks_per_quarter for t in laid], np.int64),
            names=np.array([names[i] for i in order], dtype=np.str_),
            lookup=tables(text, suffixes),
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The whole index (exclusions aside) as arrays that ``numpy.savez`` takes unpickled."""
        arrays: dict[str, NDArray[Any]] = {k: getattr(self, k) for k in _ARRAYS}
        arrays |= dict(zip(_TABLES, self.lookup, strict=True))
        return {**arrays, "view": np.array(self.view), "format": np.array(FORMAT)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> NgramIndex:
        """The index that :meth:`to_arrays` gave; memory-mapped arrays stay on disk.

        Raises:
            ValueError: arrays of another format version, missing, or cut short.
        """
        missing = [k for k in (*_ARRAYS, *_TABLES, "view", "format") if k not in arrays]
        if missing:
            raise ValueError(f"not an n-gram index: {', '.join(missing)} missing; build it again")
        if int(arrays["format"]) != FORMAT:
            raise ValueError(
                f"an n-gram index of format {int(arrays['format'])}, not {FORMAT}; build it again"
            )
        columns: dict[str, Any] = {k: arrays[k] for k in _ARRAYS}
        n = int(columns["starts"][-1])
        whole = all(len(columns[k]) == n for k in _PER_NOTE)
        if not whole or len(columns["starts"]) != len(columns["names"]) + 1:
            raise ValueError("the n-gram index is cut short: its arrays differ in length")
        lookup = Tables(*(arrays[k] for k in _TABLES))
        return cls(view=str(arrays["view"]), lookup=lookup, **columns)

    def excluding(self, *names: str) -> NgramIndex:
        """The same index, in which the pieces called ``names`` answer no query.

        Raises:
            ValueError: the index holds no such piece.
        """
        found = {str(name): i for i, name in enumerate(self.names)}
        unknown = [n for n in names if n not in found]
        if unknown:
            raise ValueError(f"the index holds no piece called {unknown[0]!r}")
        return replace(self, excluded=self.excluded | {found[n] for n in names})

    @property
    def _blocked(self) -> NDArray[np.int64]:
        pieces = np.array(sorted(self.excluded), np.int64)
        return np.stack([self.starts[pieces], self.starts[pieces + 1]], axis=1)

    def piece(self, number: int) -> Tokens:
        """The tokens of one piece of the corpus, to hold it against the others."""
        part = slice(int(self.starts[number]), int(self.starts[number + 1]))
        at = np.arange(part.start, part.stop)
        text = self.text[part].astype(np.int64)
        code = np.full(len(text), SEPARATOR, np.int64)
        code[text > 0] = self.vocabulary[text[text > 0] - 1]
        voice = np.searchsorted(self.voices, at, side="right")
        return Tokens(
            view=self.view,
            width=self.width,
            code=code,
            note=at - part.start,
            voice=voice - voice[:1],
            track=self.track[part].astype(np.int64),
            onset=self.onset[part].astype(np.int64),
            pitch=self.pitch[part].astype(np.int64),
            bar=self.bar[part].astype(np.int64),
            beat=self.beat[part].astype(np.float64),
            ticks_per_quarter=int(self.ticks_per_quarter[number]),
        )

    def only(self, number: int) -> NgramIndex:
        """An index of that piece alone."""
        return NgramIndex.build([self.piece(number)], [str(self.names[number])])

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
        return longest_matches(
            self.symbols(tokens), self.text, self.suffixes, self.lookup, self._blocked
        )

    def holds(self, tokens: Tokens, n: int) -> NDArray[np.bool_]:
        """Whether the corpus holds the passage of n notes that starts at each position of a query;
        shape (notes,). What :meth:`matches` says, several times faster for passages of eight
        tokens or more.

        Raises:
            ValueError: ``n`` is below the width of the view, or the query is of another view.
        """
        run = n - self.width + 1
        if run < 1:
            raise ValueError(f"the view {self.view!r} compares {self.width} notes or more")
        symbols = self.symbols(tokens)
        return stand_in(symbols, run, self.text, self.suffixes, self.lookup, self._blocked)

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


def _narrowest(values: NDArray[np.int64]) -> NDArray[Any]:
    """The same integers in the narrowest unsigned type that holds them; signed where needed."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    return values.astype(np.promote_types(np.min_scalar_type(low), np.min_scalar_type(high)))


def _voice_starts(laid: Sequence[Tokens], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    found = [starts[-1:]]
    for tokens, start in zip(laid, starts[:-1].tolist(), strict=True):
        first = np.flatnonzero(np.diff(tokens.voice, prepend=-1))
        found.append(start + first)
    return np.sort(np.concatenate(found)).astype(np.int64)
