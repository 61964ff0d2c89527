"""One block: several clients do the same thing again and again for some seconds, and what comes through is counted."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """`done` in `seconds`, each of them taking one of `latencies_s`."""

    done: int
    seconds: float
    latencies_s: list[float]

    @property
    def per_second(self) -> float:
        return self.done / self.seconds


def measure(do: Callable[[int], None], clients: int, seconds: float) -> Block:
    """Runs `do(client)` in `clients` threads until `seconds` are over; what was begun is finished and counted."""
    latencies: list[list[float]] = [[] for _ in range(clients)]
    errors: list[BaseException] = []
    began = time.perf_counter()

    def work(client: int) -> None:
        try:
            while (start := time.perf_counter()) - began < seconds and not errors:
                do(client)
                latencies[client].append(time.perf_counter() - start)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    every = [latency for of_one in latencies for latency in of_one]
    return Block(len(every), time.perf_counter() - began, every)
