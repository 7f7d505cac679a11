"""The rater's app: Streamlit runs this script on every step. All state is in the store."""

from __future__ import annotations

import logging
import time
import uuid

import streamlit as st

from concours.eval.store import study
from concours.listening_test import tokens
from concours.listening_test.forms import given_answers, summary, trial_questions
from concours.listening_test.live import LiveStudy, served
from concours.listening_test.pages import Page, current_page
from concours.listening_test.player import page_data, show_page
from concours.listening_test.texts import (
    Texts,
    available,
    in_language,
    plain_markdown,
    texts_for,
)

RETRY_SECONDS = 2.0
STYLE = """<style>
[data-testid="stHeader"], [data-testid="stToolbar"] {display: none}
.block-container {padding-top: 1.5rem; padding-bottom: 3rem; max-width: 46rem}
h1 {font-size: 1.6rem !important; padding: 0 0 .25rem !important}
@media (max-width: 560px) {.block-container {padding-left: .8rem; padding-right: .8rem}}
</style>"""


def main() -> None:
    live = served()
    language = _first_language(live)
    texts = texts_for(live.raw, language)
    title = in_language(live.raw.get("title"), language, texts["title"])
    st.set_page_config(page_title=title, layout="centered")
    st.html(STYLE)
    try:
        _show(live)
    except study.StoreBusy:
        st.warning(texts["busy"])
        time.sleep(RETRY_SECONDS)
        st.rerun()
    except Exception:  # the rater is told; what they gave is in the store
        logging.getLogger(__name__).exception("a page failed")
        st.error(texts["broken"])


def _show(live: LiveStudy) -> None:
    cookie = st.context.cookies.get(tokens.cookie_name(live.id))
    rater_id = tokens.rater_of_cookie(live.secret, cookie)
    rater = study.find_rater(live.store, live.id, rater_id) if rater_id else None
    language = (rater.language if rater else None) or _first_language(live)
    texts = texts_for(live.raw, language)
    if rater is None:
        _end(
            texts["title"],
            texts["withdraw_done" if st.session_state.get("gone") else "no_invitation"],
        )
        return
    if rater.language is None:
        study.set_language(live.store, rater.id, language)
    if st.session_state.get("withdrawing"):
        _withdraw(live, rater, texts)
        return
    if not live.is_open():
        _closed(live, rater, texts, language)
        return
    if st.session_state.get("reviewing"):
        _review(live, rater, texts, language)
        return
    if "tab" not in st.session_state:
        st.session_state.tab = uuid.uuid4().hex
        study.take_tab(live.store, rater.id, st.session_state.tab, live.clock())
    elif rater.tab != st.session_state.tab:
        st.warning(texts["other_tab"])
        if st.button(texts["use_here"], key="use_here"):
            _take(live, rater)
            st.rerun()
    page = current_page(live, rater)
    _heading(live, rater, page, texts, language)
    if page.kind == "consent":
        _consent(live, rater, texts, language)
    elif page.kind == "excluded":
        st.info(texts["headphones_failed"])
    elif page.kind == "done":
        _done(live, rater, texts)
    else:
        data = page_data(live, rater, page, st.session_state.tab, texts, language)
        draft = study.read_draft(live.store, rater.id, page.name)
        show_page(data, draft, lambda: _take(live, rater))
        if page.kind == "correction" and st.button(texts["correct_leave"], key="leave"):
            study.close_correction(live.store, rater.id)
            st.rerun()
    if page.kind in {"trial", "questionnaire", "done"}:
        _offer_review(live, rater, texts)
    _footer(live, rater, texts, language)


def _heading(live: LiveStudy, rater: study.Rater, page: Page, texts: Texts, language: str) -> None:
    titles = {"consent": "consent_title", "level": "level_title", "headphones": "headphones_title",
              "questionnaire": "questionnaire_title", "done": "done_title"}  # fmt: skip
    if page.assignment is not None:
        training = len(live.training)
        done, assigned = study.progress(live.store, rater.id)
        total = max(assigned, live.planned_trials())
        number = page.assignment.position - training + 1
        if page.kind == "correction":
            st.title(texts["correct_title"].format(n=number))
            st.write(texts["correct_text"])
        elif page.assignment.kind == "training":
            st.title(texts["training_title"])
            st.write(texts["training_text"])
        else:
            st.title(texts["trial"].format(n=number, total=total - training))
        st.progress(min(1.0, done / max(1, total)))
        return
    default = texts["title"]
    key = titles.get(page.kind)
    st.title(texts[key] if key else in_language(live.raw.get("title"), language, default))
    if page.kind == "level":
        st.write(texts["level_text"])


def _consent(live: LiveStudy, rater: study.Rater, texts: Texts, language: str) -> None:
    st.write(in_language(live.raw.get("consent"), language, texts["consent_text"]))
    agreed = st.checkbox(texts["consent_agree"], key="agree")
    if st.button(texts["consent_start"], disabled=not agreed, type="primary", key="start"):
        version = int(study_version(live))
        study.give_consent(live.store, rater.id, version, live.clock())
        st.rerun()


def study_version(live: LiveStudy) -> int:
    from concours.listening_test.config import PROTOCOL_VERSION

    return int(live.raw.get("protocol_version", PROTOCOL_VERSION))


def _offer_review(live: LiveStudy, rater: study.Rater, texts: Texts) -> None:
    done, _ = study.progress(live.store, rater.id)
    if done > len(live.training) and st.button(texts["review"], key="review"):
        st.session_state.reviewing = True
        st.rerun()


def _review(live: LiveStudy, rater: study.Rater, texts: Texts, language: str) -> None:
    """The answered trials, each a button that opens it again."""
    st.title(texts["review_title"])
    st.write(texts["review_text"])
    for stored in study.answered_trials(live.store, rater.id):
        given = study.find_assignment(live.store, rater.id, stored.assignment_id)
        assert given is not None
        questions = trial_questions(live.config, given, texts, language)
        answers = given_answers(live.config, given, questions, stored)
        number = given.position - len(live.training) + 1
        label = f"{texts['review_trial'].format(n=number)}: {summary(questions, answers)}"
        if st.button(plain_markdown(label), key=f"fix{number}", width="stretch"):
            now = live.clock()
            study.open_correction(live.store, rater.id, given.id, answers, now)
            st.session_state.reviewing = False
            st.rerun()
    if st.button(texts["back"], key="back"):
        st.session_state.reviewing = False
        st.rerun()


def _closed(live: LiveStudy, rater: study.Rater, texts: Texts, language: str) -> None:
    """The end of the study takes no right away: the code, and the page to withdraw, stay."""
    if rater.completion_code is not None:
        _done(live, rater, texts)
    else:
        _end(texts["title"], texts["closed"])
    _footer(live, rater, texts, language)


def _done(live: LiveStudy, rater: study.Rater, texts: Texts) -> None:
    found = study.find_rater(live.store, live.id, rater.id)
    code = found.completion_code if found and found.completion_code else ""
    st.success(texts["done_text"])
    st.write(texts["completion_code"])
    st.code(code, language=None)
    if live.config.completion_url:
        st.link_button(
            texts["completion_return"], live.config.completion_url.replace("{code}", code)
        )


def _withdraw(live: LiveStudy, rater: study.Rater, texts: Texts) -> None:
    st.title(texts["withdraw_title"])
    st.write(texts["withdraw_text"])
    sure = st.checkbox(texts["withdraw_confirm"], key="sure")
    if st.button(texts["withdraw_button"], disabled=not sure, type="primary", key="erase"):
        study.withdraw_rater(live.store, rater.id, live.clock())
        st.session_state.gone = True
        st.session_state.withdrawing = False
        st.rerun()
    if st.button(texts["back"], key="back"):
        st.session_state.withdrawing = False
        st.rerun()


def _footer(live: LiveStudy, rater: study.Rater, texts: Texts, language: str) -> None:
    st.divider()
    names = available(live.raw)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        chosen = st.selectbox(
            texts["language"],
            list(names),
            index=list(names).index(language) if language in names else 0,
            format_func=lambda code: names[code],
            key=f"language-{language}",
        )
    with right:
        if st.button(texts["withdraw"], key="withdraw"):
            st.session_state.withdrawing = True
            st.rerun()
    if chosen is not None and chosen != language:
        study.set_language(live.store, rater.id, chosen)
        st.rerun()


def _take(live: LiveStudy, rater: study.Rater) -> None:
    study.take_tab(live.store, rater.id, st.session_state.tab, live.clock())


def _end(title: str, text: str) -> None:
    st.title(title)
    st.info(text)


def _first_language(live: LiveStudy) -> str:
    wanted = (st.context.locale or "en").split("-")[0].lower()
    return wanted if wanted in available(live.raw) else "en"


if __name__ == "__main__":
    main()
