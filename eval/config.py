"""``benchmarks.yaml``: what is compared with what, by which metrics.

Every fault is reported at once, each with file, line and column, and with the nearest name where
one was misspelt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from concours.eval.errors import ConfigError, UsageError
from concours.eval.placed_yaml import place, plain, read_placed
from concours.metrics.presets import PRESETS
from concours.metrics.registry import MetricError, catalogue, expand, families
from concours.metrics.spec import MetricRequest, ParameterValue

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,79}$")]
MetricEntry = str | dict[str, dict[str, ParameterValue] | None]
CardValue = str | int | float | bool
CARD_HELP = "free text about the system: model, trained_on, paper …"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def settle(entries: Sequence[MetricEntry]) -> list[MetricRequest]:
    """Metrics as a config writes them - names, or {name: {parameter: value}} - as requests.

    Raises:
        MetricError: an unknown metric or parameter, or a value that it cannot take.
    """
    written = []
    for entry in entries:
        for name, parameters in ({entry: None} if isinstance(entry, str) else entry).items():
            text = ",".join(f"{k}={v}" for k, v in (parameters or {}).items())
            written.append(f"{name}:{text}" if text else name)
    return expand(written)


class Source(Strict):
    """Where pieces come from: exactly one of ``path``, ``corpus`` and ``baseline``."""

    path: str | None = Field(default=None, description="a folder, a file or a glob (with **)")
    corpus: Literal["bach-chorales"] | None = Field(default=None, description="bundled music")
    split: Literal["all", "reference", "held-out"] = "all"
    baseline: Literal["markov", "shuffled", "random", "copycat"] | None = None
    train_on: str | None = Field(default=None, description="what a baseline learns from")
    order: int | None = Field(default=None, ge=1, le=64, description="order of a Markov chain")
    count: int | None = Field(default=None, ge=1, description="how many pieces at most")
    seed: int = Field(default=0, ge=0, description="seed of a split or a baseline")
    prompts: str | None = Field(default=None, description="CSV or JSON: path, prompt")
    groups: str | None = Field(default=None, description="CSV: path, song that it is cut from")
    ground_truth: str | None = Field(
        default=None, description="what each item should be: a folder named alike, or a CSV"
    )
    targets: str | None = Field(
        default=None, description="what was asked of each item: a CSV or JSON of attributes"
    )
    songs: str | None = Field(
        default=None,
        description="regular expression that finds the song in an item's path (its first group)",
    )
    card: dict[str, CardValue] = Field(default={}, description=CARD_HELP)

    @model_validator(mode="after")
    def _one_source(self) -> Source:
        given = [k for k in ("path", "corpus", "baseline") if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of path, corpus and baseline")
        if self.baseline and not self.train_on:
            raise ValueError("a baseline needs train_on: the reference or system it learns from")
        try:
            re.compile(self.songs or "")
        except re.error as error:
            raise ValueError(f"songs is no regular expression: {error}") from error
        if self.order is not None and self.baseline != "markov":
            raise ValueError("order belongs to baseline: markov")
        return self

    @property
    def described(self) -> str:
        """The source in a few words, for reports."""
        if self.path is not None:
            return self.path
        if self.corpus is not None:
            return f"{self.corpus}, {self.split}"
        order = f" of order {self.order or 1}" if self.baseline == "markov" else ""
        return f"baseline: {self.baseline}{order}, from {self.train_on}"


class Benchmark(Strict):
    """One table of the leaderboard."""

    reference: str
    systems: list[str] = Field(min_length=1)
    metrics: list[MetricEntry] = Field(default=["symbolic", "originality"], min_length=1)
    seed: int = Field(default=0, ge=0, description="seed of the intervals")
    resamples: int = Field(default=2000, ge=100, le=100_000, description="bootstrap resamples")
    confidence: float = Field(default=0.95, gt=0.5, lt=1)

    @cached_property
    def requests(self) -> list[MetricRequest]:
        """The metrics with every parameter settled, each once, in the order written."""
        return settle(self.metrics)


class Config(Strict):
    """A whole benchmarks.yaml."""

    store: str = Field(default="sqlite:///concours.db", description="SQLAlchemy URL")
    references: dict[Name, Source] = Field(min_length=1)
    systems: dict[Name, Source] = Field(min_length=1)
    benchmarks: dict[Name, Benchmark] = Field(min_length=1)

    @property
    def sources(self) -> dict[str, Source]:
        """References and systems by name."""
        return {**self.references, **self.systems}


def load_config(path: Path) -> Config:
    """Reads and checks a benchmarks.yaml.

    Raises:
        UsageError: there is no such file.
        ConfigError: it is no YAML or does not hold; a line for each fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror or error}; write one (see `concours schema`), or score a "
            "folder without one: concours score FOLDER --reference FOLDER"
        ) from error
    return parse_config(text, str(path))


def parse_config(text: str, name: str = "benchmarks.yaml") -> Config:
    """The same for text; ``name`` stands in the messages."""
    tree = read_placed(text, name, "references, systems and benchmarks")
    try:
        config = Config.model_validate(plain(tree))
    except ValidationError as error:
        raise ConfigError(
            "\n".join(_fault(name, tree, cast(Mapping[str, Any], e)) for e in error.errors())
        ) from error
    faults = [
        f"{name}:{place(tree, loc)}: {'.'.join(map(str, loc))}: {what}"
        for loc, what in _cross_references(config)
    ]
    if faults:
        raise ConfigError("\n".join(faults))
    return config


def _cross_references(config: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Names that point nowhere, and metrics that do not exist."""
    for name in config.references.keys() & config.systems.keys():
        yield ("systems", name), "a reference has this name already; give the system another"
    for section in ("references", "systems"):
        for name, source in getattr(config, section).items():
            if source.train_on is not None and source.train_on not in config.sources:
                yield (section, name, "train_on"), _unknown(source.train_on, config.sources)
            elif _circular(config, name):
                yield (section, name, "train_on"), "this baseline learns from itself"
    for name, benchmark in config.benchmarks.items():
        here = ("benchmarks", name)
        if benchmark.reference not in config.references:
            yield (*here, "reference"), _unknown(benchmark.reference, config.references)
        for i, system in enumerate(benchmark.systems):
            if system not in config.systems:
                yield (*here, "systems", i), _unknown(system, config.systems)
        for i, entry in enumerate(benchmark.metrics):
            try:
                asked = settle([entry])
            except MetricError as error:
                yield (*here, "metrics", i), str(error)
                continue
            if asked and all(r.spec.level == "pair" for r in asked):
                fault = _unpaired(config, benchmark, asked)
                if fault:
                    yield (*here, "metrics", i), fault


def _unpaired(config: Config, benchmark: Benchmark, asked: Sequence[MetricRequest]) -> str:
    """Why none of these pair metrics can be computed; "" where one can."""
    sources = [config.systems[n] for n in benchmark.systems if n in config.systems]
    sources += [config.references[n] for n in [benchmark.reference] if n in config.references]
    given = {
        "truth": any(s.ground_truth for s in sources),
        "target": any(s.targets or s.prompts or s.ground_truth for s in sources),
        "prefix": any(s.prompts for s in sources),
    }
    if any(given.get(r.spec.partner, True) for r in asked):
        return ""
    keys = {"truth": "ground_truth", "target": "targets or prompts", "prefix": "prompts"}
    return f"it needs {keys[asked[0].spec.partner]} in a system of this benchmark"


def _circular(config: Config, name: str) -> bool:
    seen, at = {name}, config.sources[name].train_on
    while at is not None and at in config.sources:
        if at in seen:
            return True
        seen.add(at)
        at = config.sources[at].train_on
    return False


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    return f"there is no {name!r}; {_hint(name, list(known))}"


def _hint(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"


def _fault(name: str, tree: Any, error: Mapping[str, Any]) -> str:
    # pydantic puts the branch of a union ("str", "dict[str,…]") and "[key]" among the keys
    loc = tuple(p for p in error["loc"] if not re.match(r"^(str$|dict\[|\[key\])", str(p)))
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = f"no such key; {_hint(str(loc[-1]), _known_keys(loc))}"
    return f"{name}:{place(tree, loc)}: {'.'.join(map(str, loc))}: {message}"


def _known_keys(loc: tuple[Any, ...]) -> list[str]:
    if len(loc) == 1:
        return list(Config.model_fields)
    return list((Benchmark if loc[0] == "benchmarks" else Source).model_fields)


def schema() -> dict[str, Any]:
    """The JSON Schema of benchmarks.yaml, for editors; it knows every metric name."""
    found = Config.model_json_schema()
    names = ["symbolic", "audio", "originality", *PRESETS, *families(), *catalogue()]
    items = found["$defs"]["Benchmark"]["properties"]["metrics"]["items"]["anyOf"]
    items[0]["examples"] = names
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **found, "title": "benchmarks.yaml"}
