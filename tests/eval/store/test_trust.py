"""Trust cards in the store: they outlive a run, and not a metric's version."""

from pathlib import Path

from click.testing import CliRunner

from concours.eval.cli import cli
from concours.eval.store import open_store, runs
from concours.eval.store.trust import read_cards, write_cards


def test_cards_hold_for_later_runs_of_the_benchmark(benchmark_file: Path) -> None:
    quick = ["run", str(benchmark_file), "--workers", "1", "--no-html", "--quiet"]
    assert CliRunner().invoke(cli, quick).exit_code == 0
    with open_store(f"sqlite:///{benchmark_file.parent / 'concours.db'}") as store:
        first = runs.latest_run(store, "small")
        assert first is not None
        assert read_cards(store, first) == {}
        cards = {"pitch_range": {"verdict": "blind"}, "no_such_metric": {"verdict": "trusted"}}
        write_cards(store, first, cards)
        write_cards(store, first, {"pitch_range": {"verdict": "trusted", "stability": 0.9}})
        (card,) = read_cards(store, first).values()
        assert (card.key, card.verdict, card.card["stability"]) == ("pitch_range", "trusted", 0.9)
    (benchmark_file.parent / "mine" / "copied.mid").unlink()
    assert CliRunner().invoke(cli, quick).exit_code == 0
    with open_store(f"sqlite:///{benchmark_file.parent / 'concours.db'}") as store:
        second = runs.latest_run(store, "small")
        assert second is not None
        assert second != first
        assert read_cards(store, second)["pitch_range"].run == first
