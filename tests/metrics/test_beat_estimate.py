"""Beats found in a performance: a known rhythm, played at a drifting tempo, comes back."""

import numpy as np
import pytest

from concours.metrics.beat_estimate import on_estimated_beats
from concours.metrics.beat_grid import beat_grid_clarity_of, on_beats
from concours.metrics.piece import make_piece
from concours.metrics.rhythm import (
    empty_beat_rate,
    empty_measure_rate,
    groove_consistency,
    grooving_similarity,
    syncopation,
)
from concours.metrics.spec import Undefined

RHYTHM = (0.0, 0.0, 1.0, 1.5, 2.0, 2.0, 3.0)  # quarters within a bar; chords mark 1 and 3


def performed(bars=40, seed=0, drift=0.12, jitter=0.006):
    """The rhythm at about 100 quarters a minute, drifting, written at a tempo it does not keep."""
    rng = np.random.default_rng(seed)
    quarters = np.array([4 * bar + at for bar in range(bars) for at in RHYTHM])
    grid = np.arange(0, 4 * bars + 1, 0.25)
    speed = (100 / 60) * (1 + drift * np.sin(grid / 9.0))
    seconds = np.concatenate([[0], np.cumsum(0.25 / speed)])[: len(grid)]
    played = np.interp(quarters, grid, seconds) + rng.normal(0, jitter, len(quarters)) + 0.3
    ticks = np.rint(played * 960).astype(int)
    return make_piece(onset=ticks, end=ticks + 200, pitch=rng.integers(50, 70, len(ticks)))


@pytest.mark.parametrize("seed", range(4))
def test_a_known_rhythm_comes_back(seed):
    piece = performed(seed=seed)
    assert beat_grid_clarity_of(piece) < 0.4
    found = on_estimated_beats(piece)
    assert beat_grid_clarity_of(found) > 0.7
    assert found.ticks_per_quarter == 480
    assert 90 < found.tempo_qpm[0] < 110
    assert grooving_similarity(piece, beats="estimate") > 0.9
    assert groove_consistency(piece, beats="estimate") > 0.9


@pytest.mark.parametrize(
    "metric",
    [empty_beat_rate, empty_measure_rate, groove_consistency, grooving_similarity, syncopation],
)
def test_what_was_undefined_gets_a_value_when_asked(metric):
    piece = performed()
    assert "no beat grid" in metric(piece).reason
    assert np.isfinite(metric(piece, beats="estimate"))


def test_a_piece_with_a_grid_keeps_its_own():
    at = [120 * i for i in range(64)]
    piece = make_piece(onset=at, end=[t + 120 for t in at], pitch=[60] * 64)
    assert on_beats(piece, "estimate") is piece


def test_no_note_moves_before_the_start_and_none_is_lost():
    piece = performed(bars=6)
    found = on_estimated_beats(piece)
    assert found.n_notes == piece.n_notes
    assert found.onset.min() >= 0
    assert (found.end >= found.onset).all()


def test_too_little_to_find_beats_in():
    assert isinstance(on_estimated_beats(make_piece(onset=[], end=[], pitch=[])), Undefined)
    one = make_piece(onset=[100], end=[200], pitch=[60])
    assert isinstance(on_estimated_beats(one), Undefined)
    hours = make_piece(onset=[0, 10**8], end=[480, 10**8 + 480], pitch=[60, 62])
    assert on_estimated_beats(hours) == Undefined("too long to estimate beats")
