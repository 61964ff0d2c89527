"""How long a host takes from the start of the ML tier's process until three models answer: python -m
benchmarks.ml_cold_start. Part of `make bench-ml`.

The files are in the page cache, as after an upgrade or a crash; the first start after a boot reads 30 MB more.
"""

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.kept import keep, machine, today
from benchmarks.ml_cost import TOKEN, tier
from benchmarks.ml_tier import MlTier
from ml_service.settings import SHIPPED

MODELS = ("brain-tumour", "lung-field", "pneumonia")
ROUNDS = 5


def main() -> None:
    """Prints the seconds of each start and their median, and keeps them as JSON."""
    found: dict[str, Any] = {"machine": machine(), "models": MODELS}
    took = found["seconds"] = [round(seconds, 2) for seconds in sorted(starts())]
    print(f"cold start with {len(MODELS)} models: {median(took):.1f} s [{took[0]:.1f}, {took[-1]:.1f}]")
    keep(f"cold-start-{today()}", found)


def starts() -> list[float]:
    """Returns seconds until the newest versions of MODELS are ready, ROUNDS times."""
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            newest = max((SHIPPED / name).iterdir(), key=lambda version: int(version.name))
            (Path(folder) / name).mkdir()
            (Path(folder) / name / newest.name).symlink_to(newest)
        return [_one(folder) for _ in range(ROUNDS)]


def _one(folder: str) -> float:
    began = time.monotonic()
    with tier({"LIGHTBOX_MODEL_DIR": folder}) as (address, _):
        MlTier(address, TOKEN, []).wait_for(MODELS)
        return time.monotonic() - began


if __name__ == "__main__":
    main()
