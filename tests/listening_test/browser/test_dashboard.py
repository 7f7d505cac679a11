"""The dashboard behind a login: a real OpenID Connect flow against a provider made for the test."""

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

CLIENT = "concours-test"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Provider:
    """Logs everybody in as ``email`` at once, by the authorization code flow with PKCE."""

    def __init__(self) -> None:
        from joserfc.jwk import RSAKey

        self.email, self.verified = "ada@example.org", True
        self.key = RSAKey.generate_key(2048, {"kid": "k", "use": "sig", "alg": "RS256"})
        self.asked: dict[str, dict[str, str]] = {}
        self.base = f"http://localhost:{free_port()}"
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urllib.parse.urlsplit(self.path)
                if url.path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(url.query))
                    self.end_headers()
                    return
                self.reply(provider.keys() if url.path == "/keys" else provider.metadata())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.reply(provider.token(dict(urllib.parse.parse_qsl(body))))

            def reply(self, found: dict[str, Any]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("localhost", int(self.base.rpartition(":")[2])), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.base, "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token", "jwks_uri": f"{self.base}/keys",
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }  # fmt: skip

    def keys(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=False)]}

    def authorize(self, query: str) -> str:
        asked = dict(urllib.parse.parse_qsl(query))
        assert asked["client_id"] == CLIENT
        code = os.urandom(8).hex()
        self.asked[code] = asked
        back = urllib.parse.urlencode({"code": code, "state": asked["state"]})
        return f"{asked['redirect_uri']}?{back}"

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        from joserfc import jwt

        asked = self.asked.pop(form["code"])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
        now = int(time.time())
        claims = {
            "iss": self.base, "sub": self.email, "aud": CLIENT, "iat": now, "exp": now + 600,
            "nonce": asked["nonce"], "email": self.email, "email_verified": self.verified,
        }  # fmt: skip
        token = jwt.encode({"alg": "RS256", "kid": "k"}, claims, self.key)
        return {"access_token": "x", "token_type": "Bearer", "id_token": token}


@pytest.fixture
def provider() -> Iterator[Provider]:
    pytest.importorskip("authlib")
    made = Provider()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def dashboard(sqlite_served: Any, provider: Provider) -> Iterator[Callable[..., str]]:
    """Starts the dashboard of a study with answers, behind the provider; gives its address."""
    sqlite_served.create(method="mos", items_per_system=1)
    sqlite_served.invite()
    port = free_port()
    base = f"http://localhost:{port}"
    (sqlite_served.folder / ".streamlit").mkdir()
    (sqlite_served.folder / ".streamlit" / "secrets.toml").write_text(
        f"""[auth]
redirect_uri = "{base}/oauth2callback"
cookie_secret = "{os.urandom(16).hex()}"
client_id = "{CLIENT}"
client_secret = "secret"
server_metadata_url = "{provider.base}/.well-known/openid-configuration"
"""
    )
    with (sqlite_served.folder / "dashboard.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "concours.eval.cli", "study", "dashboard", "pilot", "--oidc",
             "--allow", "*@example.org", "--port", str(port), "--store", sqlite_served.url],
            cwd=sqlite_served.folder, stdout=log, stderr=log,
        )  # fmt: skip
    end = time.monotonic() + 90
    while True:
        try:
            with urllib.request.urlopen(f"{base}/_stcore/health", timeout=2):
                break
        except OSError:
            assert time.monotonic() < end, (sqlite_served.folder / "dashboard.log").read_text()
            time.sleep(0.2)
    yield lambda: base
    process.kill()
    process.wait()


def log_in(browser: Any, base: str) -> None:
    browser.open(base)
    browser.until("login", lambda: browser.button("Log in")).click()


def test_the_named_people_see_the_study_and_others_do_not(
    dashboard: Callable[..., str], provider: Provider, new_browser: Any, wire: Any
) -> None:
    base = dashboard()
    stranger = wire.Wire(base)
    stranger.connect()
    stranger.rerun()
    assert "Log in" in stranger.text()
    for hidden in (b"pilot", b"alpha", b"beta"):
        assert all(hidden not in received for received in stranger.received)
    for path in ("/_stcore/metrics", "/join/x", "/api/draft", "/media/x", "/stim/a/0/b"):
        assert stranger.request("GET", path)[0] == 404
    # a cookie that nobody signed is no login
    forged = wire.Wire(base)
    forged.cookie = '_streamlit_user="eyJlbWFpbCI6ImFkYUBleGFtcGxlLm9yZyJ9"'
    forged.connect()
    forged.rerun()
    assert "Log in" in forged.text()
    browser = new_browser()
    log_in(browser, base)
    browser.until("dashboard", lambda: "Raters finished" in browser.text())
    browser.shot("dashboard")
    for email, verified in (("eve@example.com", True), ("ada@example.org", False)):
        provider.email, provider.verified = email, verified
        other = new_browser()
        log_in(other, base)
        other.until("refusal", lambda other=other: "may not see" in other.text())
        assert "Raters finished" not in other.text()
