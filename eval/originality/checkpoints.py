"""Several systems side by side, such as the checkpoints of a training run, in natural order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.originality.report import OriginalityReport

Named = Sequence[tuple[str, OriginalityReport]]


def systems_of(arguments: Sequence[str]) -> list[str]:
    """The systems that the arguments name: a pattern that matches folders stands for each of them
    (``'runs/epoch-*'`` in quotes); otherwise one for each argument, in the order given."""
    found: list[str] = []
    for argument in arguments:
        folders = []
        if any(c in argument for c in "*?[") and not Path(argument).exists():
            folders = sorted((f for f in glob(argument) if Path(f).is_dir()), key=natural)  # noqa: PTH207
        found += folders or [argument]
    return found


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key under which epoch-2 comes before epoch-10."""
    return [
        (1, int(part), "") if part.isdigit() else (0, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]


def checkpoint_curve(reports: Named) -> list[dict[str, Any]]:
    """One row for each system, in natural order of their names; JSON-ready."""
    return [_row(name, report) for name, report in sorted(reports, key=lambda r: natural(r[0]))]


def _row(name: str, report: OriginalityReport) -> dict[str, Any]:
    places = [i.percentile for i in report.items if i.percentile is not None]
    of: Mapping[str, Any] = report.set
    return {
        "system": name,
        "items": of["items"],
        "longest": of["longest"],
        "coverage": of["coverage"],
        "novelty": of["novelty"],
        "mean_percentile": float(np.mean(places)) if places else None,
        "self_repetition": of["self_repetition"],
        "self_bleu": of["self_bleu"],
        "vendi": of["vendi"],
        **{k: v for k, v in of.items() if k.startswith("distinct_")},
    }
