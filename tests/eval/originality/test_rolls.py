"""Both sides of a passage, drawn so that what is shared stands in line."""

import pytest

from concours.eval.originality.html import to_html
from concours.eval.originality.rolls import HEIGHT, WIDTH, rolls


def passage(shift: int, factor: float, context: int = 3):
    """Five shared notes; the source ``shift`` lower, ``factor`` times as slow, after a rest."""
    lit = [(t, 60 + p) for t, p in ((0, 0), (1, 4), (1.5, 7), (2, 12), (4, -3))]
    piece = [[10 + t, 0.5, p, True] for t, p in lit]
    source = [[0.0, 1.0, 40, False]] * context
    source += [[100 + t * factor, 0.5 * factor, p - shift, True] for t, p in lit]
    source += [[100 + 5 * factor, 1.0, 80 - shift, False]]
    return {"transposition": shift, "roll": {"piece": piece, "source": source}}


@pytest.mark.parametrize(("shift", "factor"), [(0, 1.0), (7, 2.0), (-14, 1 / 3)])
def test_shared_notes_of_both_sides_stand_one_above_the_other(shift, factor) -> None:
    own, source = rolls(passage(shift, factor))
    lit, source_lit = ([n for n in side.notes if n[4]] for side in (own, source))
    assert len(lit) == len(source_lit) == 5
    for a, b in zip(lit, source_lit, strict=True):
        assert a == pytest.approx(b, abs=0.11)
    assert own.edges == source.edges == (lit[0][0], lit[-1][0])
    assert [y for _, y in own.pitches] == [y for _, y in source.pitches]
    names = {0: ("C5", "A3"), 7: ("F4", "D3"), -14: ("D6", "B4")}[shift]
    assert tuple(name for name, _ in own.pitches) == ("C5", "A3")
    assert tuple(name for name, _ in source.pitches) == names


def test_what_lies_far_from_the_passage_is_left_out_and_nothing_leaves_the_box() -> None:
    for side in rolls(passage(2, 1.5)):
        for x, y, width, height, _ in side.notes:
            assert 0 <= x <= x + width <= WIDTH + 2
            assert 0 <= y <= y + height <= HEIGHT + 0.1
    assert len(rolls(passage(2, 1.5))[1].notes) == 6


def test_a_page_without_systems_of_notes_is_made_at_once() -> None:
    assert "From system to system" not in to_html([])
