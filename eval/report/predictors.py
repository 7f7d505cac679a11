"""Which metrics follow the listeners, as table rows for every format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from concours.eval.joining import Joined, Predictor
from concours.eval.report import latex, markdown

NOTE = (
    "Spearman correlations of metrics with mean ratings, over all clips and within systems (each "
    "system's mean taken out). Bold: q at most 0.05 (Benjamini and Hochberg over the metrics). A "
    "metric that follows listeners over all clips and not within systems tells systems apart; it "
    "doesn't tell a better piece of one system from a worse."
)


class Row(NamedTuple):
    dimension: str
    metric: str
    n: int
    clip: str
    clip_interval: str
    clip_q: str
    within: str
    within_interval: str
    within_q: str
    found: bool


def rows(joined: Joined | None) -> list[Row]:
    """One row for each dimension and metric, the strongest at clip level first."""
    if joined is None:
        return []
    spearman = [p for p in joined.predictors if p.correlation.kind == "spearman"]
    at = {(p.dimension, p.metric, p.correlation.scope): p for p in spearman}
    dimensions = list(dict.fromkeys(p.dimension for p in spearman))
    found = []
    for dimension in dimensions:
        own = [p for p in spearman if p.dimension == dimension and p.correlation.scope == "clip"]
        for p in sorted(own, key=lambda p: (-abs(p.correlation.value), p.metric)):
            inside = _cells(at.get((dimension, p.metric, "within")))
            found.append(
                Row(dimension, p.metric, p.correlation.n, *_cells(p), *inside, found=p.q <= 0.05)
            )
    return found


def _cells(p: Predictor | None) -> tuple[str, str, str]:
    if p is None:
        return "–", "–", "–"
    c = p.correlation
    known = c.ci_low is not None and c.ci_high is not None
    interval = f"{c.ci_low:.2f}, {c.ci_high:.2f}" if known else "–"
    return f"{c.value:.2f}", interval, f"{p.q:.2g}"


def markdown_lines(joined: Joined | None) -> Iterator[str]:
    table = rows(joined)
    if not table or joined is None:
        return
    text = markdown.escaped
    yield ""
    yield "## Which metrics follow the listeners"
    yield ""
    yield f"{NOTE} {joined.n_clips} clips were matched. {' '.join(map(text, joined.notes))}".strip()
    yield ""
    yield "| dimension | metric | clips | all | interval | q | within systems | interval | q |"
    yield "| :--- | :--- | ---: | ---: | :---: | ---: | ---: | :---: | ---: |"
    for r in table:
        clip = f"**{r.clip}**" if r.found else r.clip
        yield (
            f"| {text(r.dimension)} | {text(r.metric)} | {r.n} | {clip} | {r.clip_interval} "
            f"| {r.clip_q} | {r.within} | {r.within_interval} | {r.within_q} |"
        )


def latex_lines(joined: Joined | None) -> Iterator[str]:
    """One table a dimension, of the metrics that pass at clip level or else the first five."""
    table = rows(joined)
    for dimension in dict.fromkeys(r.dimension for r in table):
        own = [r for r in table if r.dimension == dimension]
        shown = [r for r in own if r.found] or own[:5]
        yield ""
        yield r"\begin{table}"
        yield r"  \centering"
        yield (
            rf"  \caption{{Metrics against listeners, {latex.escaped(dimension)}: Spearman's "
            rf"$\rho$ with 95\% intervals. Bold: $q \le .05$.}}"
        )
        yield r"  \begin{tabular}{lrrlrl}"
        yield r"    \toprule"
        yield r"    Metric & Clips & All clips & & Within systems & \\"
        yield r"    \midrule"
        for r in shown:
            clip = rf"\textbf{{{r.clip}}}" if r.found else r.clip
            yield (
                rf"    {latex.escaped(r.metric)} & {r.n} & {clip} & [{r.clip_interval}] "
                rf"& {r.within} & [{r.within_interval}] \\"
            )
        yield r"    \bottomrule"
        yield r"  \end{tabular}"
        yield r"\end{table}"
