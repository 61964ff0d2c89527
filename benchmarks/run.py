"""`make bench`: every design in turn, several rounds, and the ratios between them.

The designs run at the same time and are asked in turn, so that a machine that grows slower slows all of them. Figures
of one run compare; figures of two runs do not.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import urllib3

from benchmarks import servers, visible
from benchmarks.block import Block, measure
from benchmarks.doctors import AT_ONCE, PATIENCE_S, Doctors
from benchmarks.films import films
from benchmarks.kept import keep, machine
from benchmarks.ml_tier import MlTier
from benchmarks.table import percentile, show, table
from ml_service.settings import SHIPPED

ROUNDS, SECONDS, IDLE_FILMS, SEEN_FILMS = 5, 7.0, 40, 20
BASE = "naive, 16 at once"


def main() -> None:
    """Prints the figures and keeps them in RESULTS."""
    if "BENCH_VERSION" in os.environ:
        sys.exit("Expected no BENCH_VERSION: the portal answers with its newest version, and so must the others.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lightbox-bench-")))
        _say("Starting the portal for the first time…")
        with servers.portal(folder / "var"):
            pass
        _say("Starting it again…")
        portal = stack.enter_context(servers.portal(folder / "var"))
        found: dict[str, Any] = {"machine": machine(), "ready_s": round(portal.ready_s, 1)}
        found["memory_mb"] = {"idle": portal.memory()}
        pictures = films()
        doctors, ml = Doctors(portal, pictures), MlTier.of(portal, pictures)
        _say("Waiting until every model is loaded…")
        ml.wait_for(sorted(path.name for path in SHIPPED.iterdir()))
        doctors.read_one()
        found["idle_latency_s"] = _idle_latency(doctors)
        _say(f"{SEEN_FILMS} films in a browser, one at a time…")
        found["visible_s"] = _quantiles(visible.waits_s(portal, pictures, SEEN_FILMS))
        _say("Starting the naive design and the bare engine…")
        naive = stack.enter_context(servers.naive())
        engine = stack.enter_context(servers.engine())
        found["table"] = _rounds(doctors, ml, naive, engine, pictures)
        found["cpu_ms_per_image"] = _cpu(portal, doctors)
        found["memory_mb"]["after load"] = portal.memory()
    _report(found)


def _idle_latency(doctors: Doctors) -> dict[str, float]:
    _say(f"{IDLE_FILMS} films, one at a time…")
    taken = []
    for _ in range(IDLE_FILMS):
        began = time.perf_counter()
        doctors.read_one()
        taken.append(time.perf_counter() - began)
        time.sleep(0.1)
    return _quantiles(taken)


def _quantiles(taken_s: list[float]) -> dict[str, float]:
    return {"p50": round(percentile(taken_s, 0.5), 3), "p95": round(percentile(taken_s, 0.95), 3)}


def _rounds(
    doctors: Doctors, ml: MlTier, naive: str, engine: "subprocess.Popen[str]", pictures: list[bytes]
) -> list[dict[str, Any]]:
    pool = urllib3.PoolManager(maxsize=AT_ONCE, timeout=PATIENCE_S)

    def ask_naive(client: int) -> None:
        picture = pictures[client % len(pictures)]
        answer = pool.request("POST", f"{naive}/predict", fields={"file": ("film.jpg", picture)})
        if answer.status != 200:
            raise RuntimeError(f"the naive design answered with {answer.status}")

    def blocks() -> dict[str, Block]:
        return {
            "ML tier over HTTP, 8 at once": measure(ml.ask, 8, SECONDS),
            BASE: measure(ask_naive, 16, SECONDS),
            "whole path, 1 doctor": measure(doctors.read_one, 1, SECONDS),
            "whole path, 4 doctors": measure(doctors.read_one, 4, SECONDS),
            "whole path, 16 doctors": measure(doctors.read_one, 16, SECONDS),
        }

    assert engine.stdin is not None and engine.stdout is not None
    measure(ask_naive, 16, 1)  # warm
    rates: dict[str, list[float]] = {"bare engine, batches of 16": []}
    latencies: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        _say(f"Round {number + 1} of {ROUNDS}…")
        print("network", SECONDS, file=engine.stdin, flush=True)
        rates["bare engine, batches of 16"].append(float(engine.stdout.readline()))
        for name, block in blocks().items():
            rates.setdefault(name, []).append(block.per_second)
            latencies.setdefault(name, []).extend(block.latencies_s)
    return table(rates, BASE, latencies)


def _cpu(portal: servers.RunningPortal, doctors: Doctors) -> dict[str, float]:
    """Where an image's milliseconds of processor go with 16 doctors; "client" is this benchmark's own share."""
    before, own = portal.cpu_s(), time.process_time()
    done = measure(doctors.read_one, 16, SECONDS).done
    client = time.process_time() - own
    used = {tier: seconds - before[tier] for tier, seconds in portal.cpu_s().items()}
    return {tier: round(seconds / done * 1000, 1) for tier, seconds in (used | {"client": client}).items()}


def _report(found: dict[str, Any]) -> None:
    idle, seen, memory = found["idle_latency_s"], found["visible_s"], found["memory_mb"]
    print(f"\n{show(found['table'], BASE)}\n")
    print(f"upload to answer, one at a time   p50 {idle['p50'] * 1000:.0f} ms, p95 {idle['p95'] * 1000:.0f} ms")
    print(f"the same, seen on the page        p50 {seen['p50'] * 1000:.0f} ms, p95 {seen['p95'] * 1000:.0f} ms")
    print(f"warm start until ready            {found['ready_s']} s")
    spent = ", ".join(f"{tier} {used:.0f}" for tier, used in found["cpu_ms_per_image"].items())
    print(f"processor ms an image, 16 doctors {spent}")
    for when, used in memory.items():
        print(f"memory, {when:26}{used['pss']:.0f} MB (PSS), {used['rss']:.0f} MB (sum of RSS)")
    keep(f"{found['machine']['at'][:10]}-{found['machine']['commit']}", found)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
