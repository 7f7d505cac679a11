"""The doorkeeper in front of the app: what may be asked, by whom, how often, and what is logged.

Streamlit answers more than a listening test needs and to anybody. Here only the paths of the app
pass; a WebSocket or a POST must come from a page of the same origin; each address has a budget of
requests, of connections and of failed guesses; every answer carries the security headers; and the
access log shows neither tokens nor signatures.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]

PASSED = (
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/stream",
    "/_stcore/bidi-components/",
    "/static/",
    "/join/",
    "/crowd/",
    "/stim/",
    "/api/",
)
EXACT = ("/", "/favicon.png", "/favicon.ico", "/manifest.json")
SECRET_PATHS = ("/join/", "/crowd/", "/stim/")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' blob: 'unsafe-inline' 'wasm-unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_REMEMBERED = 10_000

log = logging.getLogger("concours.listening_test.access")


class Budget(NamedTuple):
    """A token bucket: ``rate`` a second, ``burst`` at once."""

    rate: float
    burst: float


class Limits(NamedTuple):
    """For each address: requests, new WebSockets, failed guesses; and messages of a WebSocket."""

    requests: Budget = Budget(100, 1500)
    sockets: Budget = Budget(5, 60)
    failures: Budget = Budget(0.5, 20)
    messages: Budget = Budget(20, 200)


class Buckets:
    """Token buckets by address; the oldest are forgotten."""

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self.budget = budget
        self.clock = clock
        self.levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def peek(self, who: str) -> float:
        level, then = self.levels.get(who, (self.budget.burst, self.clock()))
        return min(self.budget.burst, level + (self.clock() - then) * self.budget.rate)

    def take(self, who: str) -> bool:
        """Spends one token; False where none is left."""
        level = self.peek(who)
        spent = level >= 1
        self.levels[who] = (level - 1 if spent else level, self.clock())
        self.levels.move_to_end(who)
        while len(self.levels) > _REMEMBERED:
            self.levels.popitem(last=False)
        return spent


class Guard:
    """ASGI middleware around a whole app; ``passed`` and ``exact`` are the paths it answers."""

    def __init__(
        self,
        app: Any,
        limits: Limits | None = None,
        passed: tuple[str, ...] = PASSED,
        exact: tuple[str, ...] = EXACT,
    ) -> None:
        self.app = app
        self.passed, self.exact = passed, exact
        self.limits = limits or Limits()
        self.requests = Buckets(self.limits.requests)
        self.sockets = Buckets(self.limits.sockets)
        self.failures = Buckets(self.limits.failures)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Any, send: Any) -> None:
        who, path = _address(scope), scope["path"]
        status = 0

        async def guarded(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                kept = [
                    (k, v)
                    for k, v in message.get("headers", [])
                    if k.lower() not in {b"server", b"etag", b"last-modified"}
                ]
                kept += [(k.encode(), v.encode()) for k, v in HEADERS.items()]
                message = {**message, "headers": kept}
            await send(message)

        refused = self._refusal(scope, who, path)
        if refused:
            await _plain(guarded, refused)
        else:
            await self.app(scope, receive, guarded)
            if status == 404 and path.startswith((*SECRET_PATHS, "/api/")):
                self.failures.take(who)
        log.info("%s %s %s %s", who, scope["method"], redacted(path), status)

    def _refusal(self, scope: Scope, who: str, path: str) -> int:
        if not self.requests.take(who):
            return 429
        if path.startswith(SECRET_PATHS) and self.failures.peek(who) < 1:
            return 429
        if not (path in self.exact or path.startswith(self.passed)) or ".." in path or "\\" in path:
            return 404
        if scope["method"] not in {"GET", "HEAD"}:
            if not path.startswith("/api/"):
                return 405
            if not same_origin(scope):
                return 403
        return 0

    async def _websocket(self, scope: Scope, receive: Any, send: Any) -> None:
        who = _address(scope)
        allowed = (
            scope["path"] == "/_stcore/stream" and same_origin(scope) and self.sockets.take(who)
        )
        if not allowed:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            log.info("%s WEBSOCKET refused", who)
            return
        messages = Buckets(self.limits.messages)

        async def metered() -> Any:
            message = await receive()
            if message["type"] == "websocket.receive" and not messages.take(who):
                log.info("%s WEBSOCKET flooded", who)
                await send({"type": "websocket.close", "code": 1008})
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        await self.app(scope, metered, send)


def same_origin(scope: Scope) -> bool:
    """Whether the request names an origin, and it is this host."""
    headers = {k.lower(): v.decode("latin-1") for k, v in scope["headers"]}
    origin = headers.get(b"origin", "")
    return bool(origin) and urlsplit(origin).netloc == headers.get(b"host")


def redacted(path: str) -> str:
    """A path for the log, without what it lets somebody do.

    >>> redacted("/join/abc"), redacted("/static/x.js")
    ('/join/…', '/static/x.js')
    """
    for secret in SECRET_PATHS:
        if path.startswith(secret):
            return f"{secret}…"
    return path


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else "?"


async def _plain(send: Any, status: int) -> None:
    text = {403: "Forbidden", 404: "Not found", 405: "Not allowed", 429: "Too many requests"}
    headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text[status].encode()})
