"""What ``concours score`` prints: a table for people, CSV and JSON for programs."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from concours.eval.score import SHOWN, ScoredItem, Scores
from concours.eval.work import ScoreValue
from concours.metrics.spec import MetricRequest

MOST_COLUMNS = 5
MOST_FAILURES = 20
MOST_PASSAGES = 5
ARROWS = {"higher": "↑", "lower": "↓", "reference": "≈", "none": " "}

Summary = Callable[[Sequence[ScoredItem], str], str]


def to_csv(scores: Scores) -> str:
    """Long format, a row for each item and metric, then a row for each path and set metric."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["path", "sha256", "metric", "value", "ci_low", "ci_high", "n", "status", "reason"]
    )
    for i in scores.items:
        if i.status == "failed":
            writer.writerow([i.path, i.sha256, "", "", "", "", "", "failed", i.reason])
        for key, s in i.scores.items():
            writer.writerow([i.path, i.sha256, key, _exact(s.value), "", "", 1, s.status, s.reason])
    for row in scores.sets:
        for key, o in row.scores.items():
            interval = [_exact(o.ci_low), _exact(o.ci_high)]
            writer.writerow(
                [row.path, "", key, _exact(o.score.value), *interval, o.n, o.score.status,
                 o.score.reason]
            )  # fmt: skip
    return text.getvalue()


def _exact(value: float | None) -> str:
    return "" if value is None else repr(value)


def as_dict(scores: Scores) -> dict[str, Any]:
    """The JSON form: ``items`` and ``sets``, and the ``unanswered`` ground truths if any."""
    levels = {r.key: r.spec.level for r in scores.requests}
    return {
        **({"unanswered": list(scores.unanswered)} if scores.unanswered else {}),
        "items": [
            {
                "path": i.path,
                "sha256": i.sha256,
                "status": i.status,
                "reason": i.reason,
                "warnings": list(i.warnings),
                **{SHOWN[role]: name for role, name in i.partners.items()},
                "scores": {k: _score(s, levels[k]) for k, s in i.scores.items()},
                **({"profile": dict(i.profile)} if i.profile else {}),
            }
            for i in scores.items
        ],
        "sets": [
            {
                "path": s.path,
                "reference": s.reference,
                "scores": {
                    k: {
                        "value": o.score.value,
                        "ci_low": o.ci_low,
                        "ci_high": o.ci_high,
                        "n": o.n,
                        "status": o.score.status,
                        "reason": o.score.reason,
                        "detail": dict(o.score.detail),
                    }
                    for k, o in s.scores.items()
                },
            }
            for s in scores.sets
        ],
    }


def _score(score: ScoreValue, level: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "value": score.value,
        "status": score.status,
        "reason": score.reason,
        "level": level,
    }
    if score.detail:
        found["detail"] = dict(score.detail)
    return found


def to_table(scores: Scores, width: int = 100) -> str:
    """Metrics as rows and paths as columns; many paths are summed up in one column."""
    from rich.console import Console
    from rich.table import Table

    console = Console(file=io.StringIO(), width=width, highlight=False, emoji=False)
    paths = list(dict.fromkeys(i.given for i in scores.items))
    groups = {p: [i for i in scores.items if i.given == p] for p in paths}
    if len(paths) > MOST_COLUMNS:
        groups = {f"{len(scores.items)} items": list(scores.items)}
    if scores.reference_items:
        groups["the reference"] = list(scores.reference_items)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("metric", no_wrap=True)
    for name, items in groups.items():
        table.add_column(f"{name}\n{_count(items)}", justify="right")
    table.add_column("unit")
    for request in scores.requests:
        if request.spec.level == "set":
            continue
        cells = [_cell(items, request) for items in groups.values()]
        table.add_row(_label(request), *cells, request.spec.unit)
    console.print(table)
    if scores.sets and scores.sets[0].scores:
        console.print()
        console.print(_set_table(scores))
        _print_warnings(scores, console.print)
    _print_passages(scores, console.print)
    _print_troubles(scores, console.print)
    console.print(
        "\n↑ higher is better, ↓ lower is better, ≈ closeness to a reference is. "
        "Several items: mean (lowest to highest).",
        style="dim",
    )
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def _set_table(scores: Scores) -> object:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(f"compared with {scores.sets[0].reference} as sets", no_wrap=True)
    shown = scores.sets[:MOST_COLUMNS]
    for row in shown:
        table.add_column(row.path, justify="right")
    for key in scores.sets[0].scores:
        request = next(r for r in scores.requests if r.name == key.partition(":")[0])
        cells = []
        for row in shown:
            o = row.scores[key]
            if o.score.value is None:
                cells.append(f"- ({o.score.reason})")
            elif o.ci_low is None or o.ci_high is None:
                cells.append(number(o.score.value))
            else:
                cells.append(f"{number(o.score.value)} [{number(o.ci_low)}, {number(o.ci_high)}]")
        table.add_row(f"{ARROWS[request.spec.direction]} {key}", *cells)
    return table


def _print_warnings(scores: Scores, say: Callable[..., None]) -> None:
    """What the set metrics warn of, each warning once, with the metrics that give it."""
    told: dict[tuple[str, str], list[str]] = {}
    for row in scores.sets:
        for key, o in row.scores.items():
            warning = o.score.detail.get("warning")
            if warning and ":feature=" not in key:
                told.setdefault((row.path, str(warning)), []).append(key)
    for (path, warning), keys in told.items():
        names = ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
        say(f"{path}: {warning} ({names})", markup=False, soft_wrap=True)


def _label(request: MetricRequest) -> str:
    return f"{ARROWS[request.spec.direction]} {request.key}"


def _count(items: Sequence[ScoredItem]) -> str:
    failures = sum(i.status == "failed" for i in items)
    count = f"{len(items)} item{'s' if len(items) != 1 else ''}"
    return f"{count}, {failures} failed" if failures else count


def _cell(items: Sequence[ScoredItem], request: MetricRequest) -> str:
    found = [i.scores[request.key] for i in items if request.key in i.scores]
    values = [s.value for s in found if s.value is not None]
    if not values:
        reasons = Counter(s.reason for s in found)
        return f"- ({reasons.most_common(1)[0][0]})" if reasons else "-"
    if len(items) == 1:
        return number(values[0])
    span = f"{number(float(np.mean(values)))} ({number(min(values))} to {number(max(values))})"
    return span if len(values) == len(found) else f"{span}, {len(found) - len(values)} undefined"


def number(value: float) -> str:
    """Four significant digits, never in exponent form for ordinary sizes."""
    return f"{value:.4g}" if 1e-4 <= abs(value) < 1e6 or value == 0 else f"{value:.3e}"


def _print_passages(scores: Scores, say: Callable[..., None]) -> None:
    """The longest passages that items share with the reference, and where they stand in both."""
    found = [
        (i.path, s.detail)
        for i in scores.items
        for s in i.scores.values()
        if "source" in s.detail and "source_bars" in s.detail
    ]
    if not found:
        return
    say("\nlongest passages shared with the reference:", style="bold")
    for path, d in sorted(found, key=lambda f: (-f[1]["length"], f[0]))[:MOST_PASSAGES]:
        moved = f", {d['transposition']:+d} semitones" if d["transposition"] else ""
        say(
            f"  {d['length']} notes: {path}, {_bars(d['bars'])} = "
            f"{d['source']}, {_bars(d['source_bars'])}{moved}",
            markup=False,
            soft_wrap=True,
        )
    if len(found) > MOST_PASSAGES:
        say(f"  … --format json has that of each of {len(found)} items")


def _bars(bars: Sequence[int]) -> str:
    first, last = bars
    return f"bar {first}" if first == last else f"bars {first}-{last}"


def _print_troubles(scores: Scores, say: Callable[..., None]) -> None:
    failures = [i for i in scores.items if i.status == "failed"]
    if failures:
        say(f"\n{len(failures)} of {len(scores.items)} items could not be read:", style="bold")
        for item in failures[:MOST_FAILURES]:
            say(f"  {item.path}: {item.reason}", markup=False, soft_wrap=True)
        if len(failures) > MOST_FAILURES:
            say(f"  … and {len(failures) - MOST_FAILURES} more; --format json lists them all")
    warned = [i for i in scores.items if i.warnings]
    if warned:
        say(f"\n{len(warned)} items were read with warnings; --format json lists them all:")
        for item in warned[:3]:
            say(f"  {item.path}: {item.warnings[0]}", markup=False, soft_wrap=True)


def to_explanation(scores: Scores) -> str:
    """Each violation that a metric found, by item and metric: bar, beat, voices and pitches."""
    lines = []
    for item in scores.items:
        for key, score in item.scores.items():
            found = score.detail.get("violations") or []
            if found:
                lines.append(f"{item.path}: {key}")
                lines += [f"  {_place(v)}" for v in found]
    return "\n" + "\n".join(lines or ["No metric found a violation."]) + "\n"


def _place(violation: Mapping[str, Any]) -> str:
    """A violation as ``bar 3, beat 2: Soprano and Bass, pitches 60, 67``."""
    rest = {k: v for k, v in violation.items() if k not in ("bar", "beat", "voices")}
    extras = "; ".join(
        f"{k} {', '.join(map(str, v)) if isinstance(v, list) else v}" for k, v in rest.items()
    )
    voices = " and ".join(map(str, violation["voices"]))
    return f"bar {violation['bar']}, beat {violation['beat']:g}: {voices}; {extras}"
