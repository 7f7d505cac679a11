"""Studies of noise clips, and raters who answer them through the store as the app would."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from concours.eval.store import Store, study
from concours.listening_test.building import build_study
from concours.listening_test.config import StudyConfig
from concours.listening_test.forms import parse_trial
from concours.listening_test.live import LiveStudy, open_live
from concours.listening_test.pages import current_page, questions_of
from concours.listening_test.texts import texts_for

SYSTEMS = ("a", "b", "c")


def write_music(folder: Path, items: int = 6) -> Path:
    """Folders ``a``, ``b`` and ``c`` of short noises, all different."""
    draw = np.random.default_rng(0)
    for system in SYSTEMS:
        (folder / system).mkdir()
        for i in range(items):
            path = folder / system / f"p{i}.wav"
            soundfile.write(path, draw.normal(0, 0.1, (6000, 1)), 8000)
    return folder


def build(music: Path, store: Store, **config: Any) -> LiveStudy:
    settings = {
        "name": "pilot",
        "systems": {s: {"path": s} for s in SYSTEMS},
        "items_per_system": 4,
        "audio": {"seconds": 0.5, "rate": 22050, "channels": 1},
        "training": 0,
        "level": False,
        **config,
    }
    build_study(store, StudyConfig.model_validate(settings), music, 1000.0)
    return open_live(store, "pilot")


def arrive(live: LiveStudy, now: float = 1000.0) -> study.Rater:
    """A rater who was invited, came and agreed."""
    (token,) = study.invite_raters(live.store, live.id, 1, now)
    rater = study.join_by_token(live.store, live.id, token)
    assert rater is not None
    study.give_consent(live.store, rater.id, 1, now)
    found = study.find_rater(live.store, live.id, rater.id)
    assert found is not None
    return found


def answer_all(
    live: LiveStudy, value: Callable[..., Any], raters: int, start: float = 1000.0
) -> None:
    """Every rater answers every trial with ``value(rater, assignment, question)``."""
    now = start
    for number in range(raters):
        rater = arrive(live, now)
        while True:
            found = study.find_rater(live.store, live.id, rater.id)
            assert found is not None
            page = current_page(live, found)
            if page.kind == "level":
                study.answer_page(live.store, rater.id, page.name, f"level {rater.id}", {}, now)
                continue
            if page.assignment is None:
                assert page.kind == "done"
                break
            now += 1.0
            questions = questions_of(live, page, texts_for({}, "en"), "en")
            answers = {
                q["id"]: value(number, page.assignment, q) for q in questions if q["kind"] != "text"
            }
            parsed = parse_trial(live.config, page.assignment, questions, answers)
            answer = study.Answer(
                key=page.assignment.id, elapsed=1.0,
                ratings=parsed.ratings, preferences=parsed.preferences,
            )  # fmt: skip
            assert study.submit(live.store, rater.id, page.name, answer, now) == "stored"


def clips_of(live: LiveStudy) -> dict[str, Any]:
    """The prepared clips by id."""
    return {r["stimulus_id"]: r for r in study.stimulus_rows(live.store, live.id)}
