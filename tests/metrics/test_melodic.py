"""Pitch windows, keys and melodic movement on pieces worked out by hand."""

import itertools
import math

import numpy as np
import pytest

from concours.metrics import melodic
from concours.metrics.piece import make_piece
from concours.metrics.pitch import (
    pitch_class_entropy_1bar,
    pitch_class_entropy_4bar,
    scale_consistency,
)
from concours.metrics.spec import Undefined
from concours.metrics.tonality import key_correlation, key_margin, out_of_key_rate


def tune(*pitches, length=480):
    onset = length * np.arange(len(pitches))
    return make_piece(onset=onset, end=onset + length, pitch=pitches)


def slow_window_entropy(piece, bars):
    """Every window of bars, its notes counted one by one."""
    n = len(piece.bar_edges) - 1
    values = []
    for first in range(max(1, n - bars + 1)):
        start, stop = piece.bar_edges[first], piece.bar_edges[min(n, first + bars)]
        classes = [
            int(p) % 12 for p, t in zip(piece.pitch, piece.onset, strict=True) if start <= t < stop
        ]
        if classes:
            shares = [classes.count(c) / len(classes) for c in set(classes)]
            values.append(-sum(s * math.log2(s) for s in shares))
    return sum(values) / len(values)


@pytest.mark.parametrize("seed", range(3))
def test_bar_entropies_equal_counting(random_piece, seed):
    piece = random_piece(seed, notes=30)
    one, four = pitch_class_entropy_1bar(piece), pitch_class_entropy_4bar(piece)
    assert one.value == pytest.approx(slow_window_entropy(piece, 1))
    assert four.value == pytest.approx(slow_window_entropy(piece, 4))


def test_bars_without_notes_are_left_out():
    piece = make_piece(onset=[0, 480, 3840], end=[1, 481, 3841], pitch=[60, 61, 62])
    assert pitch_class_entropy_1bar(piece).detail["curve"] == [1.0, None, 0.0]
    assert pitch_class_entropy_1bar(piece).value == 0.5
    assert pitch_class_entropy_4bar(piece).value == pytest.approx(math.log2(3))  # one window


def test_key_and_margin():
    minor = tune(57, 59, 60, 62, 64, 65, 68, 69, 64, 60, 57)
    found = key_correlation(minor)
    assert found.detail == {"key": "A minor"}
    assert 0.7 < found.value <= 1
    assert key_margin(minor).value > 0
    assert isinstance(key_margin(tune(*range(60, 72))), Undefined)  # the chromatic scale


def test_out_of_key():
    piece = tune(60, 62, 64, 65, 67, 69, 71, 72, 66, 67, 60, 64)
    assert out_of_key_rate(piece).value == pytest.approx(1 / 12)
    raised = tune(57, 59, 60, 62, 64, 66, 68, 69, 64, 60, 57, 57)
    assert out_of_key_rate(raised).value == 0
    assert out_of_key_rate(raised, minor="natural").value == pytest.approx(2 / 12)


def test_intervals():
    piece = tune(60, 64, 62, 62, 67)
    assert melodic.mean_interval(piece).value == pytest.approx((4 + 2 + 0 + 5) / 4)
    assert melodic.mean_interval(piece).detail["histogram"] == {"-2": 1, "0": 1, "4": 1, "5": 1}
    assert melodic.interval_entropy(piece) == 2
    assert melodic.step_share(piece) == pytest.approx(1 / 3)


def test_inertia_and_turns():
    up = tune(60, 62, 64, 65, 67)
    assert melodic.step_inertia(up) == 1
    assert melodic.contour_turn_rate(up) == 0
    trill = tune(60, 62, 60, 62, 60)
    assert melodic.step_inertia(trill) == 0
    assert melodic.contour_turn_rate(trill) == 1
    assert melodic.step_inertia(tune(60, 72, 60)) == Undefined("no step that another move follows")


def test_transition_entropy_is_joint_less_present():
    rng = np.random.default_rng(0)
    pitches = rng.integers(60, 72, 200).tolist()
    pairs = list(itertools.pairwise(pitches))

    def entropy(things):
        return -sum(
            c / len(things) * math.log2(c / len(things))
            for c in (things.count(t) for t in set(things))
        )

    expected = entropy(pairs) - entropy([a for a, _ in pairs])
    found = melodic.pitch_class_transition_entropy(tune(*pitches))
    assert found.value == pytest.approx(expected)
    assert np.sum(found.detail["counts"]) == 199


@pytest.mark.parametrize(
    "metric",
    [
        melodic.mean_interval,
        melodic.interval_entropy,
        melodic.step_share,
        melodic.step_inertia,
        melodic.contour_turn_rate,
        melodic.pitch_class_transition_entropy,
    ],
)
def test_one_note_has_no_movement(metric):
    assert isinstance(metric(tune(60)), Undefined)


def test_scales_by_name():
    whole_tones = tune(60, 62, 64, 66, 68, 70)
    assert scale_consistency(whole_tones) == pytest.approx(5 / 6)  # five of a melodic minor scale
    assert scale_consistency(whole_tones, scales="major") == pytest.approx(4 / 6)
    assert scale_consistency(whole_tones, scales="whole-tone") == 1
    modal = tune(62, 64, 65, 67, 69, 71, 72)
    assert scale_consistency(modal, scales="dorian") == scale_consistency(modal) == 1
    raised = tune(57, 59, 60, 62, 64, 65, 68)
    assert scale_consistency(raised, scales="major+natural-minor") < 1
    assert scale_consistency(raised, scales="major+harmonic-minor") == 1
    assert scale_consistency(raised) == 1
