"""Which items a study plays: drawn from the seed, those that cannot be heard passed over."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from concours.eval.errors import UsageError
from concours.eval.items import Item, find_items
from concours.eval.pairing.partners import with_prompts
from concours.listening_test import stimuli
from concours.listening_test.config import PAIRED, StudyConfig

Say = Callable[[str], None]
Named = dict[str, dict[str, Item]]


@dataclass(frozen=True)
class Chosen:
    """``clips`` by system and item; ``prompts`` by item; ``spare`` items for training."""

    clips: dict[tuple[str, str], stimuli.Clip]
    prompts: dict[str, str]
    spare: list[Item]


def find_all(config: StudyConfig, folder: Path) -> dict[str, list[Item]]:
    """The items of each system, with their prompts.

    Raises:
        UsageError: nothing at a path, or prompts that match nothing; the message names the system.
    """
    found = {}
    for name, system in config.systems.items():
        try:
            items = find_items(system.path, folder)
            found[name] = with_prompts(items, folder / system.prompts) if system.prompts else items
        except UsageError as error:
            raise UsageError(f"systems.{name}: {error}") from error
    return found


def choose(config: StudyConfig, items: Mapping[str, Sequence[Item]], say: Say) -> Chosen:
    """Draws ``items_per_system`` items and reads their clips.

    Methods that compare need items that answer each other: files of the same name (without its
    suffix) in every system. Elsewhere, files of one name that answer different prompts are
    different items, told apart by their system's name.

    Raises:
        UsageError: too few items that can be heard, files of one name that answer different
            prompts, or a missing prompt where prompts are shown.
    """
    found = _named(config, items)
    draw = random.Random(f"{config.seed}:items")
    clips: dict[tuple[str, str], stimuli.Clip] = {}
    if config.method in PAIRED | {"mushra"}:
        common = sorted(set.intersection(*(set(own) for own in found.values())))
        if len(common) < config.items_per_system:
            raise UsageError(_few_in_common(config, found, common))
        clips = _read(config, found, draw.sample(common, len(common)), list(found), say)
    else:
        for system, own in found.items():
            clips |= _read(config, found, draw.sample(sorted(own), len(own)), [system], say)
    prompts = {name: found[system][name].prompt for system, name in clips}
    if config.shows_prompt:
        bare = [(s, n) for s, n in clips if not prompts[n]]
        if bare:
            raise UsageError(
                f"systems.{bare[0][0]}: {bare[0][1]} has no prompt to be shown ({len(bare)} such "
                "items); give prompts: a CSV file with the columns path and prompt"
            )
    spare = [i for s, own in found.items() for n, i in sorted(own.items()) if (s, n) not in clips]
    order = {key: n for n, key in enumerate((s, n) for s in found for n in sorted(found[s]))}
    return Chosen(dict(sorted(clips.items(), key=lambda kv: order[kv[0]])), prompts, spare)


def _named(config: StudyConfig, items: Mapping[str, Sequence[Item]]) -> Named:
    found = {
        system: {PurePath(i.path).with_suffix("").as_posix(): i for i in own}
        for system, own in items.items()
    }
    asked: dict[str, set[str]] = {}
    for own in found.values():
        for name, item in own.items():
            asked.setdefault(name, set()).add(item.prompt)
    differ = {name for name, prompts in asked.items() if len(prompts) > 1}
    if not differ:
        return found
    if config.method in PAIRED | {"mushra"}:
        name = min(differ)
        said = ", ".join(repr(p) for p in sorted(asked[name]))
        raise UsageError(
            f"{name}: the systems answer different prompts ({said}); method {config.method} "
            "compares answers to the same one"
        )
    return {
        system: {f"{n} ({system})" if n in differ else n: i for n, i in own.items()}
        for system, own in found.items()
    }


def _read(
    config: StudyConfig, found: Named, names: Sequence[str], systems: Sequence[str], say: Say
) -> dict[tuple[str, str], stimuli.Clip]:
    """The first ``items_per_system`` names that can be heard in each of the systems."""
    clips: dict[tuple[str, str], stimuli.Clip] = {}
    count, reasons = 0, []
    for name in names:
        if count == config.items_per_system:
            break
        try:
            read = {(s, name): stimuli.read_clip(found[s][name], config.audio) for s in systems}
        except UsageError as error:
            reasons.append(str(error))
            say(f"left out: {error}")
            continue
        clips |= read
        count += 1
    if count < config.items_per_system:
        why = f" that can be heard ({len(reasons)} left out: {reasons[0]})" if reasons else ""
        raise UsageError(
            f"systems.{systems[0]}: {count} items{why}, items_per_system asks for "
            f"{config.items_per_system}"
        )
    return clips


def _few_in_common(config: StudyConfig, found: Named, common: Sequence[str]) -> str:
    """What to say where too few names are in all systems, with a name that is missing."""
    lone = next(
        (
            f"; {name} of {system} is not in {other}"
            for system, own in found.items()
            for name in sorted(own)
            for other in found
            if name not in found[other]
        ),
        "",
    )
    return (
        f"method {config.method} compares files of the same name; the systems share "
        f"{len(common)}, items_per_system asks for {config.items_per_system}{lone}"
    )
