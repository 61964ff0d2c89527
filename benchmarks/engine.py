"""The limit of every design: the network alone, on prepared tensors, in batches.

`python -m benchmarks.engine` answers each line of its input, a number of seconds, with images per second.
"""

import sys
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.films import films
from benchmarks.shipped import FOLDER, shipped
from ml_service import tasks
from ml_service.engines import Network, open_network, warm
from ml_service.tasks.decode import grey_plane

BATCH = 16


def main() -> None:
    manifest = shipped()
    prepare = tasks.load(manifest.task).prepare
    prepared = [prepare(grey_plane(film), manifest.side) for film in films()]
    batch = np.stack([prepared[number % len(prepared)] for number in range(BATCH)])
    network = open_network(manifest, FOLDER)
    warm(network, BATCH)
    print("ready", flush=True)
    for line in sys.stdin:
        print(_images_per_second(network, batch, float(line)), flush=True)


def _images_per_second(network: Network, batch: NDArray[np.float32], seconds: float) -> float:
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        network(batch)
        done += len(batch)
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
