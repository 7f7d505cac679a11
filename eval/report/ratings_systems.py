"""The sections about one dimension's systems: means, groups, agreement, pairs, models."""

from __future__ import annotations

import math

from concours.eval.analysis.results import (
    Analysis,
    Comparisons,
    Reliability,
    SystemMean,
)
from concours.eval.report.ratings_parts import (
    Bar,
    Cell,
    Column,
    Section,
    Table,
    number,
    probability,
    span,
    table,
)
from concours.eval.stats.compare import Equivalence, Tested
from concours.eval.stats.pairs import Pair
from concours.metrics.spec import Undefined


def dimension_sections(analysis: Analysis) -> list[Section]:
    return [_section(analysis, d) for d in dict.fromkeys(s.dimension for s in analysis.systems)]


def _section(analysis: Analysis, dimension: str) -> Section:
    comparison = next(c for c in analysis.comparisons if c.dimension == dimension)
    after = [f"Intervals: {methods(analysis, dimension)}.", *group_sentences(comparison)]
    if not isinstance(comparison.overall, Undefined):
        f = comparison.overall
        after.append(
            f"Friedman's test over {f.n_blocks} complete blocks: chi-square {f.statistic:.1f} on "
            f"{f.df}, p {probability(f.p)}; Kendall's W {f.kendall_w:.2f}."
        )
    after.append(f"Agreement: {agreement(_of(analysis.reliability, dimension))}.")
    if analysis.screening.excluded:
        before = _of(analysis.screening.reliability_before, dimension)
        after.append(f"Agreement with everybody: {agreement(before)}.")
    tables = [_means(analysis, dimension, comparison)]
    tables += _pairs(analysis, comparison)
    tables += _models(analysis, comparison)
    return Section(dimension, (), tuple(tables), tuple(after))


def _of(found: tuple[Reliability, ...], dimension: str) -> Reliability:
    return next(r for r in found if r.dimension == dimension)


def methods(analysis: Analysis, dimension: str) -> str:
    """How the intervals of a dimension were made, in words."""
    found = {
        s.interval.method
        for s in analysis.systems
        if s.dimension == dimension and not isinstance(s.interval, Undefined)
    }
    return "; ".join(sorted(found)) or "none"


def group_sentences(comparison: Comparisons) -> list[str]:
    """The groups of systems that can't be told apart, as sentences."""
    if isinstance(comparison.pairs, Undefined):
        return [f"Systems were not compared: {comparison.pairs.reason}."]
    several = [g for g in comparison.groups if len(g) > 1]
    if not several:
        return [f"Every pair of systems differs (Holm, {comparison.alpha:.2g})."]
    return [f"Can't be told apart (Holm, {comparison.alpha:.2g}): {', '.join(g)}." for g in several]


def agreement(r: Reliability) -> str:
    parts = []
    if not isinstance(r.icc21, Undefined):
        parts.append(f"ICC(2,1) {r.icc21.value:.2f} [{r.icc21.ci_low:.2f}, {r.icc21.ci_high:.2f}]")
    elif not isinstance(r.components, Undefined):
        c = r.components
        parts.append(f"ICC(2,1) {c.icc21:.2f}, ICC(2,k) {c.icc2k:.2f} at k = {c.k:.1f}")
    if not isinstance(r.icc2k, Undefined):
        parts.append(f"ICC(2,k) {r.icc2k.value:.2f}")
    alphas = [
        f"{level} {value:.2f}" for level, value in r.alpha.items() if isinstance(value, float)
    ]
    if alphas:
        parts.append(f"Krippendorff's alpha {', '.join(alphas)}")
    if isinstance(r.sos, float):
        parts.append(f"SOS a {r.sos:.2f}")
    return "; ".join(parts) or "undefined here"


def _means(analysis: Analysis, dimension: str, comparison: Comparisons) -> Table:
    own = ordered([s for s in analysis.systems if s.dimension == dimension])
    digits = places(own)
    level = f"{analysis.level:.0%} interval"
    columns: list[str | Column] = [
        "System", "Mean", level, "Rank", "Ratings", "Raters", "Items",
    ]  # fmt: skip
    everybody: dict[str, SystemMean] = {}
    if analysis.screening.excluded:
        columns += ["Mean with everybody", f"{level} with everybody"]
        everybody = {
            s.system: s for s in analysis.screening.systems_before if s.dimension == dimension
        }
    best = top_group(own, comparison)
    rows: list[list[str | Cell]] = []
    for s in own:
        row: list[str | Cell] = [
            s.system,
            Cell(number(s.mean, digits), s.system in best),
            _interval(s, digits),
            f"{s.rank.low}–{s.rank.high}" if s.rank.low < s.rank.high else f"{s.rank.low}",
            str(s.n_ratings),
            str(s.n_raters) if s.n_raters else "?",
            str(s.n_items),
        ]
        if everybody:
            b = everybody[s.system]
            row += [number(b.mean, digits), _interval(b, digits)]
        rows.append(row)
    bold = " Bold: not told apart from the best (Holm)." if best else ""
    caption = f"Mean ratings, {dimension} ({methods(analysis, dimension)}).{bold}"
    return table(caption, columns, rows, bars=[_bar(s) for s in own])


def ordered(rows: list[SystemMean]) -> list[SystemMean]:
    return sorted(rows, key=lambda s: (-s.mean, s.system))


def top_group(own: list[SystemMean], comparison: Comparisons) -> set[str]:
    """The systems that can't be told from the highest mean; nobody where nothing is told apart."""
    if len(comparison.groups) < 2:
        return set()
    return {s for g in comparison.groups if own[0].system in g for s in g}


def _interval(s: SystemMean, digits: int) -> str:
    if isinstance(s.interval, Undefined):
        return "–"
    return span(s.interval.ci_low, s.interval.ci_high, digits)


def _bar(s: SystemMean) -> Bar:
    if isinstance(s.interval, Undefined):
        return Bar(s.mean, None, None)
    return Bar(s.mean, s.interval.ci_low, s.interval.ci_high)


def places(rows: list[SystemMean]) -> int:
    """Decimals that leave the interval's half-width one or two digits."""
    halves = [
        (s.interval.ci_high - s.interval.ci_low) / 2
        for s in rows
        if not isinstance(s.interval, Undefined) and s.interval.ci_high > s.interval.ci_low
    ]
    if not halves:
        return 2
    return min(4, max(0, 1 - math.floor(math.log10(sorted(halves)[len(halves) // 2]))))


def _pairs(analysis: Analysis, comparison: Comparisons) -> list[Table]:
    if isinstance(comparison.pairs, Undefined) or not comparison.pairs:
        return []
    margin = any(not isinstance(p.equivalence, Undefined) for p in comparison.pairs)
    columns: list[str | Column] = [
        "First", Column("Second", False), "Difference", f"{analysis.level:.0%} interval",
        "p, Holm", "Rank test p, Holm", "Effect", "Sign-flip p, Holm", "d_z",
    ]  # fmt: skip
    if margin:
        columns += ["Equivalence p, Holm", "Equivalent"]
    columns.append(Column("Method", False))
    rows = [_pair(p, margin) for p in comparison.pairs]
    caption = (
        f"All pairs, {comparison.dimension}: first minus second; effects are rank-biserial or "
        "Cliff's delta, and Cohen's d_z."
    )
    return [table(caption, columns, rows, folded=True)]


def _pair(p: Pair, margin: bool) -> list[str]:
    row = [
        p.first, p.second, f"{p.difference:.3g}", f"{p.ci_low:.3g}, {p.ci_high:.3g}",
        probability(p.p_holm), probability(p.rank_p_holm), _effect(p.rank_test),
        probability(p.permutation_p_holm), _effect(p.permutation),
    ]  # fmt: skip
    if margin:
        row.append(probability(p.equivalence_p_holm))
        alike = isinstance(p.equivalence, Equivalence) and p.equivalence.equivalent
        row.append("yes" if alike else "not shown")
    return [*row, p.method]


def _effect(t: Tested | Undefined) -> str:
    return "–" if isinstance(t, Undefined) else number(t.effect)


def _models(analysis: Analysis, comparison: Comparisons) -> list[Table]:
    found = []
    m, o = comparison.mixed_model, comparison.ordinal_model
    level = f"{analysis.level:.0%} interval"
    if not isinstance(m, Undefined):
        parts = ", ".join(f"{k} {v:.3g}" for k, v in m.variances.items())
        caption = (
            f"Mixed model, {comparison.dimension}: means of systems; variances: {parts}, rest "
            f"{m.residual:.3g}."
        )
        rows = [
            [e.system, f"{e.estimate:.3g}", f"{e.ci_low:.3g}, {e.ci_high:.3g}", f"{e.df:.1f}"]
            for e in sorted(m.effects, key=lambda e: -e.estimate)
        ]
        found.append(table(caption, ["System", "Mean", level, "df"], rows, folded=True))
    if not isinstance(o, Undefined):
        caption = (
            f"Ordinal model, {comparison.dimension}: log odds of a higher rating than "
            f"{o.effects[0].baseline}'s, clustered by {o.clusters}."
        )
        rows = [
            [e.system, f"{e.effect:.2f}", span(e.ci_low, e.ci_high), probability(e.p)]
            for e in sorted(o.effects, key=lambda e: -e.effect)
        ]
        found.append(table(caption, ["System", "Log odds", level, "p"], rows, folded=True))
    return found
