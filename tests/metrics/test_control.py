"""Control metrics against targets written out and against pieces."""

import itertools

import pytest

from concours.metrics import control
from concours.metrics.keys import NAMES
from concours.metrics.piece import make_piece
from concours.metrics.spec import Undefined
from concours.metrics.target import Target, target_from, target_of

METRICS = (
    control.instrument_f1,
    control.chord_f1,
    control.time_signature_accuracy,
    control.tempo_error,
    control.key_score,
    control.bar_count_error,
    control.range_overlap,
    control.density_error,
)


@pytest.fixture
def piece(block_chords):
    return block_chords([(48, 64, 67), (53, 65, 69), (43, 62, 71), (48, 60, 64)] * 4)


def value(result):
    return getattr(result, "value", result)


def test_a_piece_is_what_it_is(piece):
    for metric in METRICS:
        perfect = 0 if metric.__name__.endswith("error") else 1
        assert value(metric(piece, piece)) == perfect, metric.__name__


def test_stopping_early_loses(piece):
    half = piece.where(piece.onset < 2 * 1920)
    short = make_piece(onset=half.onset, end=half.end, pitch=half.pitch)
    assert control.chord_f1(short, piece).value == 0.5
    assert control.time_signature_accuracy(short, piece) == 0.5
    assert control.bar_count_error(short, piece) == 0.5


def test_what_was_not_asked_for_is_undefined(piece):
    for metric in METRICS:
        assert metric(piece, Target()) == Undefined("the target does not state it")


def test_chords_of_a_bar_in_precision_and_recall(piece):
    asked = target_from({"chords": [["C:maj", "F:maj"], "A:min", "C:maj", "G:maj"]})
    found = control.chord_f1(piece, asked)  # the piece has C, F, G in every bar
    assert found.detail["recall"] == pytest.approx((1 + 0 + 1 + 1) / 4)
    assert found.detail["precision"] == pytest.approx((2 / 3 + 0 + 1 / 3 + 1 / 3) / 4)


def test_instruments():
    band = make_piece(
        onset=[0] * 3, end=[1] * 3, pitch=[60, 40, 36], program=[0, 32, 0], is_drum=[0, 0, 1]
    )
    found = control.instrument_f1(band, target_from({"instruments": [0, 48, "drums"]}))
    assert found.detail == {"precision": 2 / 3, "recall": 2 / 3}


def test_meters():
    piece = make_piece(onset=[0], end=[1920 + 1440], pitch=[60], meters=[(1920, 3, 4)])
    assert target_of(piece).meters == ((4, 4), (3, 4))
    assert control.time_signature_accuracy(piece, target_from({"meters": "4/4"})) == 0.5
    assert control.time_signature_accuracy(piece, target_from({"meters": "4/4", "bars": 4})) == 0.25


def test_tempo_follows_the_map():
    piece = make_piece(onset=[0], end=[1440], pitch=[60], tempos=[(0, 60), (480, 120)])
    assert target_of(piece).tempo == pytest.approx(90)
    assert control.tempo_error(piece, Target(tempo=45)) == pytest.approx(1)


def test_keys_score_as_in_mir_eval():
    from mir_eval.key import weighted_score

    def name(tonic, minor):
        return f"{NAMES[tonic]} {'minor' if minor else 'major'}"

    minor = [57, 59, 60, 62, 64, 65, 68, 69, 64, 60, 57]
    major = [60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60]
    at = [480 * i for i in range(11)]
    for up, notes in itertools.product(range(-6, 6), (minor, major)):
        piece = make_piece(onset=at, end=[t + 480 for t in at], pitch=[p + up for p in notes])
        got = target_of(piece).key
        for asked in itertools.product(range(12), (False, True)):
            expected = weighted_score(name(*asked), name(*got))
            assert control.key_score(piece, Target(key=asked)) == expected


def test_range_and_density():
    piece = make_piece(onset=[0, 480, 960], end=[480, 960, 1440], pitch=[60, 65, 71])
    assert control.range_overlap(piece, Target(pitch_range=(66, 77))) == pytest.approx(6 / 18)
    assert control.range_overlap(piece, Target(pitch_range=(80, 90))) == 0
    assert control.density_error(piece, Target(density=4)) == 0.25


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"tmpo": 3}, "no attribute 'tmpo'"),
        ({"meters": "three four"}, "'three four' is not"),
        ({"key": "H major"}, "'H major' is not"),
    ],
)
def test_tables_are_checked(table, message):
    with pytest.raises(ValueError, match=message):
        target_from(table)


def test_keys_have_two_names():
    assert target_from({"key": "G# minor"}).key == target_from({"key": "Ab minor"}).key == (8, True)


def test_an_empty_piece_fails_without_failing():
    nothing = make_piece(onset=[], end=[], pitch=[])
    target = target_from(
        {"instruments": [0], "chords": ["C:maj"], "meters": "4/4", "key": "C major", "bars": 4,
         "pitch_range": [60, 72], "density": 4, "tempo": 100}
    )  # fmt: skip
    assert control.instrument_f1(nothing, target).value == 0
    assert control.chord_f1(nothing, target).value == 0
    assert control.time_signature_accuracy(nothing, target) == 0
    assert control.key_score(nothing, target) == control.range_overlap(nothing, target) == 0
    assert control.bar_count_error(nothing, target) == control.density_error(nothing, target) == 1
    assert control.tempo_error(nothing, target) == Undefined("the piece has no length")
