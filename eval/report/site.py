"""A static site of several runs: a front page with history, and the full report of each run.

The site is a pure function of its editions. A value is compared with an earlier one only where
the metric's version and parameters and the reference are the same; where they differ, the line
breaks and the page says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from concours.eval.report import Keep, PieceOf, SoundOf, render
from concours.eval.report import tables as layout
from concours.eval.report import wording as words
from concours.eval.report.html import page
from concours.eval.report.model import Benchmark, Cell, Column, Report

WIDTH, HEIGHT = 1000, 100
Identity = tuple[object, ...]


class SiteError(ValueError):
    """Editions that cannot stand side by side."""


@dataclass(frozen=True)
class Edition:
    """One report of the history. ``name`` becomes a folder; ``title`` is what readers see."""

    name: str
    title: str
    report: Report


@dataclass(frozen=True)
class Point:
    """One edition's value; ``text`` and ``interval`` are "" where the system had none."""

    edition: Edition
    text: str
    interval: str
    rank: int | None
    leads: bool
    is_new_series: bool
    note: str


@dataclass(frozen=True)
class Trend:
    """One system under one metric through the editions; paths are for a box of 1000 by 100."""

    system: str
    is_reference: bool
    points: tuple[Point, ...]
    lines: str
    bars: str
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class MetricHistory:
    key: str
    arrow: str
    direction: str
    unit: str
    trends: tuple[Trend, ...]


@dataclass(frozen=True)
class BenchmarkHistory:
    anchor: str
    name: str
    editions: tuple[Edition, ...]
    metrics: tuple[MetricHistory, ...]


def site(
    editions: Sequence[Edition],
    *,
    title: str = "Concours",
    pieces: PieceOf | None = None,
    sounds: SoundOf | None = None,
    audio: bool | Keep = True,
) -> dict[str, str]:
    """The files of the site by path, oldest edition first in ``editions``.

    ``index.html``, and for each edition ``<name>/index.html``, ``<name>/report.json`` and
    ``<name>/report.csv``. ``audio`` is that of :func:`concours.eval.report.render`; a function
    returns addresses relative to the front page.

    Raises:
        SiteError: no edition, two of one name, or a name that is no plain folder name.
    """
    _check(editions)
    files = {"index.html": front_page(editions, title=title)}
    for edition in editions:
        report = edition.report
        files[f"{edition.name}/index.html"] = render(
            report, "html", pieces=pieces, sounds=sounds, audio=_from_below(audio)
        )
        files[f"{edition.name}/report.json"] = render(report, "json")
        files[f"{edition.name}/report.csv"] = render(report, "csv")
    return files


def _from_below(audio: bool | Keep) -> bool | Keep:
    """The same for a page one folder down."""
    return audio if isinstance(audio, bool) else lambda *sound: f"../{audio(*sound)}"


def front_page(editions: Sequence[Edition], *, title: str = "Concours") -> str:
    """``index.html``: the editions, newest first, and how the values of the main table moved."""
    names: list[str] = []
    for edition in reversed(editions):
        names += [b.name for b in edition.report.benchmarks if b.name not in names]
    return page(
        "site.html",
        title=title,
        editions=list(reversed(editions)),
        benchmarks=[_history(editions, name, f"b{i + 1}") for i, name in enumerate(names)],
    )


def _check(editions: Sequence[Edition]) -> None:
    if not editions:
        raise SiteError("there is no run to publish")
    seen: set[str] = set()
    for edition in editions:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", edition.name):
            raise SiteError(
                f"{edition.name!r} cannot name a folder of the site: use small letters, digits, "
                "dots, hyphens and underscores"
            )
        if edition.name in seen:
            raise SiteError(f"two editions are called {edition.name!r}")
        seen.add(edition.name)


def _history(editions: Sequence[Edition], name: str, anchor: str) -> BenchmarkHistory:
    found = [(e, b) for e in editions for b in e.report.benchmarks if b.name == name]
    newest = found[-1][1]
    columns = layout.tables(newest)[0].columns
    return BenchmarkHistory(
        anchor=anchor,
        name=name,
        editions=tuple(e for e, _ in found),
        metrics=tuple(_metric(found, c) for c in columns),
    )


def _metric(found: Sequence[tuple[Edition, Benchmark]], column: Column) -> MetricHistory:
    newest = found[-1][1]
    systems = {s.name: s.is_reference for s in layout.ordered_systems(newest)}
    for _, benchmark in reversed(found):
        for s in benchmark.systems:
            systems.setdefault(s.name, s.is_reference)
    cells = {
        name: [_cell(benchmark, name, column.key) for _, benchmark in found] for name in systems
    }
    ends = [
        v
        for row in cells.values()
        for c in row
        if c is not None
        for v in (c.value, c.ci_low, c.ci_high)
        if v is not None
    ]
    span = (min(ends), max(ends)) if ends else (0.0, 1.0)
    places = words.decimals(column, newest)
    trends = [
        _trend(name, is_reference, found, cells[name], column.key, span, places)
        for name, is_reference in systems.items()
        if any(c is not None and c.value is not None for c in cells[name])
    ]
    return MetricHistory(
        column.key,
        words.ARROWS[column.direction],
        words.DIRECTIONS[column.direction],
        column.unit,
        tuple(trends),
    )


def _cell(benchmark: Benchmark, system: str, key: str) -> Cell | None:
    return benchmark.cells.get((system, key))


def _identity(edition: Edition, benchmark: Benchmark, key: str) -> Identity:
    """What must be equal for two values to be of one series."""
    column = next((c for c in benchmark.columns if c.key == key), None)
    settings = (column.version, tuple(sorted(column.parameters.items()))) if column else ()
    return settings, _content(edition.report.manifest, benchmark, benchmark.reference)


def _content(manifest: Mapping[str, object], benchmark: Benchmark, source: str) -> str:
    """The hash of a source's files where the manifest tells it, else its name and size."""
    own = manifest.get(benchmark.name, manifest)
    contents = own.get("contents") if isinstance(own, Mapping) else None
    known = contents.get(source) if isinstance(contents, Mapping) else None
    if known is not None:
        return repr(sorted(known.items())) if isinstance(known, Mapping) else str(known)
    size = next((len(s.items) for s in benchmark.systems if s.name == source), 0)
    return f"{source}, {size} items"


def _trend(
    system: str,
    is_reference: bool,
    found: Sequence[tuple[Edition, Benchmark]],
    cells: Sequence[Cell | None],
    key: str,
    span: tuple[float, float],
    places: int,
) -> Trend:
    low, high = span
    width = WIDTH / len(found)

    def x(i: int) -> float:
        return round(width * (i + 0.5), 1)

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(92 - 84 * share, 1)

    points: list[Point] = []
    lines, bars = "", ""
    dots: list[tuple[float, float]] = []
    before: Identity | None = None
    for i, ((edition, benchmark), cell) in enumerate(zip(found, cells, strict=True)):
        if cell is None or cell.value is None:
            note = cell.reason if cell is not None else "not in this run"
            points.append(Point(edition, "", "", None, False, False, note))
            continue
        identity = _identity(edition, benchmark, key)
        joins = before == identity
        lines += f"{'L' if joins else 'M'}{x(i)} {y(cell.value)}"
        if cell.ci_low is not None and cell.ci_high is not None:
            bars += f"M{x(i)} {y(cell.ci_low)}V{y(cell.ci_high)}"
        dots.append((x(i), y(cell.value)))
        is_new = before is not None and not joins
        points.append(
            Point(
                edition,
                words.value(cell, places),
                words.interval(cell, places),
                cell.rank,
                cell.leads,
                is_new,
                "another metric version, parameters or reference than before" if is_new else "",
            )
        )
        before = identity
    return Trend(system, is_reference, tuple(points), lines, bars, tuple(dots))
