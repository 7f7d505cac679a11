"""The page component: what Python tells the browser, and the mounting of it in Streamlit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from concours.eval.store import study
from concours.listening_test import tokens
from concours.listening_test.forms import slot_names
from concours.listening_test.live import LiveStudy
from concours.listening_test.pages import Page, questions_of
from concours.listening_test.texts import Texts

SCRIPTS = ("player.js", "form.js", "page.js")
SENT_TEXTS = (
    "listen", "play", "pause", "loop", "loop_help", "position", "clip", "heard", "keys",
    "must_hear", "unlocked", "sending", "slow", "failed", "saved", "conflict", "other_tab",
    "use_here", "not_heard", "too_fast", "missing", "loading", "load_failed", "prompt",
    "slider_untouched", "closed",
)  # fmt: skip


def page_data(
    live: LiveStudy, rater: study.Rater, page: Page, tab: str, texts: Texts, language: str
) -> dict[str, Any]:
    """Everything the browser gets to know of a page; it holds nothing that names a system."""
    names = slot_names(page.assignment, texts) if page.assignment else [texts["clip"]]
    slots = [
        {"name": names[i], "url": tokens.stimulus_link(live.secret, rater.id, page.name, i)}
        for i in range(page.slots)
    ]
    done = {"level": "level_done", "correction": "correct_submit"}.get(page.kind, "submit")
    data = {
        "page": page.name,
        "mac": tokens.sign(live.secret, "page", rater.id, page.name),
        "language": language,
        "slots": slots,
        "seconds": page.seconds,
        "mustHear": page.must_hear,
        # the picture must not answer what the ear is asked
        "wave": page.kind != "headphones",
        "questions": questions_of(live, page, texts, language),
        "prompt": page.assignment.prompt if page.assignment and live.config.shows_prompt else "",
        "submitText": texts[done],
        "texts": {key: texts[key] for key in SENT_TEXTS},
    }
    signature = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
    return {**data, "signature": signature, "tab": tab}


@cache
def _mount() -> Callable[..., Any]:
    import streamlit as st

    here = files("concours.listening_test")
    mount: Callable[..., Any] = st.components.v2.component(
        "concours_page",
        html='<div class="cc-host"></div>',
        css=here.joinpath("player.css").read_text(encoding="utf-8"),
        js="\n".join(here.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS),
        isolate_styles=False,
    )
    return mount


def show_page(data: dict[str, Any], draft: dict[str, Any], on_take: Callable[[], None]) -> None:
    """Puts a page on the screen; a sent answer or a taken tab runs the script again."""
    _mount()(
        key=f"page-{data['page']}-{data['language']}",
        data={**data, "draft": draft},
        on_next_change=lambda: None,
        on_take_change=on_take,
    )
