"""Bar by bar, continuations and warped notes: by hand, and in the order that music demands."""

import numpy as np
import pytest

from concours.metrics import bar_overlap, pairs, prefix
from concours.metrics.piece import make_piece
from concours.metrics.spec import Undefined


def song(*bars, quarter=480, velocity=64, program=0):
    """One bar of quarters for each tuple of pitches."""
    notes = [
        (4 * quarter * i + quarter * j, p) for i, b in enumerate(bars) for j, p in enumerate(b)
    ]
    onset = [t for t, _ in notes]
    return make_piece(
        onset=onset,
        end=[t + quarter for t in onset],
        pitch=[p for _, p in notes],
        velocity=[velocity] * len(notes),
        program=[program] * len(notes),
        ticks_per_quarter=quarter,
    )


C, G, F = (60, 64, 67, 72), (67, 71, 74, 79), (65, 69, 72, 77)


@pytest.mark.parametrize(
    "metric",
    [
        bar_overlap.bar_pitch_overlap,
        bar_overlap.bar_duration_overlap,
        bar_overlap.bar_velocity_overlap,
        bar_overlap.bar_instrument_f1,
    ],
)
def test_bars_that_one_side_lacks_score_0(metric):
    truth, short = song(C, G, F, C), song(C, G)
    assert metric(truth, truth).value == 1
    assert metric(short, truth).value == metric(truth, short).value == 0.5
    assert metric(short, truth).detail["curve"] == [1, 1, 0, 0]


def test_bars_by_hand():
    truth = song(C, G)
    wrong = song((60, 64, 67, 71), (60, 62, 65, 68), velocity=127, program=40)
    assert bar_overlap.bar_pitch_overlap(wrong, truth).detail["curve"] == [0.75, 0]
    assert bar_overlap.bar_velocity_overlap(wrong, truth).value == 0
    assert bar_overlap.bar_instrument_f1(wrong, truth).value == 0
    assert bar_overlap.bar_velocity_overlap(wrong, truth, bins=1).value == 1


def test_an_empty_bar_on_both_sides_is_left_out():
    found = bar_overlap.bar_pitch_overlap(song(C, (), C), song(C, (), C))
    assert found.detail["curve"] == [1, None, 1]
    nothing = make_piece(onset=[], end=[], pitch=[])
    assert isinstance(bar_overlap.bar_pitch_overlap(nothing, nothing), Undefined)


def test_a_continuation_begins_after_the_prompts_last_bar():
    prompt, whole = song(C, G), song(C, G, F, C, G)
    assert prefix.prefix_recall(whole, prompt) == 1
    assert prefix.prefix_recall(song(F, G, C), prompt) == 0.5
    assert prefix.continuation_bars(whole, prompt) == 3
    assert prefix.continuation_bars(prompt, prompt) == 0
    assert prefix.continuation_bars(song(F, C, G), prompt, given="left-out") == 3
    assert prefix.continuation_rhythm_overlap(whole, prompt) == 1
    assert prefix.continuation_rhythm_overlap(prompt, prompt) == 0


def test_resolution_of_the_two_files_does_not_matter():
    assert prefix.prefix_recall(song(C, G, F, quarter=96), song(C, G)) == 1
    assert prefix.continuation_bars(song(C, G, F, quarter=96), song(C, G)) == 1


def test_a_continuation_in_another_key_is_less_alike():
    prompt = song(C, G)
    home = song(C, G, C, G)
    away = song(C, G, tuple(p + 6 for p in C), tuple(p + 6 for p in G))
    similar = prefix.continuation_chroma_similarity
    assert similar(home, prompt) == pytest.approx(1)
    assert similar(away, prompt) < 0.3
    stuck = song(C, G, (60, 60, 60, 60))
    assert prefix.continuation_entropy_gap(stuck, prompt).value > 1
    assert prefix.continuation_entropy_gap(home, prompt).value == pytest.approx(0)


def test_what_is_copied_from_the_prompt_by_hand():
    rng = np.random.default_rng(4)
    prompt, fresh = (
        [tuple(rng.integers(55, 80, 4).tolist()) for _ in range(bars)] for bars in (6, 5)
    )
    third = [tuple(p + 4 for p in bar) for bar in prompt[2:5]]
    whole = song(*prompt, *fresh, *third)
    found = prefix.continuation_copied(whole, song(*prompt, quarter=96))
    assert found.value == 12 / 32  # three bars of eight, a third higher
    assert found.detail["curve"]["12"] == 12 / 32
    assert found.detail["curve"]["14"] == 0
    longest = found.detail["longest"]
    assert (longest["length"], longest["transposition"]) == (12, 4)
    assert (longest["bars"], longest["source_bars"]) == ([12, 14], [3, 5])
    left_out = prefix.continuation_copied(song(*fresh, *third), song(*prompt), given="left-out")
    assert left_out.value == 12 / 32
    assert prefix.continuation_copied(song(*prompt, *fresh), song(*prompt)).value == 0
    flat = prefix.continuation_copied(song(*prompt, *[(60,) * 4] * 4), song(*[(60, 74) * 2] * 4))
    assert (flat.value, flat.detail["longest"]) == (0, None)
    for short in (song(*prompt), song(*prompt, *fresh[:2])):
        reason = prefix.continuation_copied(short, song(*prompt)).reason
        assert reason == "no voice of the continuation has 10 notes"
    short = prefix.continuation_copied(song(*prompt), song(*prompt[:2])).reason
    assert short == "no voice of the prompt has 10 notes"
    with pytest.raises(ValueError, match="passages of 3 notes or more"):
        prefix.continuation_copied(whole, song(*prompt), n=2)


def melody(rng, notes=40):
    lengths = rng.choice([240, 480, 960], notes)
    return np.concatenate([[0], np.cumsum(lengths)]), rng.integers(55, 80, notes)


@pytest.mark.parametrize("seed", range(4))
def test_warping_forgives_pace_but_not_wrong_or_missing_notes(seed):
    rng = np.random.default_rng(seed)
    edges, pitch = melody(rng)

    def played(factor, pitches=pitch, stop=None):
        at = np.round(edges * factor).astype(int)
        return make_piece(onset=at[:-1][:stop], end=at[1:][:stop], pitch=pitches[:stop])

    truth = played(1.0)
    for factor in (0.5, 1.5, 2.0):
        slow = played(factor)
        assert pairs.aligned_note_f1(slow, truth).value > 0.95
        assert pairs.note_onset_f1(slow, truth).value < 0.5
    cut = pairs.aligned_note_f1(played(1.5, stop=20), truth)
    assert cut.detail["recall"] <= 0.5 + 0.05
    wrong = np.where(rng.random(len(pitch)) < 0.5, pitch + 1, pitch)
    assert pairs.aligned_note_f1(played(1.5, wrong), truth).value < 0.75


def test_chords_follow_the_warp(block_chords):
    triads = [(48, 64, 67), (53, 65, 69), (43, 62, 71), (48, 60, 64)]
    once, twice = block_chords(triads), block_chords([c for c in triads for _ in (0, 1)])
    assert pairs.chord_accuracy(twice, once) < 0.5
    assert pairs.chord_accuracy(twice, once, align="warp") == 1
