"""A listening test over the systems of a benchmark, without a STUDY.yaml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from concours.eval.config import load_config
from concours.eval.errors import UsageError
from concours.eval.items import Item
from concours.eval.sources import resolve
from concours.listening_test.config import StudyConfig, StudySystem

ITEMS = 4


def study_of_benchmark(
    name: str, path: Path, say: Callable[[str], None]
) -> tuple[StudyConfig, dict[str, list[Item]]]:
    """A MOS study (overall quality, musicality) of the systems of a benchmark, and their items.

    Folders, bundled corpora and baselines are all systems: what is heard is what ``concours run``
    scores, and joins it by the hash of the clip.

    Raises:
        UsageError: no such benchmark, or a system without music.
    """
    config = load_config(path)
    if name not in config.benchmarks:
        raise UsageError(
            f"{path}: no benchmark {name!r}; there are: {', '.join(config.benchmarks)}"
        )
    systems = config.benchmarks[name].systems
    items = {
        system: found
        for system, found in resolve(config, systems, path.parent, say).items()
        if system in systems
    }
    shown = {s: StudySystem(path=config.sources[s].described) for s in systems}
    study = StudyConfig(
        store=config.store,
        name=name,
        method="mos",
        systems=shown,
        items_per_system=min(ITEMS, *(len(found) for found in items.values())),
        dimensions=["overall_quality", "musicality"],
    )
    return study, items
