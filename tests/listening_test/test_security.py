"""Attacks on a served study, each tried: nothing opens, nothing tells, nothing is logged."""

import hashlib
import json
import re
import urllib.parse
from typing import Any

import pytest

MOS: dict[str, Any] = {"method": "mos", "items_per_system": 1}


def rater(wire: Any, served: Any, link: str) -> Any:
    device = wire.Wire(served.base)
    device.join(link)
    device.connect()
    device.consent()
    return device


def test_what_is_not_the_app_is_not_there(running: Any, wire: Any) -> None:
    device = wire.Wire(running.base)
    for path in (
        "/_stcore/metrics", "/_stcore/upload_file/x/y", "/_stcore/script-health-check", "/media/x",
        "/component/x/index.html", "/admin", "/dashboard", "/app/static/x", "/study.db",
        "/../study.db", "/static/../../study.db", "/static/%2e%2e/%2e%2e/study.db",
        "/stim/..%2f..%2fstudy.db/0/" + "0" * 40, "/static/..%5c..%5cstudy.db",
        "/_stcore/bidi-components/../../../../etc/passwd",
        "/_stcore/bidi-components/concours_page/../../../server.py",
    ):  # fmt: skip
        status, content = device.request("GET", path)
        assert status in {400, 403, 404}, (path, status)
        assert b"SQLite format" not in content
        assert b"root:" not in content


def test_every_answer_has_the_security_headers(running: Any, wire: Any) -> None:
    device = wire.Wire(running.base)
    for path in ("/", "/_stcore/health", "/nowhere"):
        device.request("GET", path)
        head = device.headers[-1]
        assert "frame-ancestors 'none'" in head["content-security-policy"]
        assert head["x-content-type-options"] == "nosniff"
        assert head["referrer-policy"] == "no-referrer"
        assert "etag" not in head
        assert "last-modified" not in head


def test_guessed_tokens_open_nothing_and_run_out(sqlite_served: Any, wire: Any) -> None:
    sqlite_served.create(**MOS)
    sqlite_served.start()
    sqlite_served.invite()
    device = wire.Wire(sqlite_served.base)
    # whoever calls itself somebody else each time gains nothing by it
    statuses = [
        device.request(
            "GET", f"/join/{'x' * 31}{i % 10}", headers={"X-Forwarded-For": f"203.0.113.{i}"}
        )[0]
        for i in range(40)
    ]
    assert set(statuses) == {404, 429}
    assert statuses[-1] == 429
    assert all("set-cookie" not in h for h in device.headers)


def test_behind_a_named_proxy_each_rater_has_limits_of_their_own(
    sqlite_served: Any, wire: Any
) -> None:
    sqlite_served.create(**MOS)
    sqlite_served.start("--forwarded", "127.0.0.1")
    device = wire.Wire(sqlite_served.base)

    def guess(seen_by_proxy: str) -> int:
        sent = {"X-Forwarded-For": seen_by_proxy}
        return int(device.request("GET", "/join/" + "x" * 32, headers=sent)[0])

    assert [guess("203.0.113.1") for _ in range(40)][-1] == 429
    assert guess("203.0.113.2") == 404
    # what the rater put in front of the proxy's own word counts for nothing
    assert guess("203.0.113.3, 203.0.113.1") == 429
    log = sqlite_served.log.read_text()
    assert "203.0.113.1 GET /join/… 429" in log
    assert "203.0.113.3" not in log


def test_forged_cookies_show_no_study(running: Any, wire: Any) -> None:
    (link,) = running.invite()
    honest = wire.Wire(running.base)
    honest.join(link)
    device = wire.Wire(running.base)
    name, _, value = honest.cookie.partition("=")
    device.cookie = f"{name}={value.split('.')[0]}.{'0' * 40}"
    device.connect()
    device.rerun()
    assert device.page() is None
    assert "personal link" in device.text()


def test_stimulus_links_are_bound_to_rater_trial_and_slot(running: Any, wire: Any) -> None:
    one, two = running.invite(2)
    mine, other = rater(wire, running, one), rater(wire, running, two)
    page = mine.page()
    url = page["slots"][0]["url"]
    assert mine.request("GET", url)[0] == 200
    assert other.request("GET", url)[0] == 404
    assert wire.Wire(running.base).request("GET", url)[0] == 404
    head, _, mac = url.rpartition("/")
    forged = head + "/" + ("0" if mac[0] != "0" else "1") + mac[1:]
    assert mine.request("GET", forged)[0] == 404
    assert mine.request("GET", url.replace("/0/", "/1/"))[0] == 404
    mine.listen(page)
    assert mine.submit(page, wire.answers_to(page))["result"] == "stored"
    assert mine.request("GET", url)[0] == 404


def test_clips_of_a_correction_are_heard_while_it_is_open(running: Any, wire: Any) -> None:
    one, two = running.invite(2)
    mine, other = rater(wire, running, one), rater(wire, running, two)
    first = mine.page()
    mine.listen(first)
    assert mine.submit(first, wire.answers_to(first))["result"] == "stored"
    mine.rerun()
    mine.rerun(review=True)
    mine.rerun(fix1=True)
    page = mine.page()
    url = page["slots"][0]["url"]
    assert mine.request("GET", url)[0] == 200
    assert mine.request("GET", first["slots"][0]["url"])[0] == 404
    assert other.request("GET", url)[0] == 404
    assert other.submit(page, wire.answers_to(page)) == 404
    bad = {**wire.answers_to(page), "overall_quality": 9}
    assert mine.submit(page, bad)["result"] == "rejected"
    key = "c" * 32
    assert mine.submit(page, wire.answers_to(page, 1), key)["result"] == "stored"
    assert mine.submit(page, wire.answers_to(page, 1), key)["result"] == "repeated"
    assert mine.submit(page, wire.answers_to(page, 2))["result"] == "conflict"
    assert mine.request("GET", url)[0] == 404
    # a guessed page of a revision that nobody opened
    later = page["page"].rpartition(":")[0] + ":3"
    assert mine.submit({**page, "page": later}, wire.answers_to(page)) == 404


def test_ranges_of_a_clip(running: Any, wire: Any) -> None:
    (link,) = running.invite()
    device = rater(wire, running, link)
    url = device.page()["slots"][0]["url"]
    _, whole = device.request("GET", url)
    status, part = device.request("GET", url, headers={"Range": "bytes=10-19"})
    assert (status, part) == (206, whole[10:20])
    status, tail = device.request("GET", url, headers={"Range": "bytes=-5"})
    assert (status, tail) == (206, whole[-5:])
    assert device.request("GET", url, headers={"Range": f"bytes={len(whole)}-"})[0] == 416


def test_foreign_origins_are_refused(running: Any, wire: Any) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    (link,) = running.invite()
    device = rater(wire, running, link)
    page = device.page()
    for origin in ("https://evil.example", "null", f"{running.base}.evil.example"):
        body = {"page": page["page"], "mac": page["mac"], "answers": {}}
        assert device.request("POST", "/api/draft", body, {"Origin": origin})[0] == 403
        with pytest.raises(InvalidStatus):
            connect(
                running.base.replace("http", "ws") + "/_stcore/stream",
                origin=origin,  # type: ignore[arg-type]
                additional_headers={"Cookie": device.cookie},
            )
    with pytest.raises(InvalidStatus):
        connect(running.base.replace("http", "ws") + "/_stcore/stream", origin=None)


def test_only_what_was_asked_is_stored(sqlite_served: Any, wire: Any) -> None:
    sqlite_served.create(**MOS, audio={"seconds": 2.5, "rate": 22050})
    sqlite_served.start()
    (link,) = sqlite_served.invite()
    device = rater(wire, sqlite_served, link)
    page = device.page()
    good = wire.answers_to(page)
    early = device.submit(page, good)
    assert early["reason"] == "too_fast"
    device.listen(page)
    for bad in (
        {}, {**good, "overall_quality": 6}, {**good, "overall_quality": True},
        {**good, "overall_quality": "5"}, {**good, "system": "alpha"},
        {**good, "comment": "x" * 3000}, {**good, "overall_quality": {"$gt": 0}},
    ):  # fmt: skip
        assert device.submit(page, bad)["result"] == "rejected"
    unheard = {**page, "seconds": 0.0}
    assert device.submit(unheard, good)["reason"] == "not_heard"
    assert device.submit({**page, "mac": "0" * 40}, good) == 404
    assert device.submit({**page, "page": "level"}, good) == 404
    assert sqlite_served.rows("rating") == []
    assert device.submit(page, good)["result"] == "stored"
    assert len(sqlite_served.rows("rating")) == 1


def test_an_answer_is_replayed_without_effect(running: Any, wire: Any) -> None:
    (link,) = running.invite()
    device = rater(wire, running, link)
    page = device.page()
    device.listen(page)
    good = wire.answers_to(page)
    key = page["page"]
    assert device.submit(page, good, key)["result"] == "stored"
    assert device.submit(page, good, key)["result"] == "repeated"
    assert device.submit(page, good, "j" * 32)["result"] == "conflict"
    assert sum(r["assignment"] == page["page"] for r in running.rows("rating")) == 1


def test_script_in_comments_stays_text(running: Any, wire: Any, tmp_path: Any) -> None:
    from concours.eval.store import open_store
    from concours.eval.store import study as stored
    from concours.listening_test.exporting import export_study

    (link,) = running.invite()
    device = rater(wire, running, link)
    page = device.page()
    device.listen(page)
    hostile = '=HYPERLINK("http://evil.example")<script>alert(1)</script>'
    device.submit(page, {**wire.answers_to(page), "comment": hostile})
    with open_store(running.url) as store:
        found = stored.find_study(store, "pilot")
        export_study(store, found.id, tmp_path / "out")
    exported = (tmp_path / "out" / "ratings.csv").read_text()
    assert "'=HYPERLINK" in exported
    assert "evil.example" not in running.log.read_text()


def test_a_closed_study_takes_nothing(sqlite_served: Any, wire: Any) -> None:
    sqlite_served.create(**MOS)
    sqlite_served.start()
    from concours.eval.store import open_store
    from concours.eval.store import study as stored

    (link,) = sqlite_served.invite()
    device = rater(wire, sqlite_served, link)
    page = device.page()
    device.listen(page)
    with open_store(sqlite_served.url) as store:
        stored.close_study(store, stored.find_study(store, "pilot").id, 1.0)
    assert device.submit(page, wire.answers_to(page))["reason"] == "closed"
    device.rerun()
    assert "closed" in device.text()


def test_tokens_are_in_no_log(running: Any, wire: Any) -> None:
    (link,) = running.invite()
    device = rater(wire, running, link)
    page = device.page()
    device.listen(page)
    device.submit(page, wire.answers_to(page))
    log = running.log.read_text()
    assert "/join/…" in log
    token = urllib.parse.urlsplit(link).path.rpartition("/")[2]
    for secret in (token, device.cookie.partition(".")[2], page["mac"]):
        assert secret not in log
    assert page["slots"][0]["url"] not in log


@pytest.mark.parametrize(
    ("config", "clips"),
    [
        ({"method": "mos", "show_prompt": True}, 4),
        ({"method": "emotion", "emotion": "both", "emotion_frame": "both"}, 4),
        ({"method": "human_or_machine", "traps": 1, "training": 1}, 6),
        ({"method": "cmos", "traps": 1}, 6),
        ({"method": "dcr", "reference": "alpha"}, 4),
        ({"method": "ab"}, 4),
        ({"method": "abx"}, 6),
        ({"method": "pairwise", "traps": 1, "training": 1, "design": "adaptive-pairs",
          "trials_per_rater": 2}, 8),
        ({"method": "mushra", "reference": "alpha"}, 10),
    ],
    ids=lambda given: given["method"] if isinstance(given, dict) else "",
)  # fmt: skip
def test_nothing_received_tells_the_system(
    config: dict[str, Any], clips: int, sqlite_served: Any, wire: Any
) -> None:
    """All traffic of a whole study, compared with everything that names or betrays a system."""
    served = sqlite_served
    if config.get("show_prompt"):
        rows = "".join(f"piece{i}.wav,a cheerful tune\n" for i in range(3))
        (served.folder / "prompts.csv").write_text(f"path,prompt\n{rows}")
        paths = {s: {"path": s, "prompts": "prompts.csv"} for s in ("alpha", "beta")}
        config = {**config, "systems": paths}
    served.create(items_per_system=2, must_hear=0.05, **config)
    (link,) = served.invite()
    served.start()
    device = rater(wire, served, link)
    sizes, hashes = set(), []
    while page := device.page():
        heard = device.listen(page)
        sizes |= {len(c) for c in heard}
        hashes += [hashlib.sha256(c).hexdigest() for c in heard]
        assert device.submit(page, wire.answers_to(page))["result"] == "stored"
        device.rerun()
    # going back shows nothing more
    device.rerun(review=True)
    device.rerun(fix1=True)
    page = device.page()
    assert page["page"].startswith("fix:")
    device.listen(page)
    assert device.submit(page, wire.answers_to(page, 1))["result"] == "stored"
    device.rerun()
    assert len(hashes) == clips
    assert len(set(hashes)) == clips
    assert len(sizes) == 1
    traffic = b"\n".join(device.received)
    betrayers = ["alpha", "beta", "piece0", "piece1", "piece2", ".db", str(served.folder)]
    betrayers += ["hidden_ref", "anchor_low", "anchor_mid", "gold", "trap", "training 1"]
    for row in served.rows("stimulus"):
        betrayers += [row["stimulus_id"], row["clip_sha256"], row["served_sha256"]]
        betrayers += [row["clip_sha256"][:16], row["served_sha256"][:16]]
    for system in ("alpha", "beta"):
        for file in (served.folder / system).iterdir():
            content = file.read_bytes()
            betrayers.append(hashlib.md5(content).hexdigest())
            betrayers.append(str(len(content)))
    for betrayer in betrayers:
        assert not re.search(rf"\b{re.escape(betrayer)}\b".encode(), traffic), betrayer
    heads = [h for h in device.headers if h.get("content-type") == "audio/wav"]
    shapes = {json.dumps({k: v for k, v in h.items() if k != "date"}) for h in heads}
    assert len(shapes) == 1


def test_the_dashboard_needs_this_machine_or_a_login(running: Any) -> None:
    from concours.eval.errors import UsageError
    from concours.eval.store import open_store
    from concours.listening_test.live import open_live
    from concours.listening_test.watching import watch

    with open_store(running.url) as store, pytest.raises(UsageError, match="oidc"):
        watch(open_live(store, "pilot"), "0.0.0.0", 8766, oidc=False)
