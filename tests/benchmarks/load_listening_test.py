"""Load on a served study: simulated raters over HTTP and Streamlit's WebSocket.

    python tests/benchmarks/load_listening_test.py --raters 100 --listen
    python tests/benchmarks/load_listening_test.py --raters 50 [--store postgresql://…]

Each rater joins, agrees, fetches every clip, waits as long as it lasts (``--listen``, else not at
all: the study then asks for no listening), submits and goes on, until the completion code. Prints
what was stored, how balanced it is, errors, and how long a submission and the next page took.
"""

from __future__ import annotations

import argparse
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "listening_test"))
from wire import Wire, answers_to

from concours.eval.store import open_store, study
from concours.listening_test.building import build_study
from concours.listening_test.config import StudyConfig
from concours.listening_test.live import open_live
from concours.listening_test.tokens import join_link


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--raters", type=int, default=100)
    options.add_argument("--items", type=int, default=6, help="of each of two systems")
    options.add_argument("--seconds", type=float, default=10.0, help="length of a clip")
    options.add_argument("--listen", action="store_true", help="wait as long as clips last")
    options.add_argument("--arrive", type=float, default=20.0, help="seconds over which all come")
    options.add_argument("--store")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run(given, Path(name))


def run(given: argparse.Namespace, folder: Path) -> None:
    url = given.store or f"sqlite:///{folder}/load.db"
    draw = np.random.default_rng(0)
    for system in "ab":
        (folder / system).mkdir()
        for i in range(given.items + 1):
            sound = draw.normal(0, 0.1, (round(22050 * given.seconds), 1))
            soundfile.write(folder / system / f"{i}.wav", sound, 22050)
    config = StudyConfig(
        name=f"load{random.getrandbits(40):x}", method="mos", items_per_system=given.items,
        systems={s: {"path": s} for s in "ab"}, training=0, level=False,
        must_hear=1.0 if given.listen else 0.0,
        audio={"seconds": given.seconds, "rate": 44100, "channels": 2},
    )  # fmt: skip
    store = open_store(url)
    build_study(store, config, folder, time.time())
    live = open_live(store, config.name)
    study.go_live(store, live.id, time.time())
    live.extend(max(0, given.raters - study.count_blocks(store, live.id)))
    tokens = study.invite_raters(store, live.id, given.raters, time.time())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "concours.eval.cli", "study", "serve", config.name,
               "--port", str(port), "--store", url, "--rate-limit", "1000"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(base)
            began = time.monotonic()
            times, errors = drive(given, base, tokens)
            took = time.monotonic() - began
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
    counts = study.count_study(store, live.id)
    trials = 2 * given.items
    print(f"{store.engine.dialect.name}: {given.raters} raters x {trials} trials in {took:.0f} s")
    print(f"stored {counts.n_ratings} of {given.raters * trials} ratings, {len(errors)} errors")
    print(f"completed {counts.raters.get('completed', 0)}; each trial given {counts.trial_given}")
    for name, values in times.items():
        p50, p95, most = np.percentile(values, [50, 95, 100])
        print(
            f"{name}: median {p50 * 1e3:.0f} ms, 95% {p95 * 1e3:.0f} ms, most {most * 1e3:.0f} ms"
        )
    for error in errors[:5]:
        print(error)
    log_text = (folder / "log").read_text()
    print(f"tracebacks in the server's log: {log_text.count('Traceback')}")
    store.close()


def wait_for(base: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{base}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not start")


def drive(
    given: argparse.Namespace, base: str, tokens: list[str]
) -> tuple[dict[str, list[float]], list[str]]:
    times: dict[str, list[float]] = {"submit": [], "next page": [], "clip": []}
    errors: list[str] = []

    def rater(number: int) -> None:
        draw = random.Random(number)
        time.sleep(draw.uniform(0, given.arrive))
        device = Wire(base)
        try:
            device.join(join_link(base, tokens[number]))
            device.connect()
            device.consent()
            while page := device.page():
                for slot in page["slots"]:
                    timed(times["clip"], lambda slot=slot: device.request("GET", slot["url"]))
                device.received.clear()
                if given.listen:
                    time.sleep(page["mustHear"] + draw.uniform(1, 4))
                reply = timed(
                    times["submit"], lambda page=page: device.submit(page, answers_to(page, number))
                )
                if reply != {"result": "stored"}:
                    errors.append(f"rater {number}: {reply}")
                    return
                timed(times["next page"], device.rerun)
            if "completion code" not in device.text().lower():
                errors.append(f"rater {number}: no completion code")
        except Exception as error:
            errors.append(f"rater {number}: {error!r}")
        finally:
            device.close()

    threads = [threading.Thread(target=rater, args=(n,)) for n in range(given.raters)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, errors


def timed(into: list[float], action: object) -> object:
    began = time.monotonic()
    result = action()  # type: ignore[operator]
    into.append(time.monotonic() - began)
    return result


if __name__ == "__main__":
    main()
