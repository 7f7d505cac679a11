"""STUDY.yaml: what is asked about which systems, and how; every fault with its place."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from concours.eval.errors import ConfigError, UsageError
from concours.eval.placed_yaml import place, plain, read_placed

PROTOCOL_VERSION = 1

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,79}$")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Method = Literal[
    "mos", "cmos", "dcr", "ab", "abx", "pairwise", "mushra", "human_or_machine", "emotion"
]
Design = Literal["williams", "incomplete-blocks", "least-rated", "adaptive-pairs"]

PAIRED: frozenset[str] = frozenset({"cmos", "dcr", "ab", "abx", "pairwise"})
CHOICE: frozenset[str] = frozenset({"ab", "pairwise"})
DIMENSIONS = (
    "overall_quality",
    "musicality",
    "creativity",
    "structure",
    "richness",
    "prompt_match",
)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnDimension(Strict):
    """A dimension of the user's own: its name and its question, in one or more languages."""

    name: Key
    question: dict[str, str] | str


class StudySystem(Strict):
    path: str = Field(description="a folder, a file or a glob (with **)")
    prompts: str | None = Field(default=None, description="CSV with the columns path, prompt")


class Audio(Strict):
    """How every clip is prepared, so that nothing but its sound tells the system."""

    seconds: float = Field(default=10.0, ge=0.5, le=120)
    start: float = Field(default=0.0, ge=0, description="seconds left out, silence not counted")
    rate: Literal[22050, 24000, 32000, 44100, 48000] = 44100
    channels: Literal[1, 2] = 2
    lufs: float = Field(default=-23.0, ge=-40, le=-10)
    fade: float = Field(default=0.02, ge=0.001, le=5)


class Headphones(Strict):
    rounds: int = Field(default=0, ge=0, le=12, description="0 leaves the check out")
    needed: int | None = Field(default=None, ge=0, le=12, description="right answers to pass")
    on_fail: Literal["note", "stop"] = "note"


class Question(Strict):
    """One question of a questionnaire."""

    name: Key
    text: dict[str, str] | str
    kind: Literal["choice", "text", "number"] = "choice"
    options: list[dict[str, str] | str] = []
    required: bool = True

    @model_validator(mode="after")
    def _options(self) -> Question:
        if self.kind == "choice" and len(self.options) < 2:
            raise ValueError("a choice needs at least two options")
        return self


class Questionnaire(Strict):
    name: Key
    when: Literal["before", "after"] | int = Field(
        default="after", description="before or after the trials, or after that many of them"
    )
    questions: list[Question] = Field(min_length=1)


class StudyConfig(Strict):
    """A whole STUDY.yaml."""

    store: str = Field(default="sqlite:///concours.db", description="SQLAlchemy URL")
    name: Name
    title: dict[str, str] | str | None = Field(default=None, description="what raters read")
    method: Method
    dimensions: list[Key | OwnDimension] = []
    emotion: Literal["valence-arousal", "gems-9", "both"] | None = None
    emotion_frame: Literal["felt", "perceived", "both"] = "perceived"
    systems: dict[Name, StudySystem] = Field(min_length=1)
    reference: str | None = Field(default=None, description="MUSHRA and DCR: the system it is")
    items_per_system: int = Field(default=8, ge=1, le=1000)
    design: Design | None = None
    trials_per_rater: int | None = Field(default=None, ge=1, le=500)
    training: int = Field(default=1, ge=0, le=5)
    traps: int = Field(default=0, ge=0, le=10, description="attention checks: spoilt clips")
    must_hear: float | None = Field(default=None, ge=0, le=1, description="share of each clip")
    show_prompt: bool | None = Field(
        default=None, description="show each item's prompt; by default where prompt_match is asked"
    )
    comments: bool = True
    consent: dict[str, str] | str | None = Field(default=None, description="text to agree to")
    level: bool = Field(default=True, description="a page to set the volume")
    headphones: Headphones = Headphones()
    questionnaires: list[Questionnaire] = []
    audio: Audio = Audio()
    seed: int = Field(default=0, ge=0)
    languages: dict[str, str] = Field(default={}, description="further text files by code")
    completion_url: str | None = Field(
        default=None, pattern=r"^https?://", description="{code} stands for the completion code"
    )
    completion_code: str | None = Field(default=None, description="one code for everybody")
    abandon_minutes: float = Field(default=1440, gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> StudyConfig:
        if self.method in PAIRED | {"mushra"} and len(self.systems) < 2:
            raise ValueError(f"method {self.method} needs at least two systems")
        if self.method in {"mushra", "dcr"} and self.reference not in self.systems:
            raise ValueError(f"method {self.method} needs reference: one of the systems")
        if self.reference is not None and self.reference not in self.systems:
            raise ValueError(f"reference: there is no system {self.reference!r}")
        if self.method == "mushra" and len(self.systems) + 2 > 12:
            raise ValueError("MUSHRA takes at most 12 conditions, hidden reference and anchors in")
        if self.method == "emotion" and self.emotion is None:
            raise ValueError("method emotion needs emotion: valence-arousal, gems-9 or both")
        if self.emotion is not None and self.method not in {"mos", "human_or_machine", "emotion"}:
            raise ValueError(
                f"emotion: method {self.method} shows several clips; rate one at a time"
            )
        if self.design == "adaptive-pairs" and self.method not in CHOICE:
            raise ValueError("design adaptive-pairs needs method ab or pairwise")
        if self.traps and self.method == "mushra":
            raise ValueError("traps: MUSHRA has its hidden reference and anchors instead")
        if self.traps and self.method == "emotion":
            raise ValueError("traps: an emotion has no wrong answer; ask for a quality too (mos)")
        names = [d if isinstance(d, str) else d.name for d in self.dimensions]
        for dimension in self.dimensions:
            if isinstance(dimension, str) and dimension not in DIMENSIONS:
                near = get_close_matches(dimension, DIMENSIONS, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(DIMENSIONS)}"
                raise ValueError(
                    f"dimensions: no {dimension!r}; {hint} For your own write "
                    "{name: …, question: …}"
                )
        if len(set(names)) != len(names):
            raise ValueError("dimensions: each at most once")
        pages = [q.name for q in self.questionnaires]
        if len(set(pages)) != len(pages):
            raise ValueError("questionnaires: two have one name")
        return self

    @property
    def dimension_names(self) -> list[str]:
        """What is asked of each trial: the user's list, or overall quality."""
        names = [d if isinstance(d, str) else d.name for d in self.dimensions]
        if names or self.method == "emotion":
            return names
        return ["overall_quality"]

    @property
    def trap_dimension(self) -> str:
        """The dimension whose answers to a trap are judged."""
        names = self.dimension_names
        return "overall_quality" if "overall_quality" in names else names[0]

    @property
    def shows_prompt(self) -> bool:
        if self.show_prompt is not None:
            return self.show_prompt
        return "prompt_match" in self.dimension_names

    @property
    def frames(self) -> list[str]:
        return ["felt", "perceived"] if self.emotion_frame == "both" else [self.emotion_frame]

    @property
    def hear_share(self) -> float:
        """The share of each clip that must have been heard."""
        if self.must_hear is not None:
            return self.must_hear
        return 0.5 if self.method == "mushra" else 1.0

    @property
    def settled_design(self) -> Design:
        if self.design is not None:
            return self.design
        return "williams" if self.trials_per_rater is None else "incomplete-blocks"


def load_study(path: Path) -> StudyConfig:
    """Reads and checks a STUDY.yaml.

    Raises:
        UsageError: there is no such file.
        ConfigError: it does not hold; a line for each fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    return parse_study(text, str(path))


def parse_study(text: str, name: str = "STUDY.yaml") -> StudyConfig:
    """The same for text; ``name`` stands in the messages."""
    tree = read_placed(text, name, "name, method and systems")
    try:
        return StudyConfig.model_validate(plain(tree))
    except ValidationError as error:
        raise ConfigError("\n".join(_fault(name, tree, e) for e in error.errors())) from error


def _fault(name: str, tree: Any, error: Any) -> str:
    loc = tuple(error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        known = list(StudyConfig.model_fields) if len(loc) == 1 else []
        near = get_close_matches(str(loc[-1]), known, n=1)
        message = f"no such key; did you mean {near[0]}?" if near else "no such key"
    where = ".".join(map(str, loc)) or "study"
    return f"{name}:{place(tree, loc)}: {where}: {message}"
