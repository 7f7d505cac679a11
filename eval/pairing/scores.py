"""A metric of an item and its partner: the ground truth, the target or the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from concours.eval.items import Partner
from concours.eval.load import LoadError
from concours.eval.pairing.tables import target_from_text
from concours.eval.subject import Subject, read_subject
from concours.metrics.spec import MetricResult, MetricSpec, Parameters, Undefined
from concours.metrics.target import target_of_prefix

WORDS = {"truth": "ground truth", "target": "target", "prefix": "musical prompt"}
NOTES_ONLY = "a metric of notes, and this {} is audio"


def pair_result(
    subject: Subject, spec: MetricSpec, partners: Sequence[Partner], parameters: Parameters
) -> MetricResult:
    """The metric's result; undefined where the item lacks the partner or it can't be read.

    A metric against a target takes the target; where there is none, the prompt, then the truth.

    Raises:
        RenderError: one of the two can't be heard.
        Exception: whatever the metric raises.
    """
    by_role = {p.role: p for p in partners}
    roles = ("target", "prefix", "truth") if spec.partner == "target" else (spec.partner,)
    partner = next((by_role[r] for r in roles if r in by_role), None)
    if partner is None:
        return Undefined(f"the item has no {WORDS[spec.partner]}")
    if partner.reason:
        return Undefined(f"no {WORDS[partner.role]}: {partner.reason}")
    if spec.inputs == "symbolic" and subject.piece is None:
        return Undefined(NOTES_ONLY.format("item"))
    other = _second(partner, spec)
    if isinstance(other, Undefined):
        return other
    own = subject.clip if spec.inputs == "audio" else subject.piece
    result: MetricResult = spec.function(own, other, **parameters)
    return result


def _second(partner: Partner, spec: MetricSpec) -> Any:
    if partner.table:
        return target_from_text(partner.table)
    found = opened(partner)
    if isinstance(found, str):
        return Undefined(f"the {WORDS[partner.role]} {partner.name} cannot be read: {found}")
    if spec.inputs == "audio":
        return found.clip
    if found.piece is None:
        return Undefined(NOTES_ONLY.format(WORDS[partner.role]))
    if spec.partner == "target" and partner.role == "prefix":
        return target_of_prefix(found.piece)
    return found.piece


@lru_cache(maxsize=4)
def opened(partner: Partner) -> Subject | str:
    """The partner's content, or why it can't be read: many items may share one."""
    try:
        return read_subject(partner.kind, partner.fragment, Path(partner.location), partner.sha256)
    except LoadError as error:
        return str(error)
