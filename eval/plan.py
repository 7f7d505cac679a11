"""The plan of a run: every item and every measure of one benchmark, before anything is computed.

A plan has an identity: a hash of all contents, metrics with their versions and parameters, and
seeds. Two plans alike are one run, so running again is the resume.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from concours.eval.cache import digest
from concours.eval.clusters import cluster_of
from concours.eval.embeddings.catalogue import embedding_of
from concours.eval.embeddings.described import identity_of
from concours.eval.items import Item
from concours.eval.load import LOADER_VERSION
from concours.eval.render import RENDERING
from concours.eval.weights import content_hash
from concours.eval.work import model_parameters
from concours.metrics.spec import MetricRequest

HALF_SAMPLES = 100
INTERVALS = 2  # how intervals and half-samples are drawn; part of the run's identity


@dataclass(frozen=True)
class PlannedSystem:
    """``is_reference`` marks the corpus that the others are compared with; ``statistics`` is its
    file where it is known by the statistics of its frames alone, and then has no items."""

    name: str
    items: tuple[Item, ...]
    source: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)
    is_reference: bool = False
    statistics: str = ""

    @cached_property
    def set_id(self) -> str:
        """A hash of the contents, whatever their names and order."""
        if self.statistics:
            return content_hash(Path(self.statistics))[:32]
        return digest(sorted(i.sha256 for i in self.items if i.sha256))

    def cluster(self, item: Item) -> str:
        """The prompt or song of an item, or the item by itself."""
        return cluster_of(self.name, item.path, item.prompt, item.song)


@dataclass(frozen=True)
class Measure:
    """A metric with its parameters in one context: the loader that read the items and, for corpus
    metrics, the reference they are held against. ``model`` is that reference's fitted model in
    the cache; ``leave_out`` is true where each item is held against the others; ``against`` is a
    hash of what items on frames are held against."""

    request: MetricRequest
    model: str = ""
    leave_out: bool = False
    against: str = ""

    @property
    def context(self) -> str:
        parts = [f"loader={LOADER_VERSION}"]
        spec = self.request.spec
        if spec.inputs in ("audio", "embedding"):
            parts.append(f"rendering={RENDERING}")
        if spec.inputs == "embedding":
            parts.append(f"embedding={identity_of(embedding_of(self.request.parameters))}")
        if self.model:
            parts.append(f"reference={self.model}")
        if self.leave_out:
            parts.append("leave-one-out")
        if self.against:
            parts.append(f"against={self.against}")
        return " ".join(parts)

    @cached_property
    def identity(self) -> tuple[str, int, str, str]:
        r = self.request
        return r.name, r.spec.version, r.canonical_parameters, self.context


@dataclass(frozen=True)
class Plan:
    """One benchmark, settled. ``systems`` holds the reference first (if there is one)."""

    benchmark: str
    systems: tuple[PlannedSystem, ...]
    requests: tuple[MetricRequest, ...]
    seed: int = 0
    resamples: int = 2000
    confidence: float = 0.95
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reference(self) -> PlannedSystem | None:
        return next((s for s in self.systems if s.is_reference), None)

    @cached_property
    def run_id(self) -> str:
        contents = [
            [s.name, s.is_reference, [[i.path, i.sha256, s.cluster(i), i.pair] for i in s.items]]
            + ([s.set_id] if s.statistics else [])
            for s in self.systems
        ]
        measures = [
            m.identity
            for s in self.systems
            for m in (*self.item_measures(s), *self.pair_measures(s))
        ]
        sets = [Measure(r).identity for r in self.set_requests()]
        samples = [INTERVALS, HALF_SAMPLES]
        settings = [self.seed, self.resamples, self.confidence, samples, LOADER_VERSION]
        return digest(self.benchmark, contents, measures, sets, settings)

    @cached_property
    def config_hash(self) -> str:
        return digest(dict(self.config))

    def item_measures(self, system: PlannedSystem) -> list[Measure]:
        """What is computed for each item of a system, in the order of the config."""
        found = []
        for request in self.requests:
            if request.spec.of_frames:
                found += self._on_frames(request, system)
            elif request.spec.level == "clip":
                found.append(Measure(request))
            elif request.spec.level == "corpus" and self._has_pieces:
                found.append(Measure(request, self._model(request), system.is_reference))
        return found

    @property
    def _has_pieces(self) -> bool:
        return self.reference is not None and not self.reference.statistics

    def _on_frames(self, request: MetricRequest, system: PlannedSystem) -> list[Measure]:
        """The measure of items on frames: what a clip gets depends on all that it is held with."""
        if request.spec.level == "corpus":
            if self.reference is None or system.is_reference:
                return []
            return [Measure(request, against=digest(self.reference.set_id, system.set_id))]
        asked = self._asked if request.spec.partner == "prompt" else self._truths
        own = {i.sha256 for i in system.items}
        if system.is_reference and not any(sha in own for sha, _ in asked):
            return []
        return [Measure(request, against=digest(asked))]

    @cached_property
    def prompts(self) -> tuple[str, ...]:
        """All different prompts of the run in words, sorted."""
        return tuple(sorted({p for _, p in self._asked}))

    @cached_property
    def _asked(self) -> list[tuple[str, str]]:
        """Who was asked for what in words: a prompt's place depends on all of them."""
        items = [i for s in self.systems for i in s.items]
        return sorted({(i.sha256, i.words) for i in items if i.sha256 and i.words})

    @cached_property
    def _truths(self) -> list[tuple[str, str]]:
        """The contents that go in pairs."""
        return sorted(
            {
                (i.sha256, p.sha256)
                for s in self.systems
                for i in s.items
                for p in i.partners
                if p.role == "truth" and p.sha256 and i.sha256
            }
        )

    def pair_measures(self, system: PlannedSystem) -> list[Measure]:
        """What is computed for each item of a system and its partner, where it has such partners.

        What goes against a target goes against the prompt or the ground truth where there is none.
        """
        roles = {p.role for i in system.items for p in i.partners}
        return [
            Measure(r)
            for r in self.requests
            if r.spec.level == "pair"
            and r.spec.inputs != "embedding"
            and (r.spec.partner in roles or (r.spec.partner == "target" and roles))
        ]

    def _model(self, request: MetricRequest) -> str:
        """The name of the fitted reference that a corpus metric needs: a hash of its making."""
        spec, reference = request.spec, self.reference
        assert spec.corpus is not None
        assert reference is not None
        heard = spec.inputs == "audio"  # notes are rendered for it
        contents = [[i.path, i.sha256] for i in reference.items if heard or i.kind == "symbolic"]
        parameters = model_parameters(spec, request.parameters)
        made = [spec.corpus.name, spec.corpus.version, parameters, LOADER_VERSION, contents]
        return digest(*made, RENDERING) if heard else digest(*made)

    @property
    def features(self) -> tuple[MetricRequest, ...]:
        """The clip metrics whose distributions the set metrics compare."""
        return tuple(
            r
            for r in self.requests
            if r.spec.level == "clip"
            and r.spec.direction == "reference"
            and r.spec.inputs == "symbolic"
        )

    @property
    def asked_sets(self) -> list[MetricRequest]:
        """The set metrics asked for that can be computed: those on features need some."""
        if self.reference is None:
            return []
        return [
            r
            for r in self.requests
            if r.spec.level == "set" and (self.features or r.spec.inputs == "embedding")
        ]

    def set_requests(self) -> Iterator[MetricRequest]:
        """The set metrics, then, where they are means over features, those of each feature."""
        asked = self.asked_sets
        yield from asked
        for request in asked:
            yield from (r for _, r in self.by_feature(request))

    def by_feature(self, request: MetricRequest) -> list[tuple[str, MetricRequest]]:
        """A set metric of all features as requests of one each, by the feature's key."""
        if not request.spec.per_feature or request.parameters["feature"] != "all":
            return []
        return [
            (f.key, MetricRequest(request.spec, {**request.parameters, "feature": f.key}))
            for f in self.features
        ]
