"""Serving a study: the Streamlit app with our routes and guard, under settings that are safe."""

from __future__ import annotations

import ipaddress
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from concours.eval.errors import UsageError
from concours.listening_test.guard import Guard, Limits
from concours.listening_test.live import LiveStudy, serve_this

SETTINGS: dict[str, Any] = {
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "browser.gatherUsageStats": False,
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "server.maxUploadSize": 1,
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "runner.magicEnabled": False,
    "runner.postScriptGC": False,  # a full collection after every step costs more than the step
    "theme.base": "light",
    "theme.primaryColor": "#2457a8",
    "theme.textColor": "#1c2430",
    "theme.backgroundColor": "#ffffff",
    "theme.secondaryBackgroundColor": "#f2f5f9",
}


def proxy_addresses(names: Sequence[str]) -> tuple[str, ...]:
    """The addresses or networks of proxies, checked: the server takes any text without a word.

    >>> proxy_addresses(["127.0.0.1", "10.0.0.0/8"])
    ('127.0.0.1', '10.0.0.0/8')

    Raises:
        UsageError: what is neither an address nor a network.
    """
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError as error:
            raise UsageError(
                f"--forwarded {name}: {error}; give the proxy's address, such as 127.0.0.1, or its "
                "network, such as 10.0.0.0/8"
            ) from None
    return tuple(names)


def serve(
    live: LiveStudy,
    host: str,
    port: int,
    limits: Limits | None = None,
    proxies: Sequence[str] = (),
) -> None:
    """Runs the rater's app until it is stopped.

    ``proxies`` are the addresses whose ``X-Forwarded-For`` is believed. Nobody else's is: whoever
    could name an address of their own choice would have no limits.
    """
    from starlette.middleware import Middleware
    from streamlit.web.server.starlette import App

    from concours.listening_test.routes import routes

    # uvicorn would believe everybody on this machine, and a proxy that adds no such header of its
    # own passes the rater's on
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(proxies)
    serve_this(live)
    _log_to_stderr()
    app = App(
        Path(__file__).with_name("app.py"),
        routes=routes(),
        middleware=[Middleware(Guard, limits=limits or Limits())],
    )
    app.run(config={**SETTINGS, "server.address": host, "server.port": port})


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    access = logging.getLogger("concours.listening_test.access")
    access.addHandler(handler)
    access.setLevel(logging.INFO)
    access.propagate = False
