"""What a source of answers holds: ratings, preferences, and which file each clip was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from concours.eval.stats.preference import Comparison
from concours.eval.stats.ratings import Ratings
from concours.eval.stats.screening import Flag

HIDDEN_REFERENCE = "hidden reference"


@dataclass(frozen=True)
class Answers:
    """``ratings`` is None where a source has preferences only; ``preferences`` go by dimension;
    ``hashes`` name each rated clip's content, by (system, item), where the source tells it;
    ``participants`` gives the status of raters on Prolific, by rater; ``flags`` are what the source
    found about raters itself. ``is_own``: a study of ours,
    whose scales are known. ``notes`` are about the preferences; ratings carry their own.
    """

    ratings: Ratings | None
    preferences: Mapping[str, list[Comparison]] = field(default_factory=dict)
    hashes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    participants: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()
    notes: tuple[str, ...] = ()
    is_own: bool = False

    @property
    def is_mushra(self) -> bool:
        """Whether it is a study of ours with a hidden reference on the scale from 0 to 100."""
        r = self.ratings
        if r is None or not self.is_own or HIDDEN_REFERENCE not in r.systems:
            return False
        return float(r.value.max()) > 10
