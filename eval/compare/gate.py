"""The condition of ``concours compare --fail-if``, parsed and never evaluated as code.

Grammar::

    condition  := all ("or" all)*
    all        := one ("and" one)*
    one        := "not" one | "(" condition ")" | comparison
    comparison := operand ("<" | "<=" | ">" | ">=" | "==" | "!=") operand
    operand    := number | quantity
    quantity   := metric "." field | field
    metric     := name | "'" any text but a quote "'"
    field      := delta | p | p_holm | ci_low | ci_high | a | b | n_a | n_b

``delta`` is b - a. A field without a metric belongs to the metric named last before it, so that
``fad.delta > 0.1 and p < 0.01`` asks for FAD's own p. A metric with changed parameters is quoted:
``'pitch_entropy:weighting=duration'.delta``.

Truth has three values: where a quantity is undefined, a comparison is neither true nor false, and
``and``, ``or`` and ``not`` follow Kleene. A condition that can't be decided is not taken for a
pass.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from concours.eval.errors import UsageError

FIELDS = ("delta", "p", "p_holm", "ci_low", "ci_high", "a", "b", "n_a", "n_b")
Quantities = Mapping[str, Mapping[str, float | None]]
Truth = bool | None
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|'(?P<quoted>[^']+)'"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|==|!=|<|>|\(|\)|\.))"
)
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
MOST_DEEP = 50


class GateError(UsageError):
    """The text isn't a condition; the message shows where."""


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Quantity:
    metric: str
    field: str


Operand = Number | Quantity


@dataclass(frozen=True)
class Comparison:
    left: Operand
    sign: str
    right: Operand


@dataclass(frozen=True)
class Not:
    part: Condition


@dataclass(frozen=True)
class Joint:
    """``parts`` joined by "and" or by "or"."""

    word: str
    parts: tuple[Condition, ...]


Condition = Comparison | Not | Joint


def parse(text: str) -> Condition:
    """The condition that ``text`` writes.

    Raises:
        GateError: it isn't one; the message points at the place.

    >>> parse("fad.delta > 0.1").right
    Number(value=0.1)
    """
    return _Parser(text).whole()


def metrics_of(condition: Condition) -> list[str]:
    """The metrics that a condition names, each once."""
    if isinstance(condition, Not):
        return metrics_of(condition.part)
    if isinstance(condition, Joint):
        return list(dict.fromkeys(m for p in condition.parts for m in metrics_of(p)))
    sides = (condition.left, condition.right)
    return list(dict.fromkeys(s.metric for s in sides if isinstance(s, Quantity)))


def check(condition: Condition, known: Quantities) -> None:
    """Raises GateError if a metric of the condition wasn't compared."""
    for metric in metrics_of(condition):
        if metric not in known:
            near = get_close_matches(metric, list(known), n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
            raise GateError(f"--fail-if: {metric!r} was not compared{hint}")


def decide(condition: Condition, known: Quantities) -> Truth:
    """Whether the condition holds; None where an undefined quantity leaves it open."""
    if isinstance(condition, Not):
        inner = decide(condition.part, known)
        return None if inner is None else not inner
    if isinstance(condition, Joint):
        found = [decide(p, known) for p in condition.parts]
        settling = condition.word == "or"
        if settling in found:
            return settling
        return None if None in found else not settling
    left, right = (_value(s, known) for s in (condition.left, condition.right))
    if left is None or right is None:
        return None
    return bool(_COMPARE[condition.sign](left, right))


def _value(operand: Operand, known: Quantities) -> float | None:
    return operand.value if isinstance(operand, Number) else known[operand.metric][operand.field]


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        self.metric: str | None = None
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                blank = len(text[at:]) - len(text[at:].lstrip())
                raise self.error("this isn't part of a condition", at + blank)
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind], found.start(kind)))
            at = found.end()
        self.place = 0

    def error(self, what: str, at: int | None = None) -> GateError:
        if at is None:
            at = self.tokens[self.place][2] if self.place < len(self.tokens) else len(self.text)
        marked = f"{self.text[:at]}»{self.text[at:]}"
        return GateError(f"--fail-if: {what} (at the mark: {marked})")

    def peek(self) -> tuple[str, str]:
        if self.place < len(self.tokens):
            return self.tokens[self.place][:2]
        return "end", ""

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.place += 1
        return token

    def whole(self) -> Condition:
        condition = self.joint("or", 0)
        if self.peek()[0] != "end":
            raise self.error("expected 'and', 'or' or the end")
        return condition

    def joint(self, word: str, depth: int) -> Condition:
        if depth > MOST_DEEP:
            raise self.error(f"more than {MOST_DEEP} levels of parentheses")
        parts = [self.joint("and", depth) if word == "or" else self.one(depth)]
        while self.peek() == ("name", word):
            self.take()
            parts.append(self.joint("and", depth) if word == "or" else self.one(depth))
        return parts[0] if len(parts) == 1 else Joint(word, tuple(parts))

    def one(self, depth: int) -> Condition:
        if depth > MOST_DEEP:
            raise self.error(f"more than {MOST_DEEP} levels")
        if self.peek() == ("name", "not"):
            self.take()
            return Not(self.one(depth + 1))
        if self.peek() == ("sign", "("):
            self.take()
            inner = self.joint("or", depth + 1)
            if self.peek() != ("sign", ")"):
                raise self.error("expected ')'")
            self.take()
            return inner
        left = self.operand()
        kind, sign = self.peek()
        if kind != "sign" or sign not in _COMPARE:
            raise self.error(f"expected one of {' '.join(_COMPARE)}")
        self.take()
        right = self.operand()
        if isinstance(left, Number) and isinstance(right, Number):
            raise self.error("a comparison needs a metric on one side")
        return Comparison(left, sign, right)

    def operand(self) -> Operand:
        kind, text = self.peek()
        if kind == "number":
            self.take()
            return Number(float(text))
        if kind not in ("name", "quoted") or text in ("and", "or", "not"):
            raise self.error("expected a number or METRIC.FIELD")
        self.take()
        if self.peek() == ("sign", "."):
            self.take()
            kind, field = self.peek()
            if kind != "name" or field not in FIELDS:
                raise self.error(f"expected one of {', '.join(FIELDS)}")
            self.take()
            self.metric = text
            return Quantity(text, field)
        if kind == "name" and text in FIELDS:
            if self.metric is None:
                self.place -= 1
                raise self.error(f"{text!r} of which metric? Write METRIC.{text}")
            return Quantity(self.metric, text)
        raise self.error(f"after a metric comes a dot and one of {', '.join(FIELDS)}")
