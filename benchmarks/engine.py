"""The limits of every design: the network alone, on prepared tensors, in batches; films read alone; and both in turn, a
batch read and then computed, which is the least that an answer about a film takes of one core.

`python -m benchmarks.engine` answers each line of its input, "network", "decode" or "in turn" and a number of seconds,
with images per second. Reading is from a JPEG to what the network reads, in as many threads as this process may use
cores.
"""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.films import films
from benchmarks.shipped import FOLDER, shipped
from ml_service import tasks
from ml_service.engines import open_network, warm
from ml_service.tasks.decode import grey_plane
from ml_service.tasks.film import Pixels

BATCH = 16


def main() -> None:
    manifest, pictures = shipped(), films()
    prepare = tasks.load(manifest.task).prepare

    def read(picture: bytes) -> Pixels:
        pixels: Pixels = prepare(grey_plane(picture), manifest.side)
        return pixels

    def read_batch() -> Pixels:
        return np.stack([read(pictures[number % len(pictures)]) for number in range(BATCH)])

    batch = read_batch()
    network = open_network(manifest, FOLDER)
    warm(network, BATCH)
    limits = {
        "network": lambda: len(network(batch).logits),
        "decode": lambda: _all_read(read, pictures),
        "in turn": lambda: len(network(read_batch()).logits),
    }
    print("ready", flush=True)
    for line in sys.stdin:
        what, seconds = line.rsplit(maxsplit=1)
        print(_images_per_second(limits[what], float(seconds)), flush=True)


def _all_read(read: Callable[[bytes], Pixels], pictures: list[bytes]) -> int:
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as readers:
        return len(list(readers.map(read, pictures)))


def _images_per_second(images: Callable[[], int], seconds: float) -> float:
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        done += images()
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
