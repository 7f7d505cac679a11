"""The vocabulary of a metric: what it takes, what it returns, what its number means.

A metric is a plain function. It returns

- a ``float`` (or ``int``) - its value,
- :class:`Undefined` - it has no meaning on this input, and why,
- :class:`Scored` - a value together with the evidence behind it (a file, bars, a curve).

``NaN`` is never a result.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from numpy.typing import NDArray

Level = Literal["clip", "pair", "set", "corpus"]
Inputs = Literal["symbolic", "audio", "features", "embedding"]
Direction = Literal["higher", "lower", "reference", "none"]
Partner = Literal["", "truth", "target", "prefix", "prompt"]
Invariance = Literal[
    "transposition", "tempo", "track-order", "note-order", "resolution", "format", "item-order"
]

ParameterValue = bool | int | float | str
Parameters = Mapping[str, ParameterValue]


@dataclass(frozen=True)
class Undefined:
    """The metric has no meaning on this input.

    >>> Undefined("fewer than 2 notes")
    Undefined(reason='fewer than 2 notes')
    """

    reason: str


class Scored(NamedTuple):
    """A value and the evidence behind it; ``detail`` holds JSON-ready data only."""

    value: float
    detail: Mapping[str, Any]


MetricResult = float | int | Undefined | Scored


class CorpusModel(Protocol):
    """What a corpus metric holds a piece against: something fitted to a reference once.

    ``extract`` runs in the workers, on one piece of the reference each; ``fit`` joins the extracts
    (in the order of ``names``) into plain arrays that can be cached on disk; ``open`` turns the
    arrays, which may be memory-mapped, into the object that the metric takes as its second
    argument. That object has ``excluding(name)``: the same without one piece of the reference.
    """

    name: str
    version: int
    parameters: tuple[str, ...]

    def extract(self, piece: Any, parameters: Parameters) -> Any: ...

    def fit(
        self, extracts: Sequence[Any], names: Sequence[str], parameters: Parameters
    ) -> Mapping[str, NDArray[Any]]: ...

    def open(self, arrays: Mapping[str, NDArray[Any]]) -> Any: ...


@dataclass(frozen=True)
class MetricSpec:
    """What the catalogue knows about one metric.

    ``family`` is the name of the module that defines it; ``parameters`` are the keyword-only
    arguments with their defaults; ``range`` is the closed interval of possible values, with
    infinite ends where there is no bound. ``choices`` lists the values of parameters that only take
    some. ``corpus`` is the model of the reference that a corpus metric takes.
    Metrics of items on an embedding take the frames of a whole set and return a list, one result a
    clip.
    ``per_feature`` marks a set metric that is a mean over features, whose detail holds the value of
    each under ``features`` and the reasons why some have none under ``left_out``. ``peer`` is the
    tool whose number this one reproduces, "" for our own metrics.

    ``partner`` is what a pair metric takes as its second argument: the ``truth`` (the piece or clip
    that the item should be), the ``target`` (what was asked for, a
    :class:`~concours.metrics.target.Target`), the ``prefix`` (the piece that it continues), or the
    ``prompt`` (its text).
    """

    name: str
    function: Callable[..., Any]
    level: Level
    inputs: Inputs
    direction: Direction
    unit: str
    range: tuple[float, float]
    version: int
    citation: str
    family: str
    parameters: Parameters = field(default_factory=lambda: MappingProxyType({}))
    choices: Mapping[str, tuple[ParameterValue, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    invariant: frozenset[Invariance] = frozenset()
    corpus: CorpusModel | None = None
    per_feature: bool = False
    peer: str = ""
    partner: Partner = ""

    @property
    def of_frames(self) -> bool:
        """Whether it scores items once all of their set have frames of an embedding."""
        return self.inputs == "embedding" and self.level != "set"

    @property
    def lookup(self) -> str:
        """What :func:`concours.metrics.registry.find` finds this metric by, in any process."""
        return f"{self.peer}/{self.name}" if self.peer else self.name

    @property
    def summary(self) -> str:
        """The first sentence of the function's docstring."""
        return (inspect.getdoc(self.function) or "").split("\n\n")[0].replace("\n", " ")

    @property
    def definition(self) -> str:
        """The whole docstring: formula, conventions, when undefined, source, example."""
        return inspect.getdoc(self.function) or ""


@dataclass(frozen=True)
class MetricRequest:
    """A metric with every parameter settled: what is planned, computed and stored.

    >>> from concours.metrics.registry import request
    >>> request("groove_consistency:steps_per_quarter=2").key
    'groove_consistency:steps_per_quarter=2'
    """

    spec: MetricSpec
    parameters: Parameters

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def key(self) -> str:
        """The name, then each parameter that differs from its default, sorted."""
        changed = [
            f"{k}={_text(v)}"
            for k, v in sorted(self.parameters.items())
            if v != self.spec.parameters[k]
        ]
        return ":".join([self.name, ",".join(changed)]) if changed else self.name

    @property
    def canonical_parameters(self) -> str:
        """All parameters as canonical JSON; part of a score's identity."""
        return json.dumps(dict(self.parameters), sort_keys=True, separators=(",", ":"))


def _text(value: ParameterValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
