"""The cardinality score (Yin, Reuben, Stepney & Collins 2021, 2022): how many points two excerpts
have in common under the best shift in time and pitch.

Conventions
-----------
- A note is a point (round(24 times its onset in quarters), morphetic pitch); equal points count
  once. Morphetic pitch counts letter names (C4 = 60, D4 = 61, ...); it comes from a spelling of
  the MIDI pitch in the piece's key, since MIDI states none.
- Windows are cut in quarters: 16 long every 8, or 8 long every 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.compiled import compiled
from concours.metrics.piece import Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Parameters, Scored, Undefined

Points = NDArray[np.int64]

STEPS = 24
WINDOWS = ((16, 8), (8, 4))
FEWEST_POINTS = 3
WIDE = 128  # more than any difference of two morphetic pitches of one piece and another


class Overlap(NamedTuple):
    """``score`` 0-1, and the shift (time, morphetic pitch) from the first set to the second that
    gives it; the smallest of equals."""

    score: float
    shift: tuple[int, int]


def cardinality(p: Points, q: Points) -> Overlap:
    """The largest share of points that coincide when one set is shifted onto the other.

    ``max over v of |{(a, b) : b - a = v}| / max(|P|, |Q|)`` for points of shape (n, 2), duplicates
    removed. 1 for equal or shifted sets; 0 for an empty one.

    >>> cardinality(np.array([[0, 60], [24, 62], [48, 64]]), np.array([[6, 61], [30, 63]]))
    Overlap(score=0.6666666666666666, shift=(-18, -1))
    """
    p, q = np.unique(p, axis=0), np.unique(q, axis=0)
    if not len(p) or not len(q):
        return Overlap(0.0, (0, 0))
    shifts = (q[None, :, :] - p[:, None, :]).reshape(-1, 2)
    kinds, count = np.unique(shifts, axis=0, return_counts=True)
    best = int(count.argmax())
    score = float(count[best] / max(len(p), len(q)))
    return Overlap(score, (int(kinds[best, 0]), int(kinds[best, 1])))


def points(piece: Piece) -> Points:
    """The notes of a piece, drums left out, as points of shape (n, 2), in time order."""
    notes = piece.pitched
    time = np.floor(notes.onset * STEPS / notes.ticks_per_quarter + 0.5).astype(np.int64)
    found = np.unique(np.stack([time, morphetic(notes)], axis=1), axis=0)
    return found.astype(np.int64)


def morphetic(piece: Piece) -> NDArray[np.int64]:
    """Morphetic pitch of each note: MIDI pitch spelt by the key signature in force.

    The twelve pitch classes get the letter names of the twelve spellings nearest the key on the
    line of fifths (in C major from A flat to C sharp).

    >>> from concours.metrics.piece import make_piece
    >>> morphetic(make_piece(onset=[0, 1, 2, 3], end=[1, 2, 3, 4], pitch=[60, 61, 62, 70])).tolist()
    [60, 60, 61, 66]
    """
    fifths = np.zeros(piece.n_notes, np.int64)
    if len(piece.key_tick):
        at = np.searchsorted(piece.key_tick, piece.onset, side="right") - 1
        fifths = np.where(at >= 0, piece.key_fifths[np.maximum(at, 0)], 0)
    # place of the pitch class on the line of fifths (C = 0, G = 1), within -4..7 of the key's tonic
    line = piece.pitch * 7 % 12
    line = (line - fifths + 4) % 12 - 4 + fifths
    letter = line * 4 % 7
    alteration = (line - ((line + 1) % 7 - 1)) // 7
    natural = piece.pitch - alteration
    return 60 + (natural // 12 - 5) * 7 + letter


def windows(found: Points, length: int, hop: int) -> list[Points]:
    """Excerpts of ``length`` quarters every ``hop`` quarters; those without points left out."""
    if not len(found):
        return []
    last = int(found[-1, 0])
    starts = range(0, last + 1, hop * STEPS)
    cut = [found[(found[:, 0] >= s) & (found[:, 0] < s + length * STEPS)] for s in starts]
    return [w for w in cut if len(w)]


class Nearest(NamedTuple):
    """For each window of a piece: ``score`` 0-1, the highest cardinality score that a window of
    the corpus reaches with it, and ``window``, the number of that window (-1 without any)."""

    score: NDArray[np.float64]
    window: NDArray[np.int64]


class Packed(NamedTuple):
    """Windows one after the other: ``points``, packed as single numbers whose differences are
    those of the points; window ``i`` holds those from ``starts[i]`` to before ``starts[i + 1]``."""

    points: NDArray[np.int64]
    starts: NDArray[np.int64]


def pack(cut: Sequence[Points]) -> Packed:
    """Windows as :func:`nearest` takes them."""
    starts = np.concatenate([[0], np.cumsum([len(w) for w in cut])]).astype(np.int64)
    every = np.concatenate(cut) if len(cut) else np.empty((0, 2), np.int64)
    return Packed((every[:, 0] * WIDE + every[:, 1]).astype(np.int64), starts)


def nearest(own: Packed, corpus: Packed, length: int) -> Nearest:
    """The window of the corpus that has most points in common with each window of a piece.

    ``length`` in quarters, the same on both sides. Of equal ones the first window of the corpus.
    """
    mine, of_mine = _first_of_equals(own)
    known, _ = _first_of_equals(corpus)
    score, window = np.zeros(len(mine)), np.full(len(mine), -1, np.int64)
    most = int(np.diff(own.starts).max(initial=0))
    count = np.empty(2 * length * STEPS * WIDE, np.uint8 if most < 256 else np.uint32)
    columns = (*_columns(own), *_columns(corpus))
    _nearest(*columns, mine, known, count, score, window)
    return Nearest(score[of_mine], window[of_mine])


def _first_of_equals(cut: Packed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of the windows that no earlier one equals under a shift, ascending; and for each
    window the place of its equal among these."""
    seen: dict[bytes, int] = {}
    first: list[int] = []
    place = np.empty(len(cut.starts) - 1, np.int64)
    for i in range(len(place)):
        window = cut.points[cut.starts[i] : cut.starts[i + 1]]
        k = seen.setdefault((window - window[:1]).tobytes(), len(first))
        if k == len(first):
            first.append(i)
        place[i] = k
    return np.array(first, np.int64), place


def _columns(cut: Packed) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    return cut.points // WIDE, cut.points % WIDE, cut.starts


def originality(
    piece: Piece, corpus: Sequence[Piece], *, length: int = 16, hop: int = 8
) -> list[float]:
    """1 minus the highest cardinality score of each excerpt of a piece over the corpus's excerpts.

    One value for each excerpt in time order, 0-1, higher is more original. Excerpts of one to
    three points, which anything matches, are left out.

    >>> from concours.metrics.piece import make_piece
    >>> tune = make_piece(onset=range(5), end=range(1, 6), pitch=[60, 62, 64, 65, 67])
    >>> originality(tune, [tune])
    [0.0]
    """
    known = pack([w for p in corpus for w in windows(points(p), length, hop)])
    own = [w for w in windows(points(piece), length, hop) if len(w) > FEWEST_POINTS]
    return [1.0 - float(score) for score in nearest(pack(own), known, length).score]


class PointCorpus(NamedTuple):
    """The points of a reference: ``points`` (n, 2), piece after piece from ``starts[i]`` on;
    ``excluded`` pieces answer no query."""

    points: NDArray[np.int64]
    starts: NDArray[np.int64]
    names: NDArray[np.str_]
    excluded: frozenset[str] = frozenset()

    def excluding(self, *names: str) -> PointCorpus:
        """The same without the pieces called ``names``."""
        return self._replace(excluded=self.excluded | set(names))

    def windows(self, length: int) -> tuple[list[str], Packed]:
        """The windows of ``length`` quarters, every half of that, and the piece of each."""
        found: list[Points] = []
        names: list[str] = []
        for i, name in enumerate(self.names.tolist()):
            if name not in self.excluded:
                part = self.points[self.starts[i] : self.starts[i + 1]]
                cut = windows(part, length, length // 2)
                found += cut
                names += [name] * len(cut)
        return names, pack(found)


class PointModel:
    """The reference as sets of points; see :class:`concours.metrics.spec.CorpusModel`."""

    name = "points"
    version = 1
    parameters: tuple[str, ...] = ()

    def extract(self, piece: Piece, parameters: Parameters) -> Points:  # noqa: ARG002
        return points(piece)

    def fit(
        self,
        extracts: Sequence[Points],
        names: Sequence[str],
        parameters: Parameters,  # noqa: ARG002
    ) -> dict[str, NDArray[Any]]:
        starts = np.concatenate([[0], np.cumsum([len(p) for p in extracts])]).astype(np.int64)
        return {"points": np.concatenate(extracts), "starts": starts, "names": np.array(names)}

    def open(self, arrays: Mapping[str, NDArray[Any]]) -> PointCorpus:
        return PointCorpus(arrays["points"], arrays["starts"], arrays["names"])


POINTS = PointModel()


@metric(
    level="corpus",
    inputs="symbolic",
    direction="lower",
    unit="share",
    range=(0.0, 1.0),
    citation="Yin, Reuben, Stepney & Collins 2021, A good algorithm does not steal - it imitates",
    invariant=("tempo", "track-order", "note-order"),
    corpus=POINTS,
)
def cardinality_score(
    piece: Piece, corpus: PointCorpus, *, window: Literal[16, 8] = 16
) -> Scored | Undefined:
    """The mean share of points that a window of a piece has in common with the reference's nearest.

    ``mean over windows w of max over windows c of the reference, over shifts v, of
    |{(a, b) : b - a = v}| / max(|w|, |c|)`` over points (time in 24ths of a quarter, morphetic
    pitch); windows of ``window`` quarters every half of that, those with up to three points left
    out. The originality of Yin et al. is 1 minus it.

    Range 0-1, lower is more original. The detail names the two windows that have most in common.
    Undefined where no window has more than three points. It compares all windows with all: about
    0.15 s a piece for 100,000 notes of reference.

    >>> from concours.metrics.piece import make_piece
    >>> tune = make_piece(onset=range(5), end=range(1, 6), pitch=[60, 62, 64, 65, 67])
    >>> corpus = POINTS.open(POINTS.fit([points(tune)], ["tune"], {}))
    >>> cardinality_score(tune, corpus).value
    1.0
    """
    own = [w for w in windows(points(piece), window, window // 2) if len(w) > FEWEST_POINTS]
    if not own:
        return Undefined(f"no window of {window} quarters has more than {FEWEST_POINTS} notes")
    names, known = corpus.windows(window)
    if not names:
        return Undefined("the reference has no other piece")
    found = nearest(pack(own), known, window)
    best = int(found.score.argmax())
    detail: dict[str, Any] = {"windows": len(own)}
    if found.window[best] >= 0:
        detail |= {
            "best": float(found.score[best]),
            "source": names[int(found.window[best])],
            "from_quarter": round(float(own[best][0, 0]) / STEPS, 4),
        }
    return Scored(float(found.score.mean()), detail)


@compiled
def _nearest(
    times: NDArray[np.int64],
    pitches: NDArray[np.int64],
    starts: NDArray[np.int64],
    known_times: NDArray[np.int64],
    known_pitches: NDArray[np.int64],
    known_starts: NDArray[np.int64],
    asked: NDArray[np.int64],
    searched: NDArray[np.int64],
    count: NDArray[Any],
    score: NDArray[np.float64],
    window: NDArray[np.int64],
) -> None:  # pragma: no cover
    """Counts every shift between two windows in a table no larger than the shifts that they can
    have, which the nearest cache holds."""
    longest = 0
    for b in searched:
        longest = max(longest, known_starts[b + 1] - known_starts[b])
    place = np.empty(longest, np.int64)
    for a in range(len(asked)):
        first, last = starts[asked[a]], starts[asked[a] + 1]
        n = last - first
        low, high = pitches[first:last].min(), pitches[first:last].max()
        for b in searched:
            q, end = known_starts[b], known_starts[b + 1]
            most = max(n, end - q)
            if min(n, end - q) <= score[a] * most:
                continue
            known_low = known_pitches[q:end].min()
            rows = known_pitches[q:end].max() - known_low + high - low + 1
            # shifts in time from -(last - first of the piece's) to last - first of the corpus's
            latest = times[last - 1]
            size = (known_times[end - 1] - known_times[q] + latest - times[first] + 1) * rows
            for y in range(q, end):
                place[y - q] = (known_times[y] - known_times[q]) * rows
                place[y - q] += known_pitches[y] - known_low
            count[:size] = 0
            for x in range(first, last):
                base = (latest - times[x]) * rows + high - pitches[x]
                for y in range(end - q):
                    count[base + place[y]] += 1
            best = count[0]
            for k in range(size):
                if count[k] > best:  # noqa: PLR1730 - max() widens the type, and is slower
                    best = count[k]
            if best > score[a] * most:
                score[a], window[a] = best / most, b
