"""STUDY.yaml: the smallest study holds, and every fault names its place."""

import re

import pytest

from concours.eval.errors import ConfigError
from concours.listening_test.config import parse_study

SMALLEST = """\
store: sqlite:///pilot.db
name: pilot
method: mos
dimensions: [overall_quality, musicality]
emotion: valence-arousal
systems: {a: {path: a}, b: {path: b}}
items_per_system: 4
seed: 1
"""


def test_the_smallest_study_holds() -> None:
    study = parse_study(SMALLEST)
    assert study.dimension_names == ["overall_quality", "musicality"]
    assert study.settled_design == "williams"
    assert study.hear_share == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("seed: 1", "sead: 1"), r"STUDY.yaml:8:1: sead: no such key; did you mean seed\?"),
        (("method: mos", "method: mso"), r"STUDY.yaml:3:1: method: "),
        (("items_per_system: 4", "items_per_system: none"), r":7:1: items_per_system"),
        (("overall_quality, m", "overal_quality, m"), "did you mean overall_quality"),
        (("method: mos", "method: mushra"), "several clips|needs reference"),
        (("seed: 1", "design: adaptive-pairs"), "adaptive-pairs needs method ab or pairwise"),
        (("seed: 1", "headphones: {rounds: 99}"), r":8:14: headphones.rounds"),
        (("name: pilot", "name: ["), "STUDY.yaml:"),
    ],
)
def test_faults_name_their_place(change: tuple[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_study(SMALLEST.replace(*change))
    assert re.search(message, str(caught.value)), str(caught.value)


def test_mushra_takes_twelve_conditions_at_most() -> None:
    systems = ", ".join(f"s{i}: {{path: s}}" for i in range(11))
    text = f"name: x\nmethod: mushra\nreference: s0\nsystems: {{{systems}}}\n"
    with pytest.raises(ConfigError, match="at most 12"):
        parse_study(text)
