"""Theory: how often a piece breaks the rules of part-writing, and where.

Conventions
-----------
- Voices are those of :mod:`concours.metrics.voices`: the tracks, where each sounds one note at a
  time. Without 2 to 12 such tracks every metric here is undefined.
- Each value is broken / chances, 0..1, and is compared with the reference: Bach, too, breaks some.
- ``detail["violations"]`` lists each breach with bar and beat (from 1), the voices' names and
  pitches before and after; at most ``LISTED`` of them, ``detail["count"]`` being the whole.
- Intervals are in semitones, as files hold no spelling: a diminished sixth passes for a fifth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from concours.metrics.chords import chords_of
from concours.metrics.keys import key_of
from concours.metrics.motion import crossings, gaps, hidden, overlaps, parallels
from concours.metrics.piece import Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Invariance, Scored, Undefined
from concours.metrics.voice_lines import (
    awkward_leaps,
    leaps_without_return,
    stranded_leading_tones,
)
from concours.metrics.voices import Notes, Voices, places, voices_of

FUX = "Fux 1725, Gradus ad Parnassum; Aldwell & Schachter, Harmony and Voice Leading"
LISTED = 200
BEFORE_AND_AFTER = np.array([-1, 0])
SATB = ((60, 81), (53, 74), (48, 69), (40, 64))

F = TypeVar("F", bound=Callable[..., Any])


def _metric(function: F) -> F:
    invariant: tuple[Invariance, ...] = (
        "tempo",
        "track-order",
        "note-order",
        "resolution",
        "format",
    )
    if function.__name__ != "out_of_range":
        invariant = ("transposition", *invariant)
    return metric(
        level="clip",
        inputs="symbolic",
        direction="reference",
        unit="share",
        range=(0, 1),
        citation=FUX,
        invariant=invariant,
    )(function)


@_metric
def parallel_fifths(piece: Piece, *, contrary: bool = False) -> Scored | Undefined:
    """Share of the motions of two voices that go from a perfect fifth to another.

    Over all pairs of voices in which both change pitch; twelfths count as fifths. ``contrary``
    adds fifths reached by contrary motion. Undefined without voices, or where no two move at once.

    >>> from concours.metrics.piece import make_piece
    >>> piece = make_piece(onset=[0, 0, 480, 480], end=[480, 480, 960, 960],
    ...                    pitch=[67, 60, 69, 62], track=[0, 1, 0, 1])
    >>> parallel_fifths(piece).detail["violations"][0]["voices"]
    ['voice 1', 'voice 2']
    """
    return _of_pairs(piece, lambda v: parallels(v.pitch, 7, contrary))


@_metric
def parallel_octaves(piece: Piece, *, contrary: bool = False) -> Scored | Undefined:
    """Share of the motions of two voices that go from an octave or unison to another.

    As :func:`parallel_fifths`.
    """
    return _of_pairs(piece, lambda v: parallels(v.pitch, 0, contrary))


@_metric
def hidden_fifths(
    piece: Piece, *, outer_voices: bool = True, upper_leaps: bool = True
) -> Scored | Undefined:
    """Share of the motions of two voices that run in one direction into a perfect fifth.

    Between the outer voices, and where the upper one leaps, unless told otherwise; the interval
    before is no perfect fifth. Undefined without voices, or where no two of them move at once.
    """
    return _of_pairs(piece, lambda v: hidden(v.pitch, 7, outer_voices, upper_leaps))


@_metric
def hidden_octaves(
    piece: Piece, *, outer_voices: bool = True, upper_leaps: bool = True
) -> Scored | Undefined:
    """Share of the motions of two voices that run in one direction into an octave or unison.

    As :func:`hidden_fifths`.
    """
    return _of_pairs(piece, lambda v: hidden(v.pitch, 0, outer_voices, upper_leaps))


@_metric
def voice_crossing(piece: Piece) -> Scored | Undefined:
    """Share of the sonorities of two voices in which the upper voice is the lower one.

    A sonority counts once for as long as neither of its two pitches changes. Undefined without
    voices, or where no two sound together.
    """
    return _of_pairs(piece, lambda v: crossings(v.pitch), motion=False)


@_metric
def voice_overlap(piece: Piece) -> Scored | Undefined:
    """Share of the motions of neighbouring voices in which one passes the other's last pitch.

    The upper goes below where the lower was, or the lower above where the upper was. Undefined
    without voices, or where no neighbours move.
    """
    return _of_pairs(piece, lambda v: overlaps(v.pitch))


@_metric
def wide_spacing(piece: Piece, *, widest: int = 12, widest_bass: int = 24) -> Scored | Undefined:
    """Share of the sonorities of neighbouring voices that lie too far apart.

    More than ``widest`` semitones, between the lowest two voices more than ``widest_bass``.
    Undefined without voices, or where no neighbours sound together.
    """
    return _of_pairs(piece, lambda v: gaps(v.pitch, widest, widest_bass), motion=False)


@_metric
def out_of_range(piece: Piece) -> Scored | Undefined:
    """Share of the notes that a soprano, alto, tenor or bass of a choir cannot sing.

    Ranges: soprano C4-A5, alto F3-D5, tenor C3-A4, bass E2-E4, for the four voices from high to
    low. It does change under transposition. Undefined unless there are four voices.
    """
    voices = voices_of(piece)
    if isinstance(voices, Undefined):
        return voices
    if len(voices.names) != 4:
        return Undefined(f"{len(voices.names)} voices, and the ranges are those of four")
    notes = voices.notes
    low, high = np.array(SATB).T
    at = np.flatnonzero((notes.pitch < low[notes.line]) | (notes.pitch > high[notes.line]))
    return _of_notes(piece, voices, notes, at, 0, 1, len(notes.pitch))


@_metric
def dissonant_leaps(piece: Piece) -> Scored | Undefined:
    """Share of the steps of the voices that are a tritone, a seventh or more than an octave.

    Over all neighbouring notes of a voice that change pitch, rests between them or not.
    Undefined without voices, or where no voice moves.
    """

    voices = voices_of(piece)
    if isinstance(voices, Undefined):
        return voices
    notes = piece.shared("moving_voices", lambda: _without_repeats(voices.notes))
    at, chances = awkward_leaps(notes.pitch, notes.line)
    return _of_notes(piece, voices, notes, at, 1, 3, chances)


@_metric
def unresolved_leaps(piece: Piece, *, leap: int = 8) -> Scored | Undefined:
    """Share of the large leaps of the voices that no step back follows.

    A leap of ``leap`` semitones or more resolves where the voice next moves by 1 or 2 semitones
    the other way. Leaps into a voice's last note have no chance. Undefined without voices, or
    where none leaps.
    """

    voices = voices_of(piece)
    if isinstance(voices, Undefined):
        return voices
    notes = piece.shared("moving_voices", lambda: _without_repeats(voices.notes))
    at, chances = leaps_without_return(notes.pitch, notes.line, leap)
    return _of_notes(piece, voices, notes, at, 1, 3, chances)


@_metric
def unresolved_leading_tones(piece: Piece) -> Scored | Undefined:
    """Share of the leading tones under a dominant that do not rise to the tonic.

    Chances: notes a semitone under the tonic of the piece's key that start over a chord on the
    fifth or seventh degree and whose next note in the voice starts over a chord on the first or
    sixth; chords are those of :func:`~concours.metrics.chords.chords_of` by beats. Undefined
    without voices, where no key stands out, or without a chance.
    """
    voices = voices_of(piece)
    if isinstance(voices, Undefined):
        return voices
    key, chords = key_of(piece), chords_of(piece)
    if isinstance(key, Undefined):
        return key
    if isinstance(chords, Undefined):
        return chords
    notes = voices.notes
    at, chances = stranded_leading_tones(
        *(notes.onset, notes.pitch, notes.line, chords.edges, chords.root, key.tonic)
    )
    return _of_notes(piece, voices, notes, at, 1, 2, chances)


def _of_pairs(
    piece: Piece, scan: Callable[[Voices], tuple[Ints, int]], motion: bool = True
) -> Scored | Undefined:
    voices = voices_of(piece)
    if isinstance(voices, Undefined):
        return voices
    found, chances = scan(voices)
    s, upper, lower = found[:LISTED].T
    if motion:
        pitches = voices.pitch[found[:LISTED, 1:, None], s[:, None, None] + BEFORE_AND_AFTER]
    else:
        pitches = voices.pitch[found[:LISTED, 1:], s[:, None]]
    names = voices.names
    pairs = zip(upper.tolist(), lower.tolist(), strict=True)
    who = [[names[i], names[j]] for i, j in pairs]
    return _scored(piece, voices.tick[s], who, pitches.tolist(), len(found), chances)


def _without_repeats(notes: Notes) -> Notes:
    """Each voice with its repeated pitches as one note."""
    new = np.ones(len(notes.pitch), np.bool_)
    new[1:] = (notes.pitch[1:] != notes.pitch[:-1]) | (notes.line[1:] != notes.line[:-1])
    return Notes(notes.onset[new], notes.pitch[new], notes.line[new])


def _of_notes(
    piece: Piece, voices: Voices, notes: Notes, at: Ints, late: int, width: int, chances: int
) -> Scored | Undefined:
    """Breaches that begin at notes ``at``, show ``late`` notes later and take ``width`` notes,
    fewer at the end of a voice."""
    ticks = notes.onset[at + late]
    order = np.lexsort((notes.line[at], ticks))[:LISTED]
    first, line = at[order], notes.line[at[order]]
    shown = np.minimum(first[:, None] + np.arange(width), len(notes.pitch) - 1)
    pitches = notes.pitch[shown].tolist()
    lengths = np.minimum(width, np.searchsorted(notes.line, line, side="right") - first)
    pitches = [row[:n] for row, n in zip(pitches, lengths.tolist(), strict=True)]
    who = [[voices.names[i]] for i in line.tolist()]
    return _scored(piece, ticks[order], who, pitches, len(at), chances)


def _scored(
    piece: Piece,
    ticks: Ints,
    who: list[list[str]],
    pitches: list[Any],
    count: int,
    chances: int,
) -> Scored | Undefined:
    if not chances:
        return Undefined("the voices give no chance to break this rule")
    rows = zip(places(piece, ticks), who, pitches, strict=True)
    listed = [
        {"bar": bar, "beat": beat, "voices": voices, "pitches": pitch}
        for (bar, beat), voices, pitch in rows
    ]
    return Scored(count / chances, {"count": count, "violations": listed})
