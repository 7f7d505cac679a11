"""The originality page of notes and recordings as a person meets it, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, CONTRAST, Tab, browser_tab, check_page
from click.testing import CliRunner

from concours.eval.baselines import write_midi
from concours.eval.cli import cli
from concours.metrics.piece import make_piece

soundfile = pytest.importorskip("soundfile")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]

RATE = 11_025
EXCERPT = 6  # seconds of one recording, laid into another
HEARD = (
    "(async () => { const found = []; for (const a of document.querySelectorAll('audio')) {"
    " a.muted = true; await a.play();"
    " await new Promise(done => { a.ontimeupdate = () => a.currentTime > 0 && done(); });"
    " a.pause(); found.push([a.getAttribute('aria-label'), a.duration]); }"
    " return found; })()"
)


@pytest.fixture(scope="module")
def page(tune, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planted excerpt, a cover, an unrelated recording and a copied tune of notes."""
    place = tmp_path_factory.mktemp("music")
    reference, system = place / "reference", place / "system"
    for folder in (reference, system):
        folder.mkdir()
    for i in range(9):
        soundfile.write(reference / f"song {chr(97 + i)}.wav", tune(i), RATE)
    excerpt = tune(3)[2 * RATE : (2 + EXCERPT) * RATE]
    soundfile.write(system / "planted.wav", np.concatenate([tune(90, 4), excerpt]), RATE)
    soundfile.write(system / "cover.wav", tune(5, 11, 4, 1.05, 2), RATE)
    soundfile.write(system / "<i>own&.wav", tune(93), RATE)
    onset = np.arange(40) * 240
    pitch = 60 + np.random.default_rng(0).integers(0, 18, 40)
    for folder, shift in ((reference, 0), (system, 5)):
        piece = make_piece(onset=onset, end=onset + 240, pitch=pitch + shift)
        write_midi(piece, folder / "tune.mid")
    file = place / "page.html"
    words = ["originality", str(system), "--against", str(reference), "--format", "html", "--quiet",
             "--no-cardinality", "--out", str(file)]  # fmt: skip
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, (done.output, done.exception)
    return file


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser_tab(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


def test_it_loads_nothing_complains_of_nothing_and_escapes_names(tab: Tab, page: Path) -> None:
    tab.open(page)
    assert set(tab.requests()) <= {page.as_uri(), "about:blank"}
    assert tab.complaints() == []
    assert tab.run("document.querySelectorAll('i').length") == 0
    assert "<i>own&.wav" in tab.run("document.body.textContent")


def test_both_sides_of_every_excerpt_can_be_heard(tab: Tab, page: Path) -> None:
    tab.open(page)
    heard = tab.run(HEARD)
    assert len(heard) == 2 * tab.run("document.querySelectorAll('section.passage').length") >= 6
    assert tab.complaints() == []
    planted = [(name, seconds) for name, seconds in heard if name.startswith(("planted", "song d"))]
    assert [name.partition(",")[0] for name, _ in planted] == ["planted.wav", "song d.wav"]
    for _, seconds in planted:
        assert seconds == pytest.approx(EXCERPT, abs=1.5)


def test_pictures_are_drawn_and_the_excerpt_is_shaded_where_it_is(tab: Tab, page: Path) -> None:
    tab.open(page)
    sizes = tab.run("[...document.images].map(i => i.complete && i.naturalWidth)")
    assert len(sizes) >= 5  # two chromas for each of two excerpts, and the cover's matrix
    assert all(size > 1 for size in sizes)
    shaded = tab.run(
        "[...document.querySelectorAll('svg.wave')].map(wave => {"
        " const all = wave.getBoundingClientRect();"
        " const part = wave.querySelector('.band').getBoundingClientRect();"
        " return [wave.getAttribute('aria-label'), (part.left - all.left) / all.width,"
        " part.width / all.width]; })"
    )
    label, left, width = next(row for row in shaded if "planted.wav" in row[0])
    assert "0:04" in label or "0:03.9" in label
    assert left == pytest.approx(2 / (2 + EXCERPT), abs=0.08)  # two seconds before, none after
    assert width == pytest.approx(EXCERPT / (2 + EXCERPT), abs=0.15)


def test_shared_notes_of_both_sides_stand_one_above_the_other(tab: Tab, page: Path) -> None:
    tab.open(page)
    rows = tab.run(
        "[...document.querySelectorAll('section.passage svg:not(.wave)')].slice(0, 2).map(svg =>"
        " [...svg.querySelectorAll('.lit')].map(r => Math.round(r.getBoundingClientRect().left)))"
    )
    assert len(rows[0]) == 40
    assert rows[0] == pytest.approx(rows[1], abs=1)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_and_text_can_be_read(
    tab: Tab, page: Path, width: int, dark: bool
) -> None:
    texts = "[...document.querySelectorAll('p, td, th, dt, dd, h2, .muted')]"
    check_page(tab, page, width, dark, f"{texts}.map(e => {CONTRAST}(e, document.body))")
