import json
import re
from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from report_sample import HOSTILE, REFERENCE, Sample

from concours.eval.report.model import Report
from concours.eval.report.site import Edition, SiteError, front_page, site


def later(report: Report, *, factor: float = 0.5, version: int | None = None) -> Report:
    """The same benchmark with every distance multiplied, as a better checkpoint would have it."""
    (bench,) = report.benchmarks
    cells = {
        at: replace(
            c, value=None if c.value is None else c.value * factor, ci_low=None, ci_high=None
        )
        for at, c in bench.cells.items()
    }
    columns = tuple(replace(c, version=version or c.version) for c in bench.columns)
    return replace(report, benchmarks=(replace(bench, cells=cells, columns=columns),))


def editions(*reports: Report) -> list[Edition]:
    return [Edition(f"run-{i}", f"Run {i} {HOSTILE}", r) for i, r in enumerate(reports)]


def trend(page: str, metric: str, system: str) -> str:
    """The row of a system under a metric."""
    section = page.split(f'data-metric="{metric}"')[1].split("</section>", maxsplit=1)[0]
    return section.split(f'data-system="{system}"')[1].split("</tr>")[0]


def test_files_of_a_site(sample: Sample) -> None:
    files = site(editions(sample.report, later(sample.report)))
    assert sorted(files) == [
        "index.html",
        "run-0/index.html", "run-0/report.csv", "run-0/report.json",
        "run-1/index.html", "run-1/report.csv", "run-1/report.json",
    ]  # fmt: skip
    assert json.loads(files["run-0/report.json"])["benchmarks"][0]["name"] == "tunes"


def test_links_lead_to_files(sample: Sample) -> None:
    files = site(editions(sample.report, later(sample.report)))
    links = re.findall(r'href="([^"#]+)"', files["index.html"])
    assert len(links) >= 6
    assert all(str(PurePosixPath(link)) in files for link in links)
    assert not re.search(r"(?:src|href)=\W{0,3}https?:", files["index.html"])


def test_a_site_is_the_same_every_time_and_safe(sample: Sample) -> None:
    mine = editions(sample.report, later(sample.report))
    page = front_page(mine)
    assert page == front_page(mine)
    assert "<script>alert" not in page
    assert page.count("<script") == 1


def test_newest_run_comes_first_in_the_list_and_last_in_the_trends(sample: Sample) -> None:
    page = front_page(editions(sample.report, later(sample.report)))
    runs = page.split("<tbody>")[1].split("</tbody>")[0]
    assert runs.index("run-1/index.html") < runs.index("run-0/index.html")
    values = re.findall(
        r"class=\"value\">(?:<b>)?([\d.]+)", trend(page, "frechet_distance", "human")
    )
    assert float(values[1]) == pytest.approx(float(values[0]) / 2, rel=0.15)


def test_comparable_values_are_joined(sample: Sample) -> None:
    row = trend(
        front_page(editions(sample.report, later(sample.report))),
        "frechet_distance",
        "human",
    )
    assert re.search(r'class="line" d="M250\.0 [\d.]+L750\.0 [\d.]+"', row)
    assert "≠" not in row


@pytest.mark.parametrize("change", ["version", "reference", "contents"])
def test_what_cannot_be_compared_is_not_joined(sample: Sample, change: str) -> None:
    other = later(sample.report, version=2 if change == "version" else None)
    (bench,) = other.benchmarks
    if change == "reference":
        home = replace(bench.systems[0], items=bench.systems[0].items[:-1])
        other = replace(other, benchmarks=(replace(bench, systems=(home, *bench.systems[1:])),))
    if change == "contents":
        contents = {REFERENCE: {"hash": "other", "items": 12}}
        other = replace(other, manifest={"tunes": {"contents": contents}})
    page = front_page(editions(sample.report, other))
    row = trend(page, "frechet_distance", "human")
    assert re.search(r'class="line" d="M250\.0 [\d.]+M750\.0 [\d.]+"', row)
    assert "≠" in row
    assert "another metric version, parameters or reference" in row


def test_systems_and_benchmarks_come_and_go(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    fewer = replace(
        bench,
        systems=tuple(s for s in bench.systems if s.name != "human"),
        cells={at: c for at, c in bench.cells.items() if at[0] != "human"},
    )
    new = Report({}, (fewer, replace(bench, name="another")))
    page = front_page(editions(sample.report, new))
    assert "not in this run" in trend(page, "frechet_distance", "human")
    assert page.count('class="benchmark"') == 2


def test_editions_are_checked(sample: Sample) -> None:
    one = Edition("a", "A", sample.report)
    with pytest.raises(SiteError, match="no run"):
        site([])
    with pytest.raises(SiteError, match="two editions"):
        site([one, one])
    for name in ("../a", "", "A B", ".hidden"):
        with pytest.raises(SiteError, match="folder"):
            site([replace(one, name=name)])
