"""Pair metrics beside mir_eval, and by hand where it has none."""

import itertools

import numpy as np
import pytest

from concours.metrics import pairs
from concours.metrics.matching import matched, notes_of, within
from concours.metrics.piece import make_piece
from concours.metrics.spec import Undefined
from concours.metrics.warping import warped_mean


def played(seed, notes=80):
    """A random truth and a sloppy performance of it: moved, dropped, added and mistaken notes."""
    rng = np.random.default_rng(seed)
    onset = rng.integers(0, 400, notes) * 24
    length = rng.choice([60, 120, 240, 480], notes)
    pitch = rng.integers(55, 62, notes)
    truth = make_piece(onset=onset, end=onset + length, pitch=pitch)
    keep = rng.random(notes) > 0.2
    moved = np.maximum(0, onset + rng.integers(-60, 61, notes))[keep]
    longer = np.maximum(1, length[keep] + rng.integers(-80, 81, keep.sum()))
    wrong = pitch[keep] + (rng.random(keep.sum()) < 0.1)
    return make_piece(onset=moved, end=moved + longer, pitch=wrong), truth


def intervals(piece):
    notes = notes_of(piece)
    hertz = 440.0 * 2 ** ((notes.pitch - 69) / 12)
    return np.stack([notes.onset, notes.end], axis=1), hertz


@pytest.mark.parametrize("seed", range(8))
def test_note_metrics_equal_mir_eval(seed):
    from mir_eval import transcription

    piece, truth = played(seed)
    est, est_hz = intervals(piece)
    ref, ref_hz = intervals(truth)
    p, r, f, _ = transcription.precision_recall_f1_overlap(ref, ref_hz, est, est_hz)
    ours = pairs.note_f1(piece, truth)
    assert (ours.detail["precision"], ours.detail["recall"]) == pytest.approx((p, r))
    assert ours.value == pytest.approx(f)
    theirs = transcription.precision_recall_f1_overlap(ref, ref_hz, est, est_hz, offset_ratio=None)
    assert pairs.note_onset_f1(piece, truth).value == pytest.approx(theirs[2])
    assert pairs.onset_f1(piece, truth).value == pytest.approx(
        transcription.onset_precision_recall_f1(ref, est)[2]
    )
    assert pairs.offset_f1(piece, truth).value == pytest.approx(
        transcription.offset_precision_recall_f1(ref, est)[2]
    )


def test_tolerance_is_kept_to_four_decimals():
    assert len(within(np.array([0.05004]), np.array([0.0]), 0.05)) == 1
    assert len(within(np.array([0.05006]), np.array([0.0]), 0.05)) == 0


def test_a_matching_is_the_largest():
    # greedy in order would give 0 to 0 and leave 1 without a partner
    assert matched(np.array([[0, 0], [0, 1], [1, 0]]), 2, 2) == 2
    assert matched(np.empty((0, 2), np.int64), 3, 3) == 0


def test_melody_is_the_top_line():
    truth = make_piece(onset=[0, 0, 480, 480], end=[480] * 2 + [960] * 2, pitch=[72, 48, 74, 50])
    piece = make_piece(onset=[0, 0, 480, 480], end=[480] * 2 + [960] * 2, pitch=[72, 40, 74, 41])
    assert pairs.melody_f1(piece, truth).value == 1
    assert pairs.note_onset_f1(piece, truth).value == 0.5


def song(*bars):
    """One bar of quarters for each tuple of pitches."""
    notes = [(1920 * i + 480 * j, p) for i, bar in enumerate(bars) for j, p in enumerate(bar)]
    onset = [t for t, _ in notes]
    return make_piece(onset=onset, end=[t + 480 for t in onset], pitch=[p for _, p in notes])


A, B = (60, 64, 67, 72), (62, 65, 69, 74)


@pytest.mark.parametrize("metric", [pairs.chroma_similarity, pairs.groove_similarity])
def test_stopping_early_costs(metric):
    truth = song(A, A, A, A)
    assert metric(truth, truth).value == pytest.approx(1)
    assert metric(song(A, A), truth).value == pytest.approx(0.5)
    assert metric(truth, song(A, A)).value == pytest.approx(0.5)


def test_silent_bars_are_alike():
    truth = song(A, (), A)
    assert pairs.chroma_similarity(song(A, (), A), truth).value == pytest.approx(1)
    assert pairs.chroma_similarity(song(A, A, A), truth).value == pytest.approx(2 / 3)


def test_warping_forgives_a_repeated_bar():
    late = song(A, A, A, B)
    assert pairs.chroma_similarity(late, song(A, B)).value < 0.6
    assert pairs.chroma_similarity(late, song(A, B), align="warp").value == pytest.approx(1)


def test_warping_finds_the_cheapest_path():
    rng = np.random.default_rng(0)
    similarity = rng.random((4, 5))

    def paths(i, j):
        if (i, j) == (3, 4):
            yield [(i, j)]
        for a, b in ((1, 1), (1, 0), (0, 1)):
            if i + a < 4 and j + b < 5:
                yield from ([(i, j), *rest] for rest in paths(i + a, j + b))

    best = min(paths(0, 0), key=lambda p: sum(1 - similarity[c] for c in p))
    value, path = warped_mean(similarity)
    assert [tuple(c) for c in path] == best
    assert value == pytest.approx(np.mean([similarity[c] for c in best]))


def test_onset_agreement_counts_missing_steps():
    assert pairs.onset_agreement(song(A), song(A, A)) == 0.5
    assert pairs.onset_agreement(song(A[:2]), song(A)) == 14 / 16


def test_chord_accuracy(block_chords):
    c, g = (48, 64, 67), (43, 62, 71)
    truth = block_chords([c, c, g, g])
    assert pairs.chord_accuracy(block_chords([c, c, g, c]), truth) == 0.75
    assert pairs.chord_accuracy(block_chords([c, c]), truth) == 0.5


def test_overlaps():
    assert pairs.pitch_overlap(song(A), song(A, A)) == 1
    assert pairs.pitch_overlap(song((60, 62)), song((60, 64, 64, 64))) == 0.25
    short = make_piece(onset=[0, 480], end=[240, 960], pitch=[60, 60])
    assert pairs.duration_overlap(short, song(A)) == 0.5


def test_empty_sides():
    nothing = make_piece(onset=[], end=[], pitch=[])
    for metric in (pairs.note_f1, pairs.onset_f1, pairs.melody_f1, pairs.chroma_similarity):
        assert isinstance(metric(nothing, nothing), Undefined)
        for one, other in itertools.permutations((nothing, song(A))):
            assert metric(one, other).value == 0
    assert pairs.chroma_similarity(nothing, song(A), align="warp").value == 0
    assert pairs.onset_agreement(nothing, song(A)) == 0
    assert isinstance(pairs.onset_agreement(nothing, nothing), Undefined)
    assert isinstance(pairs.chord_accuracy(nothing, nothing), Undefined)
    assert isinstance(pairs.pitch_overlap(nothing, song(A)), Undefined)
