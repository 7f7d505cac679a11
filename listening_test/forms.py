"""What each method asks, as data for the browser, and the check of what comes back.

A question has an id that names its dimension (and frame and slot); the answer is a value among
those offered. Whatever the browser sends is checked here again: nothing is stored that the page
could not have asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from concours.eval.store.study import Answered, Assignment, PreferenceRow, RatingRow
from concours.listening_test.config import CHOICE, PAIRED, StudyConfig
from concours.listening_test.texts import Texts, in_language

GEMS = (
    "wonder",
    "transcendence",
    "tenderness",
    "nostalgia",
    "peacefulness",
    "power",
    "joyful_activation",
    "tension",
    "sadness",
)
COMMENT = "comment"
MAX_COMMENT = 2000
MAX_TEXT = 500
_ABX_SLOT = 2


class AnswerError(ValueError):
    """An answer that the page cannot have asked for, or that lacks something."""


@dataclass(frozen=True)
class Parsed:
    ratings: tuple[RatingRow, ...]
    preferences: tuple[PreferenceRow, ...]
    comment: str


Question = dict[str, Any]


def slot_names(assignment: Assignment, texts: Texts) -> list[str]:
    """What the rater calls each slot: A, B, C …, X, or the reference."""
    if len(assignment.slots) == 1:
        return [texts["clip"]]
    letters = iter("ABCDEFGHIJKLMN")
    named = {"reference": texts["reference"], "x": "X"}
    return [named.get(slot.label) or next(letters) for slot in assignment.slots]


def trial_questions(
    config: StudyConfig, assignment: Assignment, texts: Texts, language: str
) -> list[Question]:
    """The questions of a trial in order."""
    asked: list[Question] = []
    for name in config.dimension_names:
        asked += _dimension(
            config, assignment, texts, name, _question(config, texts, language, name)
        )
    if config.method == "human_or_machine":
        options = [(1, texts["human"]), (0, texts["machine"])]
        asked.insert(0, _choice("judged_human", texts["origin_question"], options))
    if config.method == "abx":
        same = [("a", texts["choice_a"]), ("b", texts["choice_b"])]
        asked = [_choice("identified", texts["abx_question"], same)]
    for frame in config.frames if config.emotion else []:
        asked += _emotion(config, texts, frame)
    if config.comments:
        asked.append(
            {"id": COMMENT, "kind": "text", "label": texts["comment"], "required": False,
             "max": MAX_COMMENT}
        )  # fmt: skip
    return asked


def page_questions(questions: Sequence[Mapping[str, Any]], language: str) -> list[Question]:
    """A questionnaire of the config as questions."""
    asked = []
    for question in questions:
        label = in_language(question["text"], language)
        one: Question = {
            "id": question["name"], "kind": question["kind"], "label": label,
            "required": question["required"], "max": MAX_TEXT,
        }  # fmt: skip
        if question["kind"] == "choice":
            one["options"] = [
                {"value": i, "label": in_language(o, language)}
                for i, o in enumerate(question["options"])
            ]
        asked.append(one)
    return asked


def check(questions: Sequence[Question], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that were asked for, each one that was offered.

    Raises:
        AnswerError: a missing, unknown or impossible answer; its text is the question's id.
    """
    unknown = set(answers) - {q["id"] for q in questions}
    if unknown:
        raise AnswerError(f"not asked: {sorted(unknown)[0]}"[:80])
    found: dict[str, Any] = {}
    for question in questions:
        given = answers.get(question["id"])
        if given is None or given == "":
            if question.get("required", True):
                raise AnswerError(str(question["id"]))
            continue
        found[question["id"]] = _value(question, given)
    return found


def parse_trial(
    config: StudyConfig, assignment: Assignment, questions: Sequence[Question],
    answers: Mapping[str, Any],
) -> Parsed:  # fmt: skip
    """Checked answers as rows for the store."""
    given = check(questions, answers)
    ratings: list[RatingRow] = []
    preferences: list[PreferenceRow] = []
    slots = assignment.slots
    for question in questions:
        name = question["id"]
        if name == COMMENT or name not in given:
            continue
        value, dimension = given[name], question["dimension"]
        if config.method in CHOICE:
            pair = (slots[0].stimulus_id, slots[1].stimulus_id)
            preferences.append(PreferenceRow(dimension, *pair, choice=_choice_of(value)))
        elif config.method == "abx":
            ratings.append(_identified(assignment, value))
        elif config.method in {"cmos", "dcr"}:
            first, second = slots[0].stimulus_id, slots[1].stimulus_id
            ratings.append(RatingRow(1, second, dimension, float(value), compared_with=first))
        else:
            slot = question.get("slot") or 0
            frame = question.get("frame", "")
            ratings.append(RatingRow(slot, slots[slot].stimulus_id, dimension, float(value), frame))
    return Parsed(tuple(ratings), tuple(preferences), str(given.get(COMMENT, "")))


def given_answers(
    config: StudyConfig, assignment: Assignment, questions: Sequence[Question], stored: Answered
) -> dict[str, Any]:
    """Stored rows as the answers that the form showed: the inverse of :func:`parse_trial`."""
    places = [slot.stimulus_id for slot in assignment.slots]
    choices = {p.dimension: p.choice for p in stored.preferences}
    values = {(r.slot, r.dimension, r.frame): r.value for r in stored.ratings}
    found: dict[str, Any] = {COMMENT: stored.comment} if stored.comment else {}
    for question in questions:
        name, dimension = question["id"], str(question.get("dimension", ""))
        if config.method in CHOICE:
            value: Any = choices.get(dimension)
        elif config.method == "abx":
            matched = [r.compared_with for r in stored.ratings]
            value = "ab"[places.index(matched[0])] if matched and matched[0] in places else None
        else:
            slot = 1 if config.method in PAIRED else int(question.get("slot") or 0)
            value = values.get((slot, dimension, str(question.get("frame", ""))))
            value = int(value) if value is not None and value == int(value) else value
        if value is not None and name != COMMENT:
            found[name] = value
    return found


def summary(questions: Sequence[Question], answers: Mapping[str, Any], most: int = 4) -> str:
    """The answers to a trial in a few words; comments are left out."""
    words = []
    for question in questions:
        value = answers.get(question["id"])
        if value is None or question["kind"] == "text":
            continue
        offered = {o["value"]: o["label"] for o in question.get("options", ())}
        named = f"{question['label']} {value}" if question["kind"] == "slider" else value
        words.append(str(offered.get(value, named)))
    return " · ".join([*words[:most], "…"] if len(words) > most else words)


def _identified(assignment: Assignment, choice: str) -> RatingRow:
    """1 where X was matched with the right one; X comes from the system of the match."""
    slots = assignment.slots
    chosen = slots["ab".index(choice)]
    right = chosen.position == (assignment.x_matches if assignment.x_matches is not None else -1)
    x = slots[_ABX_SLOT].stimulus_id
    return RatingRow(_ABX_SLOT, x, "identified", float(right), compared_with=chosen.stimulus_id)


def _question(config: StudyConfig, texts: Texts, language: str, name: str) -> str:
    for own in config.dimensions:
        if not isinstance(own, str) and own.name == name:
            return in_language(own.question, language)
    # a comparison names the dimension, a rating asks about it
    kind = "name" if config.method in PAIRED | {"mushra"} else "question"
    return texts[f"{kind}_{name}"]


def _dimension(
    config: StudyConfig, assignment: Assignment, texts: Texts, name: str, question: str
) -> list[Question]:
    method = config.method
    if method == "cmos":
        keys = ["m3", "m2", "m1", "0", "1", "2", "3"]
        options = [(i - 3, texts[f"cmos_{k}"]) for i, k in enumerate(keys)]
        return [_scale(name, texts["cmos_question"].format(dimension=question), options)]
    if method == "dcr":
        options = [(v, texts[f"dcr_{v}"]) for v in range(1, 6)]
        return [_scale(name, texts["dcr_question"].format(dimension=question), options)]
    if method in CHOICE:
        keys = ["a", "b"] if method == "ab" else ["a", "tie", "b", "both_bad"]
        offered = [(k, texts[f"choice_{k}"]) for k in keys]
        return [_choice(name, texts["choice_question"].format(dimension=question), offered)]
    if method == "mushra":
        names = slot_names(assignment, texts)
        heading = texts["mushra_question"].format(dimension=question)
        marks = [texts[f"mushra_{v}"] for v in (100, 80, 60, 40, 20)]
        return [
            {
                "id": f"s{i}:{name}", "kind": "slider", "label": names[i], "group": heading,
                "slot": i, "dimension": name, "min": 0, "max": 100, "marks": marks,
            }
            for i, slot in enumerate(assignment.slots)
            if slot.label != "reference"
        ]  # fmt: skip
    return [_scale(name, question, [(v, texts[f"acr_{v}"]) for v in range(1, 6)])]


def _emotion(config: StudyConfig, texts: Texts, frame: str) -> list[Question]:
    asked: list[Question] = []
    if config.emotion in {"valence-arousal", "both"}:
        for name in ("valence", "arousal"):
            options = [(v, str(v)) for v in range(1, 10)]
            question = _scale(f"{name}.{frame}", texts[name], options)
            ends = {"low": texts[f"{name}_low"], "high": texts[f"{name}_high"]}
            asked.append({**question, **ends, "kind": "manikin", "picture": name})
    if config.emotion in {"gems-9", "both"}:
        options = [(v, texts[f"gems_{v}"]) for v in range(1, 6)]
        asked += [_scale(f"gems_{g}.{frame}", texts[f"gems_{g}"], options) for g in GEMS]
    for question in asked:
        question["group"] = texts[frame]
        question["frame"] = frame
        question["dimension"] = question["id"].split(".")[0]
    return asked


def _scale(name: str, label: str, options: Sequence[tuple[int, str]]) -> Question:
    return {
        "id": name, "kind": "scale", "label": label, "dimension": name,
        "options": [{"value": v, "label": text} for v, text in options],
    }  # fmt: skip


def _choice(name: str, label: str, options: Sequence[tuple[Any, str]]) -> Question:
    return {
        "id": name, "kind": "choice", "label": label, "dimension": name,
        "options": [{"value": v, "label": text} for v, text in options],
    }  # fmt: skip


def _choice_of(value: Any) -> Literal["a", "b", "tie", "both_bad"]:
    return cast(Literal["a", "b", "tie", "both_bad"], value)


def _value(question: Question, given: Any) -> Any:
    name = str(question["id"])
    if question["kind"] == "text":
        if not isinstance(given, str) or len(given) > question["max"]:
            raise AnswerError(name)
        return "".join(c for c in given if c >= " " or c in "\n\t")
    if question["kind"] in {"slider", "number"}:
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise AnswerError(name)
        low = question.get("min", -1e9)
        high = question["max"] if question["kind"] == "slider" else 1e9
        if not low <= given <= high:
            raise AnswerError(name)
        return given
    offered = [o["value"] for o in question["options"]]
    if isinstance(given, bool) or given not in offered:
        raise AnswerError(name)
    return given
