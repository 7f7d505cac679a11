"""How fast notes are read and measured, beside muspy.

    python tests/benchmarks/symbolic_speed.py [FOLDER] [--files N] [--peer-files N] [--only PART]

Prints, from one run and for the MIDI files under FOLDER,

- CPU time a file, one process, warm: symusic's parse, our reading, reading and the eleven metrics
  that muspy has too (our definitions, and muspy's own conventions), reading and the whole catalogue
  of clip metrics; the median file beside the mean;
- how many times as long muspy takes for the same eleven, once on each file (or on every k-th, see
  ``--peer-files``), and whether the numbers agree;
- the whole catalogue against the bare parse, which is asked to be at most ten times as fast: our
  reading and symusic's parse, both alone over all files (code and data stay in the processor's
  caches) and both in turn with the metrics on each file (as in a run);
- two processes against one (wall time, so only on an idle machine of two cores or more);
- the peak memory of a worker that reads all the files once and three times, and of one that reads
  a tune at 48 and at 10,080 ticks a quarter;
- the CPU time of a new process with a warm compile cache, from its start to the first file's whole
  catalogue, and of `concours score` on that file, which starts a worker of its own.

``--only speed``, ``processes``, ``memory`` or ``start`` prints a part. Each line comes as soon as
it is known. About four minutes for 630 files on an idle machine.

Figures depend on the machine and the files: quote ratios, with the line that this prints first.
"""

import argparse
import functools
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process, one thread

from concours.eval.load import LoadError, load
from concours.metrics.compat import compat_catalogue
from concours.metrics.registry import catalogue
from concours.metrics.spec import MetricSpec, Undefined

ELEVEN = (
    *("pitch_range", "n_pitches_used", "n_pitch_classes_used", "polyphony", "polyphony_rate"),
    *("scale_consistency", "pitch_entropy", "pitch_class_entropy", "empty_beat_rate"),
    *("empty_measure_rate", "groove_consistency"),
)
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "symbolic"
ROUNDS = 3
print = functools.partial(print, flush=True)

Work = Callable[[Path, bytes], object]
Files = Sequence[tuple[Path, bytes]]


def seconds(works: dict[str, Work], files: Files) -> dict[str, list[float]]:
    """CPU seconds of each work on each file, the least of some rounds in which they take turns."""
    best = {name: [math.inf] * len(files) for name in works}
    for turn in range(ROUNDS + 1):
        for name, work in works.items():
            for i, (path, data) in enumerate(files):
                start = time.process_time()
                work(path, data)
                spent = time.process_time() - start
                if turn:  # the first one compiles
                    best[name][i] = min(best[name][i], spent)
    return best


def in_turn(works: dict[str, Work], files: Files) -> dict[str, float]:
    """Mean CPU seconds of each work where all of them take turns on each file, the least of some
    rounds: what each costs after the others have had the processor's caches."""
    best = {name: [math.inf] * len(files) for name in works}
    for _ in range(ROUNDS):
        for i, (path, data) in enumerate(files):
            for name, work in works.items():
                start = time.process_time()
                work(path, data)
                best[name][i] = min(best[name][i], time.process_time() - start)
    return {name: statistics.fmean(values) for name, values in best.items()}


def measure(specs: Sequence[MetricSpec]) -> Work:
    def work(path: Path, data: bytes) -> object:
        piece = load(path, data).piece
        return [spec.function(piece) for spec in specs]

    return work


def parse(_: Path, data: bytes) -> object:
    import symusic

    return [track.notes.numpy() for track in symusic.Score.from_midi(data).tracks]


def clip_metrics() -> list[MetricSpec]:
    return [s for s in catalogue().values() if s.level == "clip" and s.inputs == "symbolic"]


def muspy_values(path: Path) -> dict[str, float]:
    import muspy

    music = muspy.read_midi(str(path))
    measure_length = {"measure_resolution": 4 * music.resolution}
    return {
        name: float(
            getattr(muspy, name)(
                music,
                **(measure_length if name in ("empty_measure_rate", "groove_consistency") else {}),
            )
        )
        for name in ELEVEN
    }


def disagreements(peer: dict[Path, dict[str, float]]) -> int:
    """How many of the eleven numbers differ by more than 1e-9 from muspy's own."""
    ours = compat_catalogue("muspy")
    wrong = 0
    for path, values in peer.items():
        piece = load(path).piece
        for name, want in values.items():
            got = ours[name].function(piece)
            same = math.isnan(want) if isinstance(got, Undefined) else abs(got - want) <= 1e-9
            wrong += not same
    return wrong


def readable(folder: Path, limit: int) -> list[tuple[Path, bytes]]:
    files = []
    for path in sorted([*folder.rglob("*.mid"), *folder.rglob("*.midi")]):
        try:
            load(path)
        except LoadError:
            continue
        files.append((path, path.read_bytes()))
    return spread(files, limit)


def spread(files: list[tuple[Path, bytes]], limit: int) -> list[tuple[Path, bytes]]:
    """At most ``limit`` of the files, evenly; all for 0."""
    return files[:: math.ceil(len(files) / limit)] if limit else files


def everything(paths: Sequence[Path]) -> int:
    """Measures the files in this process; its peak memory in KiB (Linux), 0 elsewhere."""
    work = measure(clip_metrics())
    for path in paths:
        work(path, path.read_bytes())
    status = Path("/proc/self/status")  # getrusage would give the parent's peak, where higher
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def processes(paths: Sequence[Path], workers: int) -> float:
    """Wall seconds that started and warm processes need for the files."""
    chunks = [paths[i::8] for i in range(8)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        list(pool.map(everything, [paths[:4]] * 4 * workers))
        start = time.perf_counter()
        list(pool.map(everything, chunks))
        return time.perf_counter() - start


def alone(task: Callable[[Sequence[Path]], int], paths: Sequence[Path]) -> int:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(task, paths).result()


def tune_at(resolution: int) -> str:
    """A MusicXML tune of 400 bars at so many divisions a quarter."""
    note = (
        "<note><pitch><step>{}</step><octave>5</octave></pitch>"
        f"<duration>{resolution}</duration><type>quarter</type></note>"
    )
    bars = [
        f'<measure number="{i + 1}">'
        + (f"<attributes><divisions>{resolution}</divisions></attributes>" if i == 0 else "")
        + "".join(note.format("CDEFGAB"[(i + k) % 7]) for k in range(4))
        + "</measure>"
        for i in range(400)
    ]
    return (
        '<score-partwise version="3.1"><part-list><score-part id="P1"><part-name>a</part-name>'
        f'</score-part></part-list><part id="P1">{"".join(bars)}</part></score-partwise>'
    )


def first_file(command: Sequence[str]) -> float:
    """CPU seconds of a process and its children, the least of three; Python keeps its bytecode."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, check=True, env=environment, **quiet)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    once()
    return min(once() for _ in range(3))


IN_ONE_PROCESS = """
import sys
from pathlib import Path
from concours.eval.work import Measurement, Task, score_item
from concours.eval.items import find_items
clips = sys.argv[2:]
item = find_items(sys.argv[1])[0]
measurements = tuple(Measurement(i, name, {}) for i, name in enumerate(clips))
outcome = score_item(Task(item.sha256, str(item.location), "", item.kind, measurements))
assert outcome.status == "ok" and len(outcome.scores) == len(clips)
"""


def report_speed(files: Files, few: Files) -> None:
    clips = clip_metrics()
    ours = [catalogue()[name] for name in ELEVEN]
    theirs = [compat_catalogue("muspy")[name] for name in ELEVEN]
    whole = f"our reading + all {len(clips)} clip metrics"
    works: dict[str, Work] = {
        "symusic's parse, with arrays": parse,
        "our reading": load,
        "our reading + 11 metrics": measure(ours),
        "our reading + 11 metrics as muspy's": measure(theirs),
        whole: measure(clips),
    }
    spent = seconds(works, files)
    mean = {name: statistics.fmean(values) for name, values in spent.items()}
    symusic, reading = mean["symusic's parse, with arrays"], mean["our reading"]
    for name, values in spent.items():
        print(
            f"{name:42s}{1e3 * mean[name]:8.3f} ms a file, median "
            f"{1e3 * statistics.median(values):7.3f}; x {mean[name] / symusic:5.1f} symusic, "
            f"x {mean[name] / reading:5.1f} our reading"
        )
    turns = in_turn(works, files)
    symusic, reading = turns["symusic's parse, with arrays"], turns["our reading"]
    print(
        f"{'  the last, all in turn on each file':42s}{1e3 * turns[whole]:8.3f} ms a file; "
        f"x {turns[whole] / symusic:5.1f} symusic ({1e3 * symusic:.3f}), "
        f"x {turns[whole] / reading:5.1f} our reading ({1e3 * reading:.3f})"
    )
    places = {path: i for i, (path, _) in enumerate(files)}
    muspy_values(few[0][0])
    peer, values = [], {}
    for path, _ in few:
        start = time.process_time()
        values[path] = muspy_values(path)
        peer.append(time.process_time() - start)
    print(f"{'muspy: reading + 11 metrics':42s}{1e3 * statistics.fmean(peer):8.3f} ms a file")
    for name in ("our reading + 11 metrics", "our reading + 11 metrics as muspy's"):
        same = [spent[name][places[path]] for path, _ in few]
        ratios = [p / o for p, o in zip(peer, same, strict=True)]
        print(
            f"  muspy takes {sum(peer) / sum(same):.0f} times as long on the same {len(few)} files "
            f"(median of the files {statistics.median(ratios):.0f}) as {name}"
        )
    wrong = disagreements(values)
    print(f"  {wrong} of {len(few) * len(ELEVEN)} numbers differ by over 1e-9 from muspy's")
    some = spread(list(files), 40)
    costs = seconds({"": load, **{s.name: measure([s]) for s in clips}}, some)
    least = statistics.fmean(costs.pop(""))
    alone_cost = {name: statistics.fmean(v) - least for name, v in costs.items()}
    costliest = sorted(alone_cost, key=lambda n: -alone_cost[n])[:8]
    print("costliest alone, ms beyond reading:")
    print("  " + ", ".join(f"{name} {1e3 * alone_cost[name]:.3f}" for name in costliest))


def report_processes(files: Files) -> None:
    paths = [path for path, _ in files]
    one, two = processes(paths, 1), processes(paths, 2)
    print(f"two processes: {one / two:.2f} times one (wall {one:.2f} and {two:.2f} s)")


def report_memory(files: Files) -> None:
    paths = [path for path, _ in files]
    once, thrice = alone(everything, paths), alone(everything, [*paths] * 3)
    print(f"peak memory of a worker: {once / 1024:.0f} MiB for {len(paths)} files, ", end="")
    print(f"{thrice / 1024:.0f} MiB for them three times over")
    with tempfile.TemporaryDirectory() as folder:
        peaks = []
        for resolution in (48, 10_080):
            path = Path(folder, f"{resolution}.musicxml")
            path.write_text(tune_at(resolution))
            peaks.append(alone(everything, [path]) / 1024)
    print(f"  for one MusicXML tune: {peaks[0]:.0f} MiB at 48 ticks a quarter, ", end="")
    print(f"{peaks[1]:.0f} MiB at 10,080")


def report_start(files: Files) -> None:
    small = sorted(files, key=lambda f: len(f[1]))[len(files) // 2][0]
    lone = first_file(
        [sys.executable, "-c", IN_ONE_PROCESS, str(small), *(s.name for s in clip_metrics())]
    )
    command = "from concours.eval.cli import main; main()"
    asked = ["score", str(small), "--metrics", "symbolic"]
    scored = first_file([sys.executable, "-c", command, *asked])
    print(f"first file of a new process, whole catalogue: {lone:.2f} CPU s; ", end="")
    print(f"`concours score` with its worker: {scored:.2f} CPU s")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--files", type=int, default=0, help="about so many of them (0: all)")
    parser.add_argument("--peer-files", type=int, default=0, help="as many of those for muspy")
    parser.add_argument("--only", choices=("speed", "processes", "memory", "start"))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    files = readable(given.folder, given.files)
    few = spread(files, given.peer_files)
    size = sum(len(data) for _, data in files) / len(files)
    print(
        f"{len(files)} MIDI files, mean {size / 1000:.1f} kB, muspy on {len(few)} of them; "
        f"Python {platform.python_version()}, {os.cpu_count()} cores"
    )
    parts: dict[str, Callable[[], None]] = {
        "speed": lambda: report_speed(files, few),
        "processes": lambda: report_processes(files),
        "memory": lambda: report_memory(files),
        "start": lambda: report_start(files),
    }
    for name, report in parts.items():
        if given.only in (None, name):
            report()


if __name__ == "__main__":
    main()
