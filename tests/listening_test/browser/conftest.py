"""A rater in headless Chromium."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SCREENSHOTS = os.environ.get("CONCOURS_SCREENSHOTS")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


class Browser:
    """A rater's browser."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def css(self, selector: str) -> list[Any]:
        return list(self.driver.find_elements("css selector", selector))

    def until(self, what: str, condition: Callable[[], Any], seconds: float = 60) -> Any:
        from selenium.common.exceptions import WebDriverException

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                found = condition()
            except (WebDriverException, StopIteration):
                found = None
            if found:
                return found
            time.sleep(0.05)
        self.shot("failure")
        raise AssertionError(f"no {what}; the page says:\n{self.text()}")

    def text(self) -> str:
        return str(self.driver.find_element("css selector", "body").text)

    def shot(self, name: str) -> None:
        if SCREENSHOTS:
            width = self.driver.execute_script("return innerWidth")
            self.driver.save_screenshot(f"{SCREENSHOTS}/{name}-{width}.png")

    def open(self, link: str) -> None:
        self.driver.get(link)

    def consent(self) -> None:
        self.until("consent", lambda: self.css("[data-testid=stCheckbox] input"))
        box = self.css("[data-testid=stCheckbox] input")[0]
        self.driver.execute_script("arguments[0].click()", box)
        self.until("button", lambda: self.button("Begin").is_enabled())
        self.button("Begin").click()

    def button(self, text: str) -> Any:
        return next(b for b in self.css("button") if b.text.strip() == text)

    def page(self, after: str = "") -> str:
        """The id of the page shown now, other than ``after``; "" once the study is done."""

        def look() -> str | None:
            if "completion code" in self.text().lower():
                return "done"
            names = [p.get_attribute("data-page") for p in self.css(".cc-page")]
            fresh = [n for n in names if n != after]
            return fresh[0] if fresh and len(names) == 1 else None

        found = str(self.until("next page", look))
        return "" if found == "done" else found

    def within(self, page: str, selector: str) -> list[Any]:
        return self.css(f".cc-page[data-page='{page}'] :is({selector})")

    def listen(self, page: str) -> None:
        self.until("sound", lambda: self.within(page, ".cc-play:not([disabled])"))
        clips = self.within(page, ".cc-clip")
        for i in range(max(1, len(clips))):
            if clips:
                clips[i].click()
            bars = self.within(page, "progress")
            self.within(page, ".cc-play")[0].click()
            self.until("heard", lambda i=i, bars=bars: float(bars[i].get_property("value")) >= 100)
            self.until("end", lambda: self.within(page, ".cc-play")[0].text == "Play")
        self.until(
            "unlocked",
            lambda: self.css(f".cc-page[data-page='{page}'][data-unlocked=true]"),
        )

    def fill(self, page: str, pick: int = 0) -> None:
        for question in self.within(page, "fieldset.cc-choices"):
            inputs = question.find_elements("css selector", "input")
            self.driver.execute_script("arguments[0].click()", inputs[pick % len(inputs)])
        for slider in self.within(page, ".cc-slider input"):
            slider.send_keys("\ue014")  # arrow right
        for field in self.within(page, ".cc-field input"):
            field.send_keys("30")

    def submit(self, page: str) -> None:
        self.within(page, ".cc-submit")[0].click()

    def notice(self, page: str) -> str:
        return str(self.within(page, ".cc-notice")[0].text)

    def take(self, link: str, name: str = "") -> list[str]:
        """The whole study; returns the pages that were answered."""
        self.open(link)
        if name:
            self.until("consent", lambda: self.css("[data-testid=stCheckbox] input"))
            self.shot(f"{name}-consent")
        self.consent()
        pages: list[str] = []
        while page := self.page(pages[-1] if pages else ""):
            if self.within(page, ".cc-player") and page != "level":
                self.listen(page)
            self.fill(page, len(pages))
            if name:
                self.shot(f"{name}-{len(pages)}")
            self.submit(page)
            pages.append(page)
        if name:
            self.shot(f"{name}-done")
        return pages


@pytest.fixture
def new_browser(tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    """Makes browsers, each with a fresh profile."""
    driver_path = shutil.which("chromedriver")
    if driver_path is None:
        pytest.skip("chromedriver is missing: apt-get install chromium chromium-driver")
    selenium = pytest.importorskip("selenium.webdriver")
    opened: list[Any] = []

    def make(width: int = 1280, language: str = "en") -> Browser:
        options = selenium.ChromeOptions()
        profile = tmp_path / f"profile{len(opened)}"
        for flag in (
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            f"--user-data-dir={profile}", f"--window-size={width},1700",
        ):  # fmt: skip
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        if width < 500:  # no window is narrower
            metrics = {"width": width, "height": 1700, "pixelRatio": 1}
            options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
        from selenium.webdriver.chrome.service import Service

        opened.append(selenium.Chrome(options=options, service=Service(driver_path)))
        return Browser(opened[-1])

    yield make
    for driver in opened:
        driver.quit()
