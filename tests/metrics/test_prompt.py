"""Targets read from words and from tables."""

import pytest

from concours.eval.pairing.tables import target_from_text, target_text
from concours.metrics.instruments import mentions, programs_named
from concours.metrics.prompt import target_from_prompt
from concours.metrics.target import Target, target_of_prefix
from concours.metrics.target_table import chord_named, key_named, pitch_named, target_from


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in the key of C# minor", {"key": "C# minor"}),
        ("an E-flat major sonata at 132 BPM", {"key": "Eb major", "tempo": 132}),
        ("tempo: 90, 6/8 time", {"tempo": 90, "meters": "6/8"}),
        ("a sixteen-bar tune in 3/4", {"bars": 16, "meters": ["3/4"] * 16}),
        ("8 bars for flute and strings", {"bars": 8, "instruments": ["flute", "strings"]}),
        ("piano without drums", {"instruments": ["piano"]}),
        ("between C3 and G5, 12 notes per bar", {"pitch_range": ["C3", "G5"], "density": 12}),
        ("a major work, minor in scope, 24/7", {}),
        ("A minor work", {}),
        ("A minor, slow", {"key": "A minor"}),
        ("a piece in a minor", {"key": "A minor"}),
        ("a bar in town", {}),
    ],
)
def test_prompts_say_what_they_say(text: str, expected: dict[str, object]) -> None:
    assert target_from_prompt(text) == target_from(expected)


def test_a_progression_is_repeated() -> None:
    asked = target_from_prompt("chord progression: C - Am - F - G7, 100 bpm")
    assert asked.chords == tuple(frozenset({c}) for c in ("C:maj", "A:min", "F:maj", "G:7"))
    assert asked.chords_repeat
    assert asked.tempo == 100


def test_names_under_which_attributes_go() -> None:
    one = target_from({"time_signature": "3/4", "bpm": "90", "range": "C4 to C5", "bar_count": 2})
    two = target_from({"meters": ["3/4", "3/4"], "tempo": 90, "pitch_range": [60, 72], "bars": 2})
    assert one == two
    assert target_from({"chords": "C | Am F |G"}).chords == (
        frozenset({"C:maj"}),
        frozenset({"A:min", "F:maj"}),
        frozenset({"G:maj"}),
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"tempo": "fast"}, "tempo is a number"),
        ({"bars": "2.5"}, "whole number"),
        ({"bpm": 90, "tempo": 80}, "given twice"),
        ({"range": "C5-C3"}, "low to high"),
        ({"range": "high"}, "written as C3-C5"),
        ({"instruments": "kazoo orchestra"}, "no instrument is called 'kazoo orchestra'"),
        ({"chords": "C Hx"}, "'Hx' is no chord"),
        ({"density": -1}, "must be positive"),
    ],
)
def test_values_that_cannot_be_read(table: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        target_from(table)


def test_small_words() -> None:
    assert key_named("f minor") == (5, True)
    assert chord_named("Bbmaj7") == "Bb:maj7"
    assert chord_named("Dm7b5") == "D:hdim7"
    assert pitch_named("A0") == 21
    assert programs_named("Violins") == {40}
    assert 48 in programs_named("strings")
    assert [m.name for m in mentions("an organised bassist plays the bass")] == ["bass"]


def test_targets_survive_being_text() -> None:
    target = target_from(
        {"instruments": "strings, 0, drums", "chords": "C | G7", "meters": "3/4", "bars": 2,
         "key": "A minor", "range": "40-60", "tempo": 66.5, "density": 3}
    )  # fmt: skip
    assert target_from_text(target_text(target)) == target
    assert target_from_text(target_text(Target())) == Target()
    both = target_text(target_from({"tempo": 80}), target_from_prompt("C major, 120 bpm"))
    assert target_from_text(both) == Target(tempo=80.0, key=(0, False))


def test_a_prefix_asks_neither_length_nor_chords(block_chords) -> None:  # type: ignore[no-untyped-def]
    asked = target_of_prefix(block_chords([(48, 64, 67)] * 8))
    assert asked.bars is None
    assert asked.chords is None
    assert asked.meters == ((4, 4),)
    assert asked.tempo == 120
