"""From a config to a stored study: items chosen, clips prepared, trials made, blocks drawn."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path, PurePath

from concours.eval.errors import UsageError
from concours.eval.items import Item, find_items
from concours.eval.pairing import with_prompts
from concours.eval.store import Store, study
from concours.listening_test import designs, stimuli
from concours.listening_test.config import CHOICE, PAIRED, PROTOCOL_VERSION, StudyConfig
from concours.listening_test.texts import load_texts

FIRST_BLOCKS = 24
FIXED_FIRST = "reference"
FIXED_LAST = "x"

Say = Callable[[str], None]


@dataclass
class _Plan:
    """What is being built: clips with their place, and the trials that show them."""

    clips: list[tuple[str, stimuli.Clip, str | None, str | None, str]] = field(default_factory=list)
    trials: list[study.NewTrial] = field(default_factory=list)

    def clip(self, clip: stimuli.Clip, role: str, system: str | None, item: str | None) -> str:
        stimulus_id = study.new_id()
        self.clips.append((stimulus_id, clip, system, item, role))
        return stimulus_id

    def trial(self, kind: str, item: str | None, shown: Sequence[tuple[str, str]]) -> None:
        self.trials.append(study.NewTrial(len(self.trials), kind, item, tuple(shown)))


def build_study(
    store: Store,
    config: StudyConfig,
    folder: Path,
    now: float,
    *,
    replace: bool = False,
    say: Say = lambda _: None,
) -> str:
    """Prepares and stores a study as a draft; paths start at ``folder``. Returns its id.

    Raises:
        UsageError: no music, items that do not match across systems, a taken name.
    """
    chosen, spare = choose_items(config, folder)
    audio = config.audio
    plan = _Plan()
    prompts: dict[str, str] = {}
    clips: dict[tuple[str, str], stimuli.Clip] = {}
    padded = 0
    for system, items in chosen.items():
        for name, item in items.items():
            clips[system, name] = stimuli.read_clip(item, audio)
            padded += clips[system, name].padded
            prompts[name] = prompts.get(name) or item.prompt
    if padded:
        say(
            f"{padded} of {len(clips)} clips are shorter than {audio.seconds:g} s and end in "
            "silence; set audio.seconds to the shortest clip if systems differ in this"
        )
    _add_trials(plan, config, chosen, clips)
    _add_training(plan, config, spare)
    levelled, target = stimuli.level([c for _, c, _, _, _ in plan.clips], audio)
    if target < audio.lufs:
        say(f"all clips at {target:.1f} LUFS instead of {audio.lufs:g}, so that none clips")
    order = random.Random(f"{config.seed}:dither")
    new = [
        study.NewStimulus(
            id=stimulus_id,
            system=system,
            item=item,
            role=role,
            source=clip.source,
            clip_sha256=clip.sha256,
            data=stimuli.wav_bytes(clip.samples, audio.rate, order.getrandbits(60)),
            lufs=clip.lufs,
            gain_db=clip.gain_db,
            seconds=audio.seconds,
        )
        for (stimulus_id, _, system, item, role), clip in zip(plan.clips, levelled, strict=True)
    ]
    texts = {code: load_texts(folder / path) for code, path in config.languages.items()}
    stored = {**config.model_dump(mode="json", exclude={"store"}), "texts": texts}
    return study.create_study(
        store,
        name=config.name,
        method=config.method,
        config=stored,
        protocol_version=PROTOCOL_VERSION,
        seed=config.seed,
        now=now,
        systems={name: system.path for name, system in config.systems.items()},
        items=prompts,
        stimuli=new,
        trials=plan.trials,
        blocks=draw_blocks(config, plan.trials, 0, FIRST_BLOCKS) if uses_blocks(config) else [],
        replace=replace,
    )


def uses_blocks(config: StudyConfig) -> bool:
    """Whether raters claim rows drawn beforehand, or trials one by one."""
    return config.settled_design in {"williams", "incomplete-blocks"}


def choose_items(
    config: StudyConfig, folder: Path
) -> tuple[dict[str, dict[str, Item]], dict[str, list[Item]]]:
    """The items of each system by name, and those left over (for training).

    Methods that compare need items that answer each other: files of the same name (without its
    suffix) in every system.
    """
    found: dict[str, dict[str, Item]] = {}
    for name, system in config.systems.items():
        items = find_items(system.path, folder)
        if system.prompts:
            items = with_prompts(items, folder / system.prompts)
        found[name] = {PurePath(i.path).with_suffix("").as_posix(): i for i in items}
    draw = random.Random(f"{config.seed}:items")
    count = config.items_per_system
    if config.method in PAIRED | {"mushra"}:
        common = sorted(set.intersection(*(set(items) for items in found.values())))
        if len(common) < count:
            raise UsageError(
                f"method {config.method} compares files of the same name; the systems share "
                f"{len(common)}, items_per_system asks for {count}"
            )
        names = sorted(draw.sample(common, count))
        chosen = {s: {n: items[n] for n in names} for s, items in found.items()}
    else:
        chosen = {}
        for name, own in found.items():
            if len(own) < count:
                raise UsageError(
                    f"systems.{name}: {len(own)} items, items_per_system asks for {count}"
                )
            names = sorted(draw.sample(sorted(own), count))
            chosen[name] = {n: own[n] for n in names}
    spare = {
        s: [i for n, i in sorted(items.items()) if n not in chosen[s]] for s, items in found.items()
    }
    return chosen, spare


def draw_blocks(
    config: StudyConfig, trials: Sequence[study.NewTrial], first: int, count: int
) -> list[study.NewBlock]:
    """Blocks ``first`` to ``first + count - 1``; the same whenever and in whatever steps drawn."""
    test = [t for t in trials if t.kind == "test"]
    traps = [t.number for t in trials if t.kind == "trap"]
    size = min(config.trials_per_rater or len(test), len(test))
    if config.settled_design == "williams" and size == len(test):
        rows = designs.williams_rows(len(test), first + count, config.seed)
    else:
        rows = designs.incomplete_rows(len(test), size, first + count, config.seed)
    times = [0] * len(test)
    blocks = []
    for number, row in enumerate(rows):
        shown = []
        for index in row:
            trial = test[index]
            shown.append((trial.number, tuple(order_slots(trial, times[index], config.seed))))
            times[index] += 1
        draw = random.Random(f"{config.seed}:traps:{number}")
        for trap in traps:
            shown.insert(draw.randint(min(1, len(shown)), len(shown)), (trap, (0,)))
        if number >= first:
            blocks.append(study.NewBlock(number, tuple(shown)))
    return blocks


def order_slots(trial: study.NewTrial, times: int, seed: int) -> list[int]:
    """The order of a trial's stimuli the ``times``-th time it is given.

    An open reference stays first and X last; the others rotate through a Williams square.
    """
    return order_labels([label for _, label in trial.stimuli], times, seed + trial.number)


def order_labels(labels: Sequence[str], times: int, seed: int) -> list[int]:
    first = [i for i, label in enumerate(labels) if label == FIXED_FIRST]
    last = [i for i, label in enumerate(labels) if label == FIXED_LAST]
    free = [i for i in range(len(labels)) if i not in first + last]
    return [*first, *(free[j] for j in designs.slot_order(len(free), times, seed)), *last]


def _add_trials(
    plan: _Plan,
    config: StudyConfig,
    chosen: Mapping[str, Mapping[str, Item]],
    clips: Mapping[tuple[str, str], stimuli.Clip],
) -> None:
    if config.method == "mushra":
        _add_mushra(plan, config, chosen, clips)
        return
    test = {key: plan.clip(clip, "test", *key) for key, clip in clips.items()}
    if config.method not in PAIRED:
        for (_, item), stimulus_id in test.items():
            plan.trial("test", item, [(stimulus_id, "")])
        keys = sorted(clips)
        for n in range(config.traps):
            bad = stimuli.trap(clips[keys[n % len(keys)]], config.audio.rate, config.seed + n)
            plan.trial("trap", None, [(plan.clip(bad, "trap", None, None), "")])
        return
    draw = random.Random(f"{config.seed}:x")
    for item in next(iter(chosen.values())):
        for a, b in _pairs(config):
            shown = [(test[a, item], ""), (test[b, item], "")]
            if config.method == "dcr":
                shown[0] = (test[a, item], FIXED_FIRST)
            if config.method == "abx":
                x = draw.choice((a, b))
                shown.append((plan.clip(clips[x, item], "test", x, item), FIXED_LAST))
            plan.trial("test", item, shown)


def _pairs(config: StudyConfig) -> list[tuple[str, str]]:
    names = list(config.systems)
    if config.reference is not None and config.method not in CHOICE:
        return [(config.reference, n) for n in names if n != config.reference]
    return list(combinations(names, 2))


def _add_mushra(
    plan: _Plan,
    config: StudyConfig,
    chosen: Mapping[str, Mapping[str, Item]],
    clips: Mapping[tuple[str, str], stimuli.Clip],
) -> None:
    reference = config.reference
    assert reference is not None
    rate = config.audio.rate
    for item in chosen[reference]:
        original = clips[reference, item]
        low = stimuli.anchor(original, rate, stimuli.ANCHOR_LOW_HZ)
        mid = stimuli.anchor(original, rate, stimuli.ANCHOR_MID_HZ)
        shown = [
            (plan.clip(original, "reference", reference, item), FIXED_FIRST),
            (plan.clip(original, "hidden_ref", reference, item), ""),
            (plan.clip(low, "anchor_low", None, item), ""),
            (plan.clip(mid, "anchor_mid", None, item), ""),
        ]
        shown += [
            (plan.clip(clips[system, item], "test", system, item), "")
            for system in config.systems
            if system != reference
        ]
        plan.trial("test", item, shown)


def _add_training(
    plan: _Plan,
    config: StudyConfig,
    spare: Mapping[str, Sequence[Item]],
) -> None:
    """Training trials look like the others, with clips that are in none of them."""
    pattern = next((t for t in plan.trials if t.kind == "test"), None)
    if pattern is None:
        return
    unused = [i for items in spare.values() for i in items]
    random.Random(f"{config.seed}:training").shuffle(unused)
    for n in range(config.training):
        shown: list[tuple[str, str]] = []
        clips: list[stimuli.Clip] = []
        for _, label in pattern.stimuli:
            if label == FIXED_LAST:
                shown.append((plan.clip(clips[0], "training", None, None), label))
                continue
            clip = (
                stimuli.read_clip(unused.pop(), config.audio)
                if unused
                else stimuli.example_music(config.audio, config.seed + 100 * n + len(shown))
            )
            clips.append(clip)
            shown.append((plan.clip(clip, "training", None, None), label))
        plan.trial("training", None, shown)
