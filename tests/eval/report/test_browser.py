"""The page as a person meets it, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, CONTRAST, Tab, browser_tab, check_page
from report_sample import REFERENCE, Sample

from concours.eval.report import render
from concours.eval.report.site import Edition, front_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")

ROWS = (
    "[...document.querySelector('table.board').querySelectorAll('tbody.ranked tr')]"
    ".map(row => row.dataset.system)"
)


@pytest.fixture(scope="module")
def page(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(render(sample.report, "html", pieces=sample.pieces), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser_tab(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


def visible(selector: str) -> str:
    return f"[...document.querySelectorAll({selector!r})].filter(e => e.getClientRects().length)"


def test_it_loads_nothing_and_complains_of_nothing(tab: Tab, page: Path) -> None:
    tab.open(page)
    assert tab.run("document.documentElement.classList.contains('js')")
    assert set(tab.requests()) <= {page.as_uri(), "about:blank"}
    assert tab.complaints() == []


def test_sorting_turns_round_and_keeps_the_reference_on_top(tab: Tab, page: Path) -> None:
    tab.open(page)
    press = "document.querySelectorAll('table.board button.sort')[2].click()"
    tab.run(press)
    first = tab.run(ROWS)
    tab.run(press)
    second = tab.run(ROWS)
    assert first[-1] == second[-1] == "all-broken"
    assert first[:-1] == second[:-1][::-1]
    assert tab.run("document.querySelector('table.board tbody tr').dataset.system") == REFERENCE
    assert tab.run("document.querySelectorAll('th[aria-sort=descending]').length") == 1


def test_filters_leave_what_was_asked_for(tab: Tab, page: Path) -> None:
    tab.open(page)
    tab.run(
        "for (const [kind, word] of [['systems', 'MARKOV'], ['metrics', 'entropy']]) {"
        " const box = document.querySelector(`input[data-filter=${kind}]`);"
        " box.value = word; box.dispatchEvent(new Event('input')); }"
    )
    assert tab.run(visible("article.system") + ".map(e => e.dataset.system)") == [
        REFERENCE,
        "markov-3",
    ]
    assert tab.run(visible(".card") + ".map(e => e.dataset.metric)") == ["pitch_class_entropy"]
    said = tab.run("document.querySelector('.filtered').textContent")
    assert said == "Showing 1 system and 1 metric."


def test_sound_plays_one_at_a_time_and_the_line_follows(tab: Tab, page: Path) -> None:
    tab.open(page)
    result = tab.run(
        "(async () => { const [a, b] = document.querySelectorAll('audio');"
        " a.muted = b.muted = true; await a.play();"
        " await new Promise(done => { a.ontimeupdate = () => a.currentTime > 0.3 && done(); });"
        " const line = a.closest('.player').querySelector('.playhead');"
        " const at = [a.currentTime / a.duration * 100, parseFloat(line.style.left), line.hidden];"
        " await b.play(); const paused = a.paused; b.pause();"
        " return [...at, paused, a.duration]; })()"
    )
    share, line, hidden, paused, duration = result
    assert line == pytest.approx(share, abs=1.5)
    assert not hidden
    assert paused
    assert 19 < duration < 21


def test_a_link_unfolds_its_target(tab: Tab, page: Path) -> None:
    tab.open(page)
    opened = tab.run(
        "(async () => { const card = document.querySelector('details.more .card');"
        " location.hash = card.id; await new Promise(done => setTimeout(done, 200));"
        " return card.closest('details').open; })()"
    )
    assert opened


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_and_text_can_be_read(
    tab: Tab, page: Path, width: int, dark: bool
) -> None:
    cells = "[...document.querySelectorAll('td.s5, td.s3, td.s1')]"
    own = f"[cell, ...cell.querySelectorAll('.interval')].map(e => {CONTRAST}(e, cell))"
    check_page(tab, page, width, dark, f"{cells}.flatMap(cell => {own})")


def test_the_front_page_of_a_site_works_too(tab: Tab, sample: Sample, tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    editions = [Edition(f"run-{i}", f"Run {i}", sample.report) for i in range(8)]
    file.write_text(front_page(editions), encoding="utf-8")
    tab.open(file, width=390)
    assert tab.run("document.documentElement.scrollWidth") <= 390
    tab.run(
        "const box = document.querySelector('input[data-filter=metrics]');"
        " box.value = 'ngram'; box.dispatchEvent(new Event('input'))"
    )
    assert tab.run(visible(".card") + ".map(e => e.dataset.metric)") == ["ngram_overlap"]
