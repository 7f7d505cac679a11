"""Going back: answers of every method come back as given, and are corrected as a revision."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulated_raters import arrive, build, write_music

from concours.eval.store import open_store, study
from concours.listening_test.forms import given_answers, parse_trial, summary
from concours.listening_test.pages import current_page, questions_of
from concours.listening_test.texts import texts_for

METHODS: list[dict[str, Any]] = [
    {"method": "mos", "dimensions": ["overall_quality", "musicality"], "emotion": "both",
     "emotion_frame": "both"},
    {"method": "human_or_machine"},
    {"method": "cmos"},
    {"method": "dcr", "reference": "a"},
    {"method": "ab", "dimensions": ["overall_quality", "creativity"]},
    {"method": "pairwise"},
    {"method": "abx"},
    {"method": "mushra", "reference": "a", "dimensions": ["overall_quality", "richness"]},
]  # fmt: skip


@pytest.mark.parametrize("config", METHODS, ids=lambda c: c["method"])
def test_what_was_answered_fills_the_page_again(config: dict[str, Any], tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    texts = texts_for({}, "en")
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(write_music(tmp_path, 2), store, items_per_system=1, **config)
        rater = arrive(live)
        page = current_page(live, rater)
        assert page.assignment is not None
        questions = questions_of(live, page, texts, "en")

        def draw_answers() -> dict[str, Any]:
            found: dict[str, Any] = {"comment": "why"}
            for q in questions:
                if q["kind"] == "slider":
                    found[q["id"]] = int(draw.integers(0, 101))
                elif q["kind"] != "text":
                    found[q["id"]] = q["options"][draw.integers(len(q["options"]))]["value"]
            return found

        def answer(key: str, answers: dict[str, Any]) -> study.Answer:
            assert page.assignment is not None
            parsed = parse_trial(live.config, page.assignment, questions, answers)
            return study.Answer(
                key, 1.0, parsed.ratings, parsed.preferences, comment=parsed.comment
            )

        given = draw_answers()
        assert study.submit(store, rater.id, page.name, answer("one", given), 2.0) == "stored"
        (stored,) = study.answered_trials(store, rater.id)
        back = given_answers(live.config, page.assignment, questions, stored)
        assert back == given
        assert summary(questions, back)
        opened = study.open_correction(store, rater.id, page.assignment.id, back, 3.0)
        assert opened is not None
        # the correction is the rater's page now, on whatever device
        shown = current_page(live, rater)
        assert (shown.kind, shown.name, shown.must_hear) == ("correction", opened, 0.0)
        assert questions_of(live, shown, texts, "en") == questions
        assert study.read_draft(store, rater.id, opened) == given
        changed = draw_answers()
        assert study.correct(store, rater.id, opened, answer("two", changed), 4.0) == "stored"
        (stored,) = study.answered_trials(store, rater.id)
        assert given_answers(live.config, page.assignment, questions, stored) == changed
        assert current_page(live, rater).kind in {"trial", "done"}
        rows = study.rating_rows(store, live.id) + study.preference_rows(store, live.id)
        counted = [r for r in rows if not r["superseded"]]
        assert {r["revision"] for r in counted} == {2}
        assert len(counted) * 2 == len(rows)


def test_training_is_not_corrected(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(write_music(tmp_path), store, method="mos", training=1)
        rater = arrive(live)
        page = current_page(live, rater)
        assert page.assignment is not None
        assert page.assignment.kind == "training"
        answer = study.Answer("k", 1.0, ())
        study.submit(store, rater.id, page.name, answer, 1.0)
        assert study.answered_trials(store, rater.id) == []
