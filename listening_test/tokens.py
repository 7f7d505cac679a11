"""Signatures: a cookie that says who, links that say who may hear what, and links to join.

Each study has a secret of its own in the store. Signatures are HMAC-SHA256 over the purpose and
all parts, so that one kind cannot stand for another.
"""

from __future__ import annotations

import hmac
from urllib.parse import quote

COOKIE_SECONDS = 60 * 60 * 24 * 60


def sign(secret: str, purpose: str, *parts: str) -> str:
    """The signature of parts for one purpose, 40 hexadecimal digits.

    >>> sign("s", "stim", "a", "b") == sign("s", "stim", "ab", "")
    False
    """
    message = "\x1f".join([purpose, *parts]).encode()
    return hmac.new(secret.encode(), message, "sha256").hexdigest()[:40]


def holds(secret: str, signature: str, purpose: str, *parts: str) -> bool:
    """Whether the signature is right; takes the same time either way."""
    return hmac.compare_digest(sign(secret, purpose, *parts).encode(), signature.encode())


def cookie_name(study_id: str) -> str:
    return f"concours_{study_id[:12]}"


def cookie_value(secret: str, rater_id: str) -> str:
    return f"{rater_id}.{sign(secret, 'cookie', rater_id)}"


def rater_of_cookie(secret: str, value: str | None) -> str | None:
    """The rater's id in a cookie of ours; None for any other."""
    rater_id, _, signature = (value or "").partition(".")
    return rater_id if holds(secret, signature, "cookie", rater_id) else None


def stimulus_link(secret: str, rater_id: str, page: str, slot: int) -> str:
    mac = sign(secret, "stim", rater_id, page, str(slot))
    return f"/stim/{quote(page, safe='')}/{slot}/{mac}"


def join_link(base: str, token: str) -> str:
    return f"{base.rstrip('/')}/join/{token}"


def crowd_link(base: str, key: str, platform: str = "prolific") -> str:
    """The link to put on a crowd platform.

    Prolific fills in its placeholders. MTurk's survey links cannot: the page asks the worker for
    the id, unless a script of the requester's adds ``?workerId=…``.
    """
    link = f"{base.rstrip('/')}/crowd/{key}"
    if platform == "mturk":
        return link
    return (
        f"{link}?PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}"
        "&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    )


def completion_code(secret: str, rater_id: str) -> str:
    """Eight characters without any that are easily confused."""
    alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    digest = bytes.fromhex(sign(secret, "done", rater_id))
    return "".join(alphabet[b % 32] for b in digest[:8])
