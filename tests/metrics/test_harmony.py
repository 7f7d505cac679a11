"""The harmony metrics on pieces worked out by hand."""

import math

import numpy as np
import pytest

from concours.metrics.harmony import (
    chord_coverage,
    chord_histogram_entropy,
    chord_progression_irregularity,
    chord_tonal_distance,
    chord_tone_ratio,
    melody_chord_tonal_distance,
    pitch_consonance_score,
)
from concours.metrics.melody import melody_of
from concours.metrics.piece import make_piece
from concours.metrics.spec import Undefined
from concours.metrics.tension import cloud_diameter, cloud_momentum, key_centre, tensile_strain

C, F, G = (48, 64, 67), (53, 65, 69), (43, 62, 71)


def test_entropy_counts_beats_or_changes(block_chords):
    piece = block_chords([C, C, G, C])
    by_beat = chord_histogram_entropy(piece)
    assert by_beat.value == pytest.approx(-(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25)))
    assert by_beat.detail["histogram"] == {"C:maj": 3, "G:maj": 1}
    by_change = chord_histogram_entropy(piece, count="change")
    assert by_change.value == pytest.approx(-(2 / 3 * math.log2(2 / 3) + 1 / 3 * math.log2(1 / 3)))


def test_coverage_counts_each_chord_once(block_chords):
    assert chord_coverage(block_chords([C, G, F, C, G])) == 3


def test_tonal_distance_is_harte_s_formula(block_chords):
    def centroid(pcs):
        angle = np.array(pcs) * math.pi
        circles = [(1, 7 / 6), (1, 3 / 2), (0.5, 2 / 3)]
        return np.array(
            [x for r, s in circles for x in (r * np.sin(angle * s), r * np.cos(angle * s))]
        ).mean(axis=1)

    expected = np.linalg.norm(centroid([0, 4, 7]) - centroid([7, 11, 2]))
    assert chord_tonal_distance(block_chords([C, C, G])).value == pytest.approx(expected)
    assert chord_tonal_distance(block_chords([C, G])).detail["tick"] == [480]


def test_irregularity_divides_by_the_number_of_trigrams(block_chords):
    assert chord_progression_irregularity(block_chords([C, F, G])) == 1
    assert chord_progression_irregularity(block_chords([C, F, G, C, F, G])) == 3 / 4
    assert chord_progression_irregularity(block_chords([C, C, F, F])) == Undefined(
        "fewer than 3 chords in the progression"
    )


def melody_over_c(*pitches, length=240):
    """A C major triad of four beats under melody notes of one length."""
    n = len(pitches)
    return make_piece(
        onset=[0, 0, 0, *(length * i for i in range(n))],
        end=[1920] * 3 + [length * (i + 1) for i in range(n)],
        pitch=[48, 52, 55, *pitches],
    )


def test_chord_tone_ratio_forgives_what_resolves():
    assert chord_tone_ratio(melody_over_c(72, 74, 72, 76)) == 1  # D resolves to C by a step
    assert chord_tone_ratio(melody_over_c(72, 74, 79, 76)) == 0.75  # D leaps to G
    assert chord_tone_ratio(melody_over_c(72, 74, 79, 76), resolve_within=5) == 1
    assert chord_tone_ratio(melody_over_c(72, 74)) == 0.5  # D ends the piece


def test_consonance_tells_fourths_from_fifths():
    # G over C E G: fifth +1, minor third +1, unison +1
    assert pitch_consonance_score(melody_over_c(79, length=1920)) == pytest.approx(1)
    # C over C E G: unison +1, minor sixth +1, fourth 0
    assert pitch_consonance_score(melody_over_c(72, length=1920)) == pytest.approx(2 / 3)


def test_melody_distance_weighs_by_time():
    c = melody_chord_tonal_distance(melody_over_c(72, length=1920))
    g = melody_chord_tonal_distance(melody_over_c(79, length=1920))
    mixed = make_piece(
        onset=[0, 0, 0, 0, 480], end=[1920] * 3 + [480, 1920], pitch=[48, 52, 55, 72, 79]
    )
    assert melody_chord_tonal_distance(mixed) == pytest.approx(0.25 * c + 0.75 * g)


def test_skyline_keeps_a_held_note_over_lower_ones():
    piece = make_piece(onset=[0, 240, 480, 960], end=[960, 480, 960, 1440], pitch=[72, 60, 64, 62])
    line = melody_of(piece)
    assert list(zip(line.onset, line.end, line.pitch, strict=True)) == [
        (0, 960, 72),
        (960, 1440, 62),
    ]


def test_named_melody_needs_a_name():
    piece = make_piece(
        onset=[0, 0], end=[480, 480], pitch=[60, 80], track=[0, 1], track_names=["MELODY", "PIANO"]
    )
    assert melody_of(piece, "named").pitch.tolist() == [60]
    unnamed = make_piece(onset=[0], end=[480], pitch=[60])
    assert melody_of(unnamed, "named") == Undefined("no track is named as a melody")


@pytest.mark.parametrize(
    "metric",
    [
        chord_histogram_entropy,
        chord_coverage,
        chord_tonal_distance,
        chord_progression_irregularity,
        chord_tone_ratio,
        pitch_consonance_score,
        melody_chord_tonal_distance,
        cloud_diameter,
        cloud_momentum,
        tensile_strain,
    ],
)
def test_undefined_without_a_sounding_pitched_note(metric):
    drums = make_piece(onset=[0], end=[480], pitch=[36], is_drum=[True])
    nothing = make_piece(onset=[], end=[], pitch=[])
    instant = make_piece(onset=[0], end=[0], pitch=[60])
    for piece in (drums, nothing, instant):
        assert isinstance(metric(piece), Undefined)


def test_the_key_s_centre_lies_where_its_triads_are():
    major, minor = key_centre(False, 0.4), key_centre(True, 0.4)
    assert major[2] > minor[2]  # the major third lies four fifths up, the minor three down
    tonic = 0.536 * np.array([0, 1, 0]) + 0.274 * np.array([1, 0, 0.4])
    tonic += 0.19 * np.array([0, 1, 1.6])
    up = 0.536 * np.array([1, 0, 0.4]) + 0.274 * np.array([0, -1, 0.8])
    up += 0.19 * np.array([1, 0, 2.0])
    down = 0.536 * np.array([-1, 0, -0.4]) + 0.274 * np.array([0, 1, 0])
    down += 0.19 * np.array([-1, 0, 1.2])
    np.testing.assert_allclose(major, 0.536 * tonic + 0.274 * up + 0.19 * down, atol=1e-12)


def test_a_foreign_chord_strains_the_key(block_chords):
    home = [C, F, G, C, C, F, G]
    near = tensile_strain(block_chords([*home, C])).detail["curve"][-1]
    far = tensile_strain(block_chords([*home, (54, 58, 61)])).detail["curve"][-1]
    assert far > near


def test_tension_does_not_change_under_transposition(random_piece):
    for metric in (cloud_diameter, cloud_momentum, tensile_strain):
        home = metric(random_piece(5)).value
        assert [metric(random_piece(5, up=u)).value for u in range(12)] == pytest.approx(
            [home] * 12
        )
