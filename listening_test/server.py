"""Serving a study: the Streamlit app with our routes and guard, under settings that are safe."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

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


def serve(live: LiveStudy, host: str, port: int, limits: Limits | None = None) -> None:
    """Runs the rater's app until it is stopped."""
    from starlette.middleware import Middleware
    from streamlit.web.server.starlette import App

    from concours.listening_test.routes import routes

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
