"""The gate's grammar: what it means, what it refuses, and what it does with the unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concours.eval.compare.gate import GateError, check, decide, parse

FIELDS = ("delta", "p", "p_holm", "ci_low", "ci_high", "a", "b", "n_a", "n_b")
KNOWN = {
    "fad": dict(zip(FIELDS, (0.2, 0.001, 0.02, 0.1, 0.3, 1.0, 1.2, 9.0, 9.0), strict=True)),
    "entropy": dict(zip(FIELDS, (-0.5, 0.4, 0.4, -1.0, 0.1, 3.0, 2.5, 9.0, 9.0), strict=True)),
    "lost": dict.fromkeys(FIELDS),
    "groove:steps=4": {"delta": 1.0, "p": 0.5},
}


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("fad.delta > 0.1 and p < 0.01", True),
        ("fad.delta > 0.1 and p < 0.0001", False),
        ("fad.delta > 0.3 or entropy.delta < 0 and p > 0.3", True),
        ("(fad.delta > 0.3 or entropy.delta < 0) and p > 0.5", False),
        ("not fad.delta > 0.3", True),
        ("not not fad.p_holm<=.02", True),
        ("-0.6 < entropy.delta", True),
        ("fad.b == 1.2 and a != 2e0", True),
        ("'groove:steps=4'.delta >= 1", True),
        ("fad.b > entropy.b", False),
        ("lost.delta > 0", None),
        ("lost.delta > 0 or fad.delta > 0", True),
        ("lost.delta > 0 and fad.delta > 9", False),
        ("not lost.p < 1", None),
    ],
)
def test_conditions_mean_what_they_say(text: str, truth: bool | None) -> None:
    condition = parse(text)
    check(condition, KNOWN)
    assert decide(condition, KNOWN) is truth


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "p < 0.01", "fad", "fad.delta", "fad.delta >", "fad.delta > 0.1 and", "1 < 2",
        "fad.delta > 0.1 p < 2", "fad.delta => 1", "(fad.delta > 1", "fad.delta > 1)",
        "fad.mean > 1", "fad delta > 1", "fad.delta > __import__('os')",
        "fad.delta > 1; print(1)", "and", "not",
        "fad.delta < 1 < 2", "fad.delta & 1",
        "(" * 99 + "fad.delta > 1" + ")" * 99, "not " * 99 + "fad.p < 1",
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(GateError, match="--fail-if"):
        parse(text)


def test_the_mark_shows_the_place() -> None:
    with pytest.raises(GateError, match=r"fad\.delta > »;"):
        parse("fad.delta > ;1")


def test_an_unknown_metric_gets_a_suggestion() -> None:
    with pytest.raises(GateError, match="did you mean entropy"):
        check(parse("entropie.delta > 1"), KNOWN)


@given(st.text(alphabet="fad.deltp<>=!() 0123456789'andornot_-+e", max_size=60))
def test_any_text_is_a_condition_or_a_gate_error(text: str) -> None:
    try:
        condition = parse(text)
    except GateError:
        return
    assert condition is not None
