"""Tables of features, and how a set-level metric goes through them feature by feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.spec import Scored, Undefined

Floats = NDArray[np.float64]


ENOUGH = 30


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
            **({"warning": warning} if (warning := few_items(min(len(x), len(y)))) else {}),
        },
    )


def few_items(n: int) -> str:
    """A warning where ``n`` items on the smaller side are too few to rely on; else ""."""
    return f"{n} items on a side: fewer than {ENOUGH} give a rough estimate" if n < ENOUGH else ""


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


class Rows(NamedTuple):
    """Complete items as vectors in standard deviations of the reference, about its mean.

    ``system``: (n, d), ``reference``: (m, d), n and m at least 2; ``evidence`` names the features
    used and those left out, with the reasons.
    """

    system: Floats
    reference: Floats
    evidence: dict[str, Any]


def standardized(system: FeatureTable, reference: FeatureTable, feature: str) -> Rows | Undefined:
    """Both sets as standardized vectors.

    A feature is left out where it is constant in the reference or undefined on more than half of
    the items of a side; then an item is left out where a remaining feature is undefined.
    """
    x, y, names, left_out = matched(system, reference, feature)
    keep = []
    for j, name in enumerate(names):
        column = y[~np.isnan(y[:, j]), j]
        if (
            min(len(x), len(y)) == 0
            or max(np.isnan(x[:, j]).mean(), np.isnan(y[:, j]).mean()) > 0.5
        ):
            left_out[name] = "undefined on more than half of the items of a side"
        elif is_constant(column):
            left_out[name] = "constant in the reference"
        else:
            keep.append(j)
    if not keep:
        return Undefined("; ".join(f"{k}: {v}" for k, v in left_out.items()) or "no features")
    x, y = x[:, keep], y[:, keep]
    x, y = x[~np.isnan(x).any(axis=1)], y[~np.isnan(y).any(axis=1)]
    if min(len(x), len(y)) < 2:
        return Undefined(
            f"{len(x)} and {len(y)} items with all features: 2 are needed on each side"
        )
    deviation = y.std(axis=0, ddof=1)
    varies = np.array([not is_constant(column) for column in y.T])
    if not varies.all():
        for j in np.flatnonzero(~varies).tolist():
            left_out[names[keep[j]]] = "constant in the reference's complete items"
        if not varies.any():
            return Undefined("every feature is constant in the reference's complete items")
    centre, scale = y.mean(axis=0)[varies], deviation[varies]
    used = [names[j] for j, v in zip(keep, varies, strict=True) if v]
    evidence = {"n": len(x), "n_reference": len(y), "features": used, "left_out": left_out}
    return Rows((x[:, varies] - centre) / scale, (y[:, varies] - centre) / scale, evidence)


def is_constant(values: Floats) -> bool:
    """Whether all values are one, up to rounding."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())
