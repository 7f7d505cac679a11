"""What the search of recordings finds on real and rendered music; run it by hand:

    python tests/benchmarks/audio_originality.py ../shared/data [excerpts limits covers null ...]

Reference: the recordings of audio/reference, of which every second one is left out as unrelated;
cuts are joined to whole recordings first, so that 20 s can be planted. An excerpt is laid into a
host (two generated clips of audio/systems, which nothing of the reference is in) and found where a
passage names its recording, overlaps it on both sides by half, and has its delay within 0.5 s
(landmarks) or 2 s (chroma). Precision counts every passage reported in planted queries.
"""

import io
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from concours.eval.embeddings.catalogue import open_embedding
from concours.eval.items import Item
from concours.eval.load import load
from concours.eval.load.audio import load_audio
from concours.eval.originality.sound_index import (
    SoundFeatures,
    build_sound_index,
    features,
    store_sound_calibration,
)
from concours.eval.originality.sound_report import calibrate_sound, sound_item
from concours.eval.render import render_audio
from concours.metrics.clip import make_clip
from concours.metrics.originality.landmarks import constellation
from concours.metrics.originality.qmax import profiles
from concours.metrics.piece import make_piece

RATE = 22_050
TRIALS = 20
KINDS = ("landmarks", "chroma", "embedding")
PARTS = ["excerpts", "limits", "covers", "null", "rendered", "speed"]
BOTH = KINDS[:2]
EMBEDDING = open_embedding("spectral-stats-v1")


def recordings(data: Path) -> dict[str, np.ndarray]:
    parts: dict[str, list[np.ndarray]] = {}
    for folder in ("musdr_wjazzd", "real_clips"):
        for file in sorted((data / "audio/reference" / folder).glob("*.flac")):
            name = re.sub(r"_\d+$", "", file.stem)
            parts.setdefault(name, []).append(load_audio(file).clip.mono("mix", RATE))
    return {name: np.concatenate(p) for name, p in parts.items()}


def index_of(sounds: dict[str, np.ndarray], folder: Path, seconds: int | None = None):
    """An index of whole recordings, or of their cuts."""
    folder.mkdir(parents=True)
    items = []
    for name, sound in sounds.items():
        step = len(sound) if seconds is None else seconds * RATE
        for k, start in enumerate(range(0, len(sound), step)):
            part = sound[start : start + step]
            if len(part) < 3 * RATE:
                continue
            file = folder / (f"{name}_{k:02d}.wav" if seconds else f"{name}.wav")
            soundfile.write(file, part, RATE, subtype="FLOAT")
            items.append(Item(file.name, file, "", "audio", f"{name}{k}"))
    index = build_sound_index(items, folder / "index")
    return store_sound_calibration(index, calibrate_sound(index))


def held(sound: np.ndarray, index, kinds: tuple[str, ...] = KINDS):
    """The report on a sound by some kinds alone, which saves the time of the others."""
    clip = make_clip(np.asarray(sound, np.float32), RATE)
    none = np.zeros((0, 12), np.float32)
    vector = features(clip, EMBEDDING).vector if "embedding" in kinds else np.zeros(0, np.float32)
    found = SoundFeatures(
        clip.duration, constellation(clip), profiles(clip) if "chroma" in kinds else none, vector
    )
    return sound_item(Item("q", Path("q"), "", "audio", "q"), found, index)


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))) + 1e-12)


def pink(n: int, random: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(random.normal(size=n))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), n)
    return noise / rms(noise)


def mp3(sound: np.ndarray, kbit: int = 64) -> np.ndarray:
    stream = io.BytesIO()
    level = {64: 0.75, 128: 0.4}[kbit]
    soundfile.write(stream, sound, RATE, format="MP3", bitrate_mode="CONSTANT",
                    compression_level=level)  # fmt: skip
    stream.seek(0)
    return soundfile.read(stream, dtype="float32")[0]


def edits(random: np.random.Generator, hosts: list[np.ndarray]):
    def noise(db: float):
        return lambda x: x + pink(len(x), random) * rms(x) * 10 ** (-db / 20)

    def over_music(db: float):
        def mixed(x: np.ndarray) -> np.ndarray:
            music = np.concatenate([hosts[i] for i in random.integers(0, len(hosts), 5)])[: len(x)]
            return x + music * rms(x) / rms(music) * 10 ** (-db / 20)

        return mixed

    return {
        "clean": lambda x: x,
        "gain -12 dB": lambda x: x * 0.25,
        "MP3, 64 kbit/s": mp3,
        **{f"pink noise, {db} dB": noise(db) for db in (20, 10, 0)},
        **{f"under other music, {db} dB": over_music(db) for db in (20, 10, 0)},
        "10 dB, -12 dB gain, MP3": lambda x: mp3(noise(10)(x) * 0.25),
    }


def planted(index, sounds, hosts, seconds, edit, random, kinds=BOTH, trials=TRIALS):
    """For each kind: the share of plants found, passages of the right recording, all passages."""
    found, right, every = (dict.fromkeys(kinds, 0.0) for _ in range(3))
    names = [n for n, s in sounds.items() if len(s) > (seconds + 1) * RATE]
    for _ in range(trials):
        name = names[random.integers(len(names))]
        start = random.uniform(0, len(sounds[name]) / RATE - seconds)
        part = sounds[name][int(start * RATE) : int((start + seconds) * RATE)]
        before, after = (hosts[i] for i in random.integers(0, len(hosts), 2))
        laid = np.asarray(edit(part), np.float32)
        query = np.concatenate([before, laid, after])
        at, long = len(before) / RATE, len(laid) / RATE
        item = held(query, index, kinds)
        for kind in kinds:
            slack = 0.5 if kind == "landmarks" else 2.0
            listed = [p for p in item.passages if p["kind"] == kind]
            good = [p for p in listed if _is_plant(p, name, start, seconds, at, long, slack)]
            found[kind] += bool(good) / trials
            right[kind] += len([p for p in listed if p["source"] == f"{name}.wav"])
            every[kind] += len(listed)
    return found, right, every


def _is_plant(p, name, start, seconds, at, long, slack) -> bool:
    if p["source"] != f"{name}.wav":
        return False
    a, b = p["seconds"]
    c, d = p["source_seconds"]
    own = min(b, at + long) - max(a, at)
    source = min(d, start + seconds) - max(c, start)
    expected = start + (a - at) * seconds / long
    return own > 0.5 * (b - a) and source > 0.5 * (d - c) and abs(c - expected) < slack


def row(title: str, results) -> None:
    cells = []
    for found, right, every in results:
        for kind in found:
            precise = "-" if not every[kind] else f"{100 * right[kind] / every[kind]:.0f}"
            cells.append(f"{100 * found[kind]:.0f} / {precise}")
    print(f"| {title} | " + " | ".join(cells) + " |", flush=True)


def main(data: Path, parts: list[str]) -> None:
    random = np.random.default_rng(20)
    every = recordings(data)
    hosts = [load_audio(f).clip.mono("mix", RATE)
             for f in sorted((data / "audio/systems").rglob("*.wav"))]  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        whole = index_of(every, Path(place, "whole"))
        for kind, null in whole.calibration["kinds"].items():
            print(f"null of {len(every)} whole recordings: {kind}: {null['values']}, "
                  f"level {null['level']}")  # fmt: skip
        if "excerpts" in parts:
            print("\nrecall / precision of landmarks in per cent: 5 s, 10 s, 20 s", flush=True)
            for title, edit in edits(random, hosts).items():
                row(title, [planted(whole, every, hosts, s, edit, random, ("landmarks",))
                            for s in (5, 10, 20)])  # fmt: skip
        if "limits" in parts:
            limits(whole, every, hosts, random)
        if "null" in parts:
            unrelated(every, hosts, Path(place))
        if "rendered" in parts:
            rendered(data, Path(place))
        if "covers" in parts:
            covers(data, Path(place))
        if "speed" in parts:
            speed(whole, every)


def limits(index, sounds, hosts, random) -> None:
    import librosa

    print("\n10 s excerpts: pitch and time, recall / precision (landmarks, chroma)")
    for step in (-3, -2, -1, -0.5, 0.2, 1, 2, 3):

        def shifted(x, step=step):
            return librosa.effects.pitch_shift(x, sr=RATE, n_steps=step)

        row(
            f"pitch {step:+g} semitones",
            [planted(index, sounds, hosts, 10, shifted, random, trials=10)],
        )
    for rate in (0.9, 0.95, 0.98, 0.99, 1.02, 1.05, 1.1, 1.25):

        def stretched(x, rate=rate):
            return librosa.effects.time_stretch(x, rate=rate)

        row(f"tempo x {rate:g}", [planted(index, sounds, hosts, 10, stretched, random, trials=10)])
    for rate in (0.97, 1.01):

        def faster(x, rate=rate):
            return librosa.resample(x, orig_sr=RATE * rate, target_sr=RATE)

        row(
            f"tape speed x {rate:g}", [planted(index, sounds, hosts, 10, faster, random, trials=10)]
        )


def unrelated(sounds, hosts, place: Path) -> None:
    """False alarms: recordings that the reference does not hold, in queries of 10 and 30 s."""
    print("\nunrelated queries with a passage, in per cent (landmarks, chroma, near neighbours)")
    names = list(sounds)
    for length in (10, 30):
        counts, total = np.zeros(3), 0
        for half in (0, 1):
            kept = {n: sounds[n] for i, n in enumerate(names) if i % 2 == half}
            index = index_of(kept, place / f"half {length} {half}", 10)
            for n in names:
                step = length * RATE
                for start in range(0, 0 if n in kept else len(sounds[n]) - step + 1, step):
                    counts += _alarms(held(sounds[n][start : start + step], index))
                    total += 1
        print(f"| {length} s of recordings left out, against 10 s cuts of the others "
              f"({total} queries) | {100 * counts / total} |")  # fmt: skip
    index = index_of(sounds, place / "cuts", 10)
    counts = sum(_alarms(held(h, index)) for h in hosts)
    print(f"| {len(hosts)} generated clips of 6 s | {100 * counts / len(hosts)} |", flush=True)


def _alarms(item) -> np.ndarray:
    kinds = {p["kind"] for p in item.passages}
    near = any(n["above_level"] for n in item.nearest if n["kind"] == "embedding")
    return np.array(["landmarks" in kinds, "chroma" in kinds, near], float)


def piece_of(file: Path, first: float, seconds: float, semitones=0, programs=None, tempo=1.0):
    piece = load(file).piece
    on, off = piece.to_seconds(piece.onset), piece.to_seconds(piece.end)
    keep = (on >= first) & (on < first + seconds)
    onset = np.round((on[keep] - first) / tempo * 960).astype(int)
    end = np.round((np.minimum(off[keep], first + seconds) - first) / tempo * 960).astype(int)
    program = piece.program[keep]
    if programs is not None:
        program = np.array(programs)[piece.track[keep] % len(programs)]
    return make_piece(onset=onset, end=np.maximum(end, onset + 1),
                      pitch=piece.pitch[keep] + semitones, velocity=piece.velocity[keep],
                      track=piece.track[keep], program=program,
                      ticks_per_quarter=480)  # fmt: skip


def covers(data: Path, place: Path) -> None:
    """Rendered songs of POP909: other instruments, key and tempo; duplicates in the embedding."""
    files = sorted((data / "symbolic/reference/pop909").rglob("*.mid"))
    random = np.random.default_rng(5)
    sounds, used = {}, []
    for file in files:
        piece = piece_of(file, 20, 30)
        if piece.n_notes < 50 or len(used) == 60:
            continue
        sounds[f"song {file.stem}"] = render_audio(piece, RATE).mean(axis=1)
        used.append(file)
    index = index_of(sounds, place / "pop909")
    kinds = index.calibration["kinds"]
    for kind in kinds:
        print(f"null of {len(used)} rendered songs, {kind}: "
              f"{ {k: v for k, v in kinds[kind].items() if k != 'values'} }")  # fmt: skip
    ensembles = [[73, 48, 24], [40, 19, 11], [56, 4, 46], [68, 16, 105]]
    first = reported = wrong = 0
    for k, file in enumerate(used[::2]):
        other = piece_of(file, 20, 30, int(random.integers(-5, 7)), ensembles[k % 4],
                         float(random.choice([0.9, 1.0, 1.1, 1.2])))  # fmt: skip
        item = held(render_audio(other, RATE).mean(axis=1), index, BOTH)
        best = next(n for n in item.nearest if n["kind"] == "chroma")
        first += best["source"] == f"song {file.stem}.wav"
        reported += best["above_level"]
        wrong += any(p["source"] != f"song {file.stem}.wav" for p in item.passages)
    n = len(used[::2])
    print(f"covers: {first} of {n} first among {len(used)}, {reported} above the level, "
          f"{wrong} with a passage of another song")  # fmt: skip
    alike = []
    for f in used[::6]:
        own = sounds[f"song {f.stem}"]
        alike.append(held(own * 0.5 + 1e-3 * pink(len(own), random), index))
    right = sum(n["source"] == f"song {f.stem}.wav" for f, i in zip(used[::6], alike, strict=True)
                for n in i.nearest if n["kind"] == "embedding")  # fmt: skip
    print(
        f"duplicates (half as loud, a little noise) first in the embedding: {right} of {len(alike)}"
    )
    sound = sounds[f"song {used[3].stem}"]
    row("rendered songs, 10 s planted, 10 dB pink noise", [
        planted(index, sounds, [sound[:0]], 10, edits(random, [sound])["pink noise, 10 dB"], random)
    ])  # fmt: skip


def rendered(data: Path, place: Path) -> None:
    """False alarms among rendered songs: half of POP909's against the other half, in two draws."""
    pieces = {f.stem: piece_of(f, 20, 30)
              for f in sorted((data / "symbolic/reference/pop909").rglob("*.mid"))}  # fmt: skip
    sounds = {name: render_audio(p, RATE).mean(axis=1)
              for name, p in pieces.items() if p.n_notes >= 50}  # fmt: skip
    names, counts, total = list(sounds), np.zeros(3), 0
    for draw in range(2):
        order = [names[i] for i in np.random.default_rng(draw).permutation(len(names))]
        inside, outside = order[: len(order) // 2 + 1], order[len(order) // 2 + 1 :]
        index = index_of({f"song {n}": sounds[n] for n in inside}, place / f"rendered {draw}")
        for name in outside:
            item = held(sounds[name], index)
            above = {n["kind"]: n["above_level"] for n in item.nearest}
            counts += [above.get(kind, False) for kind in KINDS]
            if any(above.values()):
                named = [f"{p['kind']} {p['source']} {p['score']:g}" for p in item.passages]
                print(f"  {name}: {', '.join(named)}")
        total += len(outside)
    print(f"| {total} rendered songs against 75 others | {counts} {100 * counts / total} |",
          flush=True)  # fmt: skip


def speed(index, sounds) -> None:
    hours = index.seconds / 3600
    sizes = {kind: sum(f.stat().st_size for f in index.folder.rglob(f"{kind}/*.npy")) / hours / 1e6
             for kind in ("landmarks", "chroma", "vectors")}  # fmt: skip
    print("\nMB an hour:", {k: round(v, 2) for k, v in sizes.items()})
    clips = [make_clip(s[: 10 * RATE], RATE) for s in sounds.values()]
    began = time.process_time()
    found = [features(c, EMBEDDING) for c in clips]
    made = time.process_time()
    for f in found:
        sound_item(Item("q", Path("q"), "", "audio", "q"), f, index)
    held_ = time.process_time()
    print(f"features: {10 * len(clips) / (made - began):.0f} s of sound a CPU second; "
          f"a query of 10 s against {index.seconds / 60:.0f} minutes: "
          f"{1000 * (held_ - made) / len(clips):.0f} ms "
          f"({len(clips) / (held_ - made):.1f} queries/s)")  # fmt: skip


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        sys.argv[2:] or ["excerpts", "limits", "covers", "null", "rendered", "speed"],
    )
