"""Tables of features, and how a set-level metric goes through them feature by feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.spec import Scored, Undefined

Floats = NDArray[np.float64]


class FeatureTable(NamedTuple):
    """``names``: (features,); ``values``: (items, features), NaN where undefined on an item."""

    names: tuple[str, ...]
    values: Floats


def per_feature(
    system: FeatureTable,
    reference: FeatureTable,
    feature: str,
    compare: Callable[[Floats, Floats], float | Undefined],
    settings: Mapping[str, str],
) -> Scored | Undefined:
    """The mean over features of ``compare(system's values, reference's values)``.

    ``feature`` is one of them or ``"all"``. A feature with fewer than 2 values on a side, or on
    which ``compare`` is undefined, is left out; the detail names it with the reason.
    """
    x, y, names, left_out = matched(system, reference, feature)
    values: dict[str, float] = {}
    sizes: dict[str, list[int]] = {}
    for j, name in enumerate(names):
        a, b = x[~np.isnan(x[:, j]), j], y[~np.isnan(y[:, j]), j]
        if min(len(a), len(b)) < 2:
            left_out[name] = (
                f"defined on {len(a)} items and {len(b)} of the reference: fewer than 2"
            )
            continue
        result = compare(a, b)
        if isinstance(result, Undefined):
            left_out[name] = result.reason
            continue
        values[name], sizes[name] = result, [len(a), len(b)]
    if not values:
        return Undefined("; ".join(f"{k}: {v}" for k, v in left_out.items()) or "no features")
    return Scored(
        float(np.mean(list(values.values()))),
        {
            **settings,
            "n": len(x),
            "n_reference": len(y),
            "features": values,
            "defined": sizes,
            "left_out": left_out,
        },
    )


def matched(
    system: FeatureTable, reference: FeatureTable, feature: str
) -> tuple[Floats, Floats, list[str], dict[str, str]]:
    """Both tables with the same columns, their names, and the features left out with reasons.

    Raises:
        ValueError: no such feature, or an infinite value.
    """
    shared = [n for n in reference.names if n in system.names]
    left_out = {n: "not measured on the system" for n in reference.names if n not in system.names}
    left_out |= {
        n: "not measured on the reference" for n in system.names if n not in reference.names
    }
    if feature != "all":
        if feature not in shared and feature not in left_out:
            raise ValueError(f"no feature is called {feature!r}; there are: {', '.join(shared)}")
        shared = [n for n in shared if n == feature]
        left_out = {k: v for k, v in left_out.items() if k == feature}
    x, y = (
        np.asarray(t.values, np.float64).reshape(-1, len(t.names))[
            :, [t.names.index(n) for n in shared]
        ]
        for t in (system, reference)
    )
    for side, values in (("system", x), ("reference", y)):
        if np.isinf(values).any():
            raise ValueError(f"the {side}'s features hold an infinite value; use NaN for undefined")
    return x, y, shared, left_out
