"""Other tools' numbers, their bugs included, so that published tables can be compared with.

Our own definitions hold everywhere else: these metrics are no part of the catalogue, and each
docstring says in a sentence how and why its number differs from ours.
"""

from __future__ import annotations

from importlib import import_module

from concours.metrics.spec import MetricSpec

PEERS = ("muspy", "musdr", "mgeval", "pypianoroll")


def compat_catalogue(name: str) -> dict[str, MetricSpec]:
    """The metrics of another tool, by the names that it gives them.

    Raises:
        ValueError: no such tool.

    >>> sorted(compat_catalogue("musdr"))[:2]
    ['chord_progression_irregularity', 'grooving_similarity']
    """
    if name not in PEERS:
        raise ValueError(f"no peer is called {name!r}; there are {', '.join(PEERS)}")
    catalogue: dict[str, MetricSpec] = import_module(f"concours.metrics.compat.{name}").CATALOGUE
    return dict(catalogue)
