"""Where a film's processor time goes in the ML tier: `python -m benchmarks.ml_cost`.

Processor time, not time by the clock, because it changes little when others use the machine as well. The tier is the
real one, asked over HTTP with 1200 x 1500 JPEGs; the parts are its steps, one after the other in this process.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import numpy as np
import psutil
import requests

from benchmarks.films import films
from benchmarks.ml_tier import MlTier
from benchmarks.ml_tier import films as asks_of_films
from benchmarks.shipped import FOLDER, shipped
from launcher import ports
from launcher.settings import REPOSITORY
from ml_service import engines
from ml_service.explain import heatmap_png
from ml_service.refusal import Refusal
from ml_service.settings import SHIPPED
from ml_service.tasks import load
from ml_service.tasks.decode import grey_plane

TOKEN = "a token for a benchmark"
FILMS, ROUNDS = 300, 12


def main() -> None:
    """Prints processor milliseconds a film, by part and for the whole tier."""
    for part, spent_ms in parts().items():
        print(f"{part:<28}{spent_ms:6.2f} ms")
    with loaded_tier() as (address, process):
        client = MlTier(address, TOKEN, asks_of_films(films()))
        for at_once in (1, 16):
            print(f"{f'whole tier, {at_once} at once':<28}{whole(client, process, at_once):6.2f} ms")


def parts() -> dict[str, float]:
    """Returns the steps that need no server."""
    manifest, pictures = shipped(), films()
    asked = os.environ.get("LIGHTBOX_ML_ENGINE", "auto")
    engines.settle(asked, SHIPPED)
    network, task = engines.open_network(manifest, FOLDER, asked), load(manifest.task)
    planes = [grey_plane(picture) for picture in pictures]
    pixels = np.stack([task.prepare(plane, manifest.side) for plane in planes])
    outputs, refusal = network(pixels), Refusal.load(FOLDER, manifest)
    engines.warm(network, len(pixels))
    side = manifest.side
    steps: dict[str, Callable[[], object]] = {
        "decode": lambda: [grey_plane(picture) for picture in pictures],
        "prepare": lambda: [task.prepare(plane, side) for plane in planes],
        "network, one at a time": lambda: [network(one[np.newaxis]) for one in pixels],
        f"network, {len(pixels)} at a time": lambda: network(pixels),
        "refusal": lambda: [
            refusal.score(features[np.newaxis], one[np.newaxis])
            for features, one in zip(outputs.features, pixels, strict=True)
        ],
        "heat map": lambda: [heatmap_png(heat[:, :, 0], manifest.heat_scale) for heat in outputs.heat],
    }
    return {name: _least(step) / len(pictures) * 1e3 for name, step in steps.items()}


def _least(step: Callable[[], object]) -> float:
    """Returns processor seconds of all threads in the best of ROUNDS: others can only add to it."""
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        step()
        spent.append(time.process_time() - began)
    return min(spent)


def whole(client: MlTier, process: psutil.Process, at_once: int) -> float:
    """Returns the tier's processor milliseconds a film, of FILMS after FILMS / 4 to warm up."""
    with ThreadPoolExecutor(at_once) as clients:
        list(clients.map(client.ask, range(FILMS // 4)))
        before = sum(process.cpu_times()[:2])
        list(clients.map(client.ask, range(FILMS)))
        return float(sum(process.cpu_times()[:2]) - before) / FILMS * 1e3


@contextmanager
def loaded_tier() -> Iterator[tuple[str, psutil.Process]]:
    """As `tier`, once every model answers: loading them takes time from whoever asks meanwhile, and memory."""
    with tier() as (address, process):
        MlTier(address, TOKEN, []).wait_for(sorted(path.name for path in SHIPPED.iterdir()))
        yield address, process


@contextmanager
def tier(settings: Mapping[str, str] | None = None) -> Iterator[tuple[str, psutil.Process]]:
    """The address of a ready ML tier, and its process."""
    bind = f"127.0.0.1:{ports.free(1)[0]}"
    command = [sys.executable, "-m", "gunicorn", "-c", "ml_service/gunicorn.conf.py", "-b", bind]
    own = os.environ | {"LIGHTBOX_ML_SERVICE_TOKEN": TOKEN} | dict(settings or {})
    server = subprocess.Popen(command, cwd=REPOSITORY, env=own, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with suppress(requests.RequestException):
                if requests.get(f"http://{bind}/readyz", timeout=5).ok:
                    break
            time.sleep(0.1)
        yield bind, psutil.Process(server.pid).children()[0]
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    main()
