"""Recordings against a reference of recordings: reused sound, covers, and distance in an embedding.

Each metric holds a clip against a model of the reference that knows its own *null*, what its
unrelated clips share (:mod:`concours.metrics.originality.sound_null`): a value is read beside the
``percentile`` in its detail. A clip of the reference itself is held against the reference without
its own recording. ``concours originality`` reports all excerpts; these give one number each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from concours.metrics.clip import Clip
from concours.metrics.embeddings.protocol import TooShortError, embed
from concours.metrics.embeddings.spectral_stats import SPEC, SpectralStats
from concours.metrics.originality import landmarks, qmax, sound_null
from concours.metrics.originality.chroma_index import ChromaIndex, span_seconds
from concours.metrics.originality.landmark_index import LandmarkIndex
from concours.metrics.originality.landmarks import Constellation, constellation, query_landmarks
from concours.metrics.originality.neighbours import VectorIndex, Vectors, mean_vector
from concours.metrics.originality.qmax import SECONDS_A_PROFILE, SPAN, Profiles, profiles
from concours.metrics.originality.sound_null import (
    Null,
    chroma_null,
    landmark_null,
    neighbour_null,
    recordings,
)
from concours.metrics.registry import metric
from concours.metrics.spec import Parameters, Scored, Undefined

__all__ = ["SoundReference", "audio_reuse", "cover_similarity", "embedding_novelty"]


class _Index(Protocol):
    @property
    def names(self) -> NDArray[np.str_]: ...

    def to_arrays(self) -> dict[str, NDArray[Any]]: ...


I = TypeVar("I", LandmarkIndex, ChromaIndex, VectorIndex)  # noqa: E741


@dataclass(frozen=True, eq=False)
class SoundReference(Generic[I]):
    """An index of the reference's clips with its null; ``group`` (clips,) numbers recordings."""

    index: I
    null: Null
    group: NDArray[np.int64]

    def excluding(self, name: str) -> SoundReference[I]:
        """The same reference without the recording that a clip called ``name`` is of."""
        own = np.flatnonzero(self.index.names == name)
        same = np.flatnonzero(np.isin(self.group, self.group[own]))
        return replace(self, index=self.index.without(same.tolist()))


def _arrays(index: _Index, null: Null, group: Sequence[int]) -> dict[str, NDArray[Any]]:
    level = np.nan if null.level is None else null.level
    return {
        **index.to_arrays(),
        "null": null.values,
        "level": np.array([level]),
        "group": np.array(group, np.int64),
    }


def _opened(make: Callable[[Mapping[str, NDArray[Any]]], I],
            arrays: Mapping[str, NDArray[Any]]) -> SoundReference[I]:  # fmt: skip
    level = float(arrays["level"][0])
    null = Null(arrays["null"], None if np.isnan(level) else level)
    return SoundReference(make(arrays), null, arrays["group"])


class LandmarkModel:
    """The reference's landmarks; see :class:`concours.metrics.spec.CorpusModel`."""

    name = "landmarks"
    version = landmarks.VERSION * 100 + sound_null.VERSION
    parameters: tuple[str, ...] = ()

    def extract(self, piece: Clip, parameters: Parameters) -> Constellation:  # noqa: ARG002
        return constellation(piece)

    def fit(
        self,
        extracts: Sequence[Constellation],
        names: Sequence[str],
        parameters: Parameters,  # noqa: ARG002
    ) -> dict[str, NDArray[Any]]:
        index = LandmarkIndex.build(extracts, names)
        null, group = landmark_null([index], recordings(names))
        return _arrays(index, null, group)

    def open(self, arrays: Mapping[str, NDArray[Any]]) -> SoundReference[LandmarkIndex]:
        return _opened(LandmarkIndex.from_arrays, arrays)


class ChromaModel:
    """The reference's chroma profiles; see :class:`concours.metrics.spec.CorpusModel`."""

    name = "chroma-profiles"
    version = qmax.VERSION * 100 + sound_null.VERSION
    parameters: tuple[str, ...] = ()

    def extract(self, piece: Clip, parameters: Parameters) -> Profiles:  # noqa: ARG002
        return profiles(piece)

    def fit(
        self,
        extracts: Sequence[Profiles],
        names: Sequence[str],
        parameters: Parameters,  # noqa: ARG002
    ) -> dict[str, NDArray[Any]]:
        index, group = ChromaIndex.build(extracts, names), recordings(names)
        return _arrays(index, chroma_null([index], group), group)

    def open(self, arrays: Mapping[str, NDArray[Any]]) -> SoundReference[ChromaIndex]:
        return _opened(ChromaIndex.from_arrays, arrays)


class VectorModel:
    """The reference's clips in ``spectral-stats-v1``."""

    name = "spectral-stats-vectors"
    version = SPEC.version * 100 + sound_null.VERSION
    parameters: tuple[str, ...] = ()

    def extract(self, piece: Clip, parameters: Parameters) -> Vectors:  # noqa: ARG002
        return _vector(piece)

    def fit(
        self,
        extracts: Sequence[Vectors],
        names: Sequence[str],
        parameters: Parameters,  # noqa: ARG002
    ) -> dict[str, NDArray[Any]]:
        index, group = VectorIndex.build(extracts, names), recordings(names)
        return _arrays(index, neighbour_null(index, group), group)

    def open(self, arrays: Mapping[str, NDArray[Any]]) -> SoundReference[VectorIndex]:
        return _opened(VectorIndex.from_arrays, arrays)


def _vector(clip: Clip) -> Vectors:
    """The clip's mean frame, (0,) where it is too short for one."""

    def compute() -> Vectors:
        try:
            return mean_vector(embed(SpectralStats(), clip))
        except TooShortError:
            return np.zeros(0, np.float32)

    return clip.shared("spectral-stats mean", compute)


@metric(
    level="corpus",
    inputs="audio",
    direction="lower",
    unit="s",
    range=(0.0, np.inf),
    citation="Wang 2003, An industrial-strength audio search algorithm",
    corpus=LandmarkModel(),
)
def audio_reuse(
    clip: Clip, reference: SoundReference[LandmarkIndex], *, least_peaks: int = 0
) -> Scored | Undefined:
    """The length in seconds of the longest excerpt of a clip whose very sound the reference holds.

    ``max {end - start}`` over the excerpts whose score (peaks of the spectrogram that stand in one
    clip of the reference at one delay, see :mod:`concours.metrics.originality.landmarks`) exceeds
    the reference's level; 0 where there is none. ``least_peaks`` asks for so many instead of the
    level (0: the level, at least 8). The detail names ``source``, ``seconds`` and
    ``source_seconds`` (first and last), ``score`` and its ``percentile`` among the scores of
    unrelated clips of the reference.

    Survives noise, gain and lossy coding; the limits in speed and pitch are in
    docs/audio-originality.md. Lower is more original. Undefined where nothing stands out in the
    clip's spectrogram (silence).

    >>> from concours.metrics.clip import make_clip
    >>> noise = np.random.default_rng(0).normal(size=4 * 11025).astype(np.float32) * 0.1
    >>> index = LandmarkIndex.build([constellation(make_clip(noise, 11025))], ["noise.wav"])
    >>> reference = SoundReference(index, Null(np.zeros(0), None), np.array([0]))
    >>> round(audio_reuse(make_clip(noise * 0.3, 11025), reference).value)
    4
    """
    found = constellation(clip)
    if not len(found.frame):
        return Undefined("nothing stands out in its sound: silence, or too short")
    null = reference.null
    least = least_peaks or int(null.level or 0) + 1
    excerpts = reference.index.search(query_landmarks(found), max(2, least))
    if not excerpts:
        return Scored(0.0, {"seconds": None})
    best = max(excerpts, key=lambda e: (e.seconds, e.score))
    return Scored(
        round(best.seconds, 2),
        {
            "source": str(reference.index.names[best.clip]),
            "seconds": [best.start, best.end],
            "source_seconds": [best.source_start, best.source_end],
            "score": best.score,
            "percentile": null.percentile(best.score),
        },
    )


@metric(
    level="corpus",
    inputs="audio",
    direction="lower",
    unit="1",
    range=(0.0, np.inf),
    citation="Serrà, Serra & Andrzejak 2009, Cross recurrence quantification for cover song "
    "identification",
    corpus=ChromaModel(),
)
def cover_similarity(clip: Clip, reference: SoundReference[ChromaIndex]) -> Scored | Undefined:
    """How far a clip's harmony and tune follow a clip of the reference, in any key: Qmax.

    ``max over clips and 12 transpositions of Qmax / log2(number of pairs of positions + 1)``, see
    :mod:`concours.metrics.originality.qmax`; 0 where no position recurs. The detail names
    ``source``, ``seconds`` and ``source_seconds`` of the aligned stretch, ``transposition``
    (semitones from the source to the clip), and the ``percentile`` among the scores of unrelated
    clips of the reference.

    Lower is more original. Undefined for clips under 1.7 s.

    >>> from concours.metrics.clip import make_clip
    >>> noise = np.random.default_rng(0).normal(size=4 * 22050).astype(np.float32) * 0.1
    >>> own = make_clip(noise, 22050)
    >>> index = ChromaIndex.build([profiles(own)], ["noise.wav"])
    >>> reference = SoundReference(index, Null(np.zeros(0), None), np.array([0]))
    >>> cover_similarity(own, reference).detail["source_seconds"]
    [0.0, 3.9]
    """
    own = profiles(clip)
    if len(own) < SPAN:
        return Undefined(f"shorter than {SPAN * SECONDS_A_PROFILE:.1f} s")
    found = reference.index.alignments(own)
    number = max(range(len(found)), key=lambda i: found[i].score, default=None)
    if number is None or found[number].score == 0:
        return Scored(0.0, {"seconds": None})
    best = found[number]
    seconds, source_seconds = span_seconds(best)
    return Scored(
        round(best.score, 6),
        {
            "source": str(reference.index.names[number]),
            "seconds": seconds,
            "source_seconds": source_seconds,
            "transposition": best.transposition,
            "percentile": reference.null.percentile(best.score),
        },
    )


@metric(
    level="corpus",
    inputs="audio",
    direction="higher",
    unit="sd",
    range=(0.0, np.inf),
    citation="nearest neighbour in spectral-stats-v1, standardised by the reference",
    corpus=VectorModel(),
)
def embedding_novelty(clip: Clip, reference: SoundReference[VectorIndex]) -> Scored | Undefined:
    """The distance of a clip to the nearest clip of the reference in ``spectral-stats-v1``.

    The root mean square difference of the clips' mean frames in standard deviations of the
    reference, see :mod:`concours.metrics.originality.neighbours`; 0 for a clip of the reference.
    The detail names the ``source`` and the ``percentile``: the share of the reference's unrelated
    clips that are farther from their nearest. ``concours originality --embedding`` does the same
    in any other embedding.

    Higher is more novel. Undefined for clips under 3 s and where the reference has none of 3 s.

    >>> from concours.metrics.clip import make_clip
    >>> noise = np.random.default_rng(0).normal(size=4 * 22050).astype(np.float32) * 0.1
    >>> own, other = make_clip(noise, 22050), make_clip(noise[::2], 22050)
    >>> index = VectorIndex.build([_vector(own), _vector(own) + 1], ["noise.wav", "b.wav"])
    >>> reference = SoundReference(index, Null(np.zeros(0), None), np.array([0, 1]))
    >>> embedding_novelty(own, reference).value, embedding_novelty(other, reference)
    (0.0, Undefined(reason='shorter than 3 s'))
    """
    vector = _vector(clip)
    if not len(vector):
        return Undefined(f"shorter than {SPEC.window:g} s")
    nearest = reference.index.nearest(vector)
    if not nearest:
        return Undefined(f"no other recording of the reference has {SPEC.window:g} s")
    place = reference.null.percentile(nearest[0].distance)
    return Scored(
        round(nearest[0].distance, 6),
        {
            "source": str(reference.index.names[nearest[0].clip]),
            "percentile": None if place is None else round(100 - place, 2),
        },
    )
