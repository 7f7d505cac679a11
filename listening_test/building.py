"""From a config to a stored study: items chosen, clips prepared, trials made, blocks drawn."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from concours.eval.errors import UsageError
from concours.eval.items import Item
from concours.eval.store import Store, study
from concours.listening_test import designs, stimuli
from concours.listening_test.config import CHOICE, PAIRED, PROTOCOL_VERSION, StudyConfig
from concours.listening_test.selection import Say, choose, find_all
from concours.listening_test.texts import load_texts

FIRST_BLOCKS = 24
FIXED_FIRST = "reference"
FIXED_LAST = "x"


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
    found: Mapping[str, Sequence[Item]] | None = None,
) -> str:
    """Prepares and stores a study as a draft; paths start at ``folder``. Returns its id.

    ``found`` are the systems' items where they are known already.

    Raises:
        UsageError: no music, items that do not match across systems, a taken name.
    """
    chosen = choose(config, found or find_all(config, folder), say)
    audio = config.audio
    plan = _Plan()
    padded = sum(clip.padded for clip in chosen.clips.values())
    if padded:
        say(
            f"{padded} of {len(chosen.clips)} clips are shorter than {audio.seconds:g} s and end "
            "in silence; set audio.seconds to the shortest clip if systems differ in this"
        )
    _add_trials(plan, config, chosen.clips)
    _add_traps(plan, config, chosen.clips)
    prompts = chosen.prompts | _add_training(plan, config, chosen.spare)
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


def draw_blocks(
    config: StudyConfig, trials: Sequence[study.NewTrial], first: int, count: int
) -> list[study.NewBlock]:
    """Blocks ``first`` to ``first + count - 1``; the same whenever and in whatever steps drawn."""
    test = [t for t in trials if t.kind == "test"]
    traps = [t for t in trials if t.kind == "trap"]
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
            # on alternating sides, so that no side is the right one
            slots = tuple(order_slots(trap, number, config.seed))
            shown.insert(draw.randint(min(1, len(shown)), len(shown)), (trap.number, slots))
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
    plan: _Plan, config: StudyConfig, clips: Mapping[tuple[str, str], stimuli.Clip]
) -> None:
    if config.method == "mushra":
        _add_mushra(plan, config, clips)
        return
    test = {key: plan.clip(clip, "test", *key) for key, clip in clips.items()}
    if config.method not in PAIRED:
        for (_, item), stimulus_id in test.items():
            plan.trial("test", item, [(stimulus_id, "")])
        return
    draw = random.Random(f"{config.seed}:x")
    for item in dict.fromkeys(item for _, item in clips):
        for a, b in _pairs(config):
            shown = [(test[a, item], ""), (test[b, item], "")]
            if config.method == "dcr":
                shown[0] = (test[a, item], FIXED_FIRST)
            if config.method == "abx":
                x = draw.choice((a, b))
                shown.append((plan.clip(clips[x, item], "test", x, item), FIXED_LAST))
            plan.trial("test", item, shown)


def _add_traps(
    plan: _Plan, config: StudyConfig, clips: Mapping[tuple[str, str], stimuli.Clip]
) -> None:
    """Attention checks: a spoilt clip alone, or beside the clip that it was made from."""
    keys = sorted(clips)
    random.Random(f"{config.seed}:traps").shuffle(keys)
    for n in range(config.traps):
        system, item = keys[n % len(keys)]
        good = clips[system, item]
        bad = stimuli.trap(good, config.audio.rate, config.seed + n)
        shown = [(plan.clip(bad, "trap", None, None), "")]
        if config.method in PAIRED:
            label = FIXED_FIRST if config.method == "dcr" else ""
            shown.insert(0, (plan.clip(good, "gold", None, None), label))
        if config.method == "abx":
            shown.append((plan.clip(good, "gold", None, None), FIXED_LAST))
        plan.trial("trap", item, shown)


def _pairs(config: StudyConfig) -> list[tuple[str, str]]:
    names = list(config.systems)
    if config.reference is not None and config.method not in CHOICE:
        return [(config.reference, n) for n in names if n != config.reference]
    return list(combinations(names, 2))


def _add_mushra(
    plan: _Plan, config: StudyConfig, clips: Mapping[tuple[str, str], stimuli.Clip]
) -> None:
    reference = config.reference
    assert reference is not None
    rate = config.audio.rate
    for item in dict.fromkeys(item for _, item in clips):
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


def _add_training(plan: _Plan, config: StudyConfig, spare: Sequence[Item]) -> dict[str, str]:
    """Training trials look like the others, with clips that are in none of them.

    Returns the prompts of their items by name.
    """
    pattern = next((t for t in plan.trials if t.kind == "test"), None)
    if pattern is None:
        return {}
    unused = list(spare)
    random.Random(f"{config.seed}:training").shuffle(unused)
    prompts: dict[str, str] = {}
    for n in range(config.training):
        shown: list[tuple[str, str]] = []
        clips: list[stimuli.Clip] = []
        prompt = ""
        for _, label in pattern.stimuli:
            if label == FIXED_LAST:
                shown.append((plan.clip(clips[0], "training", None, None), label))
                continue
            seed = config.seed + 100 * n + len(shown)
            clip, prompt = _practice_clip(config, unused, seed, prompt)
            clips.append(clip)
            shown.append((plan.clip(clip, "training", None, None), label))
        name = f"training {n + 1}"
        prompts[name] = prompt
        plan.trial("training", name, shown)
    return prompts


def _practice_clip(
    config: StudyConfig, unused: list[Item], seed: int, prompt: str
) -> tuple[stimuli.Clip, str]:
    """A clip that is left over and its prompt, or made music; unusable ones are passed over."""
    while unused:
        item = unused.pop()
        try:
            return stimuli.read_clip(item, config.audio), prompt or item.prompt
        except UsageError:
            continue
    return stimuli.example_music(config.audio, seed), prompt
