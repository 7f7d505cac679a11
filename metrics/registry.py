"""The catalogue of metrics: registration, look-up, and the door for third parties.

Importing this module imports no metric. Families load on the first look-up: our own from
``FAMILIES``, everyone else's from the entry-point group ``concours.metrics`` (each entry point
names a module whose import registers metrics).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from concours.metrics.presets import PRESETS
from concours.metrics.spec import (
    CorpusModel,
    Direction,
    Inputs,
    Invariance,
    Level,
    MetricRequest,
    MetricResult,
    MetricSpec,
    ParameterValue,
    Partner,
)

FAMILIES = (
    "concours.metrics.pitch",
    "concours.metrics.tonality",
    "concours.metrics.melodic",
    "concours.metrics.rhythm",
    "concours.metrics.timing",
    "concours.metrics.drums",
    "concours.metrics.texture",
    "concours.metrics.harmony",
    "concours.metrics.tension",
    "concours.metrics.structure",
    "concours.metrics.theory",
    "concours.metrics.surprise",
    "concours.metrics.pairs",
    "concours.metrics.control",
    "concours.metrics.bar_overlap",
    "concours.metrics.prefix",
    "concours.metrics.distribution",
    "concours.metrics.samples",
    "concours.metrics.loudness",
    "concours.metrics.signal",
    "concours.metrics.audio_pairs",
    "concours.metrics.audio_sets",
    "concours.metrics.audio_clips",
    "concours.metrics.audio_fit",
    "concours.metrics.originality.ngram",
    "concours.metrics.originality.cardinality",
    "concours.metrics.originality.audio_originality",
)
SET_INPUTS = {"symbolic": "features", "audio": "embedding"}
ENTRY_POINT_GROUP = "concours.metrics"

_REGISTERED: dict[str, MetricSpec] = {}

F = TypeVar("F", bound=Callable[..., MetricResult | list[MetricResult]])


class MetricError(ValueError):
    """A metric, a parameter or a value that the catalogue does not know."""


def metric(
    *,
    level: Level,
    inputs: Inputs,
    direction: Direction,
    unit: str,
    range: tuple[float, float] = (-math.inf, math.inf),
    version: int = 1,
    citation: str = "",
    invariant: Iterable[Invariance] = (),
    corpus: CorpusModel | None = None,
    per_feature: bool = False,
    partner: Partner = "",
) -> Callable[[F], F]:
    """Registers a metric function and returns it unchanged.

    The function's name is the metric's name; its keyword-only arguments, which must all have
    a bool, int, float or str default, are the metric's parameters. A pair metric compares with the
    ``truth`` unless ``partner`` says otherwise.

    Raises:
        MetricError: the name is taken by another function, or a parameter has no plain default.
    """

    def register(function: F) -> F:
        name = function.__name__
        if (corpus is not None) != (level == "corpus" and inputs != "embedding"):
            raise MetricError(
                f"{name}: a metric has a corpus model if and only if it is at that level"
            )
        known = _REGISTERED.get(name)
        if known is not None and known.function.__module__ != function.__module__:
            raise MetricError(
                f"metric {name!r} of {function.__module__} is already registered by "
                f"{known.function.__module__}; give it another name"
            )
        parameters = parameters_of(function)
        _ordered.cache_clear()
        _REGISTERED[name] = MetricSpec(
            name=name,
            function=function,
            level=level,
            inputs=inputs,
            direction=direction,
            unit=unit,
            range=range,
            version=version,
            citation=citation,
            family=function.__module__.rpartition(".")[2],
            parameters=MappingProxyType(parameters),
            choices=MappingProxyType(_choices(function, parameters)),
            invariant=frozenset(invariant),
            corpus=corpus,
            per_feature=per_feature,
            partner=partner or ("truth" if level == "pair" else ""),
        )
        return function

    return register


def parameters_of(function: Callable[..., Any]) -> dict[str, ParameterValue]:
    """The keyword-only arguments of a metric with their defaults."""
    found: dict[str, ParameterValue] = {}
    for p in inspect.signature(function).parameters.values():
        if p.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        if not isinstance(p.default, bool | int | float | str):
            raise MetricError(
                f"{function.__module__}.{function.__name__}: parameter {p.name!r} needs a plain "
                "default (bool, int, float or str), since it is stored with every score"
            )
        found[p.name] = p.default
    return found


def _choices(
    function: Callable[..., Any], parameters: Iterable[str]
) -> dict[str, tuple[ParameterValue, ...]]:
    """The values that a parameter annotated as a Literal may take."""
    plain = {"bool", "int", "float", "str"}
    written = getattr(function, "__annotations__", {})
    parameters = [name for name in parameters if written.get(name) not in plain]
    hints = get_type_hints(function) if parameters else {}
    return {
        name: get_args(hints[name]) for name in parameters if get_origin(hints.get(name)) is Literal
    }


@cache
def _load_families() -> None:
    for module in FAMILIES:
        import_module(module)
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda e: e.name):
        entry.load()


def _registered_by_own_family(name: str) -> bool:
    """Whether one of our families has the metric, importing no more of them than it takes: a
    worker that measures notes imports nothing of sound."""
    for module in FAMILIES:
        import_module(module)
        if name in _REGISTERED and _REGISTERED[name].function.__module__ in FAMILIES:
            return True
    return False


def catalogue() -> dict[str, MetricSpec]:
    """Every known metric by name: our families in their declared order, then everyone else's.

    The order does not depend on which modules a program has imported before.
    """
    _load_families()
    return dict(_ordered())


@cache
def _ordered() -> dict[str, MetricSpec]:
    """The catalogue, put in order again only after a registration."""
    place = {module: i for i, module in enumerate(FAMILIES)}

    def order(spec: MetricSpec) -> tuple[int, str]:
        module = spec.function.__module__
        return place.get(module, len(place)), "" if module in place else module

    return {s.name: s for s in sorted(_REGISTERED.values(), key=order)}


def families() -> dict[str, list[MetricSpec]]:
    """The catalogue by family."""
    grouped: dict[str, list[MetricSpec]] = {}
    for spec in catalogue().values():
        grouped.setdefault(spec.family, []).append(spec)
    return grouped


def find(name: str) -> MetricSpec:
    """The metric called ``name``, or ``peer/name`` for another tool's number.

    Raises:
        MetricError: no such metric; the message suggests near names.
    """
    peer, _, own = name.rpartition("/")
    if not peer and _registered_by_own_family(own):
        return _REGISTERED[own]
    if not peer:
        _load_families()
    known = compat(peer) if peer else _ordered()
    if own not in known:
        hint = _suggestion(own, known if peer else [*known, *PRESETS])
        raise MetricError(f"no metric is called {own!r}{hint}")
    return known[own]


def compat(peer: str) -> dict[str, MetricSpec]:
    """The metrics of another tool, its bugs included.

    Raises:
        MetricError: no such tool.
    """
    from concours.metrics.compat import PEERS, compat_catalogue

    if peer not in PEERS:
        raise MetricError(f"no tool is called {peer!r}; there are {', '.join(PEERS)}")
    return {k: replace(s, peer=peer) for k, s in compat_catalogue(peer).items()}


def _suggestion(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def request(text: str, **parameters: ParameterValue) -> MetricRequest:
    """Settles a metric written as ``name`` or ``name:parameter=value,parameter=value``.

    Raises:
        MetricError: unknown metric or parameter, or a value of the wrong type.

    >>> request("pitch_entropy:weighting=duration").parameters["weighting"]
    'duration'
    """
    name, _, tail = text.partition(":")
    spec = find(name.strip())
    given: dict[str, ParameterValue] = dict(parameters)
    for part in filter(None, (p.strip() for p in tail.split(","))):
        key, equals, value = part.partition("=")
        if not equals:
            raise MetricError(f"{text!r}: write a parameter as {spec.name}:name=value")
        given[key.strip()] = value.strip()
    settled = dict(spec.parameters)
    for key, raw in given.items():
        if key not in settled:
            known = ", ".join(settled) or "none"
            raise MetricError(
                f"{spec.name} has no parameter {key!r}{_suggestion(key, settled)} (it has: {known})"
            )
        settled[key] = _converted(spec.name, key, raw, settled[key])
        choices = spec.choices.get(key)
        if choices and settled[key] not in choices:
            raise MetricError(
                f"{spec.name}: {key} must be one of {', '.join(map(str, choices))}, "
                f"and {raw!r} is not"
            )
    return MetricRequest(spec, MappingProxyType(settled))


def _converted(
    metric: str, key: str, raw: ParameterValue, default: ParameterValue
) -> ParameterValue:
    wanted = type(default)
    try:
        if wanted is bool:
            return {"true": True, "false": False}[str(raw).lower()]
        if wanted is int and isinstance(raw, float) and raw != int(raw):
            raise ValueError
        return wanted(raw)
    except (KeyError, ValueError) as error:
        raise MetricError(
            f"{metric}: {key} must be {wanted.__name__}, and {raw!r} is not"
        ) from error


def expand(names: Iterable[str]) -> list[MetricRequest]:
    """Requests for a list of metric or family names, in order, each once.

    ``symbolic`` and ``audio`` stand for all metrics of clips and of pairs on that input and the
    distances between sets of them, ``originality`` for what an index of passages answers (the
    family ``ngram``), ``audio_originality`` for recordings, a family (``pitch``, ``rhythm`` …) for
    its members, and a preset (``musicgen``, ``stable-audio``, ``gui2023``) for a paper's settings.
    """
    requests: dict[str, MetricRequest] = {}
    for name in names:
        preset = [request(t) for t in PRESETS[name].metrics] if name in PRESETS else []
        for r in preset or _group(name) or [request(name)]:
            requests.setdefault(r.key, r)
    return list(requests.values())


def _group(name: str) -> list[MetricRequest]:
    grouped = families()
    if name in ("symbolic", "audio"):
        specs = [
            s
            for s in catalogue().values()
            if (s.inputs == name and s.level in ("clip", "pair"))
            or (s.level == "set" and s.inputs == SET_INPUTS[name])
        ]
    elif name == "originality":
        specs = grouped["ngram"]
    else:
        specs = grouped.get(name, [])
    return [MetricRequest(s, s.parameters) for s in specs]
