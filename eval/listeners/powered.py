"""Prediction-powered means: the MOS of each system from few rated and many scored items.

Rated items must be a random choice of a system's scored ones, and the metric must be chosen
before its intervals are looked at: the narrowest of many intervals isn't at its level any more.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from concours.eval.listeners.joining import Clip, match
from concours.eval.stats.ppi import PredictionPowered, ppi_mos
from concours.eval.stats.ratings import Ratings, RatingsError
from concours.metrics.spec import Undefined


class PoweredMean(NamedTuple):
    system: str
    dimension: str
    metric: str
    found: PredictionPowered | Undefined


def powered_means(
    ratings: Ratings,
    clips: Sequence[Clip],
    hashes: Mapping[tuple[str, str], str] | None = None,
    *,
    metrics: Sequence[str],
    level: float = 0.95,
) -> list[PoweredMean]:
    """Every system, dimension and metric of ``metrics``.

    The unrated clips of a system are those of the same system of a run, or else those in the
    folders of its rated clips, unless another system's rated clips lie there too.

    Raises:
        RatingsError: a metric that no clip has.
    """
    matched = match(ratings, clips, hashes)
    own = _own_clips(matched, clips)
    known = {m for c in clips for m in c.values}
    for metric in metrics:
        if metric not in known:
            raise RatingsError(
                f"no clip has a value of {metric!r}; the metrics are {', '.join(sorted(known))}"
            )
    found = []
    for dimension in ratings.dimensions:
        on_one = ratings.select(dimension=dimension)
        for system in on_one.systems:
            rated = on_one.select(system=system)
            for metric in metrics:
                found.append(
                    PoweredMean(
                        system,
                        dimension,
                        metric,
                        _powered(rated, system, metric, matched, own.get(system, []), level),
                    )
                )
    return found


def _own_clips(
    matched: Mapping[tuple[str, str], Clip], clips: Sequence[Clip]
) -> dict[str, list[Clip]]:
    """The clips of each rated system: those with the home of its rated clips, if it's alone there.

    A clip's home is its system in a run, or else its folder.
    """
    homes: dict[str, set[str]] = {}
    for (system, _), clip in matched.items():
        homes.setdefault(system, set()).add(_home(clip))
    tenants = Counter(home for own in homes.values() for home in own)
    return {
        system: [c for c in clips if _home(c) in own and tenants[_home(c)] == 1]
        for system, own in homes.items()
    }


def _home(clip: Clip) -> str:
    return clip.system or clip.path.rpartition("/")[0]


def _powered(
    rated: Ratings,
    system: str,
    metric: str,
    matched: Mapping[tuple[str, str], Clip],
    own: Sequence[Clip],
    level: float,
) -> PredictionPowered | Undefined:
    names = {item: matched.get((system, item)) for item in set(rated.item.tolist())}
    lacking = sum(c is None for c in names.values())
    if lacking:
        return Undefined(f"{lacking} of {len(names)} rated items have no scored file")
    scores = {i: c.values[metric] for i, c in names.items() if c and _known(c, metric)}
    if len(scores) < len(names):
        unscored = len(names) - len(scores)
        return Undefined(f"the metric is undefined on {unscored} of {len(names)} rated items")
    seen = {c.path for c in names.values() if c}
    # unrated clips go by path, which no item's name can be mistaken for
    unrated = {f"\x1f{c.path}": c.values[metric] for c in own
               if c.path not in seen and _known(c, metric)}  # fmt: skip
    return ppi_mos(rated, scores | unrated, level)


def _known(clip: Clip, metric: str) -> bool:
    return metric in clip.values and math.isfinite(clip.values[metric])
