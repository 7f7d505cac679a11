import re
from dataclasses import replace

import pytest
from report_sample import Sample

from concours.eval.report import render
from concours.eval.report.bibtex import to_bibtex
from concours.eval.report.model import Report


def block(sample: Sample, **citations: str) -> str:
    """The BibTeX of metrics with these citations, by metric name."""
    (bench,) = sample.report.benchmarks
    columns = tuple(
        replace(bench.columns[0], key=name, name=name, citation=citation)
        for name, citation in citations.items()
    )
    return to_bibtex(Report({}, (replace(bench, columns=columns, cells={}),)))


def test_one_entry_a_work_with_its_metrics(sample: Sample) -> None:
    text = block(
        sample,
        b="Wu & Yang 2020 (MusDr), arXiv:2008.01307; Dong et al. 2018 (MuseGAN), arXiv:1709.06298",
        a="Wu & Yang 2020 (MusDr), arXiv:2008.01307",
    )
    assert text == (
        "@misc{dong2018,\n"
        "  author = {Dong and others},\n"
        "  title = {{MuseGAN}},\n"
        "  year = {2018},\n"
        "  eprint = {1709.06298},\n"
        "  archiveprefix = {arXiv},\n"
        "  note = {Metrics: b}\n"
        "}\n\n"
        "@misc{wu2020,\n"
        "  author = {Wu and Yang},\n"
        "  title = {{MusDr}},\n"
        "  year = {2020},\n"
        "  eprint = {2008.01307},\n"
        "  archiveprefix = {arXiv},\n"
        "  note = {Metrics: a, b}\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("citation", "wanted"),
    [
        ("Dowson 1982, doi:10.1016/0047-259X(82)90077-X", "doi = {10.1016/0047-259X(82)90077-X}"),
        ("Böck, Krebs & Schedl 2012, Onsets", "author = {Böck and Krebs and Schedl}"),
        ("Böck, Krebs & Schedl 2012, Onsets", "@misc{bock2012,"),
        ("melody accuracy, Wu et al. 2023, arXiv:2311.07069", "author = {Wu and others}"),
        ("ITU-R BS.1770-4, annex 2", "title = {{ITU-R BS.1770-4, annex 2}}"),
        ("R&D 100%_{report}", r"title = {{R\&D 100\%\_report}}"),
    ],
)  # fmt: skip
def test_forms(sample: Sample, citation: str, wanted: str) -> None:
    assert wanted in block(sample, m=citation)


def test_keys_are_distinct(sample: Sample) -> None:
    text = block(sample, a="Li 2020, One", b="Li 2020, Two", c="Li 2021, Three")
    assert re.findall(r"@misc\{(.*),", text) == ["li2020a", "li2020b", "li2021"]


def test_no_citation_no_block(sample: Sample) -> None:
    assert block(sample, a="") == ""
    assert "Works to cite" not in render(Report({}, ()), "html")


def test_pages_and_tables_carry_the_block(sample: Sample) -> None:
    assert "@misc{yang2020," in render(sample.report, "html")
    assert "\n% @misc{yang2020," in render(sample.report, "latex")
