"""The app as raters without a browser meet it: crowd links, languages, headphones, completion."""

import csv
import os
import socket
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlencode

from concours.eval.store import open_store
from concours.eval.store import study as stored
from concours.listening_test.live import open_live
from concours.listening_test.sounds import softest_tone


def device_at(wire: Any, served: Any, link: str) -> Any:
    device = wire.Wire(served.base)
    device.join(link)
    device.connect()
    device.consent()
    return device


def test_a_crowd_id_is_one_rater_and_ends_with_one_code(sqlite_served: Any, wire: Any) -> None:
    served = sqlite_served
    served.create(method="mos", items_per_system=1, completion_url="https://example.org/?cc={code}")
    link = served.call(
        "study", "invite", "pilot", "--crowd", "--store", served.url, "--base-url", served.base
    ).strip()
    served.start()
    device = wire.Wire(served.base)
    assert device.request("GET", "/crowd/nothing?PROLIFIC_PID=person1")[0] == 404
    assert device.request("GET", "/crowd/nothing")[0] == 404
    # a platform that fills nothing in: the page asks, in the browser's language
    for unfilled in (link, link.partition("?")[0]):
        spoken = {"Accept-Language": "de-DE,de;q=0.9"}
        status, asked = device.request("GET", unfilled.removeprefix(served.base), headers=spoken)
        assert status == 200
        assert 'name="workerId"' in asked.decode()
        assert "Kennung" in asked.decode()
    assert all("set-cookie" not in h for h in device.headers)
    mine = link.partition("?")[0] + "?PROLIFIC_PID=person1&STUDY_ID=s&SESSION_ID=x"
    codes = set()
    for _ in range(2):
        device = wire.Wire(served.base)
        device.join(mine)
        device.connect()
        device.rerun()
        if device.page() is None and "agree" in device.widgets:
            device.consent()
        while page := device.page():
            device.listen(page)
            assert device.submit(page, wire.answers_to(page))["result"] == "stored"
            device.rerun()
        code = next(e.code for e in device.elements if e.WhichOneof("type") == "code")
        codes.add(code.code_text)
        assert f"https://example.org/?cc={code.code_text}" in device.text()
    assert len(codes) == 1
    assert len(served.rows("rater")) == 1
    assert len(served.rows("rating")) == 2


def test_mturk_workers_get_a_code_each_that_the_requester_can_check(
    sqlite_served: Any, wire: Any
) -> None:
    served = sqlite_served
    served.create(method="mos", items_per_system=1)
    link = served.call(
        "study", "invite", "pilot", "--crowd", "--platform", "mturk", "--store", served.url,
        "--base-url", served.base,
    ).strip()  # fmt: skip
    assert "{{" not in link
    served.start()
    codes = {}
    for worker in ("A1WORKER", "=A2"):
        device = wire.Wire(served.base)
        device.join(f"{link}?{urlencode({'workerId': worker, 'hitId': 'h', 'assignmentId': 'x'})}")
        device.connect()
        device.consent()
        while page := device.page():
            device.listen(page)
            assert device.submit(page, wire.answers_to(page))["result"] == "stored"
            device.rerun()
        code = next(e.code for e in device.elements if e.WhichOneof("type") == "code")
        codes[worker] = code.code_text
    assert len(set(codes.values())) == 2
    printed = served.call("study", "codes", "pilot", "--store", served.url)
    rows = list(csv.DictReader(printed.splitlines()))
    # a spreadsheet does not run an id as a formula
    assert {r["platform_id"].lstrip("'"): r["completion_code"] for r in rows} == codes
    assert {r["status"] for r in rows} == {"completed"}
    served.call("study", "export", "pilot", "--out", "out", "--store", served.url)
    for table in (served.folder / "out").iterdir():
        assert "A1WORKER" not in table.read_text()
        assert codes["A1WORKER"] not in table.read_text()
    served.call("study", "withdraw", "pilot", "A1WORKER", "--yes", "--store", served.url)
    assert "A1WORKER" not in served.call("study", "codes", "pilot", "--store", served.url)


def test_a_study_without_headphones_stops_there(sqlite_served: Any, wire: Any) -> None:
    served = sqlite_served
    served.create(method="mos", headphones={"rounds": 2, "needed": 2, "on_fail": "stop"})
    deaf_link, good_link = served.invite(2)
    served.start()
    with open_store(served.url) as store:
        live = open_live(store, "pilot")
        ids = {r["rater"]: r["id"] for r in stored.rater_rows(store, live.id)}
    for number, link, shift in ((1, deaf_link, 1), (2, good_link, 0)):
        device = device_at(wire, served, link)
        for n in range(2):
            page = device.page()
            assert page["page"] == f"headphones:{n}"
            assert page["wave"] is False
            right = softest_tone(live.secret, ids[number], page["page"])
            answer = {"softest": (right + shift) % 3}
            assert device.submit(page, answer)["result"] == "stored"
            device.rerun()
        if shift:
            assert device.page() is None
            assert "needs headphones" in device.text()
            assert "withdraw" in device.widgets
        else:
            assert len(device.page()["page"]) == 32


def test_another_server_process_takes_over(sqlite_served: Any, wire: Any) -> None:
    served = sqlite_served
    served.create(method="mos", items_per_system=1)
    (link,) = served.invite()
    served.start()
    first = device_at(wire, served, link)
    page = first.page()
    first.close()
    served.kill()
    served.start()
    again = wire.Wire(served.base)
    again.join(link)
    again.connect()
    again.rerun()
    assert again.page()["page"] == page["page"]
    assert again.page()["slots"][0]["url"] == page["slots"][0]["url"]


def test_the_dashboard_shows_systems_here(running: Any, wire: Any) -> None:
    device = device_at(wire, running, running.invite()[0])
    page = device.page()
    device.listen(page)
    device.submit(page, wire.answers_to(page))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "concours.eval.cli", "study", "dashboard", "pilot",
         "--port", str(port), "--store", running.url],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ},
    )  # fmt: skip
    try:
        watcher = wire.Wire(f"http://127.0.0.1:{port}")
        end = time.monotonic() + 60
        while True:
            try:
                watcher.connect()
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.2)
        watcher.rerun()
        shown = watcher.text()
        assert "Raters finished" in shown
        kinds = {e.WhichOneof("type") for e in watcher.elements}
        assert kinds & {"arrow_data_frame", "dataframe"}, kinds
    finally:
        watcher.close()
        process.kill()
        process.wait()
