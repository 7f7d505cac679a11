"""Look-up, parameters and the errors that a user meets."""

import pytest

from concours.metrics.registry import MetricError, catalogue, expand, metric, request


def test_the_key_names_what_differs_from_the_defaults() -> None:
    assert request("pitch_entropy").key == "pitch_entropy"
    assert request("pitch_entropy:weighting=count").key == "pitch_entropy"
    assert request("groove_consistency:steps_per_quarter=12").parameters["steps_per_quarter"] == 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pitch_entrpy", "did you mean pitch_entropy"),
        ("groove_consistency:step_per_quarter=4", "did you mean steps_per_quarter"),
        ("groove_consistency:steps_per_quarter=four", "must be int"),
        ("pitch_entropy:weighting=length", "must be one of count, duration"),
        ("pitch_entropy:duration", "name=value"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        request(text)


def test_groups_expand_in_order_and_once() -> None:
    keys = [r.key for r in expand(["pitch", "pitch_entropy", "symbolic"])]
    assert keys[0] == "pitch_range"
    assert len(keys) == len(set(keys))
    assert {"frechet_distance", "overlap_area"} <= set(keys)


def test_a_name_belongs_to_one_function() -> None:
    catalogue()
    with pytest.raises(MetricError, match="already registered"):

        @metric(level="clip", inputs="symbolic", direction="none", unit="")
        def pitch_range() -> float:
            return 0.0


def test_a_parameter_needs_a_plain_default() -> None:
    with pytest.raises(MetricError, match="plain default"):

        @metric(level="clip", inputs="symbolic", direction="none", unit="")
        def unheard_of(*, grid: list[int] = []) -> float:  # noqa: B006
            return float(len(grid))


def test_every_metric_is_described() -> None:
    for spec in catalogue().values():
        assert spec.summary.endswith("."), spec.name
        assert len(spec.definition) > len(spec.summary), spec.name
        assert spec.unit, spec.name
        assert spec.range[0] < spec.range[1], spec.name
