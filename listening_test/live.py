"""The study that this process serves: what the script, the routes and the guards share."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from concours.eval.errors import UsageError
from concours.eval.store import Store, study
from concours.listening_test import adaptive
from concours.listening_test.building import draw_blocks, order_labels, uses_blocks
from concours.listening_test.config import StudyConfig

CLIP_CACHE_BYTES = 256 << 20
OPEN_SECONDS = 4 * 3600.0
EXTRA_BLOCKS = 8
EXPIRE_EVERY = 60.0


@dataclass
class LiveStudy:
    store: Store
    name: str
    id: str
    secret: str
    config: StudyConfig
    raw: dict[str, Any]
    training: list[int]
    n_trials: int
    clock: Callable[[], float] = time.time
    _clips: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    _size: int = 0
    _expired_at: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def is_open(self) -> bool:
        return study.find_study(self.store, self.name).status != "closed"

    def clip(self, stimulus_id: str) -> bytes | None:
        """The bytes of a prepared clip, kept in memory up to a limit."""
        with self._lock:
            if stimulus_id in self._clips:
                self._clips.move_to_end(stimulus_id)
                return self._clips[stimulus_id]
        data = study.stimulus_bytes(self.store, stimulus_id)
        if data is None:
            return None
        with self._lock:
            if stimulus_id not in self._clips:
                self._clips[stimulus_id] = data
                self._size += len(data)
            while self._size > CLIP_CACHE_BYTES and len(self._clips) > 1:
                self._size -= len(self._clips.popitem(last=False)[1])
        return data

    def next_trial(self, rater_id: str) -> study.Assignment | None:
        """The rater's next trial, claimed where needed; None when they have had them all."""
        found = study.next_assignment(self.store, rater_id, self.clock(), OPEN_SECONDS)
        if found is not None:
            return found
        if not self._claim(rater_id):
            return None
        return study.next_assignment(self.store, rater_id, self.clock(), OPEN_SECONDS)

    def trials_per_rater(self) -> int:
        """How many test trials a rater gets in an on-demand design."""
        if self.config.trials_per_rater is not None:
            return self.config.trials_per_rater
        return 20 if self.config.settled_design == "adaptive-pairs" else 10_000

    def planned_trials(self) -> int:
        """How many trials a rater will have had at the end, practice and traps included."""
        tests = min(self.trials_per_rater(), self.n_trials)
        return tests + len(self.training) + self.config.traps

    def _expire(self) -> None:
        """Gives back what absent raters hold, at most once a minute."""
        now = self.clock()
        if now - self._expired_at >= EXPIRE_EVERY:
            self._expired_at = now
            study.expire(self.store, self.id, now, 60 * self.config.abandon_minutes)

    def _claim(self, rater_id: str) -> bool:
        self._expire()
        if uses_blocks(self.config):
            if study.progress(self.store, rater_id)[1] > 0:
                return False
            while not study.claim_block(self.store, self.id, rater_id, self.training):
                self.extend(EXTRA_BLOCKS)
            return True
        answered = study.answered(self.store, rater_id)
        if answered >= self.trials_per_rater():
            return False
        target = min(self.trials_per_rater(), self.n_trials)

        def choose(
            candidates: Sequence[study.Candidate], outcomes: Sequence[study.Outcome]
        ) -> study.Candidate | None:
            traps = [c for c in candidates if c.kind == "trap"]
            had = self.config.traps - len(traps)
            if traps and answered >= max(1, (had + 1) * target // (self.config.traps + 1)):
                return traps[0]
            tests = [c for c in candidates if c.kind == "test"]
            if self.config.settled_design == "adaptive-pairs":
                return adaptive.most_informative_pair(tests, outcomes)
            return adaptive.least_rated(tests)

        def shuffle(times: int, slots: int) -> list[int]:
            labels = [""] * slots
            if self.config.method in {"mushra", "dcr"}:
                labels[0] = "reference"
            if self.config.method == "abx":
                labels[-1] = "x"
            return order_labels(labels, times, self.config.seed)

        return study.claim_trial(self.store, self.id, rater_id, choose, shuffle, self.training)

    def extend(self, count: int) -> None:
        """Draws ``count`` more blocks of the same design."""
        first = study.count_blocks(self.store, self.id)
        trials = study.read_trials(self.store, self.id)
        study.add_blocks(self.store, self.id, draw_blocks(self.config, trials, first, count))


def open_live(store: Store, name: str) -> LiveStudy:
    """A stored study, ready to serve.

    Raises:
        UsageError: there is none of that name.
    """
    found = study.find_study(store, name)
    raw = dict(found.config)
    config = StudyConfig.model_validate({k: v for k, v in raw.items() if k != "texts"})
    training = study.training_trials(store, found.id)
    n_trials = sum(t.kind == "test" for t in study.read_trials(store, found.id))
    return LiveStudy(store, name, found.id, found.secret, config, raw, training, n_trials)


_served: LiveStudy | None = None


def serve_this(live: LiveStudy) -> None:
    """Makes a study the one of this process."""
    global _served  # noqa: PLW0603 - a server process serves one study
    _served = live


def served() -> LiveStudy:
    if _served is None:
        raise UsageError("no study is being served; start it with: concours study serve NAME")
    return _served
