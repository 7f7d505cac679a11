"""What goes wrong in real life: nothing is lost, nothing doubled, and the rater is told.

On both databases where the database takes part in it: what is stored half, twice or at once.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Any

from sqlalchemy import text

from concours.eval.store import open_store

MOS = {"method": "mos", "items_per_system": 1}


def begun(browser: Any, link: str) -> str:
    """The first trial, heard and ready to be answered."""
    browser.open(link)
    browser.consent()
    page = str(browser.page())
    browser.listen(page)
    return page


def once_each(served: Any, trials: int) -> None:
    rows = served.rows("rating")
    assert len(rows) == trials
    assert len({r["assignment"] for r in rows}) == trials


def finish(browser: Any, page: str) -> None:
    while page := browser.page(page):
        browser.listen(page)
        browser.fill(page)
        browser.submit(page)


def test_reload_in_mid_form_keeps_the_answers(served: Any, new_browser: Any) -> None:
    served.create(**MOS)
    (link,) = served.invite()
    served.start()
    browser = new_browser()
    page = begun(browser, link)
    browser.fill(page, 3)
    comment = browser.within(page, ".cc-field textarea")[0]
    comment.send_keys("half a thought")
    time.sleep(1)
    browser.driver.refresh()
    assert browser.page() == page
    checked = browser.within(page, "input:checked")
    assert [c.get_property("value") for c in checked] == ["3"]
    assert browser.within(page, ".cc-field textarea")[0].get_property("value") == "half a thought"
    browser.listen(page)
    browser.submit(page)
    finish(browser, page)
    once_each(served, 2)
    assert "half a thought" in {r["comment"] for r in served.rows("rating")}


def test_half_filled_page_moves_to_another_device(sqlite_served: Any, new_browser: Any) -> None:
    sqlite_served.create(**MOS)
    (link,) = sqlite_served.invite()
    sqlite_served.start()
    first, second = new_browser(), new_browser(390)
    page = begun(first, link)
    first.fill(page, 1)
    time.sleep(1)
    second.open(link)
    assert second.page() == page
    checked = second.within(page, "input:checked")
    assert [c.get_property("value") for c in checked] == ["1"]


class LosesTheAnswer:
    """A wire to the server that breaks once: the server handles a submission and is killed before
    a byte of its answer gets through. The class is that wire's other end, for the browser."""

    def __init__(self, served: Any) -> None:
        self.served = served
        self.broken = threading.Event()
        self.door = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.door.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                inner, _ = self.door.accept()
            except OSError:
                return
            threading.Thread(target=self.connect, args=(inner,), daemon=True).start()

    def connect(self, inner: socket.socket) -> None:
        with inner, suppress(OSError):
            outer = socket.create_connection(("127.0.0.1", self.served.port))
            asked = threading.Event()

            def answers() -> None:
                with outer, suppress(OSError):
                    while chunk := outer.recv(1 << 16):
                        if asked.is_set():
                            self.served.kill()
                            self.broken.set()
                            break
                        inner.sendall(chunk)
                    inner.shutdown(socket.SHUT_RDWR)

            threading.Thread(target=answers, daemon=True).start()
            while chunk := inner.recv(1 << 16):
                if chunk.startswith(b"POST /api/submit") and not self.broken.is_set():
                    asked.set()
                outer.sendall(chunk)
            outer.shutdown(socket.SHUT_RDWR)


def test_server_killed_between_submit_and_answer(served: Any, new_browser: Any) -> None:
    served.create(**MOS)
    (link,) = served.invite()
    served.start()
    wire = LosesTheAnswer(served)
    with wire.door:
        browser = new_browser()
        page = begun(browser, link.replace(served.base, wire.base))
        browser.fill(page)
        browser.submit(page)
        assert wire.broken.wait(60)
        once_each(served, 1)
        browser.until("notice", lambda: "Not saved yet" in browser.notice(page))
        served.start()
        finish(browser, page)
    once_each(served, 2)


def test_server_gone_before_submit_keeps_the_form_and_tells(
    sqlite_served: Any, new_browser: Any
) -> None:
    sqlite_served.create(**MOS)
    (link,) = sqlite_served.invite()
    sqlite_served.start()
    browser = new_browser()
    page = begun(browser, link)
    browser.fill(page, 4)
    sqlite_served.kill()
    browser.submit(page)
    browser.until("notice", lambda: "Not saved yet" in browser.notice(page))
    assert len(browser.within(page, "input:checked")) == 1
    sqlite_served.start()
    finish(browser, page)
    once_each(sqlite_served, 2)
    assert 5.0 in {r["value"] for r in sqlite_served.rows("rating")}


def test_database_locked_for_twenty_seconds(served: Any, new_browser: Any) -> None:
    served.create(**MOS)
    (link,) = served.invite()
    served.start()
    browser = new_browser()
    page = begun(browser, link)
    browser.fill(page)
    time.sleep(1)
    with open_store(served.url, served.folder) as rival, rival.writing() as connection:
        if rival.engine.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE submission, assignment IN EXCLUSIVE MODE"))
        browser.submit(page)
        browser.until("notice", lambda: "longer than usual" in browser.notice(page))
        time.sleep(20)
        assert len(browser.within(page, "input:checked")) == 1
    finish(browser, page)
    once_each(served, 2)


def test_two_tabs_are_told_and_double_nothing(served: Any, new_browser: Any) -> None:
    served.create(**MOS)
    (link,) = served.invite()
    served.start()
    browser = new_browser()
    page = begun(browser, link)
    driver = browser.driver
    first = driver.current_window_handle
    driver.switch_to.new_window("tab")
    browser.open(link)
    assert browser.page() == page
    browser.listen(page)
    browser.fill(page, 2)
    second = driver.current_window_handle
    driver.switch_to.window(first)
    browser.fill(page, 0)
    browser.until("warning", lambda: "another tab" in browser.text())
    driver.switch_to.window(second)
    browser.submit(page)
    browser.until("saved", lambda: len(served.rows("rating")) == 1)
    driver.switch_to.window(first)
    browser.submit(page)
    browser.until("told", lambda: "answered already" in browser.notice(page))
    finish(browser, page)
    once_each(served, 2)


def test_four_clicks_are_one_answer(served: Any, new_browser: Any) -> None:
    served.create(**MOS)
    (link,) = served.invite()
    served.start()
    browser = new_browser()
    page = begun(browser, link)
    browser.fill(page)
    button = browser.within(page, ".cc-submit")[0]
    browser.driver.execute_script("for (let i = 0; i < 4; i++) arguments[0].click()", button)
    finish(browser, page)
    once_each(served, 2)


def test_back_button_returns_to_the_open_trial(sqlite_served: Any, new_browser: Any) -> None:
    sqlite_served.create(**MOS)
    (link,) = sqlite_served.invite()
    sqlite_served.start()
    browser = new_browser()
    page = begun(browser, link)
    browser.fill(page)
    browser.submit(page)
    following = browser.page(page)
    browser.driver.back()
    browser.driver.forward()
    browser.open(link)
    assert browser.page() == following
    browser.listen(following)
    browser.fill(following)
    browser.submit(following)
    assert browser.page(following) == ""
    once_each(sqlite_served, 2)


def test_rater_withdraws_and_everything_is_erased(served: Any, new_browser: Any) -> None:
    served.create(**MOS)
    (link,) = served.invite()
    served.start()
    browser = new_browser()
    page = begun(browser, link)
    browser.fill(page)
    browser.submit(page)
    browser.page(page)
    assert len(served.rows("rating")) == 1
    browser.button("Withdraw").click()
    browser.until("box", lambda: "erased for good" in browser.text())
    box = browser.css("[data-testid=stCheckbox] input")[0]
    browser.driver.execute_script("arguments[0].click()", box)
    browser.until("button", lambda: browser.button("Erase now").is_enabled())
    browser.button("Erase now").click()
    browser.until("farewell", lambda: "Everything is erased" in browser.text())
    assert served.rows("rating") == []
    assert served.rows("playback") == []
    assert served.rows("rater") == []
    browser.open(link)
    browser.until("nothing", lambda: "Not found" in browser.text())


def test_answers_stay_locked_until_the_clip_was_heard(sqlite_served: Any, new_browser: Any) -> None:
    sqlite_served.create(**MOS)
    (link,) = sqlite_served.invite()
    sqlite_served.start()
    browser = new_browser()
    browser.open(link)
    browser.consent()
    page = browser.page()
    assert browser.within(page, "input:checked") == []
    assert not browser.within(page, ".cc-submit")[0].is_enabled()
    assert not browser.within(page, "fieldset.cc-choices input")[0].is_enabled()
