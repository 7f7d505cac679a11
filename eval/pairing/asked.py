"""What ``concours score`` holds items against, and which metrics that allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from concours.eval.errors import UsageError
from concours.eval.items import Item
from concours.eval.pairing.partners import (
    is_table,
    prompt_of,
    together,
    with_ground_truth,
    with_prompts,
    with_targets,
)
from concours.metrics.spec import MetricRequest


@dataclass(frozen=True)
class Pairing:
    """What items are held against, as :mod:`concours.eval.pairing.partners` takes it: a folder or
    table of ground truths, a table or folder of targets, a table of prompts, one prompt for all."""

    ground_truth: str | None = None
    targets: str | None = None
    prompts: str | None = None
    prompt: str | None = None

    def of(self, systems: Mapping[str, list[Item]]) -> dict[str, list[Item]]:
        """The items of each path with their partners.

        A table may name the items of all paths; names are matched path by path.
        """
        if self.prompts is not None:
            table = Path(self.prompts).expanduser()
            systems = together(systems, lambda items: with_prompts(items, table))
        if self.prompt is not None:
            text = self.prompt
            systems = together(systems, lambda items: prompt_of(items, text))
        for source, pair in ((self.ground_truth, with_ground_truth), (self.targets, with_targets)):
            if source is not None and is_table(source):
                systems = together(systems, partial(pair, source=source))
            elif source is not None:
                systems = {name: pair(items, source) for name, items in systems.items()}
        return dict(systems)

    def families(self, items: Sequence[Item], kinds: set[str]) -> list[str]:
        """The families of pair metrics that the partners allow."""
        roles = {p.role for i in items for p in i.partners}
        found = []
        if "truth" in roles:
            found += ["pairs", "bar_overlap"] if "symbolic" in kinds else []
            found += ["audio_pairs"] if "audio" in kinds else []
        if "prefix" in roles:
            found.append("prefix")
        return [*found, "control"] if roles and "symbolic" in kinds else found


NOT_PAIRED = Pairing()
OPTIONS = {
    "truth": "its ground truth: add --ground-truth PATH",
    "target": "what was asked for: add --target FILE, --prompts TABLE or --ground-truth PATH",
    "prompt": "the text of its prompt: add --prompts TABLE or --prompt TEXT",
    "prefix": "a musical prompt: add --prompts TABLE or --prompt FILE",
}


def answerable(
    asked: list[MetricRequest], items: Sequence[Item], metrics: Sequence[str]
) -> list[MetricRequest]:
    """The metrics that the items have partners for; those asked for by name must have them."""
    roles: set[str] = {p.role for i in items for p in i.partners}
    if any(i.words for i in items):
        roles.add("prompt")
    lacking = [
        r
        for r in asked
        if r.spec.level == "pair"
        and not (r.spec.partner in roles or (r.spec.partner == "target" and roles))
    ]
    named = {m.partition(":")[0] for m in metrics}
    for r in lacking:
        if r.name in named or r.spec.family in named:
            raise UsageError(f"{r.name} compares with {OPTIONS[r.spec.partner]}")
    # of a preset, metrics on frames stay and say that their partner is missing
    return [r for r in asked if r not in lacking or r.spec.of_frames]
