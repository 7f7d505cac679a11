import base64
import io
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from report_sample import EMOJI, HOSTILE, Sample, build, drums, walk

from concours.eval.render import Clip
from concours.eval.report import Keep, Sound, render
from concours.eval.report.model import Item, Report, System
from concours.eval.report.picks import picks
from concours.eval.report.sounds import Sounds

VOID = {"meta", "input", "br", "wbr", "img", "link", "hr", "path"}


class Page(HTMLParser):
    """Collects the elements of a page and checks that they nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.elements if t == tag]


@pytest.fixture(scope="module")
def text(sample: Sample) -> str:
    return render(sample.report, "html", pieces=sample.pieces)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_names_cannot_add_elements(page: Page) -> None:
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    shown = "".join(page.text)
    assert HOSTILE in shown
    assert EMOJI in shown
    handlers = [k for _, attrs in page.elements for k in attrs if k.startswith("on")]
    assert handlers == []


def test_nothing_is_loaded(text: str, page: Page) -> None:
    sources = [v for _, a in page.elements for k, v in a.items() if k in ("src", "srcset", "data")]
    assert all(v is not None and v.startswith("data:audio/mpeg;base64,") for v in sources)
    assert all((a["href"] or "").startswith("#") for a in page.all("a"))
    assert page.all("link") == []
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert not re.search(r"(?:src|href|url)\W{0,3}https?:", text)


def test_only_our_script_may_run(text: str, page: Page) -> None:
    import hashlib

    policy = next(a["content"] for a in page.all("meta") if "http-equiv" in a)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert policy
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_every_sound_decodes(sample: Sample, page: Page) -> None:
    (bench,) = sample.report.benchmarks
    sounds = [a["src"] or "" for a in page.all("audio")]
    assert len(sounds) == sum(len(picks(s)) for s in bench.systems) > 10
    for sound in sounds:
        data = base64.b64decode(sound.partition(",")[2])
        decoded, rate = soundfile.read(io.BytesIO(data))
        assert 1 < len(decoded) / rate < 21
        assert abs(decoded).max() > 0.1
    assert all(a["aria-label"] and "controls" in a for a in page.all("audio"))


def test_links_lead_somewhere_and_ids_are_unique(page: Page) -> None:
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    named = {(a["href"] or "").removeprefix("#") for a in page.all("a")}
    named |= {w for _, a in page.elements for w in (a.get("aria-labelledby") or "").split()}
    assert named <= set(ids)


def test_columns_and_scrolling_boxes_are_labelled(page: Page) -> None:
    boxes = [a for t, a in page.elements if a.get("role") == "region"]
    assert boxes
    assert all(a.get("aria-label") and a.get("tabindex") == "0" for a in boxes)
    assert all(a.get("scope") in ("col", "row") for a in page.all("th"))
    assert all(a.get("aria-label") or a.get("aria-hidden") == "true" for a in page.all("svg"))


def test_causes_and_reasons_are_told(page: Page) -> None:
    shown = " ".join(" ".join(page.text).split())
    assert "not a MIDI file: it starts with b'<htm'; export it again" in shown
    assert "every item failed" in shown
    assert "4 items could not be read" in shown
    assert "tracks put side by side" in shown
    assert "No item could be read" in shown
    assert "closest to the reference" in shown
    assert "Yang & Lerch 2020" in shown


def test_provenance_shows_the_manifest_without_commands(page: Page) -> None:
    shown = " ".join(" ".join(page.text).split())
    assert "concours 0.1.0, numpy 2.0.0" in shown
    assert "ab" * 32 in shown
    assert '"path": "bach/*.mid"' in shown
    assert "/somewhere/private" not in shown


def test_without_notes_there_is_no_roll_and_no_sound(sample: Sample) -> None:
    page = Page(render(sample.report, "html"))
    assert page.all("audio") == []
    assert not [a for a in page.all("div") if a.get("class") == "roll"]
    assert "draws none" in " ".join(page.text)


def test_sound_can_be_left_out(sample: Sample) -> None:
    text = render(sample.report, "html", pieces=sample.pieces, audio=False)
    page = Page(text)
    assert page.all("audio") == []
    assert [a for a in page.all("div") if a.get("class") == "roll"]
    assert len(text) < 500_000


def test_two_benchmarks_share_a_page(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    page = Page(render(Report({}, (bench, replace(bench, name="again"))), "html"))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))


def test_eight_systems_stay_under_five_megabytes() -> None:
    kinds = [("reference", 1.2)] + [(f"system-{i}", 1.0 + i / 4) for i in range(8)]
    bench, notes = build(
        {
            name: [(f"{i}.mid", walk(17 * k + i, stride=120, spread=s)) for i in range(4)]
            for k, (name, s) in enumerate(kinds)
        },
        "reference",
    )
    report = Report({}, (bench,))
    text = render(report, "html", pieces=lambda s, i: notes[s.name, i.path])
    assert text.count("<audio") == 27
    assert len(text.encode()) < 5_000_000


def sound(seconds: float) -> Clip:
    return Clip(bytes(int(4000 * seconds)), 0.0, seconds)


def filled(page: str, n: int, keep: Keep | None = None) -> str:
    """A page of ``n`` sounds, three a system, each of a minute if there were room."""
    sounds = Sounds(keep)
    marks = [sounds.note(sound, 20.0, i % 3, f"{i:016}") for i in range(n)]
    elements = "".join(f'<audio controls src="{m}"></audio>' for m in marks)
    return sounds.fill(f"{page}{elements} up to {sounds.seconds_mark} seconds")


@pytest.mark.parametrize(("rest", "n"), [(1000, 30), (2_000_000, 30), (1000, 90), (4_000_000, 90)])
def test_a_page_never_grows_over_five_megabytes(rest: int, n: int) -> None:
    text = filled("x" * rest, n)
    assert len(text) < 5_000_000
    silent = text.count("the page is full")
    assert text.count("<audio") + silent == n
    assert (silent > 0) == (rest == 4_000_000)
    assert 'src="sound:' not in text
    if n == 30 and rest == 1000:
        assert "up to 20 seconds" in text


def test_sound_beside_the_page_has_no_limit() -> None:
    kept: dict[str, bytes] = {}

    def keep(name: str, make: Callable[[], bytes]) -> str:
        kept[name] = make()
        return f"sounds/{name}"

    text = filled("x" * 4_900_000, 90, keep)
    assert {len(data) for data in kept.values()} == {80_000}
    assert text.count('src="sounds/') == 90


def test_drums_alone_are_drawn() -> None:
    bench, notes = build({"r": [("a.mid", drums(1))], "s": [("b.mid", drums(2))]}, "r")
    page = Page(render(Report({}, (bench,)), "html", pieces=lambda s, i: notes[s.name, i.path]))
    assert len(page.all("audio")) == 2
    assert "drums" in "".join(page.text)


def test_recordings_are_drawn_and_played(sample: Sample) -> None:
    wave = 0.2 * np.sin(np.arange(22050 * 25) / 10)

    def sounds(system: System, _item: Item) -> Sound | None:
        if system.name == "human":
            return Sound(wave, 22050)
        return Sound(np.zeros(0), 22050) if system.name == "markov-3" else None

    page = Page(render(sample.report, "html", sounds=sounds))
    assert len(page.all("audio")) == 3
    images = page.all("img")
    assert len(images) == 3
    assert all((a["src"] or "").startswith("data:image/png;base64,") and a["alt"] for a in images)
    shown = " ".join(" ".join(page.text).split())
    assert "The first 20 of 25 seconds." in shown
    assert "piano rolls" not in shown
