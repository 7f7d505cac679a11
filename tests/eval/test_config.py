"""A config's faults are found all at once, each with its place and the nearest name."""

from pathlib import Path

import pytest

from concours.eval.commands.options import default_benchmark
from concours.eval.config import load_config, parse_config, schema
from concours.eval.errors import ConfigError, UsageError

GOOD = """\
references:
  pop: {path: "data/**/*.mid"}
systems:
  mine: {path: outputs, card: {model: mine, parameters: 7}}
  chain: {baseline: markov, order: 3, train_on: pop}
benchmarks:
  table:
    reference: pop
    systems: [mine, chain]
    metrics: [pitch, {groove_consistency: {steps_per_quarter: 12}}]
"""


def test_the_smallest_config() -> None:
    config = parse_config(GOOD)
    keys = [r.key for r in config.benchmarks["table"].requests]
    assert "pitch_entropy" in keys
    assert keys[-1] == "groove_consistency:steps_per_quarter=12"
    assert config.store == "sqlite:///concours.db"
    assert config.systems["chain"].described == "baseline: markov of order 3, from pop"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("    reference: pop", "    refrence: pop", "b.yaml:8:5: benchmarks.table.refrence"),
        ("    reference: pop", "    refrence: pop", "did you mean reference?"),
        ("reference: pop", "reference: popp", "b.yaml:8:5: benchmarks.table.reference"),
        ("[mine, chain]", "[mine, chains]", "did you mean chain?"),
        ("[mine, chain]", "[mine, chains]", "b.yaml:9:21: benchmarks.table.systems.1"),
        ("[pitch,", "[pich,", "no metric is called 'pich'"),
        ("steps_per_quarter: 12", "step_per_quarter: 12", "did you mean steps_per_quarter?"),
        ("steps_per_quarter: 12", "steps_per_quarter: x", "must be int"),
        ("train_on: pop", "train_on: pip", "did you mean pop?"),
        ("train_on: pop", "train_on: chain", "learns from itself"),
        (", train_on: pop", "", "a baseline needs train_on"),
        ("order: 3", "order: 0", "b.yaml:5:29: systems.chain.order"),
        ("{path: outputs,", "{path: outputs, corpus: bach-chorales,", "exactly one of"),
        ("  pop: {", "  pop: [", "b.yaml:2:"),
        ("  mine:", "  pop:", "a reference has this name already"),
    ],
)
def test_faults_are_placed_and_explained(old: str, new: str, fault: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        parse_config(GOOD.replace(old, new), "b.yaml")
    assert fault in str(caught.value)


def test_all_faults_at_once() -> None:
    bad = GOOD.replace("reference: pop", "reference: popp").replace("[pitch,", "[pich,")
    with pytest.raises(ConfigError) as caught:
        parse_config(bad)
    assert len(str(caught.value).splitlines()) == 2


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="concours score FOLDER"):
        load_config(tmp_path / "none.yaml")


def test_not_a_mapping() -> None:
    with pytest.raises(ConfigError, match="belong here"):
        parse_config("- a\n- b\n")


def test_the_default_benchmark_holds() -> None:
    config = load_config(default_benchmark())
    assert set(config.benchmarks) == {"chorales", "chorales-heard"}
    assert len(config.benchmarks["chorales"].systems) == 7


def test_the_schema_accepts_the_default_benchmark() -> None:
    import jsonschema
    from ruamel.yaml import YAML

    document = YAML(typ="safe").load(default_benchmark().read_text())
    jsonschema.validate(document, schema())
    document["benchmarks"]["chorales"]["systms"] = []
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema())
