"""How near the ML tier comes to its network and to its decoder: `python -m benchmarks.ml_limits`. Part of
`make bench-ml`.

The tier has one core to itself and this client the other (sched_setaffinity, `benchmarks/cores.py`), so that neither
takes the other's time; the limits are measured on the tier's core, in turn with it, several rounds. The bare loop sends
batches of 16 through the network, so prepared tensors come one in a request and sixteen in a request: the first is what
HTTP costs an image, the second what it costs a batch like the bare loop's: three clients send those, because the
tier's queue holds 64 images.

Films are asked for twice. On one core they are read and computed in turn, and what that alone reaches is as far as any
server could come. With both cores one film is read while another is computed, and the slower of the two is the limit;
the client then shares these cores.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from statistics import median
from typing import Any

import numpy as np

from benchmarks import servers
from benchmarks.block import measure
from benchmarks.cores import apart
from benchmarks.engine import BATCH
from benchmarks.films import films
from benchmarks.kept import keep, machine, today
from benchmarks.ml_cost import TOKEN, loaded_tier
from benchmarks.ml_tier import MlTier
from benchmarks.ml_tier import films as asks_of_films
from benchmarks.ml_tier import tensors as asks_of_tensors
from benchmarks.peers import Reader
from benchmarks.shipped import NAME, shipped
from benchmarks.table import show, table

ROUNDS, SECONDS, CLIENTS, OF_BATCHES = 5, 3.0, 16, 3
ANSWER = ("logits",)
NETWORK, DECODE, IN_TURN = "network alone, batches of 16", "decoder alone", "decoder, then network"
ONE, SIXTEEN, FILMS = "tensors, 1 in a request", "tensors, 16 in a request", "films"
BOTH = "films, tier and clients on both cores"


def main() -> None:
    """Prints the rates and their shares of the limits, and keeps them as JSON."""
    found: dict[str, Any] = {"machine": machine(), "clients": CLIENTS}
    with ExitStack() as stack:
        address, process = stack.enter_context(loaded_tier())
        engine = stack.enter_context(servers.engine())
        rates, latencies = _rounds(address, engine, lambda: apart(process.pid, engine.pid))
    found["rates"] = table(rates, NETWORK, latencies)
    slower = [min(pair) for pair in zip(rates[DECODE], rates[NETWORK], strict=True)]
    found["shares"] = {
        f"{ONE} / network": _share(rates[ONE], rates[NETWORK]),
        f"{SIXTEEN} / network": _share(rates[SIXTEEN], rates[NETWORK]),
        f"{FILMS} / {IN_TURN}": _share(rates[FILMS], rates[IN_TURN]),
        f"{FILMS} / min(decoder, network)": _share(rates[FILMS], slower),
        f"{BOTH} / min(decoder, network)": _share(rates[BOTH], slower),
    }
    print("\nThe tier on one core, 16 clients on the other\n" + show(found["rates"], NETWORK))
    for what, share in found["shares"].items():
        print(f"{what:68}{share:.2f}")
    keep(f"limits-{NAME}-{today()}", found)


def _rounds(
    address: str, engine: Any, apart: Callable[[], AbstractContextManager[None]]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    asked = _asked(address)
    rates: dict[str, list[float]] = {NETWORK: [], DECODE: [], IN_TURN: []}
    latencies: dict[str, list[float]] = {}

    def ask(name: str, what: str) -> None:
        one, images = asked[what]
        block = measure(one, _clients(images), SECONDS)
        rates.setdefault(name, []).append(block.per_second * images)
        latencies.setdefault(name, []).extend(block.latencies_s)

    for warmed, images in asked.values():
        measure(warmed, _clients(images), 1)
    for _ in range(ROUNDS):
        with apart():
            for limit, word in ((NETWORK, "network"), (DECODE, "decode"), (IN_TURN, "in turn")):
                print(word, SECONDS, file=engine.stdin, flush=True)
                rates[limit].append(float(engine.stdout.readline()))
            for name in asked:
                ask(name, name)
        ask(BOTH, FILMS)
    return rates, latencies


def _asked(address: str) -> dict[str, tuple[Callable[[int], None], int]]:
    """What is asked, and how many images each request holds."""
    pictures, reader, side = films(), Reader(), shipped().side
    tensors = [np.ascontiguousarray(reader.pixels(film), "<f4").tobytes() for film in pictures]
    sixteen = b"".join(tensors[number % len(tensors)] for number in range(BATCH))
    return {
        ONE: (MlTier(address, TOKEN, asks_of_tensors(tensors, side, ANSWER)).ask, 1),
        SIXTEEN: (MlTier(address, TOKEN, asks_of_tensors([sixteen], side, ANSWER, BATCH)).ask, BATCH),
        FILMS: (MlTier(address, TOKEN, asks_of_films(pictures, ANSWER)).ask, 1),
    }


def _clients(images: int) -> int:
    return CLIENTS if images == 1 else OF_BATCHES


def _share(rates: list[float], limits: list[float]) -> float:
    """The median of the rounds' own shares."""
    return round(median(rate / limit for rate, limit in zip(rates, limits, strict=True)), 3)


if __name__ == "__main__":
    main()
