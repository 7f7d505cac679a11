"""Rhythm, timing, drums and texture beyond the first family, worked out by hand."""

import itertools

import numpy as np
import pytest

from concours.metrics.drums import drum_in_pattern_rate, drum_pattern_consistency
from concours.metrics.piece import make_piece
from concours.metrics.rhythm import (
    duration_entropy,
    empty_beat_rate,
    groove_consistency,
    grooving_similarity,
    ioi_entropy,
    syncopation,
)
from concours.metrics.spec import Undefined
from concours.metrics.sweep import metrical_weights, onset_grid
from concours.metrics.texture import (
    mean_track_range,
    n_instruments,
    track_overlap,
    velocity_deviation,
)
from concours.metrics.timing import (
    beat_grid_clarity,
    mean_tempo,
    off_grid_rate,
    swing_ratio,
    tempo_variation,
)


def hits(*onsets, length=60, **more):
    return make_piece(
        onset=onsets, end=[t + length for t in onsets], pitch=[60] * len(onsets), **more
    )


@pytest.mark.parametrize("seed", range(4))
def test_grooving_similarity_equals_all_pairs(random_piece, seed):
    piece = random_piece(seed, notes=40)
    grid, offset = onset_grid(piece, 4)
    bars = [grid[a:b] for a, b in itertools.pairwise(offset)]
    pairs = [np.mean(a != b) for a, b in itertools.combinations(bars, 2)]
    assert grooving_similarity(piece) == pytest.approx(1 - np.mean(pairs))


def test_grooving_similarity_compares_bars_of_one_length_only():
    meters = [(0, 4, 4), (3840, 3, 4), (3840 + 2880, 4, 4)]
    piece = hits(0, 480, 1920, 3840, 5280, 5760, 6720, meters=meters)
    # 4/4 bars: {0, 4}, {0}, {0}; 3/4 bars: {0}, {0, 4}
    expected = 1 - (1 / 16 + 1 / 16 + 0 + 1 / 12) / 4
    assert grooving_similarity(piece) == pytest.approx(expected)


def test_chord_tones_are_one_onset():
    piece = make_piece(onset=[0, 0, 480, 960], end=[480] * 2 + [960, 1440], pitch=[60, 64, 60, 60])
    assert ioi_entropy(piece).value == 0
    assert ioi_entropy(piece).detail["steps"] == {"24": 2}
    assert duration_entropy(piece).value == 0


@pytest.mark.parametrize(
    ("meter", "bar", "weights"),
    [
        ((4, 4), 1920, [0, -4, -3, -4, -2, -4, -3, -4, -1, -4, -3, -4, -2, -4, -3, -4]),
        ((3, 4), 1440, [0, -4, -3, -4, -2, -4, -3, -4, -2, -4, -3, -4]),
        ((6, 8), 1440, [0, -4, -3, -4, -3, -4, -2, -4, -3, -4, -3, -4]),
    ],
)
def test_metrical_weights(meter, bar, weights):
    piece = hits(0, bar, meters=[(0, *meter)])
    _, offset = onset_grid(piece, 4)
    grid = piece.bar_edges, piece.beat_edges, piece.ticks_per_quarter
    assert metrical_weights(offset, *grid).tolist() == weights * 2


def test_syncopation():
    assert syncopation(hits(0, 480, 960, 1440)) == 0
    # the onset on the last eighth (-3) holds over the next bar line (0)
    assert syncopation(hits(0, 480, 960, 1680, 2400)) == pytest.approx(3 / 2)


def test_a_performance_without_a_click_has_no_grid():
    rng = np.random.default_rng(0)
    free = hits(*np.sort(rng.choice(100_000, 200, replace=False)).tolist())
    strict = hits(*(120 * i for i in range(200)))
    late = hits(*(120 * i + 37 for i in range(200)))
    swung = hits(*(t for i in range(60) for t in (480 * i, 480 * i + 320)))
    assert beat_grid_clarity(free) < 0.4
    assert beat_grid_clarity(strict) == beat_grid_clarity(swung) == 1
    assert beat_grid_clarity(late) == pytest.approx(1)
    for metric in (groove_consistency, grooving_similarity, syncopation, empty_beat_rate):
        assert "no beat grid" in metric(free).reason
        assert not isinstance(metric(free, beats="trust"), Undefined)
        assert not isinstance(metric(strict), Undefined)


def test_off_grid_has_a_tolerance():
    piece = hits(0, 489, 960, 1500)
    assert off_grid_rate(piece) == 0.25  # 9 ticks are 0.019 quarters, 20 off the twelfth at 1480
    assert off_grid_rate(piece, tolerance=0.01) == 0.5


def test_swing():
    straight = hits(*(t for i in range(8) for t in (480 * i, 480 * i + 240)))
    assert swing_ratio(straight) == pytest.approx(1)
    assert swing_ratio(hits(0, 480, 960)) == Undefined("fewer than 4 beats divided in two")


def test_tempo():
    # one quarter at 60 (1 s), then two at 120 (1 s)
    piece = hits(0, length=1440, tempos=[(0, 60), (480, 120), (9999, 30)])
    found = mean_tempo(piece)
    assert found.value == pytest.approx(90)
    assert found.detail == {"slowest": 60, "fastest": 120}
    assert tempo_variation(piece) == pytest.approx(30 / 90)


def test_drums_keep_a_pattern_within_tolerance():
    drums = hits(0, 125, 240, 369, 490, is_drum=[True] * 5)
    # 5 and 9 ticks are within 0.02 quarters, 10 are not
    assert drum_in_pattern_rate(drums) == pytest.approx(4 / 5)
    assert drum_in_pattern_rate(drums, tolerance=0.0) == pytest.approx(2 / 5)
    assert drum_pattern_consistency(drums) == pytest.approx(4 / 5)
    assert drum_in_pattern_rate(hits(0)) == Undefined("no drums")


def test_texture():
    piece = make_piece(
        onset=[0, 480, 0],
        end=[960, 1440, 480],
        pitch=[60, 67, 36],
        track=[0, 1, 2],
        program=[0, 40, 0],
        is_drum=[False, False, True],
        velocity=[10, 20, 30],
    )
    assert n_instruments(piece).detail["notes"] == {"0": 1, "40": 1, "drums": 1}
    assert track_overlap(piece) == pytest.approx(960 / 1440)
    assert velocity_deviation(piece).value == pytest.approx(np.std([10, 20, 30]))
    assert mean_track_range(piece).value == 0
    assert [r["mean"] for r in mean_track_range(piece).detail["registers"]] == [67, 60]


def test_track_overlap_equals_a_dense_count(random_piece):
    piece = random_piece(2, ticks_per_quarter=24)
    roll = np.zeros((3, 1000), bool)
    for a, b, t in zip(piece.onset, piece.end, piece.track, strict=True):
        roll[t, a:b] = True
    together = roll.sum(axis=0)
    assert track_overlap(piece) == pytest.approx((together > 1).sum() / (together > 0).sum())


def test_tempo_runs_over_the_changes_up_to_the_last_end():
    tempos = [(100, 90.0), (480, 120.0), (700, 45.0), (960, 200.0), (5000, 30.0)]
    piece = hits(120, 600, length=360, tempos=tempos)
    assert piece.tempo.start == piece.to_seconds(120)
    assert piece.tempo.end == piece.seconds == piece.to_seconds(960)
    assert (piece.tempo.slowest, piece.tempo.fastest) == (45, 120)
