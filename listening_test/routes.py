"""What a rater's browser asks for besides the app: to join, to hear, to save.

Whoever cannot show the right cookie and signature gets the same 404 as for a page that is not
there.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from concours.eval.store import study
from concours.listening_test import sounds, tokens
from concours.listening_test.forms import AnswerError, check, parse_trial
from concours.listening_test.live import LiveStudy, served
from concours.listening_test.pages import Page, find_page, questions_of
from concours.listening_test.texts import available, texts_for

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

MAX_BODY = 64 << 10
MAX_EVENTS = 200
EVENT_KINDS = {"play", "pause", "end", "switch", "seek", "loop", "loop-off"}
# clocks differ, and the last of the clip may not be counted as heard
PATIENCE = 0.9
CROWD_IDS = ("PROLIFIC_PID", "workerId", "worker")

Reply = dict[str, Any]


def routes() -> list[Route]:
    from starlette.routing import Route

    return [
        Route("/join/{token}", _or_busy(join), methods=["GET"]),
        Route("/crowd/{key}", _or_busy(crowd), methods=["GET"]),
        Route("/stim/{page}/{slot:int}/{mac}", _or_busy(stimulus), methods=["GET"]),
        Route("/api/draft", _posted(draft), methods=["POST"]),
        Route("/api/submit", _posted(submit), methods=["POST"]),
    ]


async def join(request: Request) -> Response:
    """An invitation: exchanges the token for a cookie, once for each device."""
    live = served()
    found = await _in_thread(study.join_by_token, live.store, live.id, request.path_params["token"])
    return _welcome(live, found, request)


async def crowd(request: Request) -> Response:
    """A crowd platform's link: the platform's id is the rater."""
    live = served()
    query = request.query_params
    external = next((query[k] for k in CROWD_IDS if query.get(k)), "")
    if not external or len(external) > 100 or "{{" in external:
        key = request.path_params["key"]
        known = await _in_thread(study.is_crowd_key, live.store, live.id, key)
        return _ask_for_id(live, request) if known else _not_found()
    kept = ("STUDY_ID", "SESSION_ID", "assignmentId", "hitId")
    detail = {k: query[k][:100] for k in kept if k in query}
    found = await _in_thread(
        study.join_by_crowd, live.store, live.id, request.path_params["key"], external, detail,
        live.clock(),
    )  # fmt: skip
    return _welcome(live, found, request)


def _ask_for_id(live: LiveStudy, request: Request) -> Response:
    """A form for platforms that put no id into the link."""
    from starlette.responses import HTMLResponse

    wanted = request.headers.get("accept-language", "en")[:2].lower()
    language = wanted if wanted in available(live.raw) else "en"
    texts = {k: escape(v) for k, v in texts_for(live.raw, language).items()}
    page = f"""<!doctype html><html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{texts["title"]}</title>
<style>body {{font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto;
padding: 0 1rem; color: #1c2430}} input, button {{font: inherit; padding: .5rem .8rem;
border: 1px solid #8a94a3; border-radius: .5rem; margin-top: .5rem; min-height: 2.75rem}}
button {{background: #2457a8; color: #fff; border-color: #2457a8}}</style></head>
<body><h1>{texts["title"]}</h1><form method="get"><label for="id">{texts["platform_id"]}</label><br>
<input id="id" name="workerId" required maxlength="100" autocomplete="off">
<button>{texts["consent_start"]}</button></form></body></html>"""
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


async def stimulus(request: Request) -> Response:
    """A clip: for the rater whose link it is, while the page is open."""
    live = served()
    rater_id = _cookie_rater(live, request)
    page_name, slot = request.path_params["page"], int(request.path_params["slot"])
    mac = request.path_params["mac"]
    if rater_id is None or not tokens.holds(
        live.secret, mac, "stim", rater_id, page_name, str(slot)
    ):
        return _not_found()
    data = await _in_thread(_clip, live, rater_id, page_name, slot)
    return _not_found() if data is None else _ranged(request, data)


def _clip(live: LiveStudy, rater_id: str, page_name: str, slot: int) -> bytes | None:
    rater = study.find_rater(live.store, live.id, rater_id)
    page = find_page(live, rater, page_name) if rater else None
    if page is None or not 0 <= slot < page.slots:
        return None
    if page.kind == "level":
        return sounds.level_sound(live.config.audio)
    if page.kind == "headphones":
        return sounds.tones(live.secret, rater_id, page_name)
    assert page.assignment is not None
    if page.kind == "correction":
        if study.find_correction(live.store, rater_id) != page_name:
            return None
    elif page.assignment.status != "open":
        return None
    return live.clip(page.assignment.slots[slot].stimulus_id)


def draft(live: LiveStudy, rater: study.Rater, page: Page, body: Mapping[str, Any]) -> Reply:
    """Keeps a half-filled page and what was played; tells a tab that it is not the newest."""
    correcting = page.kind == "correction"
    if page.kind == "trial" and page.assignment and page.assignment.status == "submitted":
        return {"result": "conflict", "tab": "mine"}
    answers = body.get("answers")
    if not isinstance(answers, dict) or len(answers) > 200:
        return {"result": "rejected", "reason": "failed"}
    tab = str(body.get("tab", ""))[:40]
    now = live.clock()
    current = study.save_draft(live.store, rater.id, page.name, answers, now, correcting)
    _record(live, page, tab, body)
    return {"result": "saved", "tab": "mine" if current in (None, tab) else "other"}


def submit(live: LiveStudy, rater: study.Rater, page: Page, body: Mapping[str, Any]) -> Reply:
    """Stores an answer once; refuses one that is incomplete or faster than its clips."""
    key, answers = str(body.get("key", "")), body.get("answers")
    if not 16 <= len(key) <= 64 or not isinstance(answers, dict):
        return {"result": "rejected", "reason": "failed"}
    now = live.clock()
    language = rater.language or "en"
    questions = questions_of(live, page, texts_for(live.raw, language), language)
    heard = _heard(body, page.slots)
    try:
        if page.assignment is None:
            checked = check(questions, answers)
            return {"result": study.answer_page(live.store, rater.id, page.name, key, checked, now)}
        parsed = parse_trial(live.config, page.assignment, questions, answers)
    except AnswerError as error:
        return {"result": "rejected", "reason": "missing", "what": str(error)}
    elapsed = now - page.assignment.opened_at
    if page.kind == "trial" and page.assignment.status != "submitted":
        if any(h < PATIENCE * page.must_hear for h in heard):
            return {"result": "rejected", "reason": "not_heard"}
        if elapsed < PATIENCE * page.must_hear * page.slots:
            return {"result": "rejected", "reason": "too_fast"}
    answer = study.Answer(
        key=key,
        elapsed=elapsed,
        ratings=parsed.ratings,
        preferences=parsed.preferences,
        heard=heard,
        comment=parsed.comment,
    )
    if page.kind == "correction":
        result = study.correct(live.store, rater.id, page.name, answer, now)
    else:
        result = study.submit(live.store, rater.id, page.assignment.id, answer, now)
    _record(live, page, str(body.get("tab", ""))[:40], body)
    return {"result": result}


def _or_busy(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """A database that is locked is no crash: the browser tries again."""

    async def calm(request: Request) -> Response:
        from starlette.responses import PlainTextResponse

        try:
            return await endpoint(request)
        except study.StoreBusy:
            headers = {"Cache-Control": "no-store", "Retry-After": "3"}
            return PlainTextResponse("Busy, please try again", 503, headers)

    return calm


def _posted(
    handle: Callable[[LiveStudy, study.Rater, Page, Mapping[str, Any]], Reply],
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        from starlette.responses import JSONResponse

        live = served()
        rater_id = _cookie_rater(live, request)
        raw = b""
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BODY:
                return JSONResponse({"result": "rejected", "reason": "failed"}, 413)
        try:
            body = json.loads(raw)
        except ValueError:
            return _not_found()
        if rater_id is None or not isinstance(body, dict):
            return _not_found()
        name = str(body.get("page", ""))
        if not tokens.holds(live.secret, str(body.get("mac", "")), "page", rater_id, name):
            return _not_found()
        try:
            reply = await _in_thread(_handled, handle, live, rater_id, name, body)
        except study.StoreBusy:
            return JSONResponse({"result": "busy"}, 503)
        return _not_found() if reply is None else JSONResponse(reply)

    return endpoint


def _handled(
    handle: Callable[[LiveStudy, study.Rater, Page, Mapping[str, Any]], Reply],
    live: LiveStudy,
    rater_id: str,
    name: str,
    body: Mapping[str, Any],
) -> Reply | None:
    rater = study.find_rater(live.store, live.id, rater_id)
    if rater is None or not rater.consented:
        return None
    page = find_page(live, rater, name)
    if page is None:
        return None
    if not live.is_open():
        return {"result": "rejected", "reason": "closed"}
    return handle(live, rater, page, body)


def _record(live: LiveStudy, page: Page, tab: str, body: Mapping[str, Any]) -> None:
    events = body.get("events")
    if page.assignment is None or not isinstance(events, list):
        return
    if page.kind == "correction":  # the same tab counts its events anew
        tab = f"{tab}:{page.name.rpartition(':')[2]}"
    kept = []
    for event in events[:MAX_EVENTS]:
        try:
            played = study.Playback(
                int(event["sequence"]), str(event["kind"]), int(event["slot"]),
                float(event["at_seconds"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            continue
        if (
            played.kind in EVENT_KINDS
            and 0 <= played.sequence < 100_000
            and 0 <= played.slot < page.slots
            and 0 <= played.at_seconds <= page.seconds + 1
        ):
            kept.append(played)
    study.record_playback(live.store, page.assignment.id, tab, kept, live.clock())


def _heard(body: Mapping[str, Any], slots: int) -> list[float]:
    given = body.get("heard")
    numbers = given if isinstance(given, list) else []
    valid = [float(h) if isinstance(h, int | float) and 0 <= h < 1e6 else 0.0 for h in numbers]
    return (valid + [0.0] * slots)[:slots]


def _cookie_rater(live: LiveStudy, request: Request) -> str | None:
    value = request.cookies.get(tokens.cookie_name(live.id))
    return tokens.rater_of_cookie(live.secret, value)


def _welcome(live: LiveStudy, found: study.Rater | None, request: Request) -> Response:
    from starlette.responses import RedirectResponse

    if found is None:
        return _not_found()
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        tokens.cookie_name(live.id),
        tokens.cookie_value(live.secret, found.id),
        max_age=tokens.COOKIE_SECONDS,
        httponly=True,
        secure="https" in (request.url.scheme, request.headers.get("x-forwarded-proto")),
        samesite="lax",
        path="/",
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _not_found() -> Response:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse("Not found", status_code=404, headers={"Cache-Control": "no-store"})


def _ranged(request: Request, data: bytes) -> Response:
    """The bytes, or one range of them; no validator that could identify the file."""
    from starlette.responses import Response

    headers = {"Cache-Control": "no-store", "Accept-Ranges": "bytes"}
    asked = request.headers.get("range", "")
    if asked.startswith("bytes=") and "," not in asked:
        first, _, last = asked[6:].partition("-")
        try:
            start = int(first) if first else max(0, len(data) - int(last))
            end = min(int(last) if last and first else len(data) - 1, len(data) - 1)
        except ValueError:
            start, end = 0, -1
        if start > end or start >= len(data) or start < 0:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{len(data)}"})
        headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        return Response(data[start : end + 1], 206, headers, "audio/wav")
    return Response(data, 200, headers, "audio/wav")


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(function, *arguments)
