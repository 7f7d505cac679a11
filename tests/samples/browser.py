"""A headless Chromium over its own protocol, for tests of pages as people meet them."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
START_SECONDS = 60
# the contrast (WCAG 2.1) of an element's text with the ground of another, as JavaScript
CONTRAST = (
    "((text, ground) => { const lum = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v =>"
    " (v /= c.startsWith('color(') ? 1 : 255) <= 0.04045 ? v / 12.92"
    " : ((v + 0.055) / 1.055) ** 2.4);"
    " return 0.2126 * r + 0.7152 * g + 0.0722 * b; };"
    " const a = lum(getComputedStyle(text).color);"
    " const b = lum(getComputedStyle(ground).backgroundColor);"
    " return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); })"
)


class Tab:
    """One page; ``events`` keeps every event that the browser sent about it."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._numbers = count(1)
        self.events: list[dict[str, Any]] = []

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the protocol and waits for its answer."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=START_SECONDS))
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    def open(self, page: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Loads a file in a window of this size."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Page.navigate", url=page.as_uri())
        self.run(
            "new Promise(done => document.readyState === 'complete' ? done()"
            " : addEventListener('load', () => done()))"
        )

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; promises are awaited."""
        answer = self.send(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def complaints(self) -> list[str]:
        """Errors of scripts, refusals of the security policy, failed loads."""
        self.run("0")
        found = [e for e in self.events if e["method"] == "Runtime.exceptionThrown"]
        logged = [
            e
            for e in self.events
            if e["method"] == "Log.entryAdded" and e["params"]["entry"]["level"] == "error"
        ]
        return [json.dumps(e["params"]) for e in [*found, *logged]]

    def requests(self) -> list[str]:
        """Addresses that the page asked for, data inside it left out."""
        self.run("0")
        sent = [e for e in self.events if e["method"] == "Network.requestWillBeSent"]
        urls = [e["params"]["request"]["url"] for e in sent]
        return [u for u in urls if not u.startswith("data:")]


def check_page(tab: Tab, page: Path, width: int, dark: bool, contrasts: str) -> None:
    """In such a window nothing sticks out, and the least of ``contrasts``, an array in JavaScript,
    is what WCAG 2.1 asks of text."""
    tab.open(page, width=width, dark=dark)
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.run(f"Math.min(...{contrasts})") >= 4.5


@contextmanager
def browser_tab(profile: Path) -> Iterator[Tab]:
    """A fresh browser with one tab; it ends with the block."""
    from websockets.sync.client import connect

    assert CHROMIUM is not None
    switches = ("headless", "no-sandbox", "disable-gpu", "disable-background-networking",
                "disable-dev-shm-usage", "no-first-run", "remote-debugging-port=0")  # fmt: skip
    command = [CHROMIUM, *(f"--{s}" for s in switches), f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port, path = _address(profile / "DevToolsActivePort", process)
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None) as whole:
            targets = Tab(whole).send("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        address = f"ws://127.0.0.1:{port}/devtools/page/{page}"
        with connect(address, max_size=None) as socket:
            yield Tab(socket)
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def _address(file: Path, process: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Port and path, which the browser writes to a file once it listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        lines = file.read_text().split("\n") if file.exists() else []
        if len(lines) == 2:
            return lines[0], lines[1]
        assert process.poll() is None, "the browser ended at once"
        time.sleep(0.05)
    raise AssertionError("the browser did not start")
