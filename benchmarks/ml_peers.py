"""`make bench-ml`: the ML tier beside other people's servers, all with the same network, films and clients.

Each runs alone while it is asked (the others wait for requests, which costs nothing), in turn, several rounds: figures
of one round compare. The clients are threads of this process and share the processors with whoever is asked; the bare
loop says what the network alone could do on the same machine.
"""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import urllib3

from benchmarks import servers
from benchmarks.block import Block, measure
from benchmarks.films import films
from benchmarks.kept import keep, machine, today
from benchmarks.ml_cost import TOKEN, loaded_tier
from benchmarks.ml_tier import MlTier
from benchmarks.ml_tier import films as asks_of_films
from benchmarks.ml_tier import tensors as asks_of_tensors
from benchmarks.peers import Reader
from benchmarks.peers.running import BINARY, PEERS, serving
from benchmarks.shipped import NAME, shipped
from benchmarks.table import show, table

ROUNDS, SECONDS, CLIENTS = 5, 3.0, 16
ANSWER = ("logits",)  # all that the peers give
BARE, LIGHTBOX, NAIVE = "bare engine, batches of 16", "Lightbox", "naive: Flask, model.predict"


def main() -> None:
    """Prints one table for real films and one for prepared tensors, and keeps both as JSON."""
    pictures = films()
    reader = Reader()
    tensors = [np.ascontiguousarray(reader.pixels(film), "<f4").tobytes() for film in pictures]
    with ExitStack() as stack:
        address, _ = stack.enter_context(loaded_tier())
        peers = {peer: stack.enter_context(serving(peer)) for peer in PEERS if peer.installed()}
        for peer in PEERS:
            if peer not in peers:
                print(f"{peer.name} is not installed for {sys.executable}: left out", file=sys.stderr)
        engine = stack.enter_context(servers.engine())
        asks = {
            "films": asks_of_films(pictures, ANSWER),
            "tensors": asks_of_tensors(tensors, shipped().side, ANSWER),
        }
        naive = stack.enter_context(servers.naive())
        found: dict[str, Any] = {"machine": machine(), "clients": CLIENTS}
        for what, bodies in (("films", pictures), ("tensors", tensors)):
            asked = {
                LIGHTBOX: MlTier(address, TOKEN, asks[what]).ask,
                **{peer.name: _asker(url, bodies) for peer, url in peers.items()},
            }
            if what == "films":
                asked[NAIVE] = _form_sender(f"{naive}/predict", pictures)
            found[what] = _rounds(asked, engine)
    for what in ("films", "tensors"):
        print(f"\n16 clients, {what}\n" + show(found[what], LIGHTBOX))
    keep(f"peers-{NAME}-{today()}", found)


def _rounds(asked: dict[str, Callable[[int], None]], engine: Any) -> list[dict[str, Any]]:
    rates: dict[str, list[float]] = {}
    latencies: dict[str, list[float]] = {}
    for ask in asked.values():
        measure(ask, CLIENTS, 1)  # warm
    for _ in range(ROUNDS):
        for name, ask in asked.items():
            block: Block = measure(ask, CLIENTS, SECONDS)
            rates.setdefault(name, []).append(block.per_second)
            latencies.setdefault(name, []).extend(block.latencies_s)
        print("network", SECONDS, file=engine.stdin, flush=True)
        rates.setdefault(BARE, []).append(float(engine.stdout.readline()))
        time.sleep(0.2)
    return table(rates, LIGHTBOX, latencies)


def _asker(url: str, bodies: list[bytes]) -> Callable[[int], None]:
    pool = urllib3.PoolManager(maxsize=CLIENTS, timeout=60)

    def ask(client: int) -> None:
        answer = pool.request("POST", url, body=bodies[client % len(bodies)], headers=BINARY)
        if answer.status != 200:
            raise RuntimeError(f"{url} answered with {answer.status}")

    return ask


def _form_sender(url: str, pictures: list[bytes]) -> Callable[[int], None]:
    pool = urllib3.PoolManager(maxsize=CLIENTS, timeout=60)

    def ask(client: int) -> None:
        answer = pool.request("POST", url, fields={"file": ("film.jpg", pictures[client % len(pictures)])})
        if answer.status != 200:
            raise RuntimeError(f"{url} answered with {answer.status}")

    return ask


if __name__ == "__main__":
    main()
