"""Serving the dashboard: apart from the raters' app, on this machine only without a login."""

from __future__ import annotations

from pathlib import Path

from concours.eval.errors import UsageError
from concours.listening_test.live import LiveStudy, serve_this
from concours.listening_test.server import SETTINGS

LOCAL = {"127.0.0.1", "::1", "localhost"}

needs_login = False


def watch(live: LiveStudy, host: str, port: int, oidc: bool) -> None:
    """Runs the dashboard until it is stopped.

    Raises:
        UsageError: an address that others reach, without a login.
    """
    global needs_login  # noqa: PLW0603 - a process serves one dashboard
    if host not in LOCAL and not oidc:
        raise UsageError(
            f"--host {host}: the dashboard shows which system is which; keep it on 127.0.0.1, "
            "or add --oidc and streamlit's [auth] secrets"
        )
    from streamlit.web.server.starlette import App

    needs_login = oidc
    serve_this(live)
    app = App(Path(__file__).with_name("dashboard.py"))
    app.run(config={**SETTINGS, "server.address": host, "server.port": port})
