"""Serving the dashboard: apart from the raters' app, on this machine only without a login."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path

from concours.eval.errors import UsageError
from concours.listening_test.guard import Guard
from concours.listening_test.live import LiveStudy, serve_this
from concours.listening_test.server import SETTINGS

LOCAL = {"127.0.0.1", "::1", "localhost"}
PASSED = ("/_stcore/health", "/_stcore/host-config", "/_stcore/stream", "/static/", "/auth/")
EXACT = ("/", "/favicon.png", "/favicon.ico", "/manifest.json", "/oauth2callback")

needs_login = False
allowed_emails: tuple[str, ...] = ()


def watch(
    live: LiveStudy, host: str, port: int, *, oidc: bool = False, allowed: Sequence[str] = ()
) -> None:
    """Runs the dashboard until it is stopped.

    ``allowed`` are e-mail addresses, or patterns such as ``*@example.org``.

    Raises:
        UsageError: an address that others reach, without a login; a login without people.
    """
    global needs_login, allowed_emails
    if host not in LOCAL and not oidc:
        raise UsageError(
            f"--host {host}: the dashboard shows which system is which; keep it on 127.0.0.1, "
            "or add --oidc and streamlit's [auth] secrets"
        )
    if oidc:
        _check_login(allowed)
    elif allowed:
        raise UsageError("--allow needs --oidc: without a login nobody has an e-mail address")
    from starlette.middleware import Middleware
    from streamlit.web.server.starlette import App

    needs_login, allowed_emails = oidc, tuple(allowed)
    serve_this(live)
    guard = Middleware(Guard, passed=PASSED, exact=EXACT)
    app = App(Path(__file__).with_name("dashboard.py"), middleware=[guard])
    app.run(config={**SETTINGS, "server.address": host, "server.port": port})


def _check_login(allowed: Sequence[str]) -> None:
    if not allowed:
        raise UsageError(
            "--oidc lets in whoever the provider knows: name who may see the dashboard with "
            "--allow EMAIL (or --allow '*@example.org', '*' for everybody)"
        )
    if find_spec("authlib") is None or find_spec("httpx") is None:
        raise UsageError("--oidc needs Authlib and httpx: pip install 'concours[oidc]'")
    if not any((p / ".streamlit" / "secrets.toml").is_file() for p in (Path(), Path.home())):
        raise UsageError(
            "--oidc needs .streamlit/secrets.toml here with [auth]: redirect_uri, cookie_secret, "
            "client_id, client_secret, server_metadata_url"
        )


def may_watch(email: str, verified: bool) -> bool:
    """Whether somebody who logged in may see the dashboard; an address must not be unverified.

    >>> allowed_emails
    ()
    >>> may_watch("a@example.org", True)
    False
    """
    if not email or not verified:
        return False
    return any(fnmatchcase(email.lower(), pattern.lower()) for pattern in allowed_emails)
