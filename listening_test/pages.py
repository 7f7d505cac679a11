"""The way through a study: which page a rater is on, from the store alone.

Nothing is remembered elsewhere, so that a reload, another device or a restarted server shows the
same page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from concours.eval.store import study
from concours.listening_test.forms import Question, page_questions, trial_questions
from concours.listening_test.live import LiveStudy
from concours.listening_test.sounds import softest_tone, tones_seconds
from concours.listening_test.texts import Texts
from concours.listening_test.tokens import completion_code

Kind = Literal[
    "consent", "level", "headphones", "excluded", "questionnaire", "trial", "correction", "done"
]


@dataclass(frozen=True)
class Page:
    """``name`` is the assignment's id for a trial; ``seconds`` is the length of each clip.

    A correction shows an answered trial again; its clips were heard, so nothing is locked."""

    kind: Kind
    name: str
    slots: int = 0
    seconds: float = 0.0
    must_hear: float = 0.0
    assignment: study.Assignment | None = None


def current_page(live: LiveStudy, rater: study.Rater) -> Page:
    """The page that the rater is on; completing the last one completes the rater."""
    if not rater.consented:
        return Page("consent", "consent")
    correction = study.find_correction(live.store, rater.id)
    page = find_page(live, rater, correction) if correction else None
    if page is not None:
        return page
    if rater.completion_code is not None:
        return Page("done", "done")
    answered = study.read_pages(live.store, rater.id)
    config = live.config
    if config.level and "level" not in answered:
        return level_page(live)
    for n in range(config.headphones.rounds):
        if f"headphones:{n}" not in answered:
            return headphone_page(n)
    if not _headphones_pass(live, rater, answered):
        return Page("excluded", "excluded")
    done = study.answered(live.store, rater.id)
    for sheet in config.questionnaires:
        due = sheet.when == "before" or (isinstance(sheet.when, int) and done >= sheet.when)
        if due and f"q:{sheet.name}" not in answered:
            return Page("questionnaire", f"q:{sheet.name}")
    assignment = live.next_trial(rater.id)
    if assignment is not None:
        return trial_page(live, assignment)
    for sheet in config.questionnaires:
        if f"q:{sheet.name}" not in answered:
            return Page("questionnaire", f"q:{sheet.name}")
    code = config.completion_code or completion_code(live.secret, rater.id)
    study.complete_rater(live.store, rater.id, code, live.clock())
    return Page("done", "done")


def level_page(live: LiveStudy) -> Page:
    return Page("level", "level", slots=1, seconds=live.config.audio.seconds)


def headphone_page(n: int) -> Page:
    seconds = tones_seconds()
    return Page("headphones", f"headphones:{n}", slots=1, seconds=seconds, must_hear=0.8 * seconds)


def trial_page(live: LiveStudy, assignment: study.Assignment) -> Page:
    seconds = live.config.audio.seconds
    return Page(
        "trial",
        assignment.id,
        slots=len(assignment.slots),
        seconds=seconds,
        must_hear=live.config.hear_share * seconds,
        assignment=assignment,
    )


def find_page(live: LiveStudy, rater: study.Rater, name: str) -> Page | None:
    """The page of that name, for what a browser sends; None where there is no such page."""
    config = live.config
    if name == "level" and config.level:
        return level_page(live)
    if name in {f"headphones:{n}" for n in range(config.headphones.rounds)}:
        return headphone_page(int(name.partition(":")[2]))
    if name in {f"q:{sheet.name}" for sheet in config.questionnaires}:
        return Page("questionnaire", name)
    corrected = study.assignment_of(name)
    assignment = study.find_assignment(live.store, rater.id, corrected or name)
    if assignment is None:
        return None
    if not corrected:
        return trial_page(live, assignment)
    if assignment.status != "submitted":
        return None
    seconds = live.config.audio.seconds
    return Page("correction", name, len(assignment.slots), seconds, assignment=assignment)


def questions_of(live: LiveStudy, page: Page, texts: Texts, language: str) -> list[Question]:
    """What a page asks."""
    if page.assignment is not None:
        return trial_questions(live.config, page.assignment, texts, language)
    if page.kind == "questionnaire":
        sheets = {f"q:{s.name}": s for s in live.config.questionnaires}
        return page_questions([q.model_dump() for q in sheets[page.name].questions], language)
    if page.kind == "headphones":
        options = [
            {"value": i, "label": texts[k]} for i, k in enumerate(("first", "second", "third"))
        ]
        label = texts["headphones_text"]
        return [{"id": "softest", "kind": "choice", "label": label, "options": options}]
    return []


def _headphones_pass(
    live: LiveStudy, rater: study.Rater, answered: Mapping[str, Mapping[str, Any]]
) -> bool:
    check = live.config.headphones
    if check.rounds == 0 or check.on_fail == "note":
        return True
    needed = check.needed if check.needed is not None else check.rounds - 1
    return headphone_score(live.secret, rater.id, check.rounds, answered) >= needed


def headphone_score(
    secret: str, rater_id: str, rounds: int, answered: Mapping[str, Mapping[str, Any]]
) -> int:
    """How many rounds of the headphone check were answered rightly."""
    names = [f"headphones:{n}" for n in range(rounds)]
    return sum(
        answered.get(n, {}).get("softest") == softest_tone(secret, rater_id, n) for n in names
    )
