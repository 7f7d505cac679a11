"""A whole study of each method in a real browser, from the invitation to the completion code."""

from typing import Any

import pytest

TWO_TRIALS = 2
FOUR_TRIALS = 4

STUDIES: dict[str, tuple[dict[str, Any], int, dict[str, set[str]]]] = {
    # config, trials, (dimensions rated or preferred)
    "mos": (
        {"method": "mos", "dimensions": ["overall_quality", "musicality"],
         "emotion": "valence-arousal", "emotion_frame": "both"},
        FOUR_TRIALS, {"rating": {"overall_quality", "musicality", "valence", "arousal"}},
    ),
    "gems": (
        {"method": "emotion", "emotion": "gems-9"}, FOUR_TRIALS,
        {"rating": {f"gems_{g}" for g in ("wonder", "transcendence", "tenderness", "nostalgia",
         "peacefulness", "power", "joyful_activation", "tension", "sadness")}},
    ),
    "human": ({"method": "human_or_machine"}, FOUR_TRIALS,
              {"rating": {"judged_human", "overall_quality"}}),
    "cmos": ({"method": "cmos"}, TWO_TRIALS, {"rating": {"overall_quality"}}),
    "dcr": ({"method": "dcr", "reference": "alpha"}, TWO_TRIALS, {"rating": {"overall_quality"}}),
    "ab": ({"method": "ab"}, TWO_TRIALS, {"preference": {"overall_quality"}}),
    "abx": ({"method": "abx"}, TWO_TRIALS, {"rating": {"identified"}}),
    "pairwise": (
        {"method": "pairwise", "dimensions": ["overall_quality", "creativity"],
         "design": "adaptive-pairs", "trials_per_rater": 2},
        TWO_TRIALS, {"preference": {"overall_quality", "creativity"}},
    ),
    "mushra": ({"method": "mushra", "reference": "alpha"}, TWO_TRIALS,
               {"rating": {"overall_quality"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", STUDIES)
def test_whole_study(name: str, served: Any, new_browser: Any) -> None:
    config, trials, dimensions = STUDIES[name]
    served.create(**config)
    (link,) = served.invite()
    served.start()
    pages = new_browser().take(link, name)
    assert len(pages) == trials
    for kind, expected in dimensions.items():
        rows = served.rows(kind)
        assert {r["dimension"] for r in rows} == expected
        assert len({r["assignment"] for r in rows}) == trials
    (rater,) = served.rows("rater")
    assert rater["status"] == "completed"
    assert served.rows("playback")


def test_every_page_kind_at_phone_width(served: Any, new_browser: Any) -> None:
    served.create(
        method="mos", training=1, traps=1, level=True, headphones={"rounds": 2},
        dimensions=["overall_quality", {"name": "swing", "question": {"en": "Does it swing?"}}],
        questionnaires=[
            {"name": "about", "when": "before",
             "questions": [{"name": "age", "text": "Your age?", "kind": "number"}]},
            {"name": "middle", "when": 2,
             "questions": [{"name": "tired", "text": "Tired?", "options": ["yes", "no"]}]},
        ],
    )  # fmt: skip
    (link,) = served.invite()
    served.start()
    pages = new_browser(390).take(link, "phone")
    assert pages[:4] == ["level", "headphones:0", "headphones:1", "q:about"]
    assert "q:middle" in pages
    assert len(pages) == 4 + 1 + 1 + 4 + 1
    kinds = {r["kind"] for r in served.rows("rating")}
    assert kinds == {"test", "training", "trap"}
