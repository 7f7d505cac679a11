"""Attention checks of every method, and the prompts that raters see."""

import csv
from pathlib import Path
from typing import Any

import pytest
from simulated_raters import answer_all, arrive, build, clips_of, write_music

from concours.eval.errors import UsageError
from concours.eval.store import open_store, study
from concours.listening_test.pages import current_page
from concours.listening_test.player import page_data
from concours.listening_test.status import status_of
from concours.listening_test.texts import texts_for

# what an attentive rater answers to (first clip spoilt?); the other one answers the opposite
TRAPS: list[tuple[dict[str, Any], dict[bool, Any], dict[bool, Any]]] = [
    ({"method": "mos"}, {True: 1}, {True: 4}),
    ({"method": "human_or_machine"}, {True: 1}, {True: 4}),
    ({"method": "cmos"}, {True: 2, False: -2}, {True: -1, False: 0}),
    ({"method": "dcr", "reference": "a"}, {False: 1}, {False: 5}),
    ({"method": "ab"}, {True: "b", False: "a"}, {True: "a", False: "b"}),
    ({"method": "pairwise"}, {True: "b", False: "a"}, {True: "tie", False: "both_bad"}),
    ({"method": "abx"}, {True: "b", False: "a"}, {True: "a", False: "b"}),
    ({"method": "pairwise", "design": "adaptive-pairs", "trials_per_rater": 4},
     {True: "b", False: "a"}, {True: "a", False: "b"}),
]  # fmt: skip


@pytest.mark.parametrize(("config", "right", "wrong"), TRAPS, ids=lambda c: c.get("method", ""))
def test_inattentive_raters_are_flagged_and_kept(
    config: dict[str, Any], right: Any, wrong: Any, tmp_path: Path
) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(write_music(tmp_path), store, traps=2, items_per_system=2, **config)
        clips = clips_of(live)

        def value(rater: int, given: study.Assignment, question: Any) -> Any:
            values = [o["value"] for o in question["options"]]
            if given.kind != "trap":
                return values[given.position % len(values)]
            if question["id"] == "judged_human":
                return 1
            spoilt = clips[given.slots[0].stimulus_id]["role"] == "trap"
            return (right if rater == 0 else wrong)[spoilt]

        answer_all(live, value, raters=2)
        found = status_of(live)
        assert found.flagged == {2: ("trap",)}, found.flagged
        rows = study.rating_rows(store, live.id) + study.preference_rows(store, live.id)
        traps = {(r["rater"], r["assignment"]) for r in rows if r["kind"] == "trap"}
        assert len(traps) == 4
        # a trap tells nothing about a system, and is no test trial
        for row in rows:
            if row["kind"] == "trap":
                assert row.get("system") is None
                assert row.get("system_a") is None
        decided = {(r["rater"], r["decision"]) for r in study.screening_rows(store, live.id)
                   if r["rule"] == "trap"}  # fmt: skip
        assert decided == {(1, "pass"), (2, "flag")}


def write_prompts(folder: Path, system: str, prompts: dict[str, str]) -> str:
    path = folder / f"{system}.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "prompt"), *prompts.items()])
    return path.name


def shown_prompts(live: Any) -> dict[str, set[str]]:
    """The prompts that a rater's pages show, by kind of trial."""
    rater = arrive(live)
    found: dict[str, set[str]] = {}
    while (page := current_page(live, rater)).assignment is not None:
        assert page.assignment is not None
        data = page_data(live, rater, page, "tab", texts_for({}, "en"), "en")
        found.setdefault(page.assignment.kind, set()).add(data["prompt"])
        study.submit(live.store, rater.id, page.name, study.Answer(page.name, 1.0, ()), 2.0)
    return found


def test_prompts_are_shown_where_the_match_is_asked(tmp_path: Path) -> None:
    write_music(tmp_path)
    systems = {}
    for system in ("a", "b"):
        asked = {f"p{i}.wav": f"{system} wants {i}" for i in range(6)}
        systems[system] = {"path": system, "prompts": write_prompts(tmp_path, system, asked)}
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        live = build(
            tmp_path, store, method="mos", systems=systems, dimensions=["prompt_match"],
            training=1, traps=1, items_per_system=5,
        )  # fmt: skip
        shown = shown_prompts(live)
        assert all(p.startswith(("a wants", "b wants")) for kind in shown.values() for p in kind)
        # files of one name answer different prompts here: ten items, each with its own
        assert len(shown["test"]) == 10
        assert shown["training"] & shown["test"] == set()
        assert shown["trap"] <= shown["test"]


def test_prompts_are_hidden_unless_they_are_asked_for(tmp_path: Path) -> None:
    write_music(tmp_path)
    asked = write_prompts(tmp_path, "all", {f"p{i}.wav": f"number {i}" for i in range(6)})
    systems = {s: {"path": s, "prompts": asked} for s in ("a", "b")}
    for shows, expected in ((None, {""}), (True, {"number 0", "number 1", "number 2", "number 3",
                                                  "number 4", "number 5"})):  # fmt: skip
        with open_store(f"sqlite:///{tmp_path}/{shows}.db") as store:
            live = build(tmp_path, store, method="ab", systems=systems, items_per_system=6,
                         show_prompt=shows)  # fmt: skip
            assert shown_prompts(live)["test"] == expected


def test_missing_and_unequal_prompts_are_refused(tmp_path: Path) -> None:
    write_music(tmp_path)
    some = write_prompts(tmp_path, "some", {"p0.wav": "one"})
    other = write_prompts(tmp_path, "other", {"p0.wav": "another"})
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        with pytest.raises(UsageError, match=r"systems\.a: p\d has no prompt to be shown"):
            build(tmp_path, store, method="mos", dimensions=["prompt_match"])
        systems = {"a": {"path": "a", "prompts": some}, "b": {"path": "b", "prompts": other}}
        with pytest.raises(UsageError, match=r"different prompts .*'another', 'one'"):
            build(tmp_path, store, method="ab", systems=systems)
        systems["a"]["prompts"] = "none.csv"
        with pytest.raises(UsageError, match=r"systems\.a: .*none\.csv: cannot be read"):
            build(tmp_path, store, method="ab", systems=systems)
