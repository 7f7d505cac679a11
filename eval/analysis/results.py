"""What an analysis of ratings finds, as frozen records; undefined parts carry their reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from concours.eval.stats.compare import Friedman
from concours.eval.stats.emotion import Ceiling, Ellipse, QuadrantAgreement
from concours.eval.stats.mos import Interval
from concours.eval.stats.ordinal import OrdinalFit
from concours.eval.stats.pairs import MixedModel, Pair
from concours.eval.stats.power import Components, Design
from concours.eval.stats.preference import Preference
from concours.eval.stats.quantiles import Quartiles
from concours.eval.stats.ranks import RankInterval
from concours.eval.stats.reliability import IccInterval, IccMixed, Measurement
from concours.eval.stats.screening import Flag
from concours.metrics.spec import Undefined


@dataclass(frozen=True)
class SystemMean:
    """One system on one dimension; ``interval`` is undefined where only ``mean`` is known.

    ``intervals`` are those of every method that the ratings allow, the reported one first;
    ``quartiles`` by Hazen's positions and by numpy's, each named.
    """

    system: str
    dimension: str
    mean: float
    sd: float | None
    quartiles: tuple[Quartiles, ...]
    interval: Interval | Undefined
    intervals: tuple[Interval, ...]
    rank: RankInterval
    n_ratings: int
    n_raters: int
    n_items: int


class ItemMean(NamedTuple):
    """The MOS of one item of one system, by t over its ratings."""

    system: str
    item: str
    dimension: str
    mean: float
    sd: float | None
    interval: Interval | Undefined
    n_ratings: int


@dataclass(frozen=True)
class Reliability:
    """Agreement about stimuli on one dimension; ``sos`` is the a of the SOS hypothesis."""

    dimension: str
    icc21: IccInterval | Undefined
    icc2k: IccInterval | Undefined
    components: IccMixed | Undefined
    alpha: Mapping[Measurement, float | Undefined]
    sos: float | Undefined


@dataclass(frozen=True)
class Comparisons:
    """All pairs on one dimension; ``groups`` are systems that can't be told apart, best first."""

    dimension: str
    overall: Friedman | Undefined
    pairs: tuple[Pair, ...] | Undefined
    groups: tuple[tuple[str, ...], ...]
    alpha: float
    mixed_model: MixedModel | Undefined
    ordinal_model: OrdinalFit | Undefined


@dataclass(frozen=True)
class ScreeningReport:
    """``excluded`` and ``flagged`` partition the flags by whether their rule excludes.

    ``systems_before`` and ``reliability_before`` are the figures with everybody in.
    """

    excluded: tuple[Flag, ...]
    flagged: tuple[Flag, ...]
    excluding_rules: tuple[str, ...]
    n_ratings_before: int
    n_ratings: int
    systems_before: tuple[SystemMean, ...]
    reliability_before: tuple[Reliability, ...]
    notes: tuple[str, ...]


class AxisAgreement(NamedTuple):
    """``ccc`` of the rated with the intended values of the items; ``baseline`` is what the best
    constant gets, which is 0 by definition; ``ceiling`` how well one rater agrees with the
    others."""

    ccc: float | Undefined
    pearson: float | Undefined
    rmse: float
    baseline: float
    baseline_rmse: float
    ceiling: Ceiling | Undefined
    n_items: int


class IntendedAgreement(NamedTuple):
    """Rated against intended emotion: on both axes where values were intended, and by quadrant.

    ``ceiling_quadrant_accuracy`` is the share of single ratings that fall into the quadrant of
    the mean of the other raters.
    """

    axes: Mapping[str, AxisAgreement]
    quadrants: QuadrantAgreement | Undefined
    ceiling_quadrant_accuracy: float | Undefined
    n_items: int
    without_intention: int


@dataclass(frozen=True)
class EmotionReport:
    """Where listeners put each system; ``frame`` is "felt", "perceived" or "" if not stated.

    ``neutral`` is the point of the scale that divides the quadrants.
    """

    frame: str
    neutral: float
    ellipses: Mapping[str, Ellipse | Undefined]
    ceilings: Mapping[str, Ceiling | Undefined]
    intended: IntendedAgreement | None


@dataclass(frozen=True)
class Analysis:
    systems: tuple[SystemMean, ...]
    items: tuple[ItemMean, ...]
    reliability: tuple[Reliability, ...]
    comparisons: tuple[Comparisons, ...]
    screening: ScreeningReport
    emotion: tuple[EmotionReport, ...]
    power: Mapping[str, tuple[Components, tuple[Design, ...] | Undefined] | Undefined]
    notes: tuple[str, ...]
    seed: int
    level: float
    half_width: float | None = None
    preferences: Mapping[str, Preference | Undefined] = field(default_factory=dict)
