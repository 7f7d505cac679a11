"""A rater without a browser: HTTP and Streamlit's WebSocket protocol, every received byte kept."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

DEVICES: list[Wire] = []


class Wire:
    """One device of one rater. ``received`` holds all bytes that came from the server."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.host = urlsplit(base).netloc
        self.cookie = ""
        self.received: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.socket: Any = None
        self.open = ExitStack()
        self.cached: dict[str, Any] = {}
        self.elements: list[Any] = []
        self.widgets: dict[str, Any] = {}

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        sent = {"Cookie": self.cookie, **(headers or {})}
        if body is not None:
            sent = {"Origin": self.base, "Content-Type": "application/json", **sent}
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, data, sent)
        response = connection.getresponse()
        content = response.read()
        head = {k.lower(): v for k, v in response.getheaders()}
        self.headers.append(head)
        self.received += [content, repr(sorted(head.items())).encode(), path.encode()]
        connection.close()
        return response.status, content

    def join(self, link: str) -> None:
        status, _ = self.request("GET", urlsplit(link).path + "?" + urlsplit(link).query)
        assert status == 303, status
        self.cookie = self.headers[-1]["set-cookie"].split(";")[0]

    def connect(self) -> None:
        from websockets.sync.client import connect

        self.socket = self.open.enter_context(
            connect(
                self.base.replace("http", "ws") + "/_stcore/stream",
                origin=self.base,  # type: ignore[arg-type]
                subprotocols=["streamlit"],  # type: ignore[list-item]
                additional_headers={"Cookie": self.cookie},
                max_size=None,
                open_timeout=60,
                ping_interval=None,
            )
        )
        DEVICES.append(self)

    def close(self) -> None:
        self.open.close()

    def rerun(self, **changed: Any) -> None:
        """Runs the script; ``changed`` are widget values by key (True for a button)."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        message = BackMsg()
        state = message.rerun_script
        state.query_string = ""
        for key, value in changed.items():
            widget = state.widget_states.widgets.add()
            widget.id = self.widgets[key]
            if key in {"agree", "sure"}:
                widget.bool_value = value
            else:
                widget.trigger_value = value
        self.socket.send(message.SerializeToString())
        self.elements = []
        while True:
            raw = self.socket.recv(timeout=60)
            self.received.append(raw)
            forward = ForwardMsg()
            forward.ParseFromString(raw)
            kind = forward.WhichOneof("type")
            if kind == "ref_hash":
                forward = self.cached[forward.ref_hash]
                kind = forward.WhichOneof("type")
            elif forward.hash:
                self.cached[forward.hash] = forward
            if kind == "new_session":
                self.elements = []
            if kind == "delta" and forward.delta.WhichOneof("type") == "new_element":
                self._seen(forward.delta.new_element)
            if kind == "script_finished" and forward.script_finished != 2:
                return

    def _seen(self, element: Any) -> None:
        self.elements.append(element)
        for kind in ("checkbox", "button"):
            if element.WhichOneof("type") == kind:
                found = getattr(element, kind).id
                self.widgets[found.rsplit("-", 1)[-1]] = found

    def page(self) -> dict[str, Any] | None:
        """What the page component was told; None where there is none."""
        for element in self.elements:
            if element.WhichOneof("type") == "bidi_component":
                found: dict[str, Any] = json.loads(element.bidi_component.json)
                return found
        return None

    def text(self) -> str:
        return " ".join(
            e.markdown.body if e.WhichOneof("type") == "markdown" else str(e) for e in self.elements
        )

    def consent(self) -> None:
        self.rerun()
        self.rerun(agree=True)
        self.rerun(agree=True, start=True)

    def listen(self, page: dict[str, Any], share: float = 1.0) -> list[bytes]:
        """Fetches every clip and waits as long as they last."""
        clips = [self.request("GET", slot["url"])[1] for slot in page["slots"]]
        time.sleep(share * page["mustHear"] * len(clips))
        return clips

    def submit(self, page: dict[str, Any], answers: dict[str, Any], key: str = "") -> Any:
        body = {
            "page": page["page"], "mac": page["mac"], "tab": page["tab"],
            "key": key or uuid.uuid4().hex, "answers": answers,
            "heard": [page["seconds"]] * len(page["slots"]),
            "events": [{"sequence": 0, "kind": "play", "slot": 0, "at_seconds": 0.0}],
        }  # fmt: skip
        status, content = self.request("POST", "/api/submit", body)
        return json.loads(content) if status == 200 else status


def answers_to(page: dict[str, Any], pick: int = 0) -> dict[str, Any]:
    """An answer to every question: the option ``pick``, or a number."""
    found: dict[str, Any] = {}
    for question in page["questions"]:
        if question["kind"] in {"scale", "choice", "manikin"}:
            options = question["options"]
            found[question["id"]] = options[pick % len(options)]["value"]
        elif question["kind"] == "slider":
            found[question["id"]] = 10 * (pick % 11)
    return found
