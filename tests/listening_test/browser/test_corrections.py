"""A rater goes back in a real browser: a new revision, through reloads, clicks and second tabs."""

import time
from typing import Any


def answered_study(served: Any, browser: Any, **config: Any) -> str:
    """A rater on the second trial, who answered the first with a hostile comment."""
    served.create(**{"method": "mos", "items_per_system": 1, **config})
    (link,) = served.invite()
    served.start()
    browser.open(link)
    browser.consent()
    page = str(browser.page())
    browser.listen(page)
    browser.fill(page, 1)
    comment = browser.within(page, ".cc-field textarea")[0]
    comment.send_keys('<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>')
    browser.submit(page)
    browser.page(page)
    return page


def go_back(browser: Any) -> str:
    """Opens the first answer; returns the page of its correction."""
    shown = browser.page()
    browser.until("way back", lambda: browser.button("Correct an earlier answer")).click()
    browser.until("list", lambda: "Your answers so far" in browser.text())
    browser.shot("review")
    browser.until("trial", lambda: [b for b in browser.css("button") if "Trial 1:" in b.text])[
        0
    ].click()
    return str(browser.page(shown))


def test_an_answer_is_corrected_and_the_study_goes_on(served: Any, new_browser: Any) -> None:
    browser = new_browser(1280 if served.url.startswith("sqlite") else 390)
    first = answered_study(served, browser)
    fix = go_back(browser)
    assert fix.startswith(f"fix:{first}:")
    assert "correct your answer" in browser.text()
    checked = browser.within(fix, "input:checked")
    assert [c.get_property("value") for c in checked] == ["1"]
    # nothing is locked: the clips were heard; they can be heard again
    browser.until("sound", lambda: browser.within(fix, ".cc-play:not([disabled])"))
    browser.shot("correction")
    browser.fill(fix, 4)
    time.sleep(1)
    browser.driver.refresh()
    assert browser.page() == fix
    checked = browser.within(fix, "input:checked")
    assert [c.get_property("value") for c in checked] == ["4"]
    button = browser.within(fix, ".cc-submit")[0]
    assert button.text == "Save the correction"
    browser.driver.execute_script("for (let i = 0; i < 4; i++) arguments[0].click()", button)
    page = browser.page(fix)
    assert browser.driver.execute_script("return window.hacked === undefined")
    browser.listen(page)
    browser.fill(page)
    browser.submit(page)
    assert browser.page(page) == ""
    rows = [r for r in served.rows("rating") if r["assignment"] == first]
    assert [(r["value"], r["revision"], bool(r["superseded"])) for r in rows] == [
        (2.0, 1, True),
        (5.0, 2, False),
    ]
    # the end is no end of it
    fix = go_back_from_the_end(browser)
    browser.fill(fix, 2)
    browser.submit(fix)
    browser.until("code", lambda: "completion code" in browser.text().lower())
    rows = [r for r in served.rows("rating") if r["assignment"] == first]
    assert [r["value"] for r in rows if not r["superseded"]] == [3.0]


def go_back_from_the_end(browser: Any) -> str:
    browser.until("way back", lambda: browser.button("Correct an earlier answer")).click()
    browser.until("trial", lambda: [b for b in browser.css("button") if "Trial 1:" in b.text])[
        0
    ].click()
    return str(browser.until("form", lambda: browser.css(".cc-page"))[0].get_attribute("data-page"))


def test_a_correction_that_is_left_changes_nothing(sqlite_served: Any, new_browser: Any) -> None:
    browser = new_browser()
    answered_study(sqlite_served, browser)
    fix = go_back(browser)
    browser.fill(fix, 4)
    time.sleep(1)
    browser.until("button", lambda: browser.button("Leave it as it was")).click()
    following = browser.page(fix)
    time.sleep(1)
    browser.driver.refresh()
    assert browser.page() == following
    (row,) = sqlite_served.rows("rating")
    assert (row["value"], row["revision"]) == (2.0, 1)


def test_two_tabs_correct_one_answer_once(sqlite_served: Any, new_browser: Any) -> None:
    browser = new_browser()
    answered_study(sqlite_served, browser)
    fix = go_back(browser)
    driver = browser.driver
    first = driver.current_window_handle
    address = driver.current_url
    driver.switch_to.new_window("tab")
    browser.open(address)
    assert browser.page() == fix
    browser.fill(fix, 3)
    browser.submit(fix)
    browser.until("stored", lambda: len(sqlite_served.rows("rating")) == 2)
    driver.switch_to.window(first)
    browser.fill(fix, 0)
    browser.submit(fix)
    browser.until("told", lambda: "answered already" in browser.notice(fix))
    rows = sqlite_served.rows("rating")
    assert [r["value"] for r in rows if not r["superseded"]] == [4.0]
    assert len(rows) == 2


def test_a_closed_study_keeps_the_code_and_the_right_to_withdraw(
    sqlite_served: Any, new_browser: Any
) -> None:
    browser = new_browser()
    page = answered_study(sqlite_served, browser)
    sqlite_served.call("study", "close", "pilot", "--store", sqlite_served.url)
    browser.driver.refresh()
    browser.until("told", lambda: "This study is closed" in browser.text())
    browser.until("button", lambda: browser.button("Withdraw")).click()
    browser.until("box", lambda: "erased for good" in browser.text())
    box = browser.css("[data-testid=stCheckbox] input")[0]
    browser.driver.execute_script("arguments[0].click()", box)
    browser.until("button", lambda: browser.button("Erase now").is_enabled())
    browser.button("Erase now").click()
    browser.until("farewell", lambda: "Everything is erased" in browser.text())
    assert page
    assert sqlite_served.rows("rating") == []
