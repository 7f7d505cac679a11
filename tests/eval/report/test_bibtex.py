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
        b="Wu & Young 2020 (MusDr), arXiv:2008.01307; Dong et al. 2018 (MuseGAN), arXiv:1709.06298",
        a="Wu & Young 2020 (MusDr), arXiv:2008.01307",
    )
    assert text == (
        "@inproceedings{dong2018,\n"
        "  author = {Dong, Hao-Wen and Hsiao, Wen-Yi and Yang, Li-Chia and Yang, Yi-Hsuan},\n"
        "  title = {{MuseGAN: Multi-track Sequential Generative Adversarial Networks for Symbolic "
        "Music Generation and Accompaniment}},\n"
        "  booktitle = {AAAI Conference on Artificial Intelligence},\n"
        "  year = {2018},\n"
        "  eprint = {1709.06298},\n"
        "  archiveprefix = {arXiv},\n"
        "  note = {Metrics: b}\n"
        "}\n\n"
        "@misc{wu2020,\n"
        "  author = {Wu and Young},\n"
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
        ("Börk, Krebs & Schedl 2012, Onsets", "author = {Börk and Krebs and Schedl}"),
        ("Böck, Krebs & Schedl 2012, Onsets", "@inproceedings{bock2012,"),
        ("melody accuracy, Wu et al. 2019, arXiv:2311.07069", "author = {Wu and others}"),
        ("melody accuracy, Wu et al. 2023, arXiv:2311.07069", "author = {Wu, Shih-Lun and D"),
        ("ITU-R BS.1770-4, annex 2", "title = {{ITU-R BS.1770-4, annex 2}}"),
        ("R&D 2020, 100%_{report}", r"title = {{100\%\_report}}"),
        ("Exact repetition by lag, after Foote 1999", "author = {Foote, Jonathan}"),
    ],
)  # fmt: skip
def test_forms(sample: Sample, citation: str, wanted: str) -> None:
    assert wanted in block(sample, m=citation)


def test_two_ways_to_cite_are_one_work(sample: Sample) -> None:
    text = block(
        sample,
        a="Yang & Lerch 2020, On the evaluation of generative models in music",
        b="Overlapping area, after Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7",
    )
    assert text.count("@") == 1
    assert "doi = {10.1007/s00521-018-3849-7}" in text
    assert "note = {Metrics: a, b}" in text


def test_what_is_no_work_has_no_entry(sample: Sample) -> None:
    assert block(sample, a="Compass of a part, averaged over the parts") == ""


def test_keys_are_distinct(sample: Sample) -> None:
    text = block(sample, a="Li 2020, One", b="Li 2020, Two", c="Li 2021, Three")
    assert re.findall(r"@misc\{(.*),", text) == ["li2020a", "li2020b", "li2021"]


def test_no_citation_no_block(sample: Sample) -> None:
    assert block(sample, a="") == ""
    assert "Works to cite" not in render(Report({}, ()), "html")


def test_pages_and_tables_carry_the_block(sample: Sample) -> None:
    assert "@article{yang2020," in render(sample.report, "html")
    assert "\n% @article{yang2020," in render(sample.report, "latex")
