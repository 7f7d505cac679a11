"""Hand-worked values, undefined cases and agreement with muspy where the definitions agree."""

from collections.abc import Callable
from math import log2
from pathlib import Path

import numpy as np
import pytest

from concours.metrics.piece import Piece, make_piece
from concours.metrics.pitch import (
    n_pitch_classes_used,
    n_pitches_used,
    pitch_class_entropy,
    pitch_entropy,
    pitch_range,
    scale_consistency,
)
from concours.metrics.rhythm import (
    empty_beat_rate,
    empty_measure_rate,
    groove_consistency,
    note_density,
)
from concours.metrics.spec import Undefined
from concours.metrics.texture import mean_velocity, polyphony, polyphony_rate


def quarters(*pitches: int, velocity: list[int] | None = None) -> Piece:
    onset = np.arange(len(pitches)) * 480
    return make_piece(onset=onset, end=onset + 480, pitch=pitches, velocity=velocity)


EMPTY = make_piece(onset=[], end=[], pitch=[])
DRUMS = make_piece(onset=[0, 480], end=[10, 490], pitch=[36, 38], is_drum=[True, True])


def test_c_major_scale() -> None:
    scale = quarters(60, 62, 64, 65, 67, 69, 71, 72)
    assert pitch_range(scale) == 12
    assert n_pitches_used(scale) == 8
    assert n_pitch_classes_used(scale) == 7
    assert pitch_entropy(scale) == pytest.approx(3)
    # C twice among 8 notes, the other six classes once
    assert pitch_class_entropy(scale) == pytest.approx(0.25 * 2 + 6 * 0.125 * 3)
    assert scale_consistency(scale) == 1
    assert polyphony(scale) == 1
    assert polyphony_rate(scale) == 0
    assert note_density(scale) == 2
    assert note_density(scale, per="quarter") == 1
    assert note_density(scale, per="bar") == 4
    assert empty_beat_rate(scale) == 0
    assert groove_consistency(scale) == 1


def test_duration_weighting() -> None:
    piece = make_piece(onset=[0, 480], end=[480, 1920], pitch=[60, 61])
    assert pitch_entropy(piece) == 1
    expected = -(0.25 * log2(0.25) + 0.75 * log2(0.75))
    assert pitch_entropy(piece, weighting="duration") == pytest.approx(expected)


def test_chromatic_triad_and_scales() -> None:
    harmonic = quarters(69, 71, 72, 74, 76, 77, 80)  # A harmonic minor
    assert scale_consistency(harmonic, scales="major+natural-minor") == pytest.approx(6 / 7)
    assert scale_consistency(harmonic) == 1
    with pytest.raises(ValueError, match="no scale is called 'doric'"):
        scale_consistency(harmonic, scales="doric")


def test_a_note_that_ends_on_the_beat_leaves_the_next_one_empty() -> None:
    piece = make_piece(onset=[0, 1440], end=[480, 1920], pitch=[60, 60])
    assert empty_beat_rate(piece) == 0.5
    assert empty_measure_rate(piece) == 0


def test_compound_meter_has_dotted_beats() -> None:
    piece = make_piece(onset=[0, 720], end=[720, 740], pitch=[60, 60], meters=[(0, 6, 8)])
    assert empty_beat_rate(piece) == 0
    silent = make_piece(onset=[0, 1440], end=[10, 1450], pitch=[60, 60], meters=[(0, 6, 8)])
    assert empty_beat_rate(silent) == pytest.approx(1 / 3)


def test_groove_of_different_bars() -> None:
    # onsets on beats 1 and 3 in the first bar, on 1 and 2 in the second: 2 of 16 steps differ
    piece = make_piece(onset=[0, 960, 1920, 2400], end=[1, 961, 1921, 2401], pitch=[60] * 4)
    assert groove_consistency(piece) == pytest.approx(1 - 2 / 16)
    assert groove_consistency(piece, steps_per_quarter=1) == pytest.approx(1 - 2 / 4)


def test_groove_skips_neighbours_of_different_length() -> None:
    meters = [(0, 4, 4), (1920, 3, 4)]
    piece = make_piece(onset=[0, 1920, 3360], end=[1, 1921, 3361], pitch=[60] * 3, meters=meters)
    assert piece.bar_edges.tolist() == [0, 1920, 3360, 4800]
    assert groove_consistency(piece) == 1  # the two bars of 3/4 are alike
    two = make_piece(onset=[0, 1920], end=[1, 1921], pitch=[60] * 2, meters=meters)
    assert isinstance(groove_consistency(two), Undefined)


def test_a_dyad_is_polyphonic() -> None:
    piece = make_piece(onset=[0, 0], end=[480, 480], pitch=[60, 67])
    assert polyphony(piece) == 2
    assert polyphony_rate(piece) == 1
    assert polyphony_rate(piece, at_least=3) == 0


def test_one_pitch_in_two_tracks_is_one_pitch() -> None:
    piece = make_piece(onset=[0, 0], end=[480, 480], pitch=[60, 60], track=[0, 1])
    assert polyphony(piece) == 1


def test_density_follows_the_tempo_map() -> None:
    piece = make_piece(
        onset=[0, 480], end=[480, 960], pitch=[60, 62], tempos=[(0, 60.0), (480, 120.0)]
    )
    assert piece.seconds == pytest.approx(1.5)
    assert note_density(piece) == pytest.approx(2 / 1.5)


def test_velocity_that_the_file_does_not_carry_is_no_measurement() -> None:
    assert mean_velocity(quarters(60, 62, velocity=[40, 80])) == 60
    assert isinstance(mean_velocity(quarters(60, 62)), Undefined)


@pytest.mark.parametrize(
    "function",
    [pitch_range, pitch_entropy, pitch_class_entropy, scale_consistency, polyphony, polyphony_rate],
)
def test_no_pitched_notes(function: Callable[[Piece], float | Undefined]) -> None:
    assert isinstance(function(EMPTY), Undefined)
    assert isinstance(function(DRUMS), Undefined)


@pytest.mark.parametrize(
    "function",
    [empty_beat_rate, empty_measure_rate, groove_consistency, note_density, mean_velocity],
)
def test_no_notes(function: Callable[[Piece], float | Undefined]) -> None:
    assert isinstance(function(EMPTY), Undefined)


def test_counts_of_nothing_are_zero() -> None:
    assert n_pitches_used(EMPTY) == n_pitch_classes_used(DRUMS) == 0


def test_agreement_with_muspy_where_it_is_right(shared_data: Path) -> None:
    """Pitch metrics and polyphony mean the same in muspy; so they must be the same number."""
    import muspy

    from concours.eval.load import load

    files = sorted((shared_data / "symbolic/reference/pop909").glob("*.mid"))[:10]
    assert files
    for file in files:
        ours, theirs = load(file).piece, muspy.read_midi(str(file))
        assert pitch_range(ours) == muspy.pitch_range(theirs)
        assert n_pitches_used(ours) == muspy.n_pitches_used(theirs)
        assert n_pitch_classes_used(ours) == muspy.n_pitch_classes_used(theirs)
        assert pitch_entropy(ours) == pytest.approx(muspy.pitch_entropy(theirs), abs=1e-9)
        assert pitch_class_entropy(ours) == pytest.approx(
            muspy.pitch_class_entropy(theirs), abs=1e-9
        )
        two = scale_consistency(ours, scales="major+natural-minor")
        assert two == pytest.approx(muspy.scale_consistency(theirs), abs=1e-9)
        assert polyphony(ours) == pytest.approx(muspy.polyphony(theirs), abs=1e-9)
        # muspy divides by the time of the last event of any kind
        length = theirs.get_end_time()
        assert polyphony_rate(ours, at_least=3) * ours.end_tick == pytest.approx(
            muspy.polyphony_rate(theirs) * length, abs=1e-6
        )
