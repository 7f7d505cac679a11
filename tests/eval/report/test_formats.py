import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any, get_args

import pytest
from report_sample import EMOJI, HOSTILE, REFERENCE, Sample

from concours.eval.report import Format, render
from concours.eval.report import tables as layout
from concours.eval.report import wording as words
from concours.eval.report.leaderboard import leaderboard
from concours.eval.report.model import Benchmark, Report

FORMATS = get_args(Format)
TEXTS = ("terminal", "md", "latex")


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_report_gives_the_same_text(sample: Sample, format: Format) -> None:
    def turned(value: Any) -> Any:
        return dict(reversed(list(value.items())))

    (bench,) = sample.report.benchmarks
    systems = tuple(
        replace(
            s,
            card=turned(s.card),
            items=tuple(replace(i, scores=turned(i.scores)) for i in s.items),
        )
        for s in bench.systems
    )
    other = Report(
        turned(sample.report.manifest),
        (replace(bench, systems=systems, cells=turned(bench.cells)),),
    )
    first = render(sample.report, format, pieces=sample.pieces)
    assert first == render(other, format, pieces=sample.pieces)
    assert first.endswith("\n")


@pytest.mark.parametrize("format", FORMATS)
def test_no_private_path_is_shown(sample: Sample, format: Format) -> None:
    manifest = {} if format == "json" else sample.report.manifest
    report = replace(sample.report, manifest=manifest)
    assert "/somewhere/private" not in render(report, format, pieces=sample.pieces, audio=False)


@pytest.mark.parametrize("format", [*TEXTS, "html"])
def test_every_value_appears(sample: Sample, format: Format) -> None:
    text = render(sample.report, format)
    (bench,) = sample.report.benchmarks
    shown = [t for t in layout.tables(bench) if format != "terminal" or t.kind != "detail"]
    for column in (c for t in shown for c in t.columns):
        places = words.decimals(column, bench)
        for system in bench.systems:
            cell = layout.cell(bench, system, column)
            wanted = words.value(cell, places)
            assert (wanted.replace("–", "--") if format == "latex" else wanted) in text
            assert words.interval(cell, places) in text


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("change", ["nothing", "no systems", "no columns", "no cells"])
def test_empty_reports_still_render(sample: Sample, format: Format, change: str) -> None:
    (bench,) = sample.report.benchmarks
    changed: dict[str, tuple[Benchmark, ...]] = {
        "nothing": (),
        "no systems": (replace(bench, systems=()),),
        "no columns": (replace(bench, columns=(), cells={}),),
        "no cells": (replace(bench, cells={}),),
    }
    text = render(Report({}, changed[change]), format)
    assert len(text) > 3


def test_an_unknown_format_is_refused(sample: Sample) -> None:
    with pytest.raises(ValueError, match="terminal, html"):
        render(sample.report, "pdf")  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [60, 100, 140])
def test_the_terminal_is_not_too_wide(sample: Sample, width: int) -> None:
    from rich.cells import cell_len

    text = render(sample.report, "terminal", width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert all(c.key.split(":")[0] in text.replace("\n", "") for c in layout.tables(
        sample.report.benchmarks[0])[2].columns)  # fmt: skip


def test_the_terminal_cannot_be_steered(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    name = "\x1b[2Jgone\nsecond[b]"
    systems = (bench.systems[0], replace(bench.systems[1], name=name))
    text = render(Report({}, (replace(bench, systems=systems, cells={}),)), "terminal")
    assert "\x1b" not in text
    assert "�[2Jgone�second[b]" in text


def certain(sample: Sample, *, details: bool) -> int:
    """How many cells are significantly better than all others of their column."""
    (bench,) = sample.report.benchmarks
    shown = [t for t in layout.tables(bench) if details or t.kind != "detail"]
    keys = [c.key for t in shown for c in t.columns]
    found = sum(bench.cells[s.name, k].leads for s in bench.systems for k in keys)
    first = sum(bench.cells[s.name, k].rank == 1 for s in bench.systems for k in keys)
    assert 0 < found < first
    return found


def test_only_what_is_significantly_best_is_bold(sample: Sample) -> None:
    from rich.console import Console

    stream = StringIO()
    console = Console(file=stream, force_terminal=True, color_system="standard", width=100)
    console.print(leaderboard(sample.report))
    bold = re.findall(r"\x1b\[1m *[\d.]+(?: \[[^\]]*\])? #1", stream.getvalue())
    assert len(bold) == certain(sample, details=False)
    cells = re.findall(r"\| \*\*[^|]*\*\* (?=\|)", render(sample.report, "md"))
    assert len(cells) == certain(sample, details=True)
    assert render(sample.report, "latex").count(r"\textbf{") == certain(sample, details=True)


def test_places_and_groups_are_told_everywhere(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    cell = next(c for c in bench.cells.values() if c.rank_low != c.rank_high)
    place = f"#{cell.rank} ({cell.rank_low}–{cell.rank_high}) {cell.group}"
    assert place in render(sample.report, "terminal")
    assert f"\\{place}" in render(sample.report, "md")
    assert rf"\textsuperscript{{{cell.group}}}" in render(sample.report, "latex")
    rows = json.loads(render(sample.report, "json"))["benchmarks"][0]["rows"]
    row = next(r for r in rows if (r["system"], r["metric"]) == (cell.system, cell.metric))
    told = [row[k] for k in ("rank", "rank_low", "rank_high", "group")]
    assert told == [cell.rank, cell.rank_low, cell.rank_high, cell.group]


def test_who_lacks_a_column_is_left_out_of_the_whole_ranking(sample: Sample) -> None:
    overall = json.loads(render(sample.report, "json"))["benchmarks"][0]["overall"]
    refused = {r["system"]: r["reason"] for r in overall["refused"]}
    assert "all-broken" in refused
    assert refused.keys().isdisjoint(r["system"] for r in overall["rows"])
    assert refused["all-broken"].startswith("no rank in 6 of 6 columns (")
    for format_ in ("terminal", "md"):
        assert "all-broken: no rank in" in render(sample.report, format_) or (
            "all-broken: not ranked over all" in render(sample.report, format_)
        )


def test_the_reference_comes_first_and_the_best_next(sample: Sample) -> None:
    names = [s.name for s in layout.ordered_systems(sample.report.benchmarks[0])]
    assert names[:3] == [REFERENCE, "human", "markov-3"]


def test_markdown_tables_are_tables(sample: Sample) -> None:
    text = render(sample.report, "md")
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(blocks) == 6
    for block in blocks:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1
        assert re.fullmatch(r"\|( -+:? \|| --: \|)+", block.splitlines()[1])


def test_markdown_parses_and_shows_names_as_they_are(sample: Sample) -> None:
    from markdown_it import MarkdownIt

    page = MarkdownIt("commonmark").enable("table").render(render(sample.report, "md"))
    assert page.count("<table>") == 6
    assert "<script" not in page
    assert "<img" not in page
    assert "<strong>" in page
    assert "a_b^c~\\end" in page
    assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;") in page


def test_csv_reads_back_exactly(sample: Sample) -> None:
    rows = list(csv.DictReader(StringIO(render(sample.report, "csv"))))
    (bench,) = sample.report.benchmarks
    assert len(rows) == len(bench.systems) * len(bench.columns)
    for row in rows:
        cell = bench.cells[row["system"], row["metric"]]
        for name in ("value", "ci_low", "ci_high", "gap"):
            assert (float(row[name]) if row[name] else None) == getattr(cell, name)
        assert (int(row["rank"]) if row["rank"] else None) == cell.rank
        assert (row["reason"], row["status"], int(row["n"])) == (cell.reason, cell.status, cell.n)


def test_json_keeps_its_shape(sample: Sample) -> None:
    content = json.loads(render(sample.report, "json"))
    assert set(content) == {"manifest", "benchmarks"}
    assert content["manifest"] == sample.report.manifest
    (shown,), (bench,) = content["benchmarks"], sample.report.benchmarks
    assert (shown["name"], shown["reference"]) == (bench.name, bench.reference)
    wanted = {"system", "metric", "value", "ci_low", "ci_high", "n", "status", "reason",
              "direction", "rank"}  # fmt: skip
    assert len(shown["rows"]) == len(bench.systems) * len(bench.columns)
    for row in shown["rows"]:
        assert wanted <= set(row)
        cell = bench.cells[row["system"], row["metric"]]
        assert {k: row[k] for k in wanted} == {k: getattr(cell, k) for k in wanted}
    assert shown["metrics"][0]["range"] == [0.0, None]


def test_latex_tables_fit_a_page_and_lose_no_column(sample: Sample) -> None:
    text = render(sample.report, "latex")
    shown = [c for b in sample.report.benchmarks for t in layout.tables(b) for c in t.columns]
    columns = re.findall(r"\\begin\{tabular\}\{l(r*)\}", text)
    counts = text.count(" & Failed & ")
    ranked = text.count("Mean rank")
    assert sum(map(len, columns)) == len(shown) + 2 * counts + 2 * ranked
    rows = [line for line in text.splitlines() if line.endswith(r"\\") and "shortstack" not in line]
    bare = [re.sub(r"\\[a-z]+\{?|[{}$]", "", row).split(" & ", 1)[1] for row in rows]
    assert max(map(len, bare)) < 80  # small type, half of it in script size, beside the names


def test_latex_is_escaped_and_balanced(sample: Sample) -> None:
    text = render(sample.report, "latex")
    assert r"100\% \$x\$ \#1 a\_b\textasciicircum{}c\textasciitilde{}\textbackslash{}end" in text
    bare = re.sub(r"\\[{}$#%&_]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    body = re.findall(r"\\midrule\n(.*?)\\bottomrule", bare, re.DOTALL)
    for table, spec in zip(body, re.findall(r"tabular\}\{(l r*|lr*)\}", bare), strict=True):
        for line in table.splitlines():
            if "&" in line:
                assert line.count("&") == len(spec) - 1
    assert EMOJI[:5] in text


def test_numbers_keep_the_digits_their_interval_supports(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    column = bench.columns[0]
    cell = replace(bench.cells["human", column.key], value=2.7134, ci_low=2.6521, ci_high=2.7711)
    one = replace(bench, cells={("human", column.key): cell})
    assert words.value_text(cell, words.decimals(column, one)) == "2.71 [2.65, 2.77]"
    wide = replace(cell, value=53.21, ci_low=47.2, ci_high=58.9)
    one = replace(bench, cells={("human", column.key): wide})
    assert words.value_text(wide, words.decimals(column, one)) == "53 [47, 59]"
    none = replace(cell, value=None, ci_low=None, ci_high=None, status="undefined")
    assert words.value_text(none, 2) == "–"
    assert words.value_text(replace(none, status="failed"), 2) == "failed"


def test_distances_of_one_feature_are_details(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    every = layout.tables(bench)
    assert [(t.title, t.kind) for t in every] == [
        ("overview", "main"),
        ("pitch", "family"),
        ("rhythm", "family"),
        ("dynamics", "family"),
        ("frechet_distance", "detail"),
    ]
    assert [c.key for c in every[0].columns] == [
        "frechet_distance", "wasserstein_distance:feature=note_density", "ngram_overlap"
    ]  # fmt: skip
    assert every[-1].label(every[-1].columns[0]) == "feature=pitch_range"
    text = render(sample.report, "terminal")
    assert "1 more column of frechet_distance in the other formats" in text


def test_gaps_join_systems_with_one_reason(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    found = {(g.reason, len(g.systems)): [c.key for c in g.columns] for g in layout.gaps(bench)}
    assert ("the reference itself", 1) not in found
    assert "pitch_range" in found["every item failed", 1]
    alike = replace(bench, cells={})
    (gap, home) = layout.gaps(alike)[::-1]
    assert len(gap.systems) == len(bench.systems) - 1
    assert home.systems[0].is_reference


def test_reports_do_not_depend_on_the_process(tmp_path: Path) -> None:
    """Two processes with other hash seeds, time zones, languages and widths write the same."""
    script = (
        "import sys; from report_sample import make_sample; from typing import get_args\n"
        "from concours.eval.report import Format, render\n"
        "s = make_sample()\n"
        "for f in get_args(Format):\n"
        "    sys.stdout.buffer.write(render(s.report, f, pieces=s.pieces, audio=False).encode())\n"
    )
    samples = Path(__file__).parents[2] / "samples"
    outputs = []
    for changes in (
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "COLUMNS": "40", "LANG": "C", "NO_COLOR": "1"},
        {"PYTHONHASHSEED": "2", "TZ": "UTC", "COLUMNS": "200", "FORCE_COLOR": "1"},
    ):
        environment = {**os.environ, "PYTHONPATH": str(samples), **changes}
        command = [sys.executable, "-c", script]
        outputs.append(
            subprocess.run(
                command, env=environment, cwd=tmp_path, capture_output=True, check=True
            ).stdout
        )
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 100_000
