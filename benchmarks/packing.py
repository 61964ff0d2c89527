"""How long .nii.gz takes by isal, as the portal writes it, beside zlib at the same level, in turn."""

import gzip
import time
from collections.abc import Callable
from statistics import median

from isal import igzip

ROUNDS = 5


def packing(plain: bytes) -> dict[str, str]:
    """Figures of each way by its name, and the ratio of each round's two."""
    ways: dict[str, Callable[[], bytes]] = {
        "isal, level 1": lambda: igzip.compress(plain, 1),
        "zlib, level 1": lambda: gzip.compress(plain, 1),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    sizes = {}
    for _ in range(ROUNDS):
        for name, write in ways.items():
            began = time.process_time()
            sizes[name] = len(write()) / len(plain)
            rates[name].append(len(plain) / (time.process_time() - began) / 1e6)
    found = {
        f".nii.gz by {name}": f"{median(rates[name]):.0f} MB/s ({min(rates[name]):.0f} to {max(rates[name]):.0f}), "
        f"{sizes[name]:.0%} of the size"
        for name in ways
    }
    first, second = rates.values()
    ratios = sorted(one / other for one, other in zip(first, second, strict=True))
    found[".nii.gz, isal against zlib"] = f"{median(ratios):.1f} times as fast ({ratios[0]:.1f} to {ratios[-1]:.1f})"
    return found
