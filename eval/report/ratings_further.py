"""The sections beside the means: preferences, emotion, study sizes, screening."""

from __future__ import annotations

import math

from concours.eval.analysis.results import Analysis, EmotionReport, IntendedAgreement
from concours.eval.report.ratings_parts import (
    Column,
    Section,
    Table,
    number,
    probability,
    span,
    table,
)
from concours.eval.stats.emotion import QUADRANTS
from concours.eval.stats.preference import Preference
from concours.metrics.spec import Undefined

STRENGTH = (
    "A system's strength over another's is the odds of being preferred; strengths have geometric "
    "mean 1, and their intervals count raters as sampled."
)
SIZES_SHOWN = 8


def screening_summary(analysis: Analysis) -> str:
    s = analysis.screening
    raters = len({f.rater for f in s.excluded})
    if not s.n_ratings:
        return "There are preferences and no ratings."
    if not raters:
        spared = [n for n in s.notes if n.startswith("The rules would")]
        return " ".join([f"No rater was excluded; {s.n_ratings} ratings were analysed.", *spared])
    return (
        f"{raters} rater{'s' * (raters > 1)} excluded by rule; {s.n_ratings} of "
        f"{s.n_ratings_before} ratings were analysed. The figures with everybody stand beside."
    )


def preference_sections(analysis: Analysis) -> list[Section]:
    found = []
    for dimension, p in analysis.preferences.items():
        heading = f"Preference: {dimension}"
        if isinstance(p, Undefined):
            found.append(Section(heading, (f"No strengths: {p.reason}.",)))
            continue
        model = "Bradley–Terry" if p.tie is None else f"Davidson, ties {p.tie:.2f}"
        n = f"{p.n_comparisons} answers" + (f" of {p.n_raters} raters" if p.n_raters else "")
        found.append(
            Section(
                heading,
                (STRENGTH,),
                tuple(_preference(dimension, p, analysis.level)),
                (f"{model}; {n}; {p.method}. The comparisons connect all systems both ways.",),
            )
        )
    return found


def _preference(dimension: str, p: Preference, level: float) -> list[Table]:
    ordered = sorted(p.strengths, key=lambda s: (-s.strength, s.system))
    interval = f"{level:.0%} interval"
    rows = [[s.system, number(s.strength), span(s.ci_low, s.ci_high)] for s in ordered]
    pairs = [
        [q.first, q.second, number(q.probability), span(q.ci_low, q.ci_high),
         probability(q.p_holm)]
        for q in p.pairs(level)
    ]  # fmt: skip
    return [
        table(f"Preference, {dimension}: strengths.", ["System", "Strength", interval], rows),
        table(
            f"Preference, {dimension}: the chance that the first is preferred, ties aside.",
            ["First", Column("Second", False), "Chance", interval, "p, Holm"],
            pairs,
            folded=True,
        ),
    ]


def emotion_sections(analysis: Analysis) -> list[Section]:
    return [_emotion(e, analysis.level) for e in analysis.emotion]


def _emotion(e: EmotionReport, level: float) -> Section:
    rows = []
    for system, found in e.ellipses.items():
        if isinstance(found, Undefined):
            rows.append([system, "–", "–", "–", found.reason])
            continue
        v, a = found.centre
        axes = f"{found.major:.2f}, {found.minor:.2f}"
        rows.append([system, number(v), number(a), axes, f"{math.degrees(found.angle):.0f}°"])
    heading = "Emotion" + (f", {e.frame}" if e.frame else "")
    tables = [
        table(
            f"{heading}: mean valence and arousal with the half axes and the angle of their "
            f"{level:.0%} ellipse.",
            ["System", "Valence", "Arousal", "Half axes", "Angle"],
            rows,
        )
    ]
    ceilings = [
        f"one rater against the others, {name}: CCC {c.mean:.2f} ({c.low:.2f} to {c.high:.2f})"
        for name, c in e.ceilings.items()
        if not isinstance(c, Undefined)
    ]
    after = [f"Rater ceiling: {'; '.join(ceilings)}."] if ceilings else []
    after.append(f"Neutral is {e.neutral:g}.")
    if e.intended is not None:
        more, sentences = _intended(e.intended)
        tables += more
        after += sentences
    return Section(heading, (), tuple(tables), tuple(after))


def _intended(i: IntendedAgreement) -> tuple[list[Table], list[str]]:
    tables = []
    if i.axes:
        rows = [
            [
                name,
                _stated(a.ccc),
                _stated(a.pearson),
                number(a.rmse),
                number(a.baseline),
                number(a.baseline_rmse),
                "–" if isinstance(a.ceiling, Undefined) else number(a.ceiling.mean),
                str(a.n_items),
            ]
            for name, a in i.axes.items()
        ]
        tables.append(
            table(
                "Rated against intended emotion, beside a constant and one rater against the rest.",
                ["Axis", "CCC", "Pearson", "RMSE", "Constant: CCC", "Constant: RMSE",
                 "Rater ceiling: CCC", "Items"],
                rows,
            )
        )  # fmt: skip
    sentences = []
    q = i.quadrants
    if not isinstance(q, Undefined):
        tables.append(
            table(
                "Intended quadrant (rows) against the rated one (columns).",
                ["Intended", *QUADRANTS],
                [[n, *(str(c) for c in row)] for n, row in zip(QUADRANTS, q.confusion.tolist(),
                                                             strict=True)],
            )
        )  # fmt: skip
        ceiling = i.ceiling_quadrant_accuracy
        sentences.append(
            f"Quadrants: accuracy {q.accuracy:.2f} and macro-F1 {q.macro_f1:.2f}; the best "
            f"constant gets {q.baseline_accuracy:.2f} and {q.baseline_macro_f1:.2f}"
            + (f"; one rater against the rest {ceiling:.2f}." if isinstance(ceiling, float)
               else ".")
        )  # fmt: skip
    if i.without_intention:
        sentences.append(f"{i.without_intention} rated clips have no intention in the file.")
    return tables, sentences


def _stated(value: float | Undefined) -> str:
    return "–" if isinstance(value, Undefined) else number(value)


def power_sections(analysis: Analysis) -> list[Section]:
    """Study sizes for the wished-for interval, fewest ratings first."""
    if not analysis.power:
        return []
    tables, after = [], []
    for dimension, found in analysis.power.items():
        if isinstance(found, Undefined):
            after.append(f"{dimension}: {found.reason}.")
            continue
        v, designs = found
        if isinstance(designs, Undefined):
            after.append(f"{dimension}: {designs.reason}.")
            continue
        caption = (
            f"Study sizes for ±{analysis.half_width:g}, {dimension}; standard deviations: raters "
            f"{math.sqrt(v.rater):.2f}, items {math.sqrt(v.item):.2f}, rest "
            f"{math.sqrt(v.error):.2f}."
        )
        rows = [
            [str(d.raters), str(d.items), str(d.ratings), f"±{d.half_width:.2g}"]
            for d in designs[:SIZES_SHOWN]
        ]
        columns: list[str | Column] = [
            Column("Raters", False),
            "Items",
            "Ratings a system",
            "4 of 5 studies stay under",
        ]
        tables.append(table(caption, columns, rows))
    text = (
        "Every rater judges every item of a system. Studies were drawn from the variances fitted "
        "to these ratings and analysed by the crossed interval."
    )
    return [Section("How many raters and items", (text,), tuple(tables), tuple(after))]


def screening_sections(analysis: Analysis) -> list[Section]:
    s = analysis.screening
    flags = [(f, "yes") for f in s.excluded] + [(f, "no") for f in s.flagged]
    if not flags:
        return []
    rows = [[f.rater, f.rule, f.detail, yes] for f, yes in flags]
    columns = [Column(n, False) for n in ("Rater", "Rule", "What was found", "Excluded")]
    text = "Nothing was deleted. A rule that excludes leaves a rater out of the tables above."
    return [
        Section("Screening", (text,), (table("Raters that a rule flags.", columns, rows,
                                             folded=True),), s.notes)
    ]  # fmt: skip


def reading_sections(analysis: Analysis) -> list[Section]:
    """What the figures mean, for somebody who didn't run the study."""
    if not analysis.systems:
        return []
    return [
        Section(
            "How to read this",
            (
                "An interval is about the mean over all raters and items like these: in "
                f"{analysis.level:.0%} of such studies it holds the true mean, unless its method "
                "says that it is too narrow. Ranks are those that the ratings don't rule out. "
                "Systems that can't be told apart may still differ.",
                "ICC(2,1) says how far one rater's score can be relied on, ICC(2,k) the mean of "
                "all; 1 is full agreement and 0 none, as for Krippendorff's alpha. The SOS "
                "parameter a is 0 where everybody gives the same rating, and 1 where all ratings "
                "lie at the ends of the scale.",
            ),
        )
    ]
