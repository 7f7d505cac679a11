"""Entering a peer's metric into the peer's own catalogue."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, TypeVar

from concours.metrics.registry import parameters_of
from concours.metrics.spec import MetricSpec

F = TypeVar("F", bound=Callable[..., Any])


def peer_metric(
    catalogue: dict[str, MetricSpec],
    peer: str,
    citation: str,
    *,
    unit: str = "1",
    range: tuple[float, float] = (0.0, 1.0),
) -> Callable[[F], F]:
    """Enters a clip metric on notes into ``catalogue``, under the function's name."""

    def enter(function: F) -> F:
        catalogue[function.__name__] = MetricSpec(
            name=function.__name__,
            function=function,
            level="clip",
            inputs="symbolic",
            direction="reference",
            unit=unit,
            range=range,
            version=1,
            citation=citation,
            family=f"compat-{peer}",
            parameters=MappingProxyType(parameters_of(function)),
        )
        return function

    return enter


UNBOUNDED = (0.0, math.inf)
