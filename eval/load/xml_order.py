"""The order in which the measures of a score are played: repeats, endings, jumps."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from concours.eval.load.loaded import LoadError

MAX_PLAYED = 20_000


def played_order(measures: list[Element]) -> list[int]:
    """Indices of ``measures`` as they are played.

    Repeats with numbered endings and ``times``, then da capo, dal segno, al fine and al coda,
    after which repeats are not taken again.

    Raises:
        LoadError: more than 20,000 measures, or repeats that never end.
    """
    endings = _endings(measures)
    order: list[int] = []
    passes: dict[int, int] = {}
    section = at = 0
    turn = 1
    jumped = False
    while at < len(measures):
        measure = measures[at]
        forward, backward = _repeat_signs(measure)
        if forward is not None and at != section:
            section, turn = at, 1
        if endings[at] and not jumped and turn not in endings[at]:
            at += 1
            continue
        if endings[at] and jumped and at + 1 < len(measures) and _earlier_ending(endings, at):
            at += 1
            continue
        order.append(at)
        if len(order) > MAX_PLAYED:
            raise LoadError(f"more than {MAX_PLAYED} measures are played: check the repeat signs")
        if backward is not None and not jumped:
            times = _times(backward, endings, at)
            if passes.get(at, 1) < times:
                passes[at] = passes.get(at, 1) + 1
                turn += 1
                at = section
                continue
            section, turn = at + 1, 1
        sounds = measure.findall("sound") + measure.findall("direction/sound")
        if jumped:
            if any("fine" in s.attrib for s in sounds):
                break
            if any("tocoda" in s.attrib for s in sounds):
                at = _find(measures, "coda", after=at)
                continue
        elif any("dacapo" in s.attrib for s in sounds):
            jumped, at = True, 0
            continue
        elif any("dalsegno" in s.attrib for s in sounds):
            jumped, at = True, _find(measures, "segno", after=-1)
            continue
        at += 1
    return order


def _repeat_signs(measure: Element) -> tuple[Element | None, Element | None]:
    signs = measure.findall("barline/repeat")
    forward = next((s for s in signs if s.get("direction") == "forward"), None)
    return forward, next((s for s in signs if s.get("direction") == "backward"), None)


def _times(sign: Element, endings: list[set[int]], at: int) -> int:
    stated = sign.get("times", "")
    if stated.isdigit():
        return int(stated[:9])
    return max(endings[at], default=1) + 1


def _endings(measures: list[Element]) -> list[set[int]]:
    """The passes on which each measure is played; empty outside endings."""
    found: list[set[int]] = []
    current: set[int] = set()
    for measure in measures:
        marks = measure.findall("barline/ending")
        for mark in marks:
            if mark.get("type") == "start":
                text = mark.get("number", "").replace(",", " ").split()
                current = {int(n) for n in text if n.isdigit()}
        found.append(current)
        if any(mark.get("type") in ("stop", "discontinue") for mark in marks):
            current = set()
    return found


def _earlier_ending(endings: list[set[int]], at: int) -> bool:
    """Whether a later ending follows this one: after a jump only the last is played."""
    later = at
    while later < len(endings) and endings[later] == endings[at]:
        later += 1
    return later < len(endings) and bool(endings[later])


def _find(measures: list[Element], sign: str, after: int) -> int:
    for i, measure in enumerate(measures):
        sounds = measure.findall("sound") + measure.findall("direction/sound")
        if i > after and any(sign in s.attrib for s in sounds):
            return i
    return 0 if sign == "segno" else len(measures)
