"""Pairs: a piece against the one that it should be, note for note and bar for bar.

Conventions
-----------
- The first piece is the one that is scored, the second the ground truth. Drums count only where
  onsets alone are compared by the bar.
- Notes match as in mir_eval: onsets within 50 ms, ends within the larger of 50 ms and a fifth of
  the true note's length, the same pitch, each note at most once. Every value is an F1, with
  precision and recall in the detail; 0 where just one piece has notes, undefined where none has.
- Bars are compared with the bar of the same number, and the longer piece decides how many there
  are: a bar that one piece lacks scores 0, so stopping early costs. ``align="warp"`` compares
  along the best path of dynamic time warping instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np

from concours.metrics.chords import Vocabulary, chords_of
from concours.metrics.chroma import Segmentation, segment_chroma
from concours.metrics.matching import Notes, matched, notes_of, within
from concours.metrics.melody import MelodyRule, melody_of
from concours.metrics.piece import Floats, Ints, Piece
from concours.metrics.registry import metric
from concours.metrics.spec import Invariance, Scored, Undefined
from concours.metrics.sweep import onset_grid
from concours.metrics.warping import (
    n_steps,
    quarters_of,
    step_features,
    warped_mean,
    warped_steps,
)

MIR_EVAL = "Raffel et al. 2014, mir_eval: a transparent implementation of common MIR metrics, ISMIR"
FIGARO = "von Rütte et al. 2023 (FIGARO), arXiv:2201.10936"
NOTHING = Undefined("neither piece has pitched notes")
MOST_CELLS = 25_000_000

Align = Literal["bar", "warp"]
F = TypeVar("F", bound=Callable[..., Any])


def _metric(citation: str, *, in_seconds: bool = False) -> Callable[[F], F]:
    tempo: tuple[Invariance, ...] = () if in_seconds else ("tempo",)
    return metric(
        level="pair",
        inputs="symbolic",
        direction="higher",
        unit="1",
        range=(0, 1),
        citation=citation,
        invariant=("transposition", *tempo, "track-order", "note-order", "resolution"),
    )


@_metric(MIR_EVAL, in_seconds=True)
def note_f1(
    piece: Piece,
    truth: Piece,
    *,
    onset_tolerance: float = 0.05,
    offset_ratio: float = 0.2,
    offset_tolerance: float = 0.05,
) -> Scored | Undefined:
    """F1 of notes that match in pitch, onset and end.

    2PR / (P + R), with P = matched / notes of the piece and R = matched / notes of the truth.
    Undefined where neither piece has pitched notes.

    >>> from concours.metrics.piece import make_piece
    >>> truth = make_piece(onset=[0, 480], end=[480, 960], pitch=[60, 62])
    >>> piece = make_piece(onset=[0, 480], end=[480, 960], pitch=[60, 63])
    >>> note_f1(piece, truth).value
    0.5
    """
    a, b = notes_of(piece), notes_of(truth)
    limit = np.maximum(offset_ratio * (b.end - b.onset), offset_tolerance)
    return _matched_notes(a, b, onset_tolerance, limit)


@_metric(MIR_EVAL, in_seconds=True)
def note_onset_f1(
    piece: Piece, truth: Piece, *, onset_tolerance: float = 0.05
) -> Scored | Undefined:
    """F1 of notes that match in pitch and onset, whatever their end.

    As :func:`note_f1`.
    """
    return _matched_notes(notes_of(piece), notes_of(truth), onset_tolerance, None)


@_metric(MIR_EVAL, in_seconds=True)
def onset_f1(piece: Piece, truth: Piece, *, onset_tolerance: float = 0.05) -> Scored | Undefined:
    """F1 of notes that match in onset, whatever their pitch.

    As :func:`note_f1`.
    """
    a, b = notes_of(piece), notes_of(truth)
    found = within(a.onset, b.onset, onset_tolerance)
    return _f1(matched(found, len(a.onset), len(b.onset)), len(a.onset), len(b.onset))


@_metric(MIR_EVAL, in_seconds=True)
def offset_f1(
    piece: Piece, truth: Piece, *, offset_ratio: float = 0.2, offset_tolerance: float = 0.05
) -> Scored | Undefined:
    """F1 of notes that match in their end, whatever their pitch and onset.

    As :func:`note_f1`.
    """
    a, b = notes_of(piece), notes_of(truth)
    limit = np.maximum(offset_ratio * (b.end - b.onset), offset_tolerance)
    found = within(a.end, b.end, limit)
    return _f1(matched(found, len(a.end), len(b.end)), len(a.end), len(b.end))


@_metric(MIR_EVAL, in_seconds=True)
def melody_f1(
    piece: Piece, truth: Piece, *, onset_tolerance: float = 0.05, melody: MelodyRule = "skyline"
) -> Scored | Undefined:
    """F1 of melody notes that match in pitch and onset.

    The melodies are those of :mod:`concours.metrics.melody`. As :func:`note_onset_f1`.
    """
    sides = []
    for one in (piece, truth):
        line = melody_of(one, melody)
        if isinstance(line, Undefined):
            empty = np.empty(0)
            sides.append(Notes(empty, empty, empty.astype(np.int64)))
        else:
            sides.append(Notes(one.to_seconds(line.onset), one.to_seconds(line.end), line.pitch))
    return _matched_notes(sides[0], sides[1], onset_tolerance, None)


@_metric("Note F1 after dynamic time warping, as audio-to-score alignment is judged")
def aligned_note_f1(
    piece: Piece, truth: Piece, *, tolerance: float = 0.25, steps_per_quarter: int = 4
) -> Scored | Undefined:
    """F1 of notes that match in pitch and onset once the piece is warped onto the truth.

    Both are cut into steps; the best path of dynamic time warping over the cosines of their
    pitch-class onsets and sound moves each onset of the piece to where the path puts it in the
    truth. Notes then match within ``tolerance`` quarters. For pieces of different tempo, length or
    pacing; one that stops early still misses the notes that it does not have. Undefined where
    neither piece has pitched notes, or where they have too many steps to warp.

    >>> from concours.metrics.piece import make_piece
    >>> truth = make_piece(onset=[0, 480, 960], end=[480, 960, 1440], pitch=[60, 64, 67])
    >>> slow = make_piece(onset=[0, 960, 1920], end=[960, 1920, 2880], pitch=[60, 64, 67])
    >>> note_onset_f1(slow, truth).value < aligned_note_f1(slow, truth).value == 1
    True
    """
    a, b = piece.pitched, truth.pitched
    if not a.n_notes or not b.n_notes:
        return _f1(0, a.n_notes, b.n_notes)
    sizes = [n_steps(p, steps_per_quarter) for p in (a, b)]
    if sizes[0] * sizes[1] > MOST_CELLS:
        return Undefined(f"{sizes[0]} and {sizes[1]} steps are too many to warp")
    rows = [step_features(p, steps_per_quarter) for p in (a, b)]
    _, path = warped_mean(np.minimum(1.0, rows[0] @ rows[1].T))
    moved = warped_steps(np.array(path), quarters_of(a) * steps_per_quarter) / steps_per_quarter
    near = within(moved, quarters_of(b), tolerance)
    same = a.pitch[near[:, 0]] == b.pitch[near[:, 1]]
    return _f1(matched(near[same], a.n_notes, b.n_notes), a.n_notes, b.n_notes)


@_metric(FIGARO)
def chroma_similarity(piece: Piece, truth: Piece, *, align: Align = "bar") -> Scored | Undefined:
    """Mean cosine similarity of the pitch-class times of corresponding bars.

    Two silent bars are alike (1), a silent and a sounding one are not (0). The detail holds the
    curve. Undefined where neither piece has a sounding pitched note.

    >>> from concours.metrics.piece import make_piece
    >>> truth = make_piece(onset=[0, 1920], end=[1920, 3840], pitch=[60, 62])
    >>> half = make_piece(onset=[0], end=[1920], pitch=[60])
    >>> chroma_similarity(half, truth).value
    0.5
    """
    rows = [segment_chroma(p, "bar").astype(np.float64) for p in (piece, truth)]
    return _bar_similarity(rows[0], rows[1], align)


@_metric(FIGARO)
def groove_similarity(
    piece: Piece, truth: Piece, *, steps_per_quarter: int = 4, align: Align = "bar"
) -> Scored | Undefined:
    """Mean cosine similarity of the onset patterns of corresponding bars.

    A bar is the vector of its steps, 1 with an onset; steps that the shorter of two bars lacks
    hold none. Drums count. As :func:`chroma_similarity`.
    """
    rows = [_onset_rows(p, steps_per_quarter) for p in (piece, truth)]
    width = max(r.shape[1] for r in rows)
    padded = [np.pad(r, ((0, 0), (0, width - r.shape[1]))) for r in rows]
    return _bar_similarity(padded[0], padded[1], align)


@_metric("Onset agreement, after Wu & Yang 2020 (MusDr), arXiv:2008.01307")
def onset_agreement(piece: Piece, truth: Piece, *, steps_per_quarter: int = 4) -> float | Undefined:
    """Share of the steps of the longer piece at which both have an onset or neither has.

    1 - XOR / steps, over steps counted from the start; steps after a piece's end are
    disagreements. Drums count. Undefined where neither piece has notes.

    >>> from concours.metrics.piece import make_piece
    >>> truth = make_piece(onset=[0, 480], end=[480, 960], pitch=[60, 62])
    >>> onset_agreement(make_piece(onset=[0], end=[480], pitch=[60]), truth)
    0.9375
    """
    a, b = (onset_grid(p, steps_per_quarter)[0] for p in (piece, truth))
    if max(len(a), len(b)) == 0:
        return Undefined("neither piece has notes")
    n = min(len(a), len(b))
    return float(np.count_nonzero(a[:n] == b[:n])) / max(len(a), len(b))


@_metric("Share of time with the right chord, after Harte 2010 (weighted chord symbol recall)")
def chord_accuracy(
    piece: Piece,
    truth: Piece,
    *,
    segmentation: Segmentation = "beat",
    vocabulary: Vocabulary = "triads",
    align: Align = "bar",
) -> float | Undefined:
    """Share of the beats at which both pieces have the same chord.

    Chords are those of :mod:`concours.metrics.chords`; beats count that have a chord in at least
    one of the pieces, up to the end of the longer one. Under ``align="warp"`` they are those of the
    best path of dynamic time warping. Undefined where neither has a chord.

    >>> from concours.metrics.piece import make_piece
    >>> c = make_piece(onset=[0] * 3, end=[480] * 3, pitch=[60, 64, 67])
    >>> chord_accuracy(c, c)
    1.0
    """
    states = []
    for one in (piece, truth):
        chords = chords_of(one, segmentation, vocabulary)
        states.append(np.empty(0, np.int64) if isinstance(chords, Undefined) else chords.state)
    if align == "warp":
        return _warped_chords(*states)
    n = max(len(s) for s in states)
    a, b = (np.pad(s, (0, n - len(s)), constant_values=-1) for s in states)
    either = (a >= 0) | (b >= 0)
    if not either.any():
        return Undefined("neither piece has a chord")
    return float(np.count_nonzero(either & (a == b))) / int(np.count_nonzero(either))


@_metric("Overlapping area of histograms, after Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7")
def pitch_overlap(piece: Piece, truth: Piece) -> float | Undefined:
    """Overlap of the two pieces' pitch histograms.

    Sum over the 128 pitches of the smaller of the two shares of notes: 1 where they are the same
    distribution, 0 where they share no pitch. Undefined unless both have pitched notes.

    >>> from concours.metrics.piece import make_piece
    >>> a = make_piece(onset=[0, 1], end=[1, 2], pitch=[60, 62])
    >>> pitch_overlap(a, make_piece(onset=[0, 1], end=[1, 2], pitch=[60, 64]))
    0.5
    """
    return _overlap(piece.pitched.pitch, truth.pitched.pitch)


@_metric("Overlapping area of histograms, after Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7")
def duration_overlap(
    piece: Piece, truth: Piece, *, steps_per_quarter: int = 12
) -> float | Undefined:
    """Overlap of the two pieces' histograms of note lengths, in whole steps.

    As :func:`pitch_overlap`.
    """
    lengths = [
        np.floor((p.end - p.onset) * (steps_per_quarter / p.ticks_per_quarter) + 0.5)
        for p in (piece.pitched, truth.pitched)
    ]
    return _overlap(lengths[0].astype(np.int64), lengths[1].astype(np.int64))


def _warped_chords(a: Ints, b: Ints) -> float | Undefined:
    if not (a >= 0).any() and not (b >= 0).any():
        return Undefined("neither piece has a chord")
    if not len(a) or not len(b):
        return 0.0
    if len(a) * len(b) > MOST_CELLS:
        return Undefined(f"{len(a)} and {len(b)} spans are too many to warp")
    _, path = warped_mean((a[:, None] == b[None, :]).astype(np.float64))
    i, j = np.array(path).T
    either = (a[i] >= 0) | (b[j] >= 0)
    return float(np.count_nonzero(either & (a[i] == b[j]))) / int(np.count_nonzero(either))


def _overlap(a: Ints, b: Ints) -> float | Undefined:
    if not len(a) or not len(b):
        return Undefined("a piece has no pitched notes")
    size = int(max(a.max(), b.max())) + 1
    if size > MOST_CELLS:
        return Undefined("a note is too long to make a histogram")
    shares = [np.bincount(v, minlength=size) / len(v) for v in (a, b)]
    return min(1.0, float(np.minimum(*shares).sum()))


def _matched_notes(
    a: Notes, b: Notes, onset_tolerance: float, end_tolerance: Floats | None
) -> Scored | Undefined:
    found = within(a.onset, b.onset, onset_tolerance)
    i, j = found[:, 0], found[:, 1]
    keep = a.pitch[i] == b.pitch[j]
    if end_tolerance is not None:
        keep &= np.around(np.abs(a.end[i] - b.end[j]), 4) <= end_tolerance[j]
    return _f1(matched(found[keep], len(a.pitch), len(b.pitch)), len(a.pitch), len(b.pitch))


def _f1(hits: int, n: int, m: int) -> Scored | Undefined:
    if n + m == 0:
        return NOTHING
    precision, recall = (hits / n if n else 0.0), (hits / m if m else 0.0)
    detail = {"precision": precision, "recall": recall, "matched": hits, "notes": [n, m]}
    return Scored(2 * hits / (n + m), detail)


def _onset_rows(piece: Piece, steps_per_quarter: int) -> Floats:
    grid, offset = onset_grid(piece, steps_per_quarter)
    steps = np.diff(offset)
    rows = np.zeros((len(steps), int(steps.max(initial=1))))
    at = np.flatnonzero(grid)
    bar = np.searchsorted(offset, at, side="right") - 1
    rows[bar, at - offset[bar]] = 1.0
    return rows


def _bar_similarity(a: Floats, b: Floats, align: Align) -> Scored | Undefined:
    if not a.any() and not b.any():
        return NOTHING
    lengths = [np.sqrt(np.square(r).sum(axis=1, keepdims=True)) for r in (a, b)]
    x, y = (
        np.hstack([r / np.where(n > 0, n, 1.0), n == 0])
        for r, n in zip((a, b), lengths, strict=True)
    )  # silence is a direction of its own
    if align == "bar":
        n = min(len(x), len(y))
        curve = np.zeros(max(len(x), len(y)))
        curve[:n] = np.minimum(1.0, (x[:n] * y[:n]).sum(axis=1))
        return Scored(float(curve.mean()), {"curve": curve.tolist()})
    if len(x) * len(y) > MOST_CELLS:
        return Undefined(f"{len(x)} and {len(y)} bars are too many to warp")
    if not len(x) or not len(y):
        return Scored(0.0, {"path": []})
    value, path = warped_mean(np.minimum(1.0, x @ y.T))
    return Scored(value, {"path": path})
