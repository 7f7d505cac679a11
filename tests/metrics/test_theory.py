"""Part-writing rules by hand, and beside music21's voice-leading quartets on chorales."""

import itertools

import numpy as np
import pytest

from concours.metrics import theory
from concours.metrics.motion import crossings, hidden, overlaps, parallels
from concours.metrics.piece import make_piece
from concours.metrics.spec import Undefined
from concours.metrics.voices import places, voices_of


def score(*voices, quarter=480):
    """Voices of equal quarters; None is a rest."""
    rows = [
        (quarter * i, quarter * (i + 1), p, track)
        for track, voice in enumerate(voices)
        for i, p in enumerate(voice)
        if p is not None
    ]
    onset, end, pitch, track = zip(*rows, strict=True)
    return make_piece(onset=onset, end=end, pitch=pitch, track=track)


def count(scored):
    return scored.detail["count"]


def test_parallel_fifths_say_where():
    piece = score([67, 69, 71, 72, 74], [60, 62, 60, 64, 67])
    found = theory.parallel_fifths(piece)
    assert found.value == 1 / 4
    assert found.detail["violations"] == [
        {"bar": 1, "beat": 2.0, "voices": ["voice 1", "voice 2"], "pitches": [[67, 69], [60, 62]]}
    ]


def test_a_repeated_fifth_is_no_parallel():
    assert count(theory.parallel_fifths(score([67, 67, 72], [60, 60, 64]))) == 0


def test_contrary_fifths_count_when_asked():
    piece = score([67, 62], [48, 55])  # a twelfth, then a fifth, moving towards each other
    assert count(theory.parallel_fifths(piece)) == 0
    assert count(theory.parallel_fifths(piece, contrary=True)) == 1


def test_a_rest_ends_a_motion():
    piece = score([67, None, 69], [60, None, 62])
    assert theory.parallel_fifths(piece) == Undefined(
        "the voices give no chance to break this rule"
    )


def test_hidden_octaves_need_a_leap_above():
    leaping, stepping = score([67, 72], [57, 60]), score([71, 72], [57, 60])
    assert count(theory.hidden_octaves(leaping)) == 1
    assert count(theory.hidden_octaves(stepping)) == 0
    assert count(theory.hidden_octaves(stepping, upper_leaps=False)) == 1


def test_crossing_and_overlap():
    crossed = score([72, 60, 72], [64, 65, 64])
    assert theory.voice_crossing(crossed).value == pytest.approx(1 / 3)
    overlapped = score([72, 76, 79], [64, 74, 71])  # 74 passes above the 72 before it
    assert count(theory.voice_overlap(overlapped)) == 1
    assert count(theory.voice_crossing(overlapped)) == 0


def test_spacing_is_wider_above_the_bass():
    piece = score([79, 84], [65, 71], [48, 48], [30, 40])
    assert count(theory.wide_spacing(piece)) == 4  # 14 and 13 above; 17 and 23 inside
    assert count(theory.wide_spacing(piece, widest_bass=15)) == 5


def test_ranges_are_of_four_voices():
    piece = score([72, 83], [60, 60], [55, 55], [48, 39])
    found = theory.out_of_range(piece)
    assert found.value == 2 / 8
    assert [v["voices"] for v in found.detail["violations"]] == [["voice 1"], ["voice 4"]]
    assert theory.out_of_range(score([72], [60])) == Undefined(
        "2 voices, and the ranges are those of four"
    )


def test_leaps():
    tune = score([60, 66, 67, 77, 76, 60, 65], [48] * 7)
    assert theory.dissonant_leaps(tune).value == pytest.approx(3 / 6)  # 6, 10, 16
    leaps = theory.unresolved_leaps(tune)
    assert leaps.value == 1 / 2  # up a seventh and a step back; down a tenth and on by a fourth
    assert leaps.detail["violations"][0]["pitches"] == [76, 60, 65]


def test_leading_tones_rise():
    home = ([72, 72, 72], [67, 67, 67], [64, 64, 64], [48, 48, 48])
    rises = ([71, 72], [67, 67], [62, 64], [43, 48])
    falls = ([71, 67], [67, 67], [62, 64], [43, 48])
    good = score(*(a + b for a, b in zip(home, rises, strict=True)))
    bad = score(*(a + b for a, b in zip(home, falls, strict=True)))
    assert theory.unresolved_leading_tones(good).value == 0
    found = theory.unresolved_leading_tones(bad)
    assert found.value == 1
    assert found.detail["violations"][0] == {
        "bar": 2,
        "beat": 1.0,
        "voices": ["voice 1"],
        "pitches": [71, 67],
    }


def test_voices_go_by_pitch_not_by_track():
    a = score([72, 74], [60, 62])
    b = score([60, 62], [72, 74])
    np.testing.assert_array_equal(voices_of(a).pitch, voices_of(b).pitch)


def test_no_voices_in_piano_chords(block_chords):
    one = block_chords([(60, 64, 67)])
    assert voices_of(one) == Undefined("1 pitched tracks, and voices need 2 to 12")
    two = make_piece(onset=[0, 0, 0], end=[480] * 3, pitch=[60, 64, 80], track=[0, 0, 1])
    assert "several notes at once" in voices_of(two).reason


def test_place_counts_from_one_in_compound_meter():
    piece = make_piece(onset=[0], end=[5760], pitch=[60], meters=[(0, 6, 8)])
    assert places(piece, np.array([1440 + 720 + 240])) == [(2, 2.333)]


def test_equals_music21_on_chorales(chorales):
    """Every pair of voices at every change of sonority, all of music21's own conditions."""
    from music21.pitch import Pitch
    from music21.voiceLeading import VoiceLeadingQuartet

    seen = {"fifth": 0, "octave": 0, "hidden": 0, "overlap": 0}
    chance = np.random.default_rng(0)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    tunes = [(12 * o + scale[chance.integers(0, 7, 150)]).tolist() for o in (6, 5, 4)]
    for piece in (*(piece for _, piece in chorales), score(*tunes)):
        pitch = voices_of(piece).pitch
        fifths = {tuple(r) for r in parallels(pitch, 7, True)[0].tolist()}
        octaves = {tuple(r) for r in parallels(pitch, 0, True)[0].tolist()}
        into = {tuple(r) for r in hidden(pitch, 7, False, False)[0].tolist()}
        over = {tuple(r) for r in overlaps(pitch)[0].tolist()}
        for s, (i, j) in itertools.product(
            range(1, pitch.shape[1]), itertools.combinations(range(len(pitch)), 2)
        ):
            a, b, c, d = (int(x) for x in (*pitch[i, s - 1 : s + 1], *pitch[j, s - 1 : s + 1]))
            if min(a, b, c, d) < 0 or a == b or c == d:
                continue
            quartet = VoiceLeadingQuartet(*(Pitch(midi=p) for p in (a, b, c, d)))
            if (a - c) % 12 in (0, 7) and (b - d) % 12 in (0, 7) and a >= c and b >= d:
                # a sharp spelled against a flat hides a fifth from music21; ours has no spelling
                spelled = all(v.simpleName in ("P5", "P1", "P8") for v in quartet.vIntervals)
                if spelled:
                    assert ((s, i, j) in fifths) == quartet.parallelFifth()
                    assert ((s, i, j) in octaves) == (
                        quartet.parallelOctave() or quartet.parallelUnison()
                    )
                    seen["fifth"] += quartet.parallelFifth()
                    seen["octave"] += quartet.parallelOctave() or quartet.parallelUnison()
            before, after = quartet.vIntervals
            # music21 calls a diminished fifth before a perfect one parallel; here it is hidden
            if after.simpleName == "P5" and before.generic.simpleUndirected != 5 and b > d:
                assert ((s, i, j) in into) == quartet.hiddenFifth()
                seen["hidden"] += quartet.hiddenFifth()
            if j == i + 1:
                assert ((s, i, j) in over) == quartet.voiceOverlap()
                seen["overlap"] += quartet.voiceOverlap()
    assert all(seen.values()), seen
    assert crossings(pitch)[1] > 0
