"""Does the ML tier's memory stay flat over 20,000 requests? `python -m benchmarks.ml_flat` (about 3 minutes).

As the worker asks: films, with findings and heat map, 16 at once. The resident memory of the tier's process is read
every 500 requests. While the first half runs, pools and caches fill; what the second half adds would be a leak.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from scipy.stats import theilslopes

from benchmarks.films import films
from benchmarks.kept import keep, machine, today
from benchmarks.ml_cost import TOKEN, loaded_tier
from benchmarks.ml_tier import MlTier
from benchmarks.ml_tier import films as asks_of_films
from benchmarks.shipped import NAME

REQUESTS, EVERY, CLIENTS = 20_000, 500, 16
FLAT = 0.01  # growth over the second half, as a share, that is none


def main() -> None:
    """Prints the memory at the start, the middle and the end, and keeps it as JSON; exits with 1 if it grew."""
    found: dict[str, Any] = {"machine": machine(), "requests": REQUESTS, "clients": CLIENTS}
    with loaded_tier() as (address, process), ThreadPoolExecutor(CLIENTS) as clients:
        client = MlTier(address, TOKEN, asks_of_films(films()))
        sizes = [round(process.memory_info().rss / 1e6, 1)]
        for _ in range(REQUESTS // EVERY):
            list(clients.map(client.ask, range(EVERY)))
            sizes.append(round(process.memory_info().rss / 1e6, 1))
    found["rss_mb"] = sizes
    found["growth"] = growth(sizes)
    print(f"RSS {sizes[0]:.0f} MB at first, {sizes[len(sizes) // 2]:.0f} after half, {sizes[-1]:.0f} at the end")
    print(f"growth over the second half {found['growth']:+.2%}: {'flat' if found['growth'] <= FLAT else 'GROWS'}")
    keep(f"flat-{NAME}-{today()}", found)
    sys.exit(found["growth"] > FLAT)


def growth(sizes: list[float]) -> float:
    """Returns what the second half of `sizes` grows by, as a share of its first: by the slope of Theil and Sen, which
    single jumps do not move."""
    half = sizes[len(sizes) // 2 :]
    slope = theilslopes(half, range(len(half)))[0]
    return round(float(slope * (len(half) - 1) / half[0]), 4)


if __name__ == "__main__":
    main()
