import re
from dataclasses import replace

import numpy as np
import pytest
from report_sample import REFERENCE, Sample, drums, walk

from concours.eval.report.model import Benchmark, ItemScore, System
from concours.eval.report.pianoroll import MOST_NOTES, roll
from concours.eval.report.picks import picks
from concours.eval.report.plots import Plot, plot
from concours.metrics.piece import make_piece


def with_values(bench: Benchmark, values: dict[str, list[float]], key: str) -> Plot | None:
    """The plot of a metric whose items have these values."""

    def system(s: System) -> System:
        proto = s.items[0]
        items = tuple(
            replace(proto, scores={key: ItemScore(v, "ok", "", {})}) for v in values[s.name]
        )
        return replace(s, items=items)

    systems = tuple(system(s) for s in bench.systems if s.name in values)
    column = next(c for c in bench.columns if c.key == key)
    return plot(replace(bench, systems=systems, cells={}), column)


def areas(path: str) -> list[tuple[int, int, int]]:
    """(left, right, height) of each bar of a histogram path."""
    out, x, y = [], 0, 100
    for op, a, b in re.findall(r"([MVHZ])(\d*) ?(\d*)", path):
        if op == "M":
            x, y = int(a), int(b)
        elif op == "V":
            y = int(a)
        elif op == "H":
            out.append((x, int(a), 100 - y))
            x = int(a)
    return out


def test_bars_are_as_high_as_their_share(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    drawn = with_values(bench, {REFERENCE: [1, 2, 2, 4], "human": [1, 1, 1, 4]}, "pitch_range")
    assert drawn
    home, other = drawn.strips
    heights = [h for _, _, h in areas(home.shape)]
    assert heights == [47, 94, 47]
    assert [h for _, _, h in areas(other.shape)] == [94, 31]
    assert other.behind == home.shape
    assert home.behind == ""


def test_whole_numbers_get_bins_centred_on_them(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    drawn = with_values(bench, {REFERENCE: [1, 2, 3, 4]}, "pitch_range")
    assert drawn
    widths = {right - left for left, right, _ in areas(drawn.strips[0].shape)}
    assert widths == {250}
    assert [(t.at, t.text) for t in drawn.ticks] == [
        (12.5, "1"), (37.5, "2"), (62.5, "3"), (87.5, "4")
    ]  # fmt: skip


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [0.0], [0.1 + 0.2, 0.3]])
def test_a_constant_has_an_axis(sample: Sample, values: list[float]) -> None:
    (bench,) = sample.report.benchmarks
    drawn = with_values(bench, {REFERENCE: values}, "note_density")
    assert drawn
    assert drawn.ticks
    assert areas(drawn.strips[0].shape)


def test_far_values_do_not_squeeze_the_rest(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    near = np.linspace(0, 1, 99).tolist()
    drawn = with_values(bench, {REFERENCE: [*near, 1e6]}, "note_density")
    assert drawn
    assert drawn.outside >= 1
    assert len(areas(drawn.strips[0].shape)) > 10


def test_set_distances_start_at_zero(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    column = next(c for c in bench.columns if c.level == "set")
    drawn = plot(bench, column)
    assert drawn
    assert not drawn.is_histogram
    assert drawn.ticks[0].at == 0
    human = next(s for s in drawn.strips if s.system.name == "human")
    assert human.low is not None
    assert human.mean is not None
    assert human.high is not None
    assert 0 < human.low <= human.mean <= human.high <= 1000


def test_nothing_to_plot(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    assert with_values(bench, {REFERENCE: []}, "note_density") is None


def boxes(path: str) -> list[tuple[int, ...]]:
    return [tuple(map(int, b)) for b in re.findall(r"M(\d+) (\d+)H(\d+)v(\d+)H\d+Z", path)]


def test_notes_stand_where_they_sound() -> None:
    piece = make_piece(onset=[0, 960], end=[960, 1920], pitch=[60, 72])
    drawn = roll(piece)
    assert drawn
    (voice,) = drawn.voices
    (x0, y0, r0, _), (x1, y1, r1, _) = boxes(voice.path)
    assert (x0, r0, x1, r1) == (0, 500, 500, 1000)
    assert y1 < y0
    assert drawn.bar_lines == "M0 0V300"
    assert [m.text for m in drawn.pitches] == ["C4", "C5"]
    assert (
        drawn.description == "Piano roll of 2.0 seconds, bar 1: 2 notes in 1 track, from C4 to C5."
    )


def test_bars_follow_the_meter_and_the_tempo() -> None:
    piece = make_piece(
        onset=[0], end=[1440 * 4], pitch=[60], meters=[(0, 3, 4)], tempos=[(0, 60.0), (2880, 120.0)]
    )
    drawn = roll(piece)
    assert drawn
    assert [m.at for m in drawn.bars] == pytest.approx([0, 100 / 3, 200 / 3, 500 / 6], abs=0.01)
    assert [m.text for m in drawn.bars] == ["1", "2", "3", "4"]


def test_an_excerpt_is_cut_where_the_sound_is() -> None:
    drawn = roll(walk(1, stride=240, spread=1, bars=60))
    assert drawn
    assert drawn.seconds == 20.0
    assert drawn.length > 60
    assert all(r <= 1000 for v in drawn.voices for _, _, r, _ in boxes(v.path))


def test_tracks_have_colours_and_names() -> None:
    drawn = roll(walk(1, stride=240, spread=1))
    assert drawn
    assert [(v.name, v.colour) for v in drawn.voices] == [("melody", 0), ("bass", 1)]


def test_drums_have_a_lane_of_their_own() -> None:
    piece = make_piece(
        onset=[0, 0], end=[480, 480], pitch=[36, 60], is_drum=[True, False], track=[1, 0]
    )
    drawn = roll(piece)
    assert drawn
    (pitched,), (drum,) = (boxes(v.path) for v in drawn.voices)
    assert pitched[1] + pitched[3] <= 260 < drum[1]
    assert [v.name for v in roll(drums(1)).voices] == ["drums"]  # type: ignore[union-attr]


def test_a_wall_of_notes_is_cut_and_says_so() -> None:
    n = 3 * MOST_NOTES
    piece = make_piece(onset=np.arange(n), end=np.arange(n) + 10, pitch=np.arange(n) % 128)
    drawn = roll(piece)
    assert drawn
    assert sum(len(boxes(v.path)) for v in drawn.voices) == MOST_NOTES
    assert f"only the first {MOST_NOTES} are drawn" in drawn.description


def test_no_notes_no_roll() -> None:
    assert roll(make_piece(onset=[], end=[], pitch=[])) is None


def test_picks_are_ordered_by_distance(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    human = next(s for s in bench.systems if s.name == "human")
    chosen = picks(human)
    distances = sorted(i.distance for i in human.items if i.distance is not None)
    assert [p.place for p in chosen] == ["best", "median", "worst"]
    assert [p.item.distance for p in chosen] == [distances[0], distances[3], distances[-1]]


def test_picks_of_few_and_of_unplaced_items(sample: Sample) -> None:
    (bench,) = sample.report.benchmarks
    human = next(s for s in bench.systems if s.name == "human")
    broken = next(s for s in bench.systems if s.name == "all-broken")
    one = replace(human, items=human.items[:1])
    two = replace(human, items=human.items[:2])
    lost = replace(human, items=tuple(replace(i, distance=None) for i in human.items))
    assert [p.place for p in picks(one)] == ["only"]
    assert [p.place for p in picks(two)] == ["best", "worst"]
    assert [p.item.path for p in picks(lost)] == ["0.mid", "1.mid", "2.mid"]
    assert picks(broken) == []
