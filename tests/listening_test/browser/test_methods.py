"""A whole study of each method in a real browser, from the invitation to the completion code."""

from typing import Any

import pytest

TWO_TRIALS = 2
FOUR_TRIALS = 4

STUDIES: dict[str, tuple[dict[str, Any], int, dict[str, set[str]]]] = {
    # config, trials, (dimensions rated or preferred)
    "mos": (
        {"method": "mos", "dimensions": ["overall_quality", "musicality"],
         "emotion": "valence-arousal", "emotion_frame": "both"},
        FOUR_TRIALS, {"rating": {"overall_quality", "musicality", "valence", "arousal"}},
    ),
    "gems": (
        {"method": "emotion", "emotion": "gems-9"}, FOUR_TRIALS,
        {"rating": {f"gems_{g}" for g in ("wonder", "transcendence", "tenderness", "nostalgia",
         "peacefulness", "power", "joyful_activation", "tension", "sadness")}},
    ),
    "human": ({"method": "human_or_machine"}, FOUR_TRIALS,
              {"rating": {"judged_human", "overall_quality"}}),
    "cmos": ({"method": "cmos"}, TWO_TRIALS, {"rating": {"overall_quality"}}),
    "dcr": ({"method": "dcr", "reference": "alpha"}, TWO_TRIALS, {"rating": {"overall_quality"}}),
    "ab": ({"method": "ab"}, TWO_TRIALS, {"preference": {"overall_quality"}}),
    "abx": ({"method": "abx"}, TWO_TRIALS, {"rating": {"identified"}}),
    "pairwise": (
        {"method": "pairwise", "dimensions": ["overall_quality", "creativity"],
         "design": "adaptive-pairs", "trials_per_rater": 2},
        TWO_TRIALS, {"preference": {"overall_quality", "creativity"}},
    ),
    "mushra": ({"method": "mushra", "reference": "alpha"}, TWO_TRIALS,
               {"rating": {"overall_quality"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", STUDIES)
def test_whole_study(name: str, served: Any, new_browser: Any) -> None:
    config, trials, dimensions = STUDIES[name]
    served.create(**config)
    (link,) = served.invite()
    served.start()
    pages = new_browser().take(link, name)
    assert len(pages) == trials
    for kind, expected in dimensions.items():
        rows = served.rows(kind)
        assert {r["dimension"] for r in rows} == expected
        assert len({r["assignment"] for r in rows}) == trials
    (rater,) = served.rows("rater")
    assert rater["status"] == "completed"
    assert served.rows("playback")


def test_every_page_kind_at_phone_width(sqlite_served: Any, new_browser: Any) -> None:
    sqlite_served.create(
        method="mos", training=1, traps=1, level=True, headphones={"rounds": 2},
        dimensions=["overall_quality", {"name": "swing", "question": {"en": "Does it swing?"}}],
        questionnaires=[
            {"name": "about", "when": "before",
             "questions": [{"name": "age", "text": "Your age?", "kind": "number"}]},
            {"name": "middle", "when": 2,
             "questions": [{"name": "tired", "text": "Tired?", "options": ["yes", "no"]}]},
        ],
    )  # fmt: skip
    (link,) = sqlite_served.invite()
    sqlite_served.start()
    pages = new_browser(390).take(link, "phone")
    assert pages[:4] == ["level", "headphones:0", "headphones:1", "q:about"]
    assert "q:middle" in pages
    assert len(pages) == 4 + 1 + 1 + 4 + 1
    kinds = {r["kind"] for r in sqlite_served.rows("rating")}
    assert kinds == {"test", "training", "trap"}


@pytest.mark.parametrize(
    ("language", "words"),
    [("de", "Absenden und weiter"), ("fr", "Envoyer et continuer"), ("zh", "提交并继续")],
)
def test_a_phone_chooses_the_language(
    language: str, words: str, sqlite_served: Any, new_browser: Any
) -> None:
    sqlite_served.create(method="mos", items_per_system=1)
    (link,) = sqlite_served.invite()
    sqlite_served.start()
    browser = new_browser(390, language)
    browser.open(link)
    box = browser.until("consent", lambda: browser.css("[data-testid=stCheckbox] input"))[0]
    browser.driver.execute_script("arguments[0].click()", box)

    def enabled() -> list[Any]:
        return [b for b in browser.css("[data-testid=stBaseButton-primary]") if b.is_enabled()]

    start = browser.until("start", enabled)[0]
    start.click()
    page = browser.page()
    assert browser.within(page, ".cc-submit")[0].text == words
    assert browser.css(f".cc-page[lang={language}]")
    browser.shot(f"language-{language}")


def test_every_control_has_a_name_and_the_keyboard_works(
    sqlite_served: Any, new_browser: Any
) -> None:
    from selenium.webdriver.common.keys import Keys

    sqlite_served.create(method="mushra", reference="alpha", items_per_system=1)
    (link,) = sqlite_served.invite()
    sqlite_served.start()
    browser = new_browser()
    browser.open(link)
    browser.consent()
    page = browser.page()
    browser.until("sound", lambda: browser.within(page, ".cc-play:not([disabled])"))
    for control in browser.within(page, "button, input, textarea, [role=slider], progress"):
        if control.is_displayed():
            assert control.accessible_name, control.get_property("outerHTML")
    for group in browser.within(page, "fieldset.cc-choices, [role=group]"):
        assert group.accessible_name, group.get_property("outerHTML")[:300]
    wave = browser.within(page, ".cc-wave")[0]
    wave.send_keys("3")
    pressed = browser.within(page, ".cc-clip[aria-pressed=true]")
    assert [p.text for p in pressed] == ["B"]
    # the picture is the same for every clip: it must not show which one the hidden reference is
    drawn = "return arguments[0].querySelector('canvas').toDataURL()"
    pictures = set()
    for digit in "12345":
        wave.send_keys(digit)
        pictures.add(browser.driver.execute_script(drawn, wave))
    assert len(pictures) == 1
    wave.send_keys("l")
    assert browser.within(page, ".cc-loop")[0].get_attribute("aria-pressed") == "true"
    wave.send_keys("l")
    wave.send_keys(" ")
    browser.until("playing", lambda: browser.within(page, ".cc-play")[0].text == "Pause")
    browser.until("end", lambda: browser.within(page, ".cc-play")[0].text == "Play")
    wave.send_keys(Keys.ARROW_RIGHT)
    assert float(wave.get_attribute("aria-valuenow")) > 0.3
    slider = browser.within(page, ".cc-slider input")[0]
    assert slider.get_attribute("aria-valuetext") == "not rated yet"
