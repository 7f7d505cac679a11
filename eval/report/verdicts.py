"""What a trust card says, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from concours.eval.report.wording import listed

MEANINGS = {
    "trusted": "it orders a ladder of damage, is misled by none, and halves of the items agree",
    "unstable": "halves of the items disagree about the systems",
    "blind": "it notices none of the damage that was tried",
    "misled": "some damage makes pieces look closer to the reference",
    "broken": "it moves under a transposition or a gain that it must ignore",
    "not tested": "the ladder of damage couldn't be climbed",
}


def verdict_note(card: Mapping[str, Any]) -> str:
    """What the verdict rests on: the meaning of the word, then what the card found.

    >>> verdict_note({"verdict": "blind", "separated_pairs": 1, "pairs": 3})
    'blind: it notices none of the damage that was tried. It tells 1 of 3 pairs of systems apart.'
    """
    verdict = str(card.get("verdict", ""))
    meaning = MEANINGS.get(verdict, "")
    parts = [f"{verdict}: {meaning}" if meaning else verdict]
    steps = [s for s in card.get("ladder") or [] if isinstance(s, Mapping)]
    for answer, words in (("orders", "It orders"), ("misled", "It is misled by")):
        names = [str(s.get("degradation", "")).replace("_", " ") for s in steps
                 if s.get("answer") == answer]  # fmt: skip
        if names:
            parts.append(f"{words} {listed(names)}")
    if (stability := card.get("stability")) is not None:
        parts.append(f"Halves of the items agree about the systems at τ = {float(stability):.2f}")
    if (pairs := card.get("pairs")) is not None:
        parts.append(f"It tells {card.get('separated_pairs')} of {pairs} pairs of systems apart")
    return ". ".join(parts) + "."
